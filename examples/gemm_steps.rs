//! A matrix product in four steps, from the formula to the kernels of gradus: what each step is worth.
//!
//! `cargo run --release --example gemm_steps` prints the speed of each. The chapter "How the kernels
//! work" of the book reads it line by line.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "a table for the terminal is what this program is for")]

use gradus::prelude::*;
use gradus::tensor::threads::set_num_threads;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

const HELP: &str = "\
usage: gemm_steps [--size N] [--quick]

Multiplies two N x N matrices of f32 (default 512) in several ways and prints the speed of each.

  --size N  rows and columns
  --quick   64 rows and columns, one repetition: does it run at all?";

/// How much to compute, and how long.
#[derive(Clone, Copy)]
struct Task {
    size: usize,
    budget: Duration,
}

/// Step 1: the formula. The inner loop reads a column of `b`, a cache line for each number.
fn formula(a: &[f32], b: &[f32], c: &mut [f32], n: usize) {
    for i in 0..n {
        for j in 0..n {
            c[i * n + j] = (0..n).map(|p| a[i * n + p] * b[p * n + j]).sum();
        }
    }
}

/// Step 2: the same sums in another order. The inner loop runs along rows of `b` and `c`, so the
/// compiler makes vector code of it.
fn rows(a: &[f32], b: &[f32], c: &mut [f32], n: usize) {
    c.fill(0.0);
    for (a, c) in a.chunks_exact(n).zip(c.chunks_exact_mut(n)) {
        for (&x, b) in a.iter().zip(b.chunks_exact(n)) {
            for (c, &b) in c.iter_mut().zip(b) {
                *c += x * b;
            }
        }
    }
}

/// Rows and columns of a tile: 4 x 8 sums fill 8 of the 16 registers that every x86-64 CPU has.
const TILE: (usize, usize) = (4, 8);

/// Steps 3 and 4: a tile of the result stays in registers while its sums grow, so `c` is touched once.
/// Eight columns of `b` are copied side by side first (*packed*), and read from the cache for all rows.
fn tiles(a: &[f32], b: &[f32], c: &mut [f32], n: usize) {
    let mut panel = vec![[0.0_f32; TILE.1]; n];
    for col in (0..n).step_by(TILE.1) {
        let cols = TILE.1.min(n - col);
        for (packed, row) in panel.iter_mut().zip(b.chunks_exact(n)) {
            packed[..cols].copy_from_slice(&row[col..col + cols]);
        }
        for row in (0..n).step_by(TILE.0) {
            let last = n - 1;
            let lines: [&[f32]; TILE.0] =
                std::array::from_fn(|r| &a[(row + r).min(last) * n..][..n]);
            let sums = tile(lines, &panel);
            for (r, sums) in sums.iter().enumerate().take(n - row) {
                c[(row + r) * n + col..][..cols].copy_from_slice(&sums[..cols]);
            }
        }
    }
}

fn tile(lines: [&[f32]; TILE.0], panel: &[[f32; TILE.1]]) -> [[f32; TILE.1]; TILE.0] {
    let mut sums = [[0.0; TILE.1]; TILE.0];
    let [l0, l1, l2, l3] = lines;
    for ((((b, &a0), &a1), &a2), &a3) in panel.iter().zip(l0).zip(l1).zip(l2).zip(l3) {
        for (sums, a) in sums.iter_mut().zip([a0, a1, a2, a3]) {
            for (sum, &b) in sums.iter_mut().zip(b) {
                *sum += a * b;
            }
        }
    }
    sums
}

/// Seconds of the fastest call.
fn fastest(task: Task, mut f: impl FnMut()) -> f64 {
    let (begin, mut best) = (Instant::now(), f64::INFINITY);
    loop {
        let start = Instant::now();
        f();
        best = best.min(start.elapsed().as_secs_f64());
        if begin.elapsed() >= task.budget {
            return best;
        }
    }
}

fn gflops(task: Task, seconds: f64) -> f64 {
    2.0 * (task.size as f64).powi(3) / seconds / 1e9
}

/// The speed of the library in this process, which `GRADUS_CPU` holds at one level.
fn library(task: Task) -> f64 {
    let [a, b] = [0, 1].map(|_| Array::randn([task.size, task.size]));
    gflops(task, fastest(task, || drop(std::hint::black_box(a.matmul(&b)))))
}

/// The speed of the library at another level: in a process of its own, for the level is fixed at the
/// first operation.
fn library_at(level: &str, threads: usize, task: Task) -> std::io::Result<f64> {
    let output = Command::new(std::env::current_exe()?)
        .args(["--library", &threads.to_string(), "--size", &task.size.to_string()])
        .args(task.budget.is_zero().then_some("--quick"))
        .env("GRADUS_CPU", level)
        .output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    text.trim().parse().map_err(|_| std::io::Error::other(format!("no figure in {text:?}")))
}

type Product = fn(&[f32], &[f32], &mut [f32], usize);

fn table(task: Task) -> std::io::Result<()> {
    let n = task.size;
    let [a, b] = [0, 1].map(|_| Array::randn([n, n]));
    let want = a.matmul(&b);
    let (x, y, mut c) = (a.to_vec::<f32>(), b.to_vec::<f32>(), vec![0.0; n * n]);
    let mut first = None;
    let mut line = |name: &str, speed: f64| {
        let times = speed / *first.get_or_insert(speed);
        println!("{name:42} {speed:8.1} GF/s {times:8.1} x");
    };
    let steps: [(&str, Product); 3] = [
        ("1 the formula", formula),
        ("2 along rows", rows),
        ("3 tiles in registers, packed", tiles),
    ];
    for (name, step) in steps {
        let seconds = fastest(task, || step(&x, &y, &mut c, n));
        let far = Array::new([n, n], &c)
            .to_vec::<f64>()
            .iter()
            .zip(want.to_vec::<f64>())
            .fold(0.0, |far: f64, (got, want)| far.max((got - want).abs()));
        assert!(far < 1e-3 * (n as f64).sqrt(), "{name}: {far} away from the product");
        line(name, gflops(task, seconds));
    }
    for (name, level, threads) in [
        ("4 gradus, instructions every x86-64 has", "baseline", 1),
        ("5 gradus, AVX2 and FMA", "avx2", 1),
        ("6 gradus, all that this CPU has", "best", 1),
        ("7 gradus, two threads", "best", 2),
    ] {
        line(name, library_at(level, threads, task)?);
    }
    Ok(())
}

fn run() -> Result<(), Box<dyn std::error::Error>> {
    use lexopt::prelude::*;
    let mut task = Task { size: 512, budget: Duration::from_secs(1) };
    let mut threads = None;
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("size") => task.size = parser.value()?.parse()?,
            Long("quick") => task = Task { size: 64, budget: Duration::ZERO },
            Long("library") => threads = Some(parser.value()?.parse()?),
            Long("help") | Short('h') => {
                println!("{HELP}");
                return Ok(());
            }
            other => return Err(other.unexpected().into()),
        }
    }
    if task.size == 0 {
        return Err("--size: at least 1".into());
    }
    match threads {
        Some(0) => Err("--library: at least 1 thread".into()),
        Some(n) => {
            set_num_threads(n);
            println!("{}", library(task));
            Ok(())
        }
        None => Ok(table(task)?),
    }
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("gemm_steps: {e}\n{HELP}");
            ExitCode::FAILURE
        }
    }
}
