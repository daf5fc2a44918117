//! Matrix products without a graph; the result is allocated by the operation.

use crate::Workload;
use crate::measure::{Protocol, report};
use gradus_tensor::{Array, DType};
use serde_json::json;
use std::hint::black_box;

/// The ids of this file.
pub(crate) const WORKLOADS: &[Workload] = &[
    ("matmul_f32_256", |id, p| square(id, p, 256)),
    ("matmul_f32_512", |id, p| square(id, p, 512)),
    ("matmul_f32_1024", |id, p| square(id, p, 1024)),
    ("matmul_f32_2048", |id, p| square(id, p, 2048)),
    ("matmul_f32_256_ta", |id, p| {
        product(id, p, &Array::randn([256, 256]).transpose(0, 1), &Array::randn([256, 256]));
    }),
    ("matmul_f32_256_tb", |id, p| {
        product(id, p, &Array::randn([256, 256]), &Array::randn([256, 256]).transpose(0, 1));
    }),
    ("matmul_f32_256_b8", |id, p| {
        product(id, p, &Array::randn([8, 256, 256]), &Array::randn([8, 256, 256]));
    }),
    ("matmul_bf16_1024", |id, p| half(id, p, DType::Bf16)),
    ("matmul_f16_1024", |id, p| half(id, p, DType::F16)),
];

/// Inputs and output are of this type.
fn half(id: &str, protocol: &Protocol, dtype: DType) {
    let [a, b] = [(); 2].map(|()| Array::randn([1024, 1024]).cast(dtype));
    product(id, protocol, &a, &b);
}

fn square(id: &str, protocol: &Protocol, n: usize) {
    product(id, protocol, &Array::randn([n, n]), &Array::randn([n, n]));
}

fn product(id: &str, protocol: &Protocol, a: &Array, b: &Array) {
    let mut times = protocol.times(|| drop(black_box(a.matmul(b))));
    times.sort_by(f64::total_cmp);
    let (k, matrices) = (a.shape()[a.rank() - 1], a.numel() / a.shape()[a.rank() - 1]);
    let flops = 2.0 * (matrices * k * b.shape()[b.rank() - 1]) as f64;
    let gflops = (flops / times[times.len() / 2] / 1e8).round() / 10.0;
    report(id, times, json!({ "gflops": gflops }));
}
