//! Steps of optimizers and clipping, on ten million parameters whose gradients are there already.

use crate::Workload;
use crate::measure::{Protocol, report};
use gradus::prelude::*;
use gradus_optim::{Optim, Rule, get_total_norm};
use serde_json::json;

/// The ids of this file. A gradient is read, a value and each state array are read and written: so many
/// bytes an element.
pub(crate) const WORKLOADS: &[Workload] = &[
    ("opt_sgdm_10m", |id, p| {
        step(id, p, 20, SgdOptions { lr: LR, momentum: 0.9, ..Default::default() });
    }),
    ("opt_adam_10m", |id, p| step(id, p, 28, AdamOptions { lr: LR, ..Default::default() })),
    ("opt_adamw_10m", |id, p| step(id, p, 28, AdamWOptions { lr: LR, ..Default::default() })),
    ("clip_norm_10m", |id, p| clip(id, p)),
    ("opt_sgd_10m", |id, p| step(id, p, 12, SgdOptions { lr: LR, ..Default::default() })),
    ("opt_adagrad_10m", |id, p| step(id, p, 20, AdagradOptions { lr: LR, ..Default::default() })),
    ("opt_rmsprop_10m", |id, p| step(id, p, 20, RmsPropOptions { lr: LR, ..Default::default() })),
    ("opt_adadelta_10m", |id, p| step(id, p, 28, AdadeltaOptions { lr: LR, ..Default::default() })),
    ("opt_adamax_10m", |id, p| step(id, p, 28, AdamaxOptions { lr: LR, ..Default::default() })),
    ("opt_nadam_10m", |id, p| step(id, p, 28, NAdamOptions { lr: LR, ..Default::default() })),
    ("opt_radam_10m", |id, p| step(id, p, 28, RAdamOptions { lr: LR, ..Default::default() })),
    ("opt_asgd_10m", |id, p| step(id, p, 20, AsgdOptions { lr: LR, ..Default::default() })),
    ("opt_rprop_10m", |id, p| step(id, p, 28, RpropOptions { lr: LR, ..Default::default() })),
    ("opt_lion_10m", |id, p| step(id, p, 20, LionOptions { lr: LR, ..Default::default() })),
    ("opt_adamw_schedule_free_10m", |id, p| {
        step(id, p, 28, AdamWScheduleFreeOptions { lr: LR, ..Default::default() });
    }),
    ("opt_lamb_10m", |id, p| step(id, p, 28, LambOptions { lr: LR, ..Default::default() })),
    ("opt_adafactor_10m", |id, p| {
        step(id, p, 12, AdafactorOptions { lr: LR, ..Default::default() });
    }),
    ("opt_muon_10m", |id, p| step(id, p, 20, MuonOptions { lr: LR, ..Default::default() })),
];

/// So small that the parameters stay where they are.
const LR: f64 = 1e-6;
/// Numbers of tensors and their shapes: together ten million elements.
const SHAPES: [(usize, &[usize]); 8] = [
    (2, &[1024, 1024]),
    (8, &[768, 768]),
    (10, &[512, 512]),
    (10, &[256, 128]),
    (5, &[64, 64, 3, 3]),
    (10, &[1024]),
    (4, &[128]),
    (1, &[40064]),
];

fn parameters() -> Vec<Parameter> {
    manual_seed(0);
    let normal = |shape: &[usize], size: f64| (Tensor::new(Array::randn(shape)) * size).array();
    let shapes = SHAPES.into_iter().flat_map(|(count, shape)| std::iter::repeat_n(shape, count));
    let new = |shape| {
        let p = Parameter::new(normal(shape, 0.02));
        p.set_grad(Some(Tensor::new(normal(shape, 0.01))));
        p
    };
    shapes.map(new).collect()
}

/// `step()` only; of Muon on the matrices, which are 98 % of the elements.
fn step<R: Rule>(id: &str, protocol: &Protocol, bytes: usize, options: R) {
    let mut all = parameters();
    all.retain(|p| options.accepts(&p.meta()).is_ok());
    let bytes = bytes * all.iter().map(|p| p.numel()).sum::<usize>();
    let mut opt = Optim::from_parameters(all, options).expect("valid options");
    let times = protocol.times(|| {
        let outcome = opt.step();
        assert!(outcome.is_ok_and(|outcome| outcome.is_applied()));
    });
    finish(id, times, bytes);
}

/// Iteration i clips to 0.999ⁱ times the norm of the first, so that there is always something to shrink: by the next
/// iteration, in the pass of its norm.
fn clip(id: &str, protocol: &Protocol) {
    let all = parameters();
    let grads: Vec<Tensor> = all.iter().filter_map(|p| p.grad()).collect();
    let mut max_norm = get_total_norm(&grads, 2.0);
    drop(grads); // else they are not unique, and shrinking copies them
    let times = protocol.times(|| {
        max_norm *= 0.999;
        clip_grad_norm(&all, max_norm).expect("a valid norm");
    });
    let elements: usize = all.iter().map(|p| p.numel()).sum();
    finish(id, times, 8 * elements);
}

fn finish(id: &str, mut times: Vec<f64>, bytes: usize) {
    times.sort_by(f64::total_cmp);
    let speed = (bytes as f64 / times[times.len() / 2] / 1e8).round() / 10.0;
    report(id, times, json!({ "gb_s": speed }));
}
