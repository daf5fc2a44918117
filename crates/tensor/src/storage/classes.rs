//! Size classes: what is asked for is rounded up, so that a block fits the next array of a similar size.

/// log2 of the first power of two that is divided; below, classes are [`SMALLEST`] bytes apart.
const FIRST: usize = 8;
/// Capacity of the smallest class, and what all capacities are multiples of: a cache line.
const SMALLEST: usize = 64;
/// Classes for each power of two: a block is at most a quarter larger than what was asked for.
const STEPS: usize = 4;

/// Number of classes below [`SHARED`].
pub(super) const OWN: usize = class(SHARED).0;
/// Blocks of at least this many bytes are shared by all threads; smaller ones wait on a list of the
/// thread that dropped them, because a lock (20 ns) would show beside their arithmetic.
pub(super) const SHARED: usize = 64 << 10;

/// The class for this many bytes, and the capacity of its blocks.
#[inline]
pub(super) const fn class(bytes: usize) -> (usize, usize) {
    if bytes <= 1 << FIRST {
        let n = if bytes == 0 { 1 } else { bytes.div_ceil(SMALLEST) };
        return (n - 1, n * SMALLEST);
    }
    // The power of two below, or at, the last byte.
    let power = (bytes - 1).ilog2() as usize;
    let step = (1 << power) / STEPS;
    let steps = (bytes - (1 << power)).div_ceil(step);
    ((power - FIRST) * STEPS + steps + STEPS - 1, (1 << power) + steps * step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_holds_what_is_asked_and_at_most_a_quarter_more() {
        let sizes = (1..5000).chain((5000..SHARED * 40).step_by(977));
        let mut before = (0, SMALLEST);
        for bytes in sizes {
            let (at, capacity) = class(bytes);
            assert!(capacity >= bytes && capacity % SMALLEST == 0, "{bytes} {capacity}");
            assert!(
                capacity <= (bytes + bytes / 4).next_multiple_of(SMALLEST),
                "{bytes} {capacity}"
            );
            assert_eq!(class(capacity), (at, capacity), "a block comes back to its own class");
            assert!(before == (at, capacity) || before.0 < at && before.1 < capacity, "{bytes}");
            before = (at, capacity);
        }
    }

    #[test]
    fn classes_are_numbered_without_gaps() {
        let mut seen: Vec<usize> = (1..2 * SHARED).map(|bytes| class(bytes).0).collect();
        seen.dedup();
        assert!(seen.iter().copied().eq(0..seen.len()));
        assert_eq!(class(SHARED).1, SHARED);
    }
}
