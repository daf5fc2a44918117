//! The micro-kernels of each instruction level and element type.

use super::tile::{Across, Along, Dots};
use crate::kernels::gemm::Sum;
use crate::kernels::level::{Level, detected, in_halves};
use crate::storage::Plain;

/// The loops of one level and type, and what they are made for.
///
/// All functions may only be called on a CPU that has the instructions of their level.
pub(crate) struct Kernels<T> {
    /// Elements of a vector.
    pub(super) lanes: usize,
    pub(super) tile: Shape,
    /// For channels that are whole tiles of these.
    wide: Option<Shape>,
    /// Weights that all tiles read before the next, in bytes; and on a CPU that computes in halves.
    panel_bytes: [usize; 2],
    /// Channels of a full tile along places.
    pub(super) channels: usize,
    /// `(rows, vectors, tile)`, of one of the heights.
    pub(super) across: unsafe fn(usize, usize, &Across<T>),
    /// `(rows, tile)`, of 1, 4 or 8 rows.
    pub(super) along: unsafe fn(usize, &Along<T>),
    pub(super) dots: unsafe fn(&Dots<T>),
    /// `(rows, count, from, pitch, to, pitch)`: copies rows of so many elements.
    pub(super) copy: unsafe fn(usize, usize, *const T, usize, *mut T, usize),
    /// `((rows, count), from, to, pitch)`: copies rows into wider ones, with zeros behind.
    pub(super) frame: unsafe fn((usize, usize), *const T, *mut T, usize),
}

/// Sizes of tiles across channels.
pub(super) struct Shape {
    /// Rows of a full tile.
    pub(super) rows: usize,
    /// Vectors of channels of a full tile.
    pub(super) vectors: usize,
    /// Rows that a tile can have, in ascending order.
    heights: &'static [usize],
}

impl Shape {
    /// Rows of the tile that is used where so many are left. At most one is computed twice, if there are tiles so
    /// small.
    pub(super) fn height(&self, left: usize) -> usize {
        let below = self.heights.iter().copied().rfind(|&height| height <= left);
        let above = self.heights.iter().copied().find(|&height| height >= left);
        match (below, above) {
            (Some(below), Some(above)) if above > left + 1 => below,
            (_, above) => above.unwrap_or(self.rows),
        }
    }

    /// Rows of all tiles for so many.
    pub(super) fn heights(&self, mut rows: usize) -> usize {
        let mut heights = 0;
        while rows > 0 {
            let height = self.height(rows);
            heights += height;
            rows = rows.saturating_sub(height);
        }
        heights
    }
}

impl<T> Kernels<T> {
    /// Weights that all tiles read before the next, in bytes.
    pub(super) fn panel_bytes(&self) -> usize {
        self.panel_bytes[usize::from(in_halves())]
    }

    /// Of the tiles for so many channels: without those that are thinner than a full one, if there is a shape that
    /// needs none.
    pub(super) fn shape(&'static self, channels: usize) -> &'static Shape {
        let vectors = channels.div_ceil(self.lanes);
        let fits = |shape: &Shape| vectors.is_multiple_of(shape.vectors);
        let wide = self.wide.as_ref().filter(|wide| fits(wide) && !fits(&self.tile));
        wide.unwrap_or(&self.tile)
    }
}

/// A type that convolutions are compiled for: f32 or f64.
pub(crate) trait Element: Sum + Plain {
    /// The loops of a level, or of the best this CPU has if that is less.
    #[doc(hidden)]
    fn conv_kernels(level: Level) -> &'static Kernels<Self>;
}

// The panels, in KiB: they and the sources stay in L1. With 48 KiB of L1 and AVX-512, 64 to 32 channels of 24 x 24,
// input gradient: 98 GF/s with 16, 95 with 24, 88 with 40; 64 to 128 channels of 8 x 8, forward: 126, 135, 127. With
// 32 KiB and AVX2 the latter: 92 GF/s with 12, 89 with 16, 87 with 24. What computes AVX-512 in halves keeps up with
// L2, and sums need not go back to memory: the latter 104 GF/s with 24, 108 with 72, 111 with 144 or 288 (Zen 4).
macro_rules! kernels {
    ($name:ident, $module:ident, $T:ident, $V:ty, tile $rows:literal by $vectors:literal of $heights:expr, wide $wide:expr, panel $panel:literal or $halves:literal,
     across: $(($r:literal, $n:literal))*, along $channels:literal: $(($ar:literal, $an:literal))*,
     $($features:literal)?) => {
        mod $module {
            #[allow(unused_imports, reason = "the vectors of one level")]
            use super::vectors::*;
            use crate::kernels::conv::levels::{Kernels, Shape};
            use crate::kernels::conv::tile::{self, Across, Along, Dots};
            use crate::kernels::gemm::tile::Lanes;

            $(#[target_feature(enable = $features)])?
            unsafe fn across(rows: usize, vectors: usize, tile: &Across<$T>) {
                // SAFETY: the caller's promise.
                unsafe {
                    match (rows, vectors) {
                        $(($r, $n) => tile::across::<$V, $r, $n>(tile),)*
                        _ => unreachable!("a tile of {rows} x {vectors} vectors"),
                    }
                }
            }

            $(#[target_feature(enable = $features)])?
            unsafe fn along(rows: usize, tile: &Along<$T>) {
                // SAFETY: the caller's promise.
                unsafe {
                    match rows {
                        $($ar => tile::along::<$V, $ar, $an>(tile),)*
                        _ => unreachable!("a tile of {rows} channels"),
                    }
                }
            }

            $(#[target_feature(enable = $features)])?
            unsafe fn dots(dots: &Dots<$T>) {
                // SAFETY: the caller's promise.
                unsafe { tile::dots::<$V>(dots) }
            }

            $(#[target_feature(enable = $features)])?
            unsafe fn copy(
                rows: usize,
                count: usize,
                from: *const $T,
                pitch: usize,
                to: *mut $T,
                to_pitch: usize,
            ) {
                for i in 0..rows {
                    // SAFETY: the caller's promise.
                    unsafe { tile::copy::<$V>(from.add(i * pitch), count, to.add(i * to_pitch)) };
                }
            }

            $(#[target_feature(enable = $features)])?
            unsafe fn frame(
                size: (usize, usize),
                from: *const $T,
                to: *mut $T,
                pitch: usize,
            ) {
                // SAFETY: the caller's promise.
                unsafe { tile::frame::<$V>(size, from, to, pitch) };
            }

            pub(super) static $name: Kernels<$T> = Kernels {
                lanes: <$V as Lanes>::LANES,
                tile: Shape { rows: $rows, vectors: $vectors, heights: &$heights },
                wide: $wide,
                panel_bytes: [$panel << 10, $halves << 10],
                channels: $channels,
                across,
                along,
                dots,
                copy,
                frame,
            };
        }
        use $module::$name;
    };
}

mod portable {
    mod vectors {
        pub(super) use crate::kernels::gemm::portable::Plain;
    }
    kernels!(F32, f32s, f32, Plain<f32, 4>, tile 4 by 2 of [4], wide None, panel 12 or 12,
        across: (4, 2) (4, 1), along 8: (8, 1) (4, 2) (1, 4),);
    kernels!(F64, f64s, f64, Plain<f64, 2>, tile 4 by 2 of [4], wide None, panel 12 or 12,
        across: (4, 2) (4, 1), along 8: (8, 1) (4, 2) (1, 4),);

    pub(super) static TABLES: (&super::Kernels<f32>, &super::Kernels<f64>) = (&F32, &F64);
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    mod vectors {
        pub(super) use std::arch::x86_64::{__m256, __m256d, __m512, __m512d};
    }
    /// 24 products for 10 loads, where 8 by 2 have 16.
    const SIX_BY_FOUR: super::Shape = super::Shape { rows: 6, vectors: 4, heights: &[2, 4, 6] };

    kernels!(AVX512_F32, avx512_f32, f32, __m512, tile 8 by 3 of [2, 4, 8],
        wide Some(super::SIX_BY_FOUR), panel 24 or 256,
        across: (8, 3) (8, 2) (8, 1) (4, 3) (4, 2) (4, 1) (2, 3) (2, 2) (2, 1) (6, 4) (4, 4) (2, 4),
        along 8: (8, 3) (4, 6) (1, 8),
        "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma");
    kernels!(AVX512_F64, avx512_f64, f64, __m512d, tile 8 by 3 of [2, 4, 8],
        wide Some(super::SIX_BY_FOUR), panel 24 or 256,
        across: (8, 3) (8, 2) (8, 1) (4, 3) (4, 2) (4, 1) (2, 3) (2, 2) (2, 1) (6, 4) (4, 4) (2, 4),
        along 8: (8, 3) (4, 6) (1, 8),
        "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma");
    kernels!(AVX2_F32, avx2_f32, f32, __m256, tile 6 by 2 of [2, 4, 6], wide None, panel 12 or 12,
        across: (6, 2) (6, 1) (4, 2) (4, 1) (2, 2) (2, 1), along 4: (4, 2) (1, 8), "avx2,fma");
    kernels!(AVX2_F64, avx2_f64, f64, __m256d, tile 6 by 2 of [2, 4, 6], wide None, panel 12 or 12,
        across: (6, 2) (6, 1) (4, 2) (4, 1) (2, 2) (2, 1), along 4: (4, 2) (1, 8), "avx2,fma");

    pub(super) static AVX512: (&super::Kernels<f32>, &super::Kernels<f64>) =
        (&AVX512_F32, &AVX512_F64);
    pub(super) static AVX2: (&super::Kernels<f32>, &super::Kernels<f64>) = (&AVX2_F32, &AVX2_F64);
}

fn tables(level: Level) -> &'static (&'static Kernels<f32>, &'static Kernels<f64>) {
    match level.min(detected()) {
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 => &x86::AVX512,
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 => &x86::AVX2,
        _ => &portable::TABLES,
    }
}

impl Element for f32 {
    fn conv_kernels(level: Level) -> &'static Kernels<f32> {
        tables(level).0
    }
}

impl Element for f64 {
    fn conv_kernels(level: Level) -> &'static Kernels<f64> {
        tables(level).1
    }
}
