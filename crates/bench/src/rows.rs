//! Row kernels, forward and backward: `op(x).sum().backward()`.

use crate::Workload;
use crate::measure::{Protocol, report};
use gradus_autodiff::Tensor;
use gradus_tensor::{Array, DType};
use serde_json::json;

/// The ids of this file.
pub(crate) const WORKLOADS: &[Workload] = &[
    ("softmax_4096x4096", |id, p| softmax(id, p)),
    ("layernorm_8192x1024", |id, p| layer_norm(id, p)),
];

/// A matrix is read or written five times at least: x and y forward, y for the sum, one of them again and x̄
/// backward.
const PASSES: usize = 5;

fn softmax(id: &str, protocol: &Protocol) {
    let x = Tensor::new(Array::randn([4096, 4096])).requires_grad_();
    both_ways(id, protocol, &[&x], || x.softmax(-1));
}

fn layer_norm(id: &str, protocol: &Protocol) {
    let x = Tensor::new(Array::randn([8192, 1024])).requires_grad_();
    let w = Tensor::new(Array::ones([1024], DType::F32)).requires_grad_();
    let b = Tensor::new(Array::zeros([1024], DType::F32)).requires_grad_();
    both_ways(id, protocol, &[&x, &w, &b], || x.layer_norm(&[1024], Some(&w), Some(&b), 1e-5));
}

fn both_ways(id: &str, protocol: &Protocol, leaves: &[&Tensor], op: impl Fn() -> Tensor) {
    let bytes = PASSES * leaves[0].numel() * size_of::<f32>();
    let mut times = protocol.times(|| {
        leaves.iter().for_each(|leaf| leaf.zero_grad());
        op().sum().backward();
    });
    times.sort_by(f64::total_cmp);
    let speed = (bytes as f64 / times[times.len() / 2] / 1e8).round() / 10.0;
    report(id, times, json!({ "gb_s": speed }));
}
