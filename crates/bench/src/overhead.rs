//! What an operation costs besides its arithmetic.

use crate::Workload;
use crate::measure::{Protocol, report};
use gradus_autodiff::Tensor;
use gradus_tensor::kernels::element::Map;
use gradus_tensor::kernels::real::Real;
use gradus_tensor::{Array, DType};
use serde_json::json;
use std::hint::black_box;
use std::time::Instant;

/// The ids of this file.
pub(crate) const WORKLOADS: &[Workload] =
    &[("tiny_overhead", |id, p| tiny_overhead(id, p)), ("record_neg", |id, _| record_neg(id))];

/// 1000 times `x = (x·w + b).tanh()` on eight elements, then backward.
fn tiny_overhead(id: &str, protocol: &Protocol) {
    let uniform = |low: f64, high: f64| {
        let a = Array::rand([8]).to_vec::<f64>();
        let v: Vec<f64> = a.iter().map(|u| low + u * (high - low)).collect();
        Tensor::new(Array::from_f64([8], DType::F32, &v))
    };
    let start = uniform(0.0, 1.0);
    let (w, b) = (uniform(0.5, 1.0).requires_grad_(), uniform(-0.1, 0.1).requires_grad_());
    let times = protocol.times(|| {
        w.zero_grad();
        b.zero_grad();
        let mut x = start.clone();
        for _ in 0..1000 {
            x = (x * &w + &b).tanh();
        }
        x.sum().backward();
    });
    report(id, times, json!({}));
}

/// Operations of a chain.
const CHAIN: u32 = 10_000;

#[derive(Clone, Copy)]
struct Negate;

impl Map for Negate {
    #[inline(always)]
    fn f<R: Real>(self, x: R) -> R {
        -x
    }
}

/// Bookkeeping of one operation: a recorded chain of `neg` minus the same chain of array operations.
fn record_neg(id: &str) {
    let leaf = Tensor::from([1.0_f32]).requires_grad_();
    let array = leaf.array();
    // What a chain returns is dropped outside the clock.
    let seconds = |f: &dyn Fn() -> Box<dyn std::any::Any>| {
        let round = |_| {
            let start = Instant::now();
            let result = f();
            let time = start.elapsed().as_secs_f64();
            drop(black_box(result));
            time
        };
        (0..20).map(round).collect::<Vec<f64>>()
    };
    let recorded = seconds(&|| Box::new((0..CHAIN).fold(leaf.clone(), |x, _| -&x)));
    let plain = seconds(&|| {
        Box::new((0..CHAIN).fold(array.clone(), |x, _| black_box(&x).clone().map(Negate)))
    });
    let best = |t: &[f64]| t.iter().copied().fold(f64::INFINITY, f64::min);
    let extra = (best(&recorded) - best(&plain)) / f64::from(CHAIN);
    let per_op: Vec<f64> =
        recorded.iter().map(|t| ((t - best(&plain)) / f64::from(CHAIN)).max(extra)).collect();
    let ns = |s: f64| (s * 1e10).round() / 10.0;
    let (plain, record) = (ns(best(&plain) / f64::from(CHAIN)), ns(extra));
    report(id, per_op, json!({ "record_ns": record, "array_op_ns": plain }));
}
