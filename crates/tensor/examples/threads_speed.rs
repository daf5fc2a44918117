//! What a hand-over to another thread costs: `cargo run --release --example threads_speed`.
//!
//! Serial work of so many µs, cut in two: its time on one thread and on two, some time after the last
//! call, and from a thread outside the pool.

#![allow(clippy::print_stdout, reason = "a program for the terminal")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use gradus_tensor::threads::{run, set_num_threads};

/// Some work that touches no memory: about 1 ns each time.
fn work(steps: u64) {
    let mut x = black_box(1_u64);
    for i in 0..steps {
        x = black_box(x.wrapping_add(i));
    }
}

fn spin(time: Duration) {
    let start = Instant::now();
    while start.elapsed() < time {
        std::hint::spin_loop();
    }
}

/// Best and median µs of `run` with two tasks of half of `steps` each.
fn time(steps: u64, cost_ns: f64, gap: Duration) -> (f64, f64) {
    let mut samples = Vec::new();
    for _ in 0..1000 {
        spin(gap);
        let start = Instant::now();
        run(2, cost_ns, &|_| work(steps / 2));
        samples.push(start.elapsed().as_secs_f64() * 1e6);
    }
    samples.sort_by(f64::total_cmp);
    (samples[0], samples[samples.len() / 2])
}

/// Gaps between two calls [µs].
const GAPS: [u64; 7] = [0, 3, 10, 20, 50, 150, 500];

fn table(steps_per_us: f64) {
    println!("{:>8} {:>12} two, after a gap [us] of {GAPS:?}", "serial", "one");
    for us in [2, 5, 10, 15, 20, 30, 50, 100, 200] {
        let steps = (f64::from(us) * steps_per_us) as u64;
        let cell = |threads, gap| {
            set_num_threads(threads);
            // Always handed over: the threshold is what is to be found.
            let (best, median) = time(steps, 1e9, Duration::from_micros(gap));
            format!("{best:.1}/{median:.1}")
        };
        print!("{us:>6}us {:>12}", cell(1, 0));
        GAPS.iter().for_each(|&gap| print!(" {:>12}", cell(2, gap)));
        println!();
    }
}

fn main() {
    let start = Instant::now();
    work(100_000_000);
    let steps_per_us = 100_000_000.0 / (start.elapsed().as_secs_f64() * 1e6);
    println!("from the thread that made the pool, best/median us");
    table(steps_per_us);
    println!("from another thread (three threads, as two would be serial)");
    set_num_threads(3);
    run(2, 1e9, &|_| {});
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for us in [20, 50, 100, 200] {
                let steps = (f64::from(us) * steps_per_us) as u64;
                // A short time, or the thread would take the place of the first.
                let mut samples = Vec::new();
                for _ in 0..100 {
                    let start = Instant::now();
                    run(2, 1e5, &|_| work(steps / 2));
                    samples.push(start.elapsed().as_secs_f64() * 1e6);
                }
                samples.sort_by(f64::total_cmp);
                println!("{us:>6}us {:.1}/{:.1}", samples[0], samples[50]);
            }
        });
    });
}
