//! Speed of matrix products: `cargo run --release --example gemm_speed -- [FILTER | MxKxN]`.
//!
//! Prints best and median GF/s for each shape; threads by `GRADUS_NUM_THREADS`, instructions by
//! `GRADUS_CPU`. In a name, `at` and `bt` say which factor is a transposed view, and the sizes are
//! `m x k x n`. A filter may end in `$`, the end of a name.

#![allow(clippy::print_stdout, reason = "a program for the terminal")]

use std::time::{Duration, Instant};

use gradus_tensor::kernels::gemm::{Epilogue, GemmElement, MatRef, gemm, gemm_batched};
use gradus_tensor::threads::num_threads;
use gradus_tensor::{Array, Element};
use half::{bf16, f16};

/// Time spent on one shape.
const BUDGET: Duration = Duration::from_millis(300);

fn time(name: &str, flops: f64, mut f: impl FnMut()) {
    if std::env::args().nth(1).is_some_and(|filter| !format!("{name}$").contains(&filter)) {
        return;
    }
    let warm = Instant::now();
    let mut calls = 0_u32;
    while warm.elapsed() < BUDGET / 4 {
        f();
        calls += 1;
    }
    // A sample is long enough for the clock.
    let each = (calls / 2000).max(1);
    let (begin, mut samples) = (Instant::now(), Vec::new());
    while begin.elapsed() < BUDGET {
        let start = Instant::now();
        (0..each).for_each(|_| f());
        samples.push(start.elapsed().as_secs_f64() / f64::from(each));
    }
    samples.sort_by(f64::total_cmp);
    let (best, median) = (samples[0], samples[samples.len() / 2]);
    println!(
        "{name:28} {}T {:8.1} best {:8.1} median GF/s {:10.2} us",
        num_threads(),
        flops / best / 1e9,
        flops / median / 1e9,
        median * 1e6
    );
}

/// The `[rows, cols]` matrix that lies in `data`, or its transpose does.
fn view<T>(data: &[T], rows: usize, cols: usize, transposed: bool) -> MatRef<'_, T> {
    if transposed {
        MatRef::row_major(data, cols, rows).transpose()
    } else {
        MatRef::row_major(data, rows, cols)
    }
}

fn shape<T: GemmElement + Element>(
    kind: &str,
    fill: impl Fn(usize) -> T,
    (m, k, n): (usize, usize, usize),
    (at, bt): (bool, bool),
    beta: T,
) {
    // In the memory of arrays, which is in huge pages where that matters.
    let array = |len: usize| Array::new([len], &(0..len).map(&fill).collect::<Vec<T>>());
    let (a, b, mut c) = (array(m * k), array(k * n), array(m * n));
    let (left, right) = (if at { " at" } else { "" }, if bt { " bt" } else { "" });
    let sum = if beta == T::ZERO { "" } else { " +c" };
    time(&format!("{kind} {m}x{k}x{n}{left}{right}{sum}"), 2.0 * (m * n * k) as f64, || {
        let (a, b) = (a.elements::<T>(), b.elements::<T>());
        gemm(view(a, m, k, at), view(b, k, n, bt), beta, c.elements_mut(), Epilogue::None);
    });
}

fn batch(count: usize, size: usize, bt: bool) {
    let a = vec![0.5_f32; count * size * size];
    let mut c = a.clone();
    let right = if bt { " bt" } else { "" };
    time(
        &format!("f32 {count} of {size}^3{right}"),
        2.0 * (count * size * size * size) as f64,
        || {
            let at = |i: usize| &a[i * size * size..];
            gemm_batched(
                count,
                |i| view(at(i), size, size, false),
                |i| view(at(i), size, size, bt),
                0.0,
                &mut c,
                Epilogue::None,
            );
        },
    );
}

/// The numbers of `MxKxN`.
fn size(text: &str) -> Option<(usize, usize, usize)> {
    let mut numbers = text.split('x').map(|n| n.parse().ok());
    let size = (numbers.next()??, numbers.next()??, numbers.next()??);
    numbers.next().is_none().then_some(size)
}

/// Forward, weight gradient and input gradient of linear layers: batch, inputs, outputs.
const LAYERS: [(usize, usize, usize); 6] = [
    (64, 784, 256),
    (64, 256, 128),
    (64, 128, 10),
    (512, 784, 1024),
    (512, 1024, 1024),
    (512, 1024, 10),
];

/// A recurrent cell, im2col of one image, a transformer's projections, tall and flat.
const OTHERS: [(usize, usize, usize); 7] = [
    (32, 256, 1024),
    (64, 288, 576),
    (32, 9, 676),
    (2048, 128, 512),
    (2048, 512, 128),
    (100_000, 16, 16),
    (16, 100_000, 16),
];

fn f32s(i: usize) -> f32 {
    (i % 13) as f32 - 6.0
}

fn f64s(i: usize) -> f64 {
    (i % 13) as f64 - 6.0
}

fn singles() {
    for size in [1, 2, 3, 4, 7, 8, 12, 16, 17, 24, 31, 32, 48, 64, 128, 256, 512, 1024, 2048] {
        shape("f32", f32s, (size, size, size), (false, false), 0.0);
    }
    for trans in [(true, false), (false, true), (true, true)] {
        shape("f32", f32s, (256, 256, 256), trans, 0.0);
    }
    for (batch, inputs, outputs) in LAYERS.into_iter().chain([(8192, 1024, 1024)]) {
        shape("f32", f32s, (batch, inputs, outputs), (false, true), 0.0);
        shape("f32", f32s, (outputs, batch, inputs), (true, false), 0.0);
        shape("f32", f32s, (batch, outputs, inputs), (false, false), 0.0);
    }
    for size in OTHERS {
        shape("f32", f32s, size, (false, false), 0.0);
        shape("f32", f32s, size, (false, true), 0.0);
    }
    shape("f32", f32s, (256, 64, 784), (true, false), 1.0);
    for (count, size, bt) in [(8, 256, false), (64, 128, true), (64, 16, false), (1000, 16, false)]
    {
        batch(count, size, bt);
    }
    for (m, n) in [(1024, 1), (1, 1024)] {
        shape("f32", f32s, (m, 1024, n), (false, false), 0.0);
        shape("f32", f32s, (m, 1024, n), (true, true), 0.0);
    }
    shape("f32", f32s, (1024, 1, 1024), (false, false), 0.0);
}

fn halves<T: GemmElement + Element>(kind: &str, fill: impl Fn(usize) -> T + Copy) {
    for size in [8, 16, 32, 64, 128, 256, 512, 1024, 2048] {
        shape(kind, fill, (size, size, size), (false, false), T::ZERO);
    }
    for trans in [(true, false), (false, true), (true, true)] {
        shape(kind, fill, (256, 256, 256), trans, T::ZERO);
        shape(kind, fill, (1024, 1024, 1024), trans, T::ZERO);
    }
    for (batch, inputs, outputs) in LAYERS.into_iter().chain([(32, 256, 1024)]) {
        shape(kind, fill, (batch, inputs, outputs), (false, true), T::ZERO);
        shape(kind, fill, (outputs, batch, inputs), (true, false), T::ZERO);
        shape(kind, fill, (batch, outputs, inputs), (false, false), T::ZERO);
    }
    for (m, n) in [(1024, 1), (1, 1024)] {
        shape(kind, fill, (m, 1024, n), (false, false), T::ZERO);
        shape(kind, fill, (m, 1024, n), (true, true), T::ZERO);
    }
}

fn main() {
    if let Some(size) = std::env::args().nth(1).as_deref().and_then(size) {
        for (at, bt) in [(false, false), (false, true), (true, false), (true, true)] {
            shape("f32", f32s, size, (at, bt), 0.0);
            shape("bf16", |i| bf16::from_f32(f32s(i)), size, (at, bt), bf16::ZERO);
            shape("f16", |i| f16::from_f32(f32s(i)), size, (at, bt), f16::ZERO);
        }
        return;
    }
    singles();
    for size in [256, 512, 1024] {
        shape("f64", f64s, (size, size, size), (false, false), 0.0);
    }
    shape("f64", f64s, (64, 784, 256), (false, true), 0.0);
    halves("bf16", |i| bf16::from_f32(f32s(i)));
    halves("f16", |i| f16::from_f32(f32s(i)));
}
