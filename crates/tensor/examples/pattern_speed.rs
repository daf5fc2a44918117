//! Element-wise loops and reductions by the layout of an operand, beside contiguous ones.
//!
//! `cargo run --release -p gradus-tensor --example pattern_speed -- [FILTER]`; threads by
//! `GRADUS_NUM_THREADS`. The last column is the time over that of two contiguous operands of as many
//! elements; for a reduction, the rate at which the input is read.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "a table is what this program is for")]

use gradus_tensor::kernels::element::Zip;
use gradus_tensor::kernels::real::Real;
use gradus_tensor::{Array, Shape, threads};
use std::hint::black_box;
use std::time::Instant;

#[derive(Clone, Copy)]
struct Add;

impl Zip for Add {
    #[inline(always)]
    fn f<R: Real>(self, a: R, b: R) -> R {
        a + b
    }
}

/// Rounds of a measurement.
const ROUNDS: usize = 15;
/// Sides of the square arrays: in the second-level cache, in the last, in memory.
const SIDES: [usize; 3] = [128, 1024, 4096];

/// Median nanoseconds of a call; `make` is outside of the clock.
fn time<T>(elements: usize, make: impl Fn() -> T, f: impl Fn(T) -> Array) -> f64 {
    let calls = (4_usize << 20).div_ceil(elements).min(64);
    let mut rounds: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let inputs: Vec<T> = (0..calls).map(|_| make()).collect();
            let start = Instant::now();
            for input in inputs {
                drop(black_box(f(input)));
            }
            start.elapsed().as_nanos() as f64 / calls as f64
        })
        .collect();
    rounds.sort_by(f64::total_cmp);
    rounds[ROUNDS / 2]
}

fn patterns(side: usize, wanted: &dyn Fn(&str) -> bool) {
    let n = side * side;
    let (x, y) = (Array::rand([side, side]), Array::rand([side, side]));
    let (row, column) = (Array::rand([side]), Array::rand([side, 1]));
    let image = x.reshape(&Shape::from([4, side / 4, 4, side / 4]));
    let channel = Array::rand([side / 4, 1, 1]);
    let whole = time(n, || (x.clone(), y.clone()), |(x, y)| x.zip(y, Add));
    let show = |name: &str, ns: f64| {
        println!("{side:5} {name:24} {:10.1} us {:6.2} x", ns / 1e3, ns / whole);
    };
    show("x + y", whole);
    let wide = Array::rand([side, 2 * side]).narrow(1, 0, side);
    let operands = [
        ("x + yᵀ", y.transpose(0, 1)),
        ("x + row", row),
        ("x + column", column),
        ("x + narrowed", wide),
        ("x + every second", Array::rand([side, 2 * side]).slice(1, 0, 2, side)),
        ("x + scalar", Array::rand([1])),
    ];
    for (name, b) in &operands {
        if wanted(name) {
            show(name, time(n, || (x.clone(), b.clone()), |(x, b)| x.zip(b, Add)));
            let name = format!("in place, {name}");
            let fresh = || (x.zeros_like().zip(x.clone(), Add), b.clone());
            show(&name, time(n, fresh, |(x, b)| x.zip(b, Add)));
        }
    }
    if wanted("x + channel") {
        let make = || (image.clone(), channel.clone());
        show("x + channel", time(n, make, |(x, b)| x.zip(b, Add)));
    }
    if wanted("xᵀ, contiguous") {
        show("xᵀ, contiguous", time(n, || x.transpose(0, 1), |x| x.contiguous()));
    }
}

fn reductions(side: usize, wanted: &dyn Fn(&str) -> bool) {
    let x = Array::rand([side, side]);
    let cube = x.reshape(&Shape::from([side / 32, 32, side]));
    type Reduction<'a> = (&'a str, &'a dyn Fn() -> Array);
    let all: [Reduction<'_>; 6] = [
        ("sum", &|| x.sum_all()),
        ("sum of rows", &|| x.sum_axes(&[1])),
        ("sum of columns", &|| x.sum_axes(&[0])),
        ("sum, middle axis", &|| cube.sum_axes(&[1])),
        ("max, middle axis", &|| cube.max_axes(&[1])),
        ("max of rows, index", &|| x.max_axis(1).1),
    ];
    for (name, f) in all {
        if wanted(name) {
            let ns = time(x.numel(), || (), |()| f());
            println!(
                "{side:5} {name:24} {:10.1} us {:6.1} GB/s",
                ns / 1e3,
                (x.numel() * 4) as f64 / ns
            );
        }
    }
}

fn main() {
    let filter = std::env::args().nth(1).unwrap_or_default();
    println!("{} threads", threads::num_threads());
    for side in SIDES {
        patterns(side, &|name| name.contains(&filter));
        reductions(side, &|name| name.contains(&filter));
    }
}
