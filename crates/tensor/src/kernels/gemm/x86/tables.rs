//! The loops of each level and element type: the generic bodies, inlined into functions that may use
//! the level's instructions.

use std::arch::x86_64::*;

use half::{bf16, f16};

use super::super::kernel::{Access, Kernels};
use super::super::lines::{axpy, dot, widen};
use super::super::plan::{DEPTH_BLOCK, RIGHT_BYTES};
use super::super::tile::{Factors, Lanes, Last, TILE_VECTORS, Tile, finish, sum};
use super::super::transpose::{pack, split, turn};
use super::blocks::{F32x8, F32x16, F64x4};
use super::halves::Bf16Pairs;

/// The micro-kernel of one level and kind of factor; `tiles` lists the sizes (rows, vectors) of a tile.
macro_rules! kernels {
    ($name:ident, $module:ident, $features:literal, $factors:ty, $large:ty, $small:ty,
     masked $masked:literal, rows $rows:literal, vectors $vectors:literal,
     summands $summands:literal, flops_per_ns $rate:literal,
     tiles: $(($r:literal, $n:literal))*) => {
        mod $module {
            use super::*;

            type P = <$factors as Factors>::P;
            type V = <$factors as Factors>::V;
            type S = <V as Lanes>::T;

            const LANES: usize = <V as Lanes>::LANES;

            #[target_feature(enable = $features)]
            unsafe fn tile(tile: &Tile<P, S>) {
                let mut sums = std::mem::MaybeUninit::<[V; TILE_VECTORS]>::uninit();
                let to = sums.as_mut_ptr().cast::<V>();
                let vectors = tile.last.cols.div_ceil(LANES);
                // SAFETY: the caller's promise; rows and vectors go by the match.
                unsafe {
                    let left = match (tile.last.rows, vectors) {
                        $(($r, $n) => sum::<$factors, $r, $n>(tile, to),)*
                        (rows, _) => unreachable!("a tile of {rows} x {vectors} vectors"),
                    };
                    if left {
                        finish::<V, S>(&tile.last, to.cast(), vectors * LANES);
                    }
                }
            }

            #[target_feature(enable = $features)]
            unsafe fn packs(
                from: *const P,
                lane: isize,
                step: isize,
                lanes: usize,
                depth: usize,
                width: usize,
                out: *mut P,
            ) {
                // SAFETY: the caller's promise; elements of factors are as long as sums.
                unsafe {
                    let from = (from.cast(), lane, step);
                    pack::<V, $large, $small>(from, (lanes, depth, width), out.cast());
                }
            }

            #[target_feature(enable = $features)]
            unsafe fn splits(
                from: *const P,
                step: isize,
                sizes: (usize, usize, usize),
                pitch: usize,
                out: *mut P,
            ) {
                // SAFETY: the caller's promise; elements of factors are as long as sums.
                unsafe { split::<V, $rows>((from.cast(), step), sizes, pitch, out.cast()) }
            }

            pub(in super::super::super) static $name: Kernels<P> = Kernels {
                rows: $rows,
                vectors: $vectors,
                lanes: LANES,
                depth: DEPTH_BLOCK,
                right_bytes: RIGHT_BYTES,
                summands: $summands,
                masked: $masked,
                by_rows: false,
                flops_per_ns: $rate,
                tile,
                pack: packs,
                split: splits,
                session: None,
            };
        }
        pub(in super::super) use $module::$name;
    };
}

/// The loops between memory and sums of one level and element type.
macro_rules! access {
    ($name:ident, $module:ident, $features:literal, $t:ty, $vector:ty, $large:ty, $small:ty, $wide:literal) => {
        mod $module {
            use super::*;

            type S = <$vector as Lanes>::T;

            #[target_feature(enable = $features)]
            unsafe fn store(last: &Last<S, $t>, sums: *const S, pitch: usize) {
                // SAFETY: the caller's promise.
                unsafe { finish::<$vector, $t>(last, sums, pitch) }
            }

            #[target_feature(enable = $features)]
            unsafe fn turns(last: &Last<S, $t>, sums: *const S, pitch: usize) {
                // SAFETY: the caller's promise.
                unsafe { turn::<$large, $small, $t>(last, sums, pitch) }
            }

            #[target_feature(enable = $features)]
            unsafe fn widens(
                from: *const $t,
                row: isize,
                rows: usize,
                cols: usize,
                out: *mut S,
                width: usize,
            ) {
                // SAFETY: the caller's promise.
                unsafe { widen::<$vector, $t>((from, row), (rows, cols), out, width) }
            }

            #[target_feature(enable = $features)]
            unsafe fn dots(
                from: *const $t,
                lane: isize,
                lanes: usize,
                depth: usize,
                x: *const S,
                out: *mut S,
            ) {
                // SAFETY: the caller's promise.
                unsafe { dot::<$vector, $t>(from, lane, lanes, depth, x, out) }
            }

            #[target_feature(enable = $features)]
            unsafe fn axpys(
                from: *const $t,
                step: isize,
                lanes: usize,
                depth: usize,
                x: *const S,
                out: *mut S,
            ) {
                // SAFETY: the caller's promise.
                unsafe { axpy::<$vector, $t, $wide>(from, step, lanes, depth, x, out) }
            }

            pub(in super::super::super) static $name: Access<$t> =
                Access { store, turn: turns, widen: widens, dot: dots, axpy: axpys };
        }
        pub(in super::super) use $module::$name;
    };
}

kernels!(AVX512_F32, avx512_f32, "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma", __m512, F32x16, F32x8,
    masked true, rows 8, vectors 3, summands 1, flops_per_ns 200.0,
    tiles: (8, 3) (8, 2) (8, 1) (4, 3) (4, 2) (4, 1) (2, 3) (2, 2) (2, 1) (1, 3) (1, 2) (1, 1));
kernels!(AVX512_F64, avx512_f64, "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma", __m512d, F64x4, F64x4,
    masked true, rows 8, vectors 3, summands 1, flops_per_ns 100.0,
    tiles: (8, 3) (8, 2) (8, 1) (4, 3) (4, 2) (4, 1) (2, 3) (2, 2) (2, 1) (1, 3) (1, 2) (1, 1));
kernels!(AVX512_PAIRS, avx512_pairs, "avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,avx2,fma",
    Bf16Pairs, F32x16, F32x8, masked true, rows 8, vectors 3, summands 2, flops_per_ns 400.0,
    tiles: (8, 3) (8, 2) (8, 1) (4, 3) (4, 2) (4, 1) (2, 3) (2, 2) (2, 1) (1, 3) (1, 2) (1, 1));
kernels!(AVX2_F32, avx2_f32, "avx2,fma", __m256, F32x8, F32x8,
    masked false, rows 6, vectors 2, summands 1, flops_per_ns 100.0,
    tiles: (6, 2) (6, 1) (4, 2) (4, 1) (2, 2) (2, 1) (1, 2) (1, 1));
kernels!(AVX2_F64, avx2_f64, "avx2,fma", __m256d, F64x4, F64x4,
    masked false, rows 6, vectors 2, summands 1, flops_per_ns 50.0,
    tiles: (6, 2) (6, 1) (4, 2) (4, 1) (2, 2) (2, 1) (1, 2) (1, 1));

access!(
    AVX512_F32_ACCESS,
    avx512_f32_access,
    "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma",
    f32,
    __m512,
    F32x16,
    F32x8,
    16
);
access!(
    AVX512_F64_ACCESS,
    avx512_f64_access,
    "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma",
    f64,
    __m512d,
    F64x4,
    F64x4,
    16
);
access!(
    AVX512_F16_ACCESS,
    avx512_f16_access,
    "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,f16c",
    f16,
    __m512,
    F32x16,
    F32x8,
    16
);
access!(
    AVX512_BF16_ACCESS,
    avx512_bf16_access,
    "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma",
    bf16,
    __m512,
    F32x16,
    F32x8,
    16
);
access!(AVX2_F32_ACCESS, avx2_f32_access, "avx2,fma", f32, __m256, F32x8, F32x8, 8);
access!(AVX2_F64_ACCESS, avx2_f64_access, "avx2,fma", f64, __m256d, F64x4, F64x4, 8);
access!(AVX2_F16_ACCESS, avx2_f16_access, "avx2,fma,f16c", f16, __m256, F32x8, F32x8, 8);
access!(AVX2_BF16_ACCESS, avx2_bf16_access, "avx2,fma", bf16, __m256, F32x8, F32x8, 8);
