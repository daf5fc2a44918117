//! What this machine can do: the limits that the roofline is drawn from.

use crate::Workload;
use crate::measure::{Protocol, report};
use gradus_tensor::Array;
use gradus_tensor::kernels::element::Zip;
use gradus_tensor::kernels::gemm::peak;
use gradus_tensor::kernels::real::Real;
use gradus_tensor::threads::num_threads;
use serde_json::json;
use std::hint::black_box;

/// The ids of this file.
pub(crate) const WORKLOADS: &[Workload] = &[
    ("machine_fma_f32", fma),
    ("machine_dpbf16", dpbf16),
    ("machine_amx_bf16", amx),
    ("machine_triad", triad),
];

/// Loop iterations of one measurement: 12 instructions each, together about 3 ms.
const ROUNDS: usize = 1_000_000;
/// Elements of an array of the triad: 256 MiB.
const STREAM: usize = 64 << 20;

/// Multiply-add of f32 from registers, on all threads.
fn fma(id: &'static str, protocol: &Protocol) {
    let mut operations = 0.0;
    let times = protocol.times(|| operations = peak::fma_f32(ROUNDS));
    rate(id, times, "gflops", operations);
}

/// Multiply-add of pairs of bf16 from registers, on all threads.
fn dpbf16(id: &'static str, protocol: &Protocol) {
    optional(id, protocol, peak::dpbf16);
}

/// Products of tiles of bf16 from registers, on all threads.
fn amx(id: &'static str, protocol: &Protocol) {
    optional(id, protocol, peak::amx_bf16);
}

/// The rate of an instruction that this CPU may not have.
fn optional(id: &'static str, protocol: &Protocol, peak: fn(usize) -> Option<f64>) {
    let Some(operations) = peak(1) else {
        let why = "not an instruction of this CPU, or of the level that GRADUS_CPU asks for";
        let threads = num_threads();
        return println!(
            "{}",
            json!({ "id": id, "impl": "gradus", "threads": threads, "unsupported": why })
        );
    };
    let times = protocol.times(|| _ = black_box(peak(ROUNDS)));
    rate(id, times, "gflops", operations * ROUNDS as f64);
}

/// `b + s·c`
#[derive(Clone, Copy)]
struct Triad {
    s: f64,
}

impl Zip for Triad {
    #[inline(always)]
    fn f<R: Real>(self, b: R, c: R) -> R {
        c.mul_add(R::of(self.s), b)
    }
}

/// `a = b + s·c` of arrays that no cache holds; three streams are counted.
fn triad(id: &'static str, protocol: &Protocol) {
    let [b, c] = [(); 2].map(|()| Array::rand([STREAM]));
    let times = protocol.times(|| drop(black_box(b.clone().zip(c.clone(), Triad { s: 3.0 }))));
    rate(id, times, "gb_s", (3 * STREAM * size_of::<f32>()) as f64);
}

/// Reports `amount` for each iteration as billions a second.
fn rate(id: &str, mut times: Vec<f64>, key: &str, amount: f64) {
    times.sort_by(f64::total_cmp);
    let rate = (amount / times[times.len() / 2] / 1e8).round() / 10.0;
    report(id, times, json!({ key: rate }));
}
