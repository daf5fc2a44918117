//! The protocol: warm up, time single iterations, report the median.

use gradus_tensor::threads::num_threads;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Iterations at most, and at least once the budget is spent.
const MOST: usize = 5000;
const LEAST: usize = 10;
/// When four budgets are over, this many are enough.
const ENOUGH: usize = 5;
/// Warm-up: at least this many iterations and this long.
const WARM_UP: (usize, Duration) = (3, Duration::from_millis(500));

/// How to measure.
pub(crate) struct Protocol {
    /// Seconds of measured time.
    pub(crate) budget: f64,
    /// Train and print the losses instead.
    pub(crate) check: bool,
}

impl Default for Protocol {
    fn default() -> Self {
        Protocol { budget: 3.0, check: false }
    }
}

impl Protocol {
    /// Seconds of each iteration of `f`.
    pub(crate) fn times(&self, mut f: impl FnMut()) -> Vec<f64> {
        let (start, mut n) = (Instant::now(), 0);
        while n < WARM_UP.0 || start.elapsed() < WARM_UP.1 {
            f();
            n += 1;
        }
        let (start, mut times) = (Instant::now(), Vec::new());
        loop {
            let before = Instant::now();
            f();
            times.push(before.elapsed().as_secs_f64());
            let (n, elapsed) = (times.len(), start.elapsed().as_secs_f64());
            let done = n >= LEAST && elapsed >= self.budget;
            if n >= MOST || done || (n >= ENOUGH && elapsed >= 4.0 * self.budget) {
                return times;
            }
        }
    }
}

/// Print the line of a workload; `extra` is an object whose keys are added.
pub(crate) fn report(id: &str, mut times: Vec<f64>, extra: Value) {
    times.sort_by(f64::total_cmp);
    let mut line = json!({
        "id": id,
        "impl": "gradus",
        "threads": num_threads(),
        "median_s": times[times.len() / 2],
        "min_s": times[0],
        "iters": times.len(),
        "peak_rss_mb": peak_rss_mb(),
    });
    if let (Some(line), Value::Object(extra)) = (line.as_object_mut(), extra) {
        line.extend(extra);
    }
    println!("{line}");
}

/// The most memory this process has held, from the kernel; null where it does not say.
fn peak_rss_mb() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"))?;
    let kb: f64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some((kb / 102.4).round() / 10.0)
}
