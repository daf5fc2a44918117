//! Vectors of f32 that are stored as f16 or bf16, and pairs of bf16 that are multiplied.

use std::arch::x86_64::*;

use half::{bf16, f16};

use super::super::kernel::Pair;
use super::super::tile::{Factors, Stored};

/// 16 pairs.
#[derive(Clone, Copy)]
pub(in super::super) struct Bf16Pairs(__m512bh);

impl Bf16Pairs {
    #[inline(always)]
    fn of(bits: __m512i) -> Self {
        // SAFETY: 512 bits each, and any bits are numbers.
        Self(unsafe { std::mem::transmute::<__m512i, __m512bh>(bits) })
    }
}

impl Factors for Bf16Pairs {
    type P = Pair;
    type V = __m512;

    #[inline(always)]
    unsafe fn splat(x: Pair) -> Self {
        // SAFETY: the caller's promise: the CPU has AVX-512.
        Self::of(unsafe { _mm512_set1_epi32(x.0 as i32) })
    }

    #[inline(always)]
    unsafe fn load(from: *const Pair) -> Self {
        // SAFETY: as above, and a whole vector is readable.
        Self::of(unsafe { _mm512_loadu_si512(from.cast()) })
    }

    #[inline(always)]
    unsafe fn load_masked(from: *const Pair, mask: __mmask16) -> Self {
        // SAFETY: as above; elements out of the mask are not touched.
        Self::of(unsafe { _mm512_maskz_loadu_epi32(mask, from.cast()) })
    }

    #[inline(always)]
    unsafe fn multiply(a: Self, b: Self, sum: __m512) -> __m512 {
        // SAFETY: the caller's promise: the CPU has AVX512-BF16.
        unsafe { _mm512_dpbf16_ps(sum, a.0, b.0) }
    }
}

/// The pairs of two steps with contiguous lanes; see [`Join`](super::super::pairs::Join).
///
/// # Safety
/// The CPU has AVX-512 with BW and VL; `lanes` elements are readable in `pairs` rows of both, and `out`
/// is writable.
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
pub(in super::super) unsafe fn join(
    first: *const bf16,
    second: *const bf16,
    row: isize,
    lanes: usize,
    pairs: usize,
    width: usize,
    out: *mut Pair,
) {
    // SAFETY: the caller's promise; the last vector of a row is masked to `lanes`.
    unsafe {
        for p in 0..pairs {
            let at = p as isize * row;
            let (first, second) = (first.wrapping_offset(at), second.wrapping_offset(at));
            let to = out.wrapping_add(p * width);
            for j in (0..lanes).step_by(16) {
                let mask = ((1_u32 << (lanes - j).min(16)) - 1) as __mmask16;
                let low = _mm256_maskz_loadu_epi16(mask, first.add(j).cast());
                let high = _mm256_maskz_loadu_epi16(mask, second.add(j).cast());
                let high = _mm512_slli_epi32::<16>(_mm512_cvtepu16_epi32(high));
                let pair = _mm512_or_si512(_mm512_cvtepu16_epi32(low), high);
                _mm512_mask_storeu_epi32(to.add(j).cast(), mask, pair);
            }
        }
    }
}

impl Stored<f16> for __m512 {
    #[inline(always)]
    unsafe fn read(from: *const f16, mask: __mmask16) -> Self {
        // SAFETY: the caller's promise; elements out of the mask are not touched.
        unsafe { _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(mask, from.cast())) }
    }

    #[inline(always)]
    unsafe fn write(self, to: *mut f16, mask: __mmask16) {
        // SAFETY: the caller's promise; elements out of the mask are not touched.
        unsafe {
            let bits = _mm512_cvtps_ph::<_MM_FROUND_TO_NEAREST_INT>(self);
            _mm256_mask_storeu_epi16(to.cast(), mask, bits);
        }
    }
}

impl Stored<bf16> for __m512 {
    #[inline(always)]
    unsafe fn read(from: *const bf16, mask: __mmask16) -> Self {
        // SAFETY: the caller's promise; elements out of the mask are not touched.
        unsafe {
            let bits = _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(mask, from.cast()));
            _mm512_castsi512_ps(_mm512_slli_epi32::<16>(bits))
        }
    }

    /// To nearest, ties to even; the instruction for it would lose subnormals.
    #[inline(always)]
    unsafe fn write(self, to: *mut bf16, mask: __mmask16) {
        // SAFETY: the caller's promise; elements out of the mask are not touched.
        unsafe {
            let bits = _mm512_castps_si512(self);
            let high = _mm512_srli_epi32::<16>(bits);
            let odd = _mm512_and_si512(high, _mm512_set1_epi32(1));
            let half = _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff));
            let rounded = _mm512_srli_epi32::<16>(_mm512_add_epi32(bits, half));
            let nan = _mm512_cmp_ps_mask::<_CMP_UNORD_Q>(self, self);
            // Rounding could carry a NaN into an infinity.
            let quiet = _mm512_mask_or_epi32(rounded, nan, high, _mm512_set1_epi32(0x40));
            _mm256_mask_storeu_epi16(to.cast(), mask, _mm512_cvtepi32_epi16(quiet));
        }
    }
}

/// Eight elements of a half type, of which `mask` are read or written.
macro_rules! eight {
    ($T:ty, $widen:ident, $narrow:ident) => {
        impl Stored<$T> for __m256 {
            #[inline(always)]
            unsafe fn read(from: *const $T, mask: usize) -> Self {
                let mut x = [0_u16; 8];
                // SAFETY: the caller's promise: the elements of the mask are readable, and the CPU has
                // the instructions; `x` is as long as a vector.
                unsafe {
                    let from = from.cast::<u16>();
                    if mask == 8 {
                        return $widen(_mm_loadu_si128(from.cast()));
                    }
                    for (i, x) in x.iter_mut().enumerate().take(mask) {
                        *x = *from.add(i);
                    }
                    $widen(_mm_loadu_si128(x.as_ptr().cast()))
                }
            }

            #[inline(always)]
            unsafe fn write(self, to: *mut $T, mask: usize) {
                let mut x = [0_u16; 8];
                // SAFETY: the caller's promise: the elements of the mask are writable, and the CPU has
                // the instructions; `x` is as long as a vector.
                unsafe {
                    let (to, bits) = (to.cast::<u16>(), $narrow(self));
                    if mask == 8 {
                        return _mm_storeu_si128(to.cast(), bits);
                    }
                    _mm_storeu_si128(x.as_mut_ptr().cast(), bits);
                    for (i, &x) in x.iter().enumerate().take(mask) {
                        *to.add(i) = x;
                    }
                }
            }
        }
    };
}

eight!(f16, widen_f16, narrow_f16);
eight!(bf16, widen_bf16, narrow_bf16);

#[inline(always)]
unsafe fn widen_f16(bits: __m128i) -> __m256 {
    // SAFETY: the caller's promise: the CPU has F16C.
    unsafe { _mm256_cvtph_ps(bits) }
}

#[inline(always)]
unsafe fn narrow_f16(x: __m256) -> __m128i {
    // SAFETY: the caller's promise: the CPU has F16C.
    unsafe { _mm256_cvtps_ph::<_MM_FROUND_TO_NEAREST_INT>(x) }
}

#[inline(always)]
unsafe fn widen_bf16(bits: __m128i) -> __m256 {
    // SAFETY: the caller's promise: the CPU has AVX2.
    unsafe { _mm256_castsi256_ps(_mm256_slli_epi32::<16>(_mm256_cvtepu16_epi32(bits))) }
}

#[inline(always)]
unsafe fn narrow_bf16(x: __m256) -> __m128i {
    // SAFETY: the caller's promise: the CPU has AVX2.
    unsafe {
        let bits = _mm256_castps_si256(x);
        let high = _mm256_srli_epi32::<16>(bits);
        let odd = _mm256_and_si256(high, _mm256_set1_epi32(1));
        let half = _mm256_add_epi32(odd, _mm256_set1_epi32(0x7fff));
        let rounded = _mm256_srli_epi32::<16>(_mm256_add_epi32(bits, half));
        let nan = _mm256_castps_si256(_mm256_cmp_ps::<_CMP_UNORD_Q>(x, x));
        let quiet = _mm256_or_si256(high, _mm256_set1_epi32(0x40));
        let chosen = _mm256_blendv_epi8(rounded, quiet, nan);
        // 16 bits of each are used: no saturation.
        _mm_packus_epi32(_mm256_castsi256_si128(chosen), _mm256_extracti128_si256::<1>(chosen))
    }
}
