//! The table of inner loops for one element type and instruction level.

use super::{portable, tile::Tile};
use crate::kernels::Level;

/// An element type that products are compiled for.
///
/// # Safety
/// Every bit pattern is a valid value, and [`GemmElement::kernels`] returns loops that need no more
/// than the given level.
pub unsafe trait GemmElement: Copy + Send + Sync + PartialEq + PartialOrd + 'static {
    /// 0.
    const ZERO: Self;
    /// 1.
    const ONE: Self;

    /// `self · factor + add`, rounded once or twice.
    #[doc(hidden)]
    fn times_plus(self, factor: Self, add: Self) -> Self;

    /// The loops for a level.
    #[doc(hidden)]
    fn kernels(level: Level) -> &'static Kernels<Self>;
}

/// Inner loops and the sizes they are made for.
///
/// All of them may only be called on a CPU that has the instructions of their level.
pub struct Kernels<T> {
    /// Rows of a full tile.
    pub(super) rows: usize,
    /// Vectors across a full tile.
    pub(super) vectors: usize,
    /// Vectors across a tile of one row.
    pub(super) wide: usize,
    /// Elements of a vector.
    pub(super) lanes: usize,
    /// Whether a tile reads no further than its last column, so that the right factor need not be
    /// packed to be padded.
    pub(super) masked: bool,
    /// Speed to expect of a thread (floating-point operations per ns), for the choice of threads.
    pub(super) flops_per_ns: f64,
    /// One tile of the product, of any size up to the full one.
    pub(super) tile: unsafe fn(&Tile<T>),
    /// `(from, lane, step, lanes, depth, width, out)`:
    /// `out[p·width + i] = from[i·lane + p·step]` for `i < lanes`, `p < depth`.
    pub(super) pack: unsafe fn(*const T, isize, isize, usize, usize, usize, *mut T),
    /// `(tile, sums, pitch)`: writes a tile whose rows are columns of the output.
    pub(super) turn: unsafe fn(&Tile<T>, *const T, usize),
    /// `(from, lane, lanes, depth, x, out)`: `out[i] = Σ_p from[i·lane + p] · x[p]`.
    pub(super) dot: unsafe fn(*const T, isize, usize, usize, *const T, *mut T),
}

// SAFETY: any bits are an f32; `kernels` goes by the level.
unsafe impl GemmElement for f32 {
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;

    #[inline]
    fn times_plus(self, factor: Self, add: Self) -> Self {
        self * factor + add
    }

    fn kernels(level: Level) -> &'static Kernels<Self> {
        match level {
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => &super::x86::AVX512_F32,
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => &super::x86::AVX2_F32,
            _ => &portable::F32,
        }
    }
}

// SAFETY: any bits are an f64; `kernels` goes by the level.
unsafe impl GemmElement for f64 {
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;

    #[inline]
    fn times_plus(self, factor: Self, add: Self) -> Self {
        self * factor + add
    }

    fn kernels(level: Level) -> &'static Kernels<Self> {
        match level {
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => &super::x86::AVX512_F64,
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => &super::x86::AVX2_F64,
            _ => &portable::F64,
        }
    }
}
