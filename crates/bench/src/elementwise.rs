//! Element-wise operations on 16,777,216 f32: more than any cache holds.

use crate::Workload;
use crate::measure::{Protocol, report};
use gradus_autodiff::Tensor;
use gradus_tensor::Array;
use serde_json::json;
use std::hint::black_box;

/// The ids of this file.
pub(crate) const WORKLOADS: &[Workload] =
    &[("add_16m", add_16m), ("elementwise_gelu_16m", gelu_16m)];

const ELEMENTS: usize = 16_777_216;

/// `x + y`, without a graph; the result is allocated by the operation.
fn add_16m(id: &'static str, protocol: &Protocol) {
    let [x, y] = [(); 2].map(|()| Tensor::new(Array::randn([ELEMENTS])));
    let times = protocol.times(|| drop(black_box(&x + &y)));
    finish(id, times, 3);
}

/// `gelu(x).sum().backward()`, gradients cleared before.
fn gelu_16m(id: &'static str, protocol: &Protocol) {
    let x = Tensor::new(Array::randn([ELEMENTS])).requires_grad_();
    let times = protocol.times(|| {
        x.zero_grad();
        x.gelu().sum().backward();
    });
    finish(id, times, 5);
}

/// `streams`: how many arrays are read or written at least.
fn finish(id: &str, mut times: Vec<f64>, streams: usize) {
    times.sort_by(f64::total_cmp);
    let bytes = (streams * ELEMENTS * size_of::<f32>()) as f64;
    let rate = (bytes / times[times.len() / 2] / 1e8).round() / 10.0;
    report(id, times, json!({ "gb_per_s": rate }));
}
