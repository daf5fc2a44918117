//! What memory costs: `x + y` into fresh memory and into a block of the pool.
//!
//! `cargo run --release -p gradus-tensor --example memory_speed`
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "a table is what this program is for")]

use gradus_tensor::kernels::element::Zip;
use gradus_tensor::kernels::real::Real;
use gradus_tensor::{Array, empty_cache};
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

/// Sizes in elements.
const SIZES: [usize; 6] = [16, 1 << 10, 16 << 10, 256 << 10, 4 << 20, 16 << 20];
/// Rounds of a measurement; many of the small ones in one.
const ROUNDS: usize = 15;

/// Best and median nanoseconds of a call; `before` is outside of the clock.
fn time(elements: usize, before: impl Fn(), f: impl Fn() -> Array) -> (f64, f64) {
    let calls = if elements < 100_000 { 1000 } else { 1 };
    let mut rounds: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            before();
            let start = Instant::now();
            for _ in 0..calls {
                drop(black_box(f()));
            }
            start.elapsed().as_nanos() as f64 / calls as f64
        })
        .collect();
    rounds.sort_by(f64::total_cmp);
    (rounds[0], rounds[ROUNDS / 2])
}

fn main() {
    gradus_tensor::threads::set_num_threads(1);
    println!("{:>10}  {:>22}  {:>22}", "elements", "fresh, ns an element", "from the pool");
    for n in SIZES {
        let (x, y) = (Array::rand([n]), Array::rand([n]));
        let add = || x.clone().zip(y.clone(), Add);
        let show = |(best, median): (f64, f64)| {
            format!("{:9.3} / {:9.3}", best / n as f64, median / n as f64)
        };
        // A small block is fresh only in the first of its calls.
        let fresh = if n < 100_000 { "-".into() } else { show(time(n, empty_cache, add)) };
        println!("{n:>10}  {fresh:>22}  {:>22}", show(time(n, || (), add)));
    }
}
