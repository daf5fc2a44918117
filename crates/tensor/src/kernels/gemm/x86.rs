//! AVX-512 and AVX2 vectors, and the loops compiled for them.

mod blocks;

use std::arch::x86_64::*;

use self::blocks::{F32x8, F32x16, F64x4};
use super::kernel::Kernels;
use super::tile::{Lanes, TILE_VECTORS, Tile, dot, finish, sum};
use super::transpose::{pack, turn};

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

/// The masked part of an AVX2 vector, element by element: masked stores are slow on many CPUs, and
/// only edges come here.
macro_rules! one_by_one {
    ($t:ty, $lanes:literal, $load:ident, $store:ident) => {
        #[inline(always)]
        unsafe fn mask(count: usize) -> usize {
            count
        }

        #[inline(always)]
        unsafe fn load_masked(from: *const $t, mask: usize) -> Self {
            let mut x = [0.0; $lanes];
            // SAFETY: the caller's promise: the elements of the mask are readable; `x` is a vector.
            unsafe {
                if mask == $lanes {
                    return $load(from);
                }
                for (i, x) in x.iter_mut().enumerate().take(mask) {
                    *x = *from.add(i);
                }
                $load(x.as_ptr())
            }
        }

        #[inline(always)]
        unsafe fn store_masked(self, to: *mut $t, mask: usize) {
            let mut x = [0.0; $lanes];
            // SAFETY: the caller's promise: the elements of the mask are writable; `x` is a vector.
            unsafe {
                if mask == $lanes {
                    return $store(to, self);
                }
                $store(x.as_mut_ptr(), self);
                for (i, &x) in x.iter().enumerate().take(mask) {
                    *to.add(i) = x;
                }
            }
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
        one_by_one!(f32, 8, _mm256_loadu_ps, _mm256_storeu_ps);
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
        one_by_one!(f64, 4, _mm256_loadu_pd, _mm256_storeu_pd);
    }
);

/// The loops of one level and element type: the generic bodies, inlined into functions that may use
/// the level's instructions. `tiles` lists the sizes (rows, vectors) of a tile.
macro_rules! kernels {
    ($name:ident, $module:ident, $features:literal, $vector:ty, $t:ty, $large:ty, $small:ty, $masked:literal,
     $rows:literal, $vectors:literal, $wide:literal, $rate:literal,
     tiles: $(($r:literal, $n:literal))*) => {
        mod $module {
            use super::*;

            const LANES: usize = <$vector as Lanes>::LANES;

            #[target_feature(enable = $features)]
            unsafe fn tile(tile: &Tile<$t>) {
                let mut sums = std::mem::MaybeUninit::<[$vector; TILE_VECTORS]>::uninit();
                let to = sums.as_mut_ptr().cast::<$vector>();
                let vectors = tile.cols.div_ceil(LANES);
                // SAFETY: the caller's promise; rows and vectors go by the match.
                unsafe {
                    let left = match (tile.rows, vectors) {
                        $(($r, $n) => sum::<$vector, $r, $n>(tile, to),)*
                        _ => unreachable!("a tile of {} x {vectors} vectors", tile.rows),
                    };
                    if left {
                        finish(tile, to, vectors);
                    }
                }
            }

            #[target_feature(enable = $features)]
            unsafe fn packs(
                from: *const $t,
                lane: isize,
                step: isize,
                lanes: usize,
                depth: usize,
                width: usize,
                out: *mut $t,
            ) {
                // SAFETY: the caller's promise.
                unsafe {
                    pack::<$vector, $large, $small>((from, lane, step), (lanes, depth, width), out);
                }
            }

            #[target_feature(enable = $features)]
            unsafe fn turns(tile: &Tile<$t>, sums: *const $t, pitch: usize) {
                // SAFETY: the caller's promise.
                unsafe { turn::<$small>(tile, sums, pitch) }
            }

            #[target_feature(enable = $features)]
            unsafe fn dots(
                from: *const $t,
                lane: isize,
                lanes: usize,
                depth: usize,
                x: *const $t,
                out: *mut $t,
            ) {
                // SAFETY: the caller's promise.
                unsafe { dot::<$vector>(from, lane, lanes, depth, x, out) }
            }

            pub(in super::super) static $name: Kernels<$t> = Kernels {
                rows: $rows,
                vectors: $vectors,
                wide: $wide,
                lanes: LANES,
                masked: $masked,
                flops_per_ns: $rate,
                tile,
                pack: packs,
                turn: turns,
                dot: dots,
            };
        }
        pub(super) use $module::$name;
    };
}

kernels!(AVX512_F32, avx512_f32, "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma", __m512, f32, F32x16,
    F32x8, true,
    8, 3, 16, 200.0,
    tiles: (8, 3) (8, 2) (8, 1) (4, 3) (4, 2) (4, 1) (2, 3) (2, 2) (2, 1)
           (1, 16) (1, 3) (1, 2) (1, 1));
kernels!(AVX512_F64, avx512_f64, "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma", __m512d, f64, F64x4,
    F64x4, true,
    8, 3, 16, 100.0,
    tiles: (8, 3) (8, 2) (8, 1) (4, 3) (4, 2) (4, 1) (2, 3) (2, 2) (2, 1)
           (1, 16) (1, 3) (1, 2) (1, 1));
kernels!(AVX2_F32, avx2_f32, "avx2,fma", __m256, f32, F32x8, F32x8, false, 6, 2, 8, 100.0,
    tiles: (6, 2) (6, 1) (4, 2) (4, 1) (2, 2) (2, 1) (1, 8) (1, 3) (1, 2) (1, 1));
kernels!(AVX2_F64, avx2_f64, "avx2,fma", __m256d, f64, F64x4, F64x4, false, 6, 2, 8, 50.0,
    tiles: (6, 2) (6, 1) (4, 2) (4, 1) (2, 2) (2, 1) (1, 8) (1, 3) (1, 2) (1, 1));
