//! Speed of the elementary functions and of half conversion: `cargo run --release --example math_speed -- [FILTER]`.
//!
//! Prints nanoseconds an element (best of many runs) on 64k elements, which lie in the second-level cache,
//! with one thread, for f32 and f64 and each instruction level of this CPU; for conversions GB/s, read and
//! written.

#![allow(clippy::print_stdout, reason = "a program for the terminal")]

use gradus_tensor::kernels::convert::{Convert, Value, convert_at};
use gradus_tensor::kernels::element::{Lane, Map, Rare, Zip};
use gradus_tensor::kernels::level::{Level, detected};
use gradus_tensor::kernels::loops::{Operand, map_rare_at, zip_at};
use gradus_tensor::kernels::real::Real;
use gradus_tensor::{bf16, f16};
use std::mem::MaybeUninit;
use std::time::{Duration, Instant};

const ELEMENTS: usize = 64 << 10;
/// Time spent on one figure.
const BUDGET: Duration = Duration::from_millis(60);

/// `name => formula` of one number.
macro_rules! functions {
    ($($Op:ident = |$x:ident| $formula:expr;)*) => {
        $(
            #[derive(Clone, Copy)]
            struct $Op;

            impl Map for $Op {
                #[inline(always)]
                fn f<R: Real>(self, $x: R) -> R {
                    $formula
                }
            }

            impl Rare for $Op {
                #[inline(always)]
                fn is_rare<R: Real>(self, x: R) -> bool {
                    matches!(stringify!($Op), "Sin" | "Cos") && x.is_far()
                }
                #[inline(always)]
                fn rare<R: Real>(self, x: R) -> R {
                    self.f(x)
                }
            }
        )*

        fn all<T: Number>(data: &Data<T>) {
            $(data.print(stringify!($Op), |level, x, y| map_rare_at(level, $Op, x, y));)*
        }
    };
}

functions! {
    Abs = |x| x.abs();
    Exp = |x| x.exp();
    Expm1 = |x| x.expm1();
    Ln = |x| x.ln();
    Log1p = |x| x.ln_1p();
    Tanh = |x| x.tanh();
    Sigmoid = |x| x.sigmoid();
    Erf = |x| x.erf();
    Sin = |x| x.sin_near();
    Cos = |x| x.cos_near();
    Normal = |x| x.normal().0;
    Gelu = |x| x * x.normal().0;
}

#[derive(Clone, Copy)]
struct Pow;

impl Zip for Pow {
    #[inline(always)]
    fn f<R: Real>(self, a: R, b: R) -> R {
        a.powf(b)
    }
}

trait Number: Lane {
    fn of(v: f64) -> Self;
}

impl Number for f32 {
    fn of(v: f64) -> f32 {
        v as f32
    }
}

impl Number for f64 {
    fn of(v: f64) -> f64 {
        v
    }
}

struct Data<T> {
    name: &'static str,
    x: Vec<T>,
}

impl<T: Number> Data<T> {
    /// Numbers from 0.05 to 4.
    fn new(name: &'static str) -> Self {
        let x = (0..ELEMENTS)
            .map(|i| T::of(0.05 + 3.95 * ((i * 7919) % ELEMENTS) as f64 / ELEMENTS as f64));
        Data { name, x: x.collect() }
    }
    fn print(&self, op: &str, run: impl Fn(Level, &[T], &mut [MaybeUninit<T>])) {
        if std::env::args().nth(1).is_some_and(|filter| !op.to_lowercase().contains(&filter)) {
            return;
        }
        let mut y = vec![MaybeUninit::new(T::default()); ELEMENTS];
        levels(
            &format!("{:4} {op}", self.name),
            |seconds| seconds * 1e9 / ELEMENTS as f64,
            |level| {
                run(level, &self.x, &mut y);
            },
        );
    }
}

/// The best time of `run` at each level, as `figure` says it.
fn levels(name: &str, figure: impl Fn(f64) -> f64, mut run: impl FnMut(Level)) {
    print!("{name:16}");
    let levels = [Level::Avx512, Level::Avx2, Level::Baseline];
    for level in levels.into_iter().filter(|&l| l <= detected()) {
        let (begin, mut best) = (Instant::now(), f64::INFINITY);
        while begin.elapsed() < BUDGET {
            let start = Instant::now();
            run(level);
            best = best.min(start.elapsed().as_secs_f64());
        }
        print!("  {level:?} {:7.3}", figure(best));
    }
    println!();
}

fn conversion<A: Convert<B>, B: Value>(name: &str, x: A) {
    if std::env::args().nth(1).is_some_and(|filter| !name.contains(&filter)) {
        return;
    }
    let x = vec![x; ELEMENTS];
    let mut y: Vec<MaybeUninit<B>> = Vec::from_iter((0..ELEMENTS).map(|_| MaybeUninit::uninit()));
    let bytes = ((size_of::<A>() + size_of::<B>()) * ELEMENTS) as f64;
    levels(name, |seconds| bytes / seconds / 1e9, |level| convert_at(level, &x, &mut y));
}

fn table<T: Number>(name: &'static str) {
    let data = Data::<T>::new(name);
    all(&data);
    let exponent = Operand::Same(T::of(2.3));
    data.print("Pow", |level, x, y| zip_at(level, Pow, Operand::Slice(x), exponent, y));
}

fn main() {
    println!("ns an element, {ELEMENTS} elements");
    table::<f32>("f32");
    table::<f64>("f64");
    println!("GB/s, {ELEMENTS} elements");
    conversion::<f32, f16>("f32 to f16", 1.5);
    conversion::<f16, f32>("f16 to f32", f16::ONE);
    conversion::<f32, bf16>("f32 to bf16", 1.5);
    conversion::<bf16, f32>("bf16 to f32", bf16::ONE);
}
