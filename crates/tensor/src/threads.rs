//! The thread pool, and the one switch between serial and parallel.
//!
//! Work is cut by its shape, never by the number of threads, and every piece is computed the same
//! way wherever it runs: results have the same bits for any number of threads.
//!
//! The pool is our own object, not the host program's global one. It is made at the first call that
//! is worth it, and the thread which makes that call becomes a member, so that handing half of the
//! work to another core costs it no more than a push on a queue. See `pool.rs` for what happens to
//! calls from other threads.

#[cfg_attr(target_family = "wasm", path = "threads/alone.rs")]
#[cfg_attr(not(target_family = "wasm"), path = "threads/pool.rs")]
mod pool;

use crate::storage::pieces;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// Below this estimated serial time (ns) a call stays on its own thread.
///
/// Work of 10 µs takes 5.7 µs on two threads for 200 µs after the last call, and 17 later, when the
/// other thread must be woken; work of 5 µs takes 3.2 and 12 (`examples/threads_speed.rs`).
const SERIAL_BELOW_NS: f64 = 10_000.0;

/// Below this estimated serial time (ns) a product is not cut into tasks.
pub(crate) const GEMM_SERIAL_BELOW_NS: f64 = SERIAL_BELOW_NS;

/// Bytes a thread reads per ns, from L3 or from memory in large pages: what sums along a matrix cost.
pub(crate) const BYTES_PER_NS: f64 = 40.0;

/// Pieces are grouped until a group takes about this long (ns): a `join` costs 30 to 50 ns when
/// nobody steals its second half, and a steal about 1 µs.
const GROUP_NS: f64 = 5_000.0;

static THREADS: AtomicUsize = AtomicUsize::new(0);

/// How many threads parallel calls may use.
///
/// `GRADUS_NUM_THREADS` when it was a positive number at the first call, else what
/// [`std::thread::available_parallelism`] says.
///
/// # PyTorch
/// `torch.get_num_threads`
///
/// # Example
/// ```
/// assert!(gradus_tensor::threads::num_threads() >= 1);
/// ```
#[inline]
pub fn num_threads() -> usize {
    match THREADS.load(Relaxed) {
        0 => first(),
        n => n,
    }
}

#[cold]
fn first() -> usize {
    let wanted = std::env::var("GRADUS_NUM_THREADS").ok().and_then(|text| text.trim().parse().ok());
    let n = match wanted {
        Some(n) if n >= 1 => n,
        _ => std::thread::available_parallelism().map_or(1, usize::from),
    };
    // A number set meanwhile by another thread wins.
    match THREADS.compare_exchange(0, n, Relaxed, Relaxed) {
        Ok(_) => n,
        Err(set) => set,
    }
}

/// Sets the number of threads of later parallel calls; 1 makes everything serial.
///
/// Best called before the first large operation. A pool of another size that exists already is
/// replaced at the next parallel call; a thread cannot leave the pool it once joined, so its calls
/// are handed to the new pool from outside, which costs 10 to 20 µs each. Going to 1 and back to the
/// old number replaces nothing.
///
/// # Panics
/// If `n` is 0.
///
/// # PyTorch
/// `torch.set_num_threads`
///
/// # Example
/// ```
/// use gradus_tensor::threads::{num_threads, set_num_threads};
/// set_num_threads(1);
/// assert_eq!(num_threads(), 1);
/// ```
pub fn set_num_threads(n: usize) {
    assert!(n >= 1, "set_num_threads: the number of threads must be at least 1, got 0");
    THREADS.store(n, Relaxed);
}

/// Calls `f(0)`, `f(1)`, …, `f(tasks - 1)`, each exactly once, in parallel when it pays.
///
/// `cost_ns` is the caller's estimate of the whole serial time in nanoseconds. Cut by shape, never by
/// [`num_threads`]: then the result is the same for any number of threads. Calls from inside a task
/// work. Order and thread of the calls are not defined.
///
/// # Panics
/// A panic in a task reaches the caller, after tasks that are under way have ended.
///
/// # Example
/// ```
/// use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
/// let sum = AtomicUsize::new(0);
/// gradus_tensor::threads::run(101, 1e6, &|i| {
///     sum.fetch_add(i, Relaxed);
/// });
/// assert_eq!(sum.into_inner(), 5050);
/// ```
#[inline]
pub fn run(tasks: usize, cost_ns: f64, f: &(dyn Fn(usize) + Sync)) {
    match crew(tasks, cost_ns) {
        None => (0..tasks).for_each(f),
        Some(crew) => {
            let most = group(tasks, cost_ns);
            crew.enter(|| halves(0..tasks, most, f));
        }
    }
}

/// Cuts `out` into pieces of `chunk` elements (the last may be shorter) and calls `f(index, piece)`
/// for each, as [`run`] does: the safe way for tasks to write disjoint parts of one output.
///
/// # Panics
/// If `chunk` is 0 and `out` is not empty. A panic in a task reaches the caller.
///
/// # Example
/// ```
/// let mut out = vec![0; 10];
/// gradus_tensor::threads::run_chunks(&mut out, 4, 1e6, &|i, piece| piece.fill(i));
/// assert_eq!(out, [0, 0, 0, 0, 1, 1, 1, 1, 2, 2]);
/// ```
pub fn run_chunks<T: Send>(
    out: &mut [T],
    chunk: usize,
    cost_ns: f64,
    f: &(dyn Fn(usize, &mut [T]) + Sync),
) {
    pieces::run(out, chunk, cost_ns, f);
}

/// A number that no other thread of the pool has, for what threads keep apart.
pub(crate) fn place() -> usize {
    pool::place()
}

/// The switch: `None` is serial.
#[inline]
fn crew(tasks: usize, cost_ns: f64) -> Option<pool::Crew> {
    if tasks < 2 || cost_ns < SERIAL_BELOW_NS {
        return None;
    }
    match num_threads() {
        1 => None,
        threads => pool::crew(threads, cost_ns),
    }
}

/// How many tasks one thread takes at a time.
fn group(tasks: usize, cost_ns: f64) -> usize {
    ((tasks as f64 * GROUP_NS / cost_ns) as usize).clamp(1, tasks.div_ceil(2))
}

fn halves(tasks: Range<usize>, most: usize, f: &(dyn Fn(usize) + Sync)) {
    if tasks.len() <= most {
        return tasks.for_each(f);
    }
    let middle = tasks.start + tasks.len() / 2;
    pool::join(|| halves(tasks.start..middle, most, f), || halves(middle..tasks.end, most, f));
}
