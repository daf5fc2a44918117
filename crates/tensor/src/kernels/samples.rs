//! Input for the tests of kernels.

use super::level::{Level, detected};

/// One of so many cases of a long test is enough: `GRADUS_TEST_LESS`, which `scripts/valgrind.sh` sets,
/// else all are run.
pub(super) fn less() -> usize {
    std::env::var("GRADUS_TEST_LESS").ok().and_then(|text| text.parse().ok()).unwrap_or(1)
}

/// The instruction levels of this CPU.
pub(super) fn levels() -> impl Iterator<Item = Level> {
    [Level::Baseline, Level::Avx2, Level::Avx512].into_iter().filter(|&l| l <= detected())
}

/// Lengths around blocks, lanes and levels of the loops.
pub(super) const LENGTHS: [usize; 16] =
    [0, 1, 2, 3, 7, 31, 32, 33, 63, 64, 65, 127, 128, 200, 1000, 4500];

/// `n` numbers between -1 and 1 without a pattern.
pub(super) fn noise(n: usize, seed: u64) -> Vec<f64> {
    let mut state = seed.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    };
    std::iter::repeat_with(next).take(n).collect()
}

/// [`noise`] in f32.
pub(super) fn noise_f32(n: usize, seed: u64) -> Vec<f32> {
    noise(n, seed).into_iter().map(|v| v as f32).collect()
}

/// Runs `write` on an uninitialised output of `n` elements, which it must fill.
pub(super) fn filled<T: Copy>(
    n: usize,
    write: impl FnOnce(&mut [std::mem::MaybeUninit<T>]),
) -> Vec<T> {
    let mut out = Vec::with_capacity(n);
    write(&mut out.spare_capacity_mut()[..n]);
    // SAFETY: the kernel under test has written all `n` elements, or valgrind will say so.
    unsafe { out.set_len(n) };
    out
}
