//! How much memory arrays use, and have used.

use super::{pool, system};
use std::cell::Cell;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};

/// Bytes in use; the most since [`reset_peak`]; the most ever.
static LIVE: AtomicI64 = AtomicI64::new(0);
static PEAK: AtomicI64 = AtomicI64::new(0);
static MOST: AtomicI64 = AtomicI64::new(0);
/// Bytes of idle blocks on the lists of threads.
static IDLE: AtomicI64 = AtomicI64::new(0);

/// A thread adds to the common counts when its own have changed by this many bytes: an atomic addition
/// for each array would be a tenth of the cost of a small operation.
const STEP: i64 = 4 << 10;

/// What a thread has not yet added to the common counts.
pub(super) struct Own {
    live: Cell<i64>,
    /// The highest that `live` was.
    high: Cell<i64>,
    idle: Cell<i64>,
}

impl Own {
    pub(super) const fn new() -> Self {
        Own { live: Cell::new(0), high: Cell::new(0), idle: Cell::new(0) }
    }
    /// Note that `bytes` more are in use.
    #[inline]
    pub(super) fn count(&self, bytes: i64) {
        let live = self.live.get() + bytes;
        self.live.set(live);
        self.high.set(live.max(self.high.get()));
        if live.abs() >= STEP {
            self.publish();
        }
    }
    /// Note that `bytes` more are idle.
    #[inline]
    pub(super) fn idle(&self, bytes: i64) {
        let idle = self.idle.get() + bytes;
        self.idle.set(idle);
        if idle.abs() >= STEP {
            self.publish();
        }
    }
    #[inline(never)]
    pub(super) fn publish(&self) {
        add(self.live.take(), self.high.take());
        IDLE.fetch_add(self.idle.take(), Relaxed);
    }
}

/// Add `sum` to the bytes in use, which was up to `high` on the way.
pub(super) fn add(sum: i64, high: i64) {
    let live = LIVE.fetch_add(sum, Relaxed) + high.max(sum);
    if live > PEAK.load(Relaxed) {
        PEAK.fetch_max(live, Relaxed);
        MOST.fetch_max(live, Relaxed);
    }
}

/// The most bytes that were ever in use, whatever [`reset_peak`] says: what bounds the pool.
pub(super) fn most() -> usize {
    MOST.load(Relaxed).max(0) as usize
}

/// The memory of all arrays of this process, in bytes.
///
/// The counts are exact for what the calling thread has made and dropped; each other thread that runs
/// may be off by up to 4 KiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryStats {
    /// Elements that arrays (and kernels, for partial results) hold now (`memory_allocated`).
    pub live: usize,
    /// The most that `live` was since the last [`reset_peak`] (`max_memory_allocated`).
    pub peak: usize,
    /// Idle blocks that wait for reuse.
    pub cached: usize,
    /// What blocks occupy, in use or idle (`memory_reserved`). Arrays of up to 32 bytes have no block.
    pub reserved: usize,
    /// How many blocks were ever taken from the system: does not grow while a program repeats itself.
    pub from_system: u64,
}

/// How much memory arrays use (`torch.cuda.memory_stats`).
///
/// ```
/// use gradus_tensor::{Array, DType, memory_stats};
/// let before = memory_stats();
/// let x = Array::zeros(1000, DType::F32);
/// assert_eq!(memory_stats().live - before.live, 4000);
/// drop(x);
/// let warm = memory_stats();
/// drop(Array::zeros(1000, DType::F32));
/// assert_eq!(memory_stats(), warm, "the second one has taken the block of the first");
/// ```
pub fn memory_stats() -> MemoryStats {
    pool::publish();
    MemoryStats {
        live: LIVE.load(Relaxed).max(0) as usize,
        peak: PEAK.load(Relaxed).max(0) as usize,
        cached: pool::shelved() + IDLE.load(Relaxed).max(0) as usize,
        reserved: system::held(),
        from_system: system::taken(),
    }
}

/// The `live` of [`memory_stats`].
pub fn live_bytes() -> usize {
    memory_stats().live
}

/// The `peak` of [`memory_stats`].
pub fn peak_bytes() -> usize {
    memory_stats().peak
}

/// The `cached` of [`memory_stats`].
pub fn cached_bytes() -> usize {
    memory_stats().cached
}

/// From now on, [`peak_bytes`] is the most since now (`torch.cuda.reset_peak_memory_stats`).
///
/// ```
/// use gradus_tensor::{Array, DType, live_bytes, peak_bytes, reset_peak};
/// drop(Array::zeros(1000, DType::F32));
/// assert!(peak_bytes() > live_bytes());
/// reset_peak();
/// assert_eq!(peak_bytes(), live_bytes());
/// ```
pub fn reset_peak() {
    pool::publish();
    PEAK.store(LIVE.load(Relaxed), Relaxed);
}
