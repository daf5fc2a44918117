//! AVX-512 and AVX2 vectors, and the loops compiled for them.

mod amx;
mod blocks;
mod halves;
mod tables;

use std::arch::x86_64::*;

use super::tile::Lanes;

pub(super) use self::amx::{AMX, has_amx, peak, permitted};
pub(super) use self::halves::{Bf16Pairs, join};
pub(super) use self::tables::*;

/// `Lanes` of a vector type from its intrinsics. The masked part differs too much and is given.
macro_rules! lanes {
    ($vector:ty, $t:ty, $lanes:literal, $mask:ty, $masked:literal, $splat:ident, $zero:ident,
     $load:ident, $store:ident, $fma:ident, $add:ident, $max:ident, { $($rest:item)* }) => {
        impl Lanes for $vector {
            type T = $t;
            type Mask = $mask;
            const LANES: usize = $lanes;
            const MASKED: bool = $masked;

            #[inline(always)]
            unsafe fn splat(x: $t) -> Self {
                // SAFETY: the caller's promise: the CPU has the instruction.
                unsafe { $splat(x) }
            }

            #[inline(always)]
            unsafe fn zero() -> Self {
                // SAFETY: as above.
                unsafe { $zero() }
            }

            #[inline(always)]
            unsafe fn load(from: *const $t) -> Self {
                // SAFETY: as above, and a whole vector is readable.
                unsafe { $load(from) }
            }

            #[inline(always)]
            unsafe fn store(self, to: *mut $t) {
                // SAFETY: as above, and a whole vector is writable.
                unsafe { $store(to, self) }
            }

            #[inline(always)]
            unsafe fn mul_add(self, b: Self, c: Self) -> Self {
                // SAFETY: as above.
                unsafe { $fma(self, b, c) }
            }

            #[inline(always)]
            unsafe fn add(self, b: Self) -> Self {
                // SAFETY: as above.
                unsafe { $add(self, b) }
            }

            #[inline(always)]
            unsafe fn relu(self) -> Self {
                // SAFETY: as above. The instruction gives its second operand if one is NaN.
                unsafe { $max($zero(), self) }
            }

            $($rest)*
        }
    };
}

lanes!(
    __m512,
    f32,
    16,
    __mmask16,
    true,
    _mm512_set1_ps,
    _mm512_setzero_ps,
    _mm512_loadu_ps,
    _mm512_storeu_ps,
    _mm512_fmadd_ps,
    _mm512_add_ps,
    _mm512_max_ps,
    {
        #[inline(always)]
        unsafe fn mask(count: usize) -> __mmask16 {
            ((1_u32 << count) - 1) as __mmask16
        }

        #[inline(always)]
        unsafe fn load_masked(from: *const f32, mask: __mmask16) -> Self {
            // SAFETY: the caller's promise; elements out of the mask are not touched.
            unsafe { _mm512_maskz_loadu_ps(mask, from) }
        }

        #[inline(always)]
        fn prefetch(from: *const f32) {
            // SAFETY: every x86-64 CPU has it, and any address will do.
            unsafe { _mm_prefetch::<_MM_HINT_T0>(from.cast()) }
        }

        #[inline(always)]
        unsafe fn store_masked(self, to: *mut f32, mask: __mmask16) {
            // SAFETY: the caller's promise; elements out of the mask are not touched.
            unsafe { _mm512_mask_storeu_ps(to, mask, self) }
        }

        #[inline(always)]
        unsafe fn sum(self) -> f32 {
            // SAFETY: the caller's promise.
            unsafe { _mm512_reduce_add_ps(self) }
        }
    }
);

lanes!(
    __m512d,
    f64,
    8,
    __mmask8,
    true,
    _mm512_set1_pd,
    _mm512_setzero_pd,
    _mm512_loadu_pd,
    _mm512_storeu_pd,
    _mm512_fmadd_pd,
    _mm512_add_pd,
    _mm512_max_pd,
    {
        #[inline(always)]
        unsafe fn mask(count: usize) -> __mmask8 {
            ((1_u32 << count) - 1) as __mmask8
        }

        #[inline(always)]
        unsafe fn load_masked(from: *const f64, mask: __mmask8) -> Self {
            // SAFETY: the caller's promise; elements out of the mask are not touched.
            unsafe { _mm512_maskz_loadu_pd(mask, from) }
        }

        #[inline(always)]
        fn prefetch(from: *const f64) {
            // SAFETY: every x86-64 CPU has it, and any address will do.
            unsafe { _mm_prefetch::<_MM_HINT_T0>(from.cast()) }
        }

        #[inline(always)]
        unsafe fn store_masked(self, to: *mut f64, mask: __mmask8) {
            // SAFETY: the caller's promise; elements out of the mask are not touched.
            unsafe { _mm512_mask_storeu_pd(to, mask, self) }
        }

        #[inline(always)]
        unsafe fn sum(self) -> f64 {
            // SAFETY: the caller's promise.
            unsafe { _mm512_reduce_add_pd(self) }
        }
    }
);

/// The masked part of an AVX2 vector. Masked loads are quick everywhere; masked stores are slow on many CPUs, so
/// a part is stored by halves: written as a loop it becomes a call of `memcpy`, 3 % of the samples of `mlp_large`.
macro_rules! by_parts {
    ($t:ty, $lanes:literal, $store:ident, $masked:ident, $int:ty, $part:ident) => {
        #[inline(always)]
        unsafe fn mask(count: usize) -> usize {
            count
        }

        #[inline(always)]
        unsafe fn load_masked(from: *const $t, mask: usize) -> Self {
            /// All bits for the elements that are loaded, from the place on that leaves so many.
            const ON: [$int; 2 * $lanes] = {
                let mut on = [0; 2 * $lanes];
                let mut i = 0;
                while i < $lanes {
                    on[i] = -1;
                    i += 1;
                }
                on
            };
            // SAFETY: the caller's promise: the elements of the mask, at most a vector, are readable, and no
            // others are touched.
            unsafe { $masked(from, _mm256_loadu_si256(ON.as_ptr().add($lanes - mask).cast())) }
        }

        #[inline(always)]
        unsafe fn store_masked(self, to: *mut $t, mask: usize) {
            // SAFETY: the caller's promise: the elements of the mask are writable.
            unsafe { if mask == $lanes { $store(to, self) } else { $part(self, to, mask) } }
        }

        #[inline(always)]
        unsafe fn sum(self) -> $t {
            let mut x = [0.0; $lanes];
            // SAFETY: `x` is a vector.
            unsafe { $store(x.as_mut_ptr(), self) };
            x.iter().sum()
        }
    };
}

lanes!(
    __m256,
    f32,
    8,
    usize,
    false,
    _mm256_set1_ps,
    _mm256_setzero_ps,
    _mm256_loadu_ps,
    _mm256_storeu_ps,
    _mm256_fmadd_ps,
    _mm256_add_ps,
    _mm256_max_ps,
    {
        by_parts!(f32, 8, _mm256_storeu_ps, _mm256_maskload_ps, i32, store_f32);
    }
);

lanes!(
    __m256d,
    f64,
    4,
    usize,
    false,
    _mm256_set1_pd,
    _mm256_setzero_pd,
    _mm256_loadu_pd,
    _mm256_storeu_pd,
    _mm256_fmadd_pd,
    _mm256_add_pd,
    _mm256_max_pd,
    {
        by_parts!(f64, 4, _mm256_storeu_pd, _mm256_maskload_pd, i64, store_f64);
    }
);

/// Stores the first `count < 8` elements.
///
/// # Safety
/// They are writable, and the CPU has AVX2.
#[inline(always)]
unsafe fn store_f32(x: __m256, mut to: *mut f32, count: usize) {
    // SAFETY: the caller's promise; the parts are together `count` elements.
    unsafe {
        let mut low = _mm256_castps256_ps128(x);
        if count & 4 != 0 {
            _mm_storeu_ps(to, low);
            (to, low) = (to.add(4), _mm256_extractf128_ps::<1>(x));
        }
        if count & 2 != 0 {
            _mm_storel_pd(to.cast(), _mm_castps_pd(low));
            (to, low) = (to.add(2), _mm_movehl_ps(low, low));
        }
        if count & 1 != 0 {
            _mm_store_ss(to, low);
        }
    }
}

/// Stores the first `count < 4` elements.
///
/// # Safety
/// They are writable, and the CPU has AVX2.
#[inline(always)]
unsafe fn store_f64(x: __m256d, mut to: *mut f64, count: usize) {
    // SAFETY: the caller's promise; the parts are together `count` elements.
    unsafe {
        let mut low = _mm256_castpd256_pd128(x);
        if count & 2 != 0 {
            _mm_storeu_pd(to, low);
            (to, low) = (to.add(2), _mm256_extractf128_pd::<1>(x));
        }
        if count & 1 != 0 {
            _mm_store_sd(to, low);
        }
    }
}
