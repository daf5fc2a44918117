//! A pool of blocks: a training step asks for the same sizes again and again, and a fresh block above
//! 128 KiB costs a page fault for each 4 KiB (2.6 ns an element for blocks above 32 MiB).

use super::block::Block;
use std::cell::Cell;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Blocks below this many bytes go straight to the system allocator, which keeps its own lists of them.
const POOLED: usize = 64 << 10;
/// Size classes for each power of two: a block is at most a quarter larger than what was asked for.
const STEPS: usize = 4;
/// log2 of [`POOLED`].
const FIRST: usize = POOLED.trailing_zeros() as usize;
const CLASSES: usize = (48 - FIRST) * STEPS;

static LIVE: AtomicI64 = AtomicI64::new(0);
static PEAK: AtomicI64 = AtomicI64::new(0);

/// Idle blocks by class.
struct Pool {
    idle: Vec<Vec<Block>>,
    bytes: usize,
}

static POOL: Mutex<Pool> = Mutex::new(Pool { idle: Vec::new(), bytes: 0 });

fn lock() -> MutexGuard<'static, Pool> {
    POOL.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Class and capacity for a pooled size.
fn class(bytes: usize) -> (usize, usize) {
    let power = bytes.ilog2() as usize;
    let step = (1 << power) / STEPS;
    let steps = (bytes - (1 << power)).div_ceil(step);
    ((power - FIRST) * STEPS + steps, (1 << power) + steps * step)
}

/// A block of at least `bytes`.
pub(super) fn take(bytes: usize) -> Block {
    if bytes < POOLED {
        return Block::from_system(bytes);
    }
    let (class, capacity) = class(bytes);
    let idle = {
        let mut pool = lock();
        let block = pool.idle.get_mut(class).and_then(Vec::pop);
        pool.bytes -= block.as_ref().map_or(0, Block::capacity);
        block
    };
    idle.unwrap_or_else(|| Block::from_system(capacity))
}

/// Keep a block for the next [`take`], as long as the pool holds less than the peak use.
pub(super) fn give(block: Block) {
    let capacity = block.capacity();
    if capacity < POOLED {
        return block.free();
    }
    let (class, _) = class(capacity);
    let peak = PEAK.load(Relaxed).max(0) as usize;
    let mut pool = lock();
    if class >= CLASSES || pool.bytes + capacity > peak.max(capacity) {
        drop(pool);
        return block.free();
    }
    if pool.idle.len() <= class {
        pool.idle.resize_with(class + 1, Vec::new);
    }
    pool.bytes += capacity;
    pool.idle[class].push(block);
}

/// A thread adds to the common count when its own has changed by this many bytes: an atomic addition
/// for each array would be a tenth of the cost of a small operation.
const STEP: i64 = 4 << 10;

/// What a thread has not yet added to [`LIVE`].
struct Own(Cell<i64>);

impl Drop for Own {
    fn drop(&mut self) {
        add(self.0.take());
    }
}

thread_local!(static OWN: Own = const { Own(Cell::new(0)) });

/// Note that `bytes` more are in use.
#[inline]
pub(super) fn count(bytes: i64) {
    let noted = OWN.try_with(|own| {
        let sum = own.0.get() + bytes;
        own.0.set(if sum.abs() < STEP { sum } else { 0 });
        if sum.abs() >= STEP {
            add(sum);
        }
    });
    if noted.is_err() {
        add(bytes); // a thread that ends
    }
}

fn add(bytes: i64) {
    let live = LIVE.fetch_add(bytes, Relaxed) + bytes;
    if live > PEAK.load(Relaxed) {
        PEAK.fetch_max(live, Relaxed);
    }
}

/// Bytes of elements that arrays of this process hold now. Exact for what this thread has made and
/// dropped; another thread that runs may be off by up to 4 KiB.
pub fn live_bytes() -> usize {
    OWN.with(|own| add(own.0.take()));
    LIVE.load(Relaxed).max(0) as usize
}

/// The most that [`live_bytes`] ever was.
pub fn peak_bytes() -> usize {
    PEAK.load(Relaxed).max(0) as usize
}

/// Bytes of idle blocks that wait for reuse.
pub fn cached_bytes() -> usize {
    lock().bytes
}

/// Give all idle blocks back to the system (`torch.cuda.empty_cache`).
pub fn empty_cache() {
    let idle = {
        let mut pool = lock();
        pool.bytes = 0;
        std::mem::take(&mut pool.idle)
    };
    idle.into_iter().flatten().for_each(Block::free);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_holds_what_is_asked_and_at_most_a_quarter_more() {
        for bytes in (POOLED..POOLED * 40).step_by(977) {
            let (at, capacity) = class(bytes);
            assert!(capacity >= bytes && capacity <= bytes + bytes / 4 + 1, "{bytes} {capacity}");
            assert_eq!(class(capacity), (at, capacity), "a block comes back to its own class");
        }
    }
}
