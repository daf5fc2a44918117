//! `f16` by the instructions of F16C and AVX-512: twice as fast as shifts and sums.

use super::super::level::Level;
use super::{Convert, each};
use half::f16;
use std::arch::x86_64::*;
use std::mem::MaybeUninit;

/// To nearest, ties to even, without exceptions.
const NEAREST: i32 = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC;

/// Converts whole vectors by `vectors`, which returns how many elements it did, and the rest one by one.
fn with<A: Convert<B>, B: super::Value>(
    x: &[A],
    y: &mut [MaybeUninit<B>],
    vectors: impl FnOnce(&[A], &mut [MaybeUninit<B>]) -> usize,
) {
    assert_eq!(x.len(), y.len(), "input and output differ in length");
    let done = vectors(x, y);
    each(&x[done..], &mut y[done..]);
}

/// `f16` to `f32`; `None` if `level` has no instruction.
pub(super) fn widen(level: Level, x: &[f16], y: &mut [MaybeUninit<f32>]) -> Option<()> {
    match level.min(super::super::level::detected()) {
        Level::Baseline => return None,
        // SAFETY: the CPU has the instructions of this level.
        Level::Avx2 => with(x, y, |x, y| unsafe { widen_avx2(x, y) }),
        // SAFETY: as above.
        Level::Avx512 => with(x, y, |x, y| unsafe { widen_avx512(x, y) }),
    }
    Some(())
}

/// `f32` to `f16`; `None` if `level` has no instruction.
pub(super) fn narrow(level: Level, x: &[f32], y: &mut [MaybeUninit<f16>]) -> Option<()> {
    match level.min(super::super::level::detected()) {
        Level::Baseline => return None,
        // SAFETY: the CPU has the instructions of this level.
        Level::Avx2 => with(x, y, |x, y| unsafe { narrow_avx2(x, y) }),
        // SAFETY: as above.
        Level::Avx512 => with(x, y, |x, y| unsafe { narrow_avx512(x, y) }),
    }
    Some(())
}

/// # Safety
///
/// The CPU must have AVX-512 F; the slices are equally long.
#[target_feature(enable = "avx512f")]
unsafe fn widen_avx512(x: &[f16], y: &mut [MaybeUninit<f32>]) -> usize {
    let whole = x.len() / 16 * 16;
    for i in (0..whole).step_by(16) {
        // SAFETY: 16 elements from `i` on are inside both slices.
        unsafe {
            let bits = _mm256_loadu_si256(x.as_ptr().add(i).cast());
            _mm512_storeu_ps(y.as_mut_ptr().add(i).cast(), _mm512_cvtph_ps(bits));
        }
    }
    whole
}

/// # Safety
///
/// The CPU must have AVX and F16C; the slices are equally long.
#[target_feature(enable = "avx,f16c")]
unsafe fn widen_avx2(x: &[f16], y: &mut [MaybeUninit<f32>]) -> usize {
    let whole = x.len() / 8 * 8;
    for i in (0..whole).step_by(8) {
        // SAFETY: 8 elements from `i` on are inside both slices.
        unsafe {
            let bits = _mm_loadu_si128(x.as_ptr().add(i).cast());
            _mm256_storeu_ps(y.as_mut_ptr().add(i).cast(), _mm256_cvtph_ps(bits));
        }
    }
    whole
}

/// # Safety
///
/// The CPU must have AVX-512 F; the slices are equally long.
#[target_feature(enable = "avx512f")]
unsafe fn narrow_avx512(x: &[f32], y: &mut [MaybeUninit<f16>]) -> usize {
    let whole = x.len() / 16 * 16;
    for i in (0..whole).step_by(16) {
        // SAFETY: 16 elements from `i` on are inside both slices.
        unsafe {
            let bits = _mm512_cvtps_ph::<NEAREST>(_mm512_loadu_ps(x.as_ptr().add(i)));
            _mm256_storeu_si256(y.as_mut_ptr().add(i).cast(), bits);
        }
    }
    whole
}

/// # Safety
///
/// The CPU must have AVX and F16C; the slices are equally long.
#[target_feature(enable = "avx,f16c")]
unsafe fn narrow_avx2(x: &[f32], y: &mut [MaybeUninit<f16>]) -> usize {
    let whole = x.len() / 8 * 8;
    for i in (0..whole).step_by(8) {
        // SAFETY: 8 elements from `i` on are inside both slices.
        unsafe {
            let bits =
                _mm256_cvtps_ph::<_MM_FROUND_TO_NEAREST_INT>(_mm256_loadu_ps(x.as_ptr().add(i)));
            _mm_storeu_si128(y.as_mut_ptr().add(i).cast(), bits);
        }
    }
    whole
}
