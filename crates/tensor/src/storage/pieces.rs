//! One output, cut for tasks.

use crate::threads;
use std::slice;

/// As [`threads::run_chunks`], which says what it does. The elements are lent by number, so that what hands tasks to
/// threads is compiled once and not for each type of element.
pub(crate) fn run<T: Send>(
    out: &mut [T],
    chunk: usize,
    cost_ns: f64,
    f: &(dyn Fn(usize, &mut [T]) + Sync),
) {
    if out.is_empty() {
        return;
    }
    assert!(chunk > 0, "run_chunks: a chunk must have at least one element");
    let (len, all) = (out.len(), All(out.as_mut_ptr()));
    threads::run(len.div_ceil(chunk), cost_ns, &|i| {
        let first = i * chunk;
        // SAFETY: the piece is within `out`, which is borrowed for as long as `threads::run` takes. That calls each number
        // once, and pieces of different numbers do not overlap.
        let piece = unsafe { slice::from_raw_parts_mut(all.at(first), chunk.min(len - first)) };
        f(i, piece);
    });
}

struct All<T>(*mut T);

impl<T> All<T> {
    fn at(&self, i: usize) -> *mut T {
        self.0.wrapping_add(i)
    }
}

// SAFETY: threads get elements by it, which may be sent to them, and no two the same.
unsafe impl<T: Send> Sync for All<T> {}
