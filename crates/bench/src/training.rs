//! Whole training steps: zero_grad, forward, loss, backward, step, and reading the loss.

use crate::Workload;
use crate::measure::{Protocol, report};
use gradus::prelude::*;
use serde_json::json;
use std::hint::black_box;

/// The ids of this file.
pub(crate) const WORKLOADS: &[Workload] = &[
    ("mlp_small", |id, p| mlp(id, p, &[784, 256, 128, 10], 64)),
    ("mlp_large", |id, p| mlp(id, p, &[784, 1024, 1024, 10], 512)),
    ("mnist_cnn", |id, p| mnist_cnn(id, p)),
];

/// Steps of a `--check`, on the same batch.
const CHECK_STEPS: usize = 30;
/// Learning rates of a check, and one that leaves the loss where it is while the clock runs.
const ADAM_RATE: f64 = 1e-3;
const SGD_RATE: f64 = 1e-2;
const TIMED_RATE: f64 = 1e-6;

impl Protocol {
    fn rate(&self, check: f64) -> f64 {
        if self.check { check } else { TIMED_RATE }
    }
}

/// Linear layers with ReLU between them.
#[derive(Module)]
struct Mlp {
    layers: Vec<Linear>,
}

impl Mlp {
    fn forward(&self, x: &Tensor) -> Tensor {
        let (last, hidden) = self.layers.split_last().expect("at least one layer");
        let h = hidden.iter().fold(x.clone(), |h, layer| layer.forward(&h).relu());
        last.forward(&h)
    }
}

fn mlp(id: &str, protocol: &Protocol, sizes: &[usize], batch: usize) {
    manual_seed(0);
    let layers = sizes.windows(2).map(|s| Linear::new(s[0], s[1])).collect();
    let net = Mlp { layers };
    let x = Tensor::new(Array::randn([batch, sizes[0]]));
    let y = Tensor::new(Array::randint(0, 10, batch));
    let options = AdamOptions { lr: protocol.rate(ADAM_RATE), ..Default::default() };
    let mut opt = Adam::new(net.named_parameters(), options).expect("valid options");
    run(id, protocol, &net, &mut opt, || cross_entropy(&net.forward(&x), &y));
}

/// PyTorch's network for MNIST, without its dropout.
#[derive(Module)]
struct Cnn {
    conv1: Conv2d,
    conv2: Conv2d,
    pool: MaxPool2d,
    fc1: Linear,
    fc2: Linear,
}

impl Cnn {
    fn forward(&self, x: &Tensor) -> Tensor {
        let h = self.conv2.forward(&self.conv1.forward(x).relu()).relu();
        let h = self.pool.forward(&h).flatten(1, -1);
        self.fc2.forward(&self.fc1.forward(&h).relu()).log_softmax(-1)
    }
}

fn mnist_cnn(id: &str, protocol: &Protocol) {
    manual_seed(0);
    let net = Cnn {
        conv1: Conv2d::new(1, 32, 3),
        conv2: Conv2d::new(32, 64, 3),
        pool: MaxPool2d::new(2),
        fc1: Linear::new(9216, 128),
        fc2: Linear::new(128, 10),
    };
    let x = Tensor::new(Array::randn([64, 1, 28, 28]));
    let y = Tensor::new(Array::randint(0, 10, 64));
    let options = SgdOptions { lr: protocol.rate(SGD_RATE), momentum: 0.9, ..Default::default() };
    let mut opt = Sgd::new(net.named_parameters(), options).expect("valid options");
    run(id, protocol, &net, &mut opt, || nll_loss(&net.forward(&x), &y));
}

/// Times training steps, or trains a few.
fn run(
    id: &str,
    protocol: &Protocol,
    net: &dyn Module,
    opt: &mut dyn Optimizer,
    loss_of: impl Fn() -> Tensor,
) {
    let mut step = || {
        opt.zero_grad();
        let loss = loss_of();
        loss.backward();
        opt.step().expect("plain gradients");
        loss.item()
    };
    if protocol.check {
        let losses: Vec<f64> = (0..CHECK_STEPS).map(|_| step()).collect();
        let line = json!({
            "id": id,
            "impl": "gradus",
            "loss0": losses[0],
            "loss29": losses[CHECK_STEPS - 1],
            "params": net.num_parameters(),
        });
        println!("{line}");
        return;
    }
    let times = protocol.times(|| {
        black_box(step());
    });
    report(id, times, json!({}));
}
