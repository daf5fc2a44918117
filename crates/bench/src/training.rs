//! Whole training steps: zero_grad, forward, loss, backward, step, and reading the loss.

use crate::Workload;
use crate::measure::{Protocol, report};
use gradus::prelude::*;
use serde_json::json;

/// The ids of this file.
pub(crate) const WORKLOADS: &[Workload] = &[
    ("mlp_small", |id, p| mlp(id, p, &[784, 256, 128, 10], 64)),
    ("mlp_large", |id, p| mlp(id, p, &[784, 1024, 1024, 10], 512)),
];

/// Steps of a `--check`, on the same batch.
const CHECK_STEPS: usize = 30;
/// Learning rate of a check, and one that leaves the loss where it is while the clock runs.
const RATES: [f64; 2] = [1e-3, 1e-6];

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
    let lr = RATES[usize::from(!protocol.check)];
    let options = AdamOptions { lr, ..Default::default() };
    let mut opt = Adam::new(net.named_parameters(), options).expect("valid options");
    let mut step = || {
        opt.zero_grad();
        let loss = cross_entropy(&net.forward(&x), &y);
        loss.backward();
        opt.step().expect("plain gradients");
        loss.item()
    };
    if protocol.check {
        let losses: Vec<f64> = (0..CHECK_STEPS).map(|_| step()).collect();
        let params = net.num_parameters();
        let line = json!({
            "id": id,
            "loss0": losses[0],
            "loss29": losses[CHECK_STEPS - 1],
            "params": params,
        });
        println!("{line}");
        return;
    }
    let times = protocol.times(|| {
        std::hint::black_box(step());
    });
    report(id, times, json!({}));
}
