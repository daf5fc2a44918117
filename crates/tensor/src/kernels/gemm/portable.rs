//! Loops for CPUs we have no instructions for, and the plain twin of those we have.

#![allow(
    clippy::needless_range_loop,
    reason = "counted loops over registers, which the compiler unrolls"
)]

use half::{bf16, f16};

use super::kernel::{Access, GemmElement, Kernels, Sum};
use super::lines::{axpy, dot, widen};
use super::plan::{DEPTH_BLOCK, RIGHT_BYTES};
use super::tile::{Lanes, Last, Stored, TILE_VECTORS, Tile, finish, sum};
use super::transpose::{Block, pack, split, turn};

/// An array that the compiler keeps in whatever registers the target has.
#[derive(Clone, Copy)]
pub(in crate::kernels) struct Plain<T, const N: usize>([T; N]);

impl<T: Sum, const N: usize> Lanes for Plain<T, N> {
    type T = T;
    type Mask = usize;
    const LANES: usize = N;
    const MASKED: bool = false;

    #[inline(always)]
    unsafe fn splat(x: T) -> Self {
        Self([x; N])
    }

    #[inline(always)]
    unsafe fn zero() -> Self {
        Self([T::ZERO; N])
    }

    #[inline(always)]
    unsafe fn load(from: *const T) -> Self {
        // SAFETY: the caller's promise.
        Self(unsafe { from.cast::<[T; N]>().read_unaligned() })
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut T) {
        // SAFETY: the caller's promise.
        unsafe { to.cast::<[T; N]>().write_unaligned(self.0) }
    }

    #[inline(always)]
    unsafe fn mask(count: usize) -> usize {
        count
    }

    #[inline(always)]
    unsafe fn load_masked(from: *const T, mask: usize) -> Self {
        let mut x = [T::ZERO; N];
        for (i, x) in x.iter_mut().enumerate().take(mask) {
            // SAFETY: the caller's promise: element `i` is in the mask.
            *x = unsafe { *from.add(i) };
        }
        Self(x)
    }

    #[inline(always)]
    unsafe fn store_masked(self, to: *mut T, mask: usize) {
        for (i, &x) in self.0.iter().enumerate().take(mask) {
            // SAFETY: the caller's promise: element `i` is in the mask.
            unsafe { *to.add(i) = x };
        }
    }

    #[inline(always)]
    unsafe fn mul_add(self, b: Self, c: Self) -> Self {
        let mut x = c.0;
        for i in 0..N {
            x[i] = self.0[i].times_plus(b.0[i], x[i]);
        }
        Self(x)
    }

    #[inline(always)]
    unsafe fn add(self, b: Self) -> Self {
        let mut x = b.0;
        for i in 0..N {
            x[i] = self.0[i].times_plus(T::ONE, x[i]);
        }
        Self(x)
    }

    #[inline(always)]
    unsafe fn relu(self) -> Self {
        let mut x = self.0;
        for i in 0..N {
            x[i] = if x[i] < T::ZERO { T::ZERO } else { x[i] };
        }
        Self(x)
    }

    #[inline(always)]
    unsafe fn sum(self) -> T {
        self.0.iter().fold(T::ZERO, |sum, &x| x.times_plus(T::ONE, sum))
    }
}

macro_rules! stored_as {
    ($($O:ident)*) => {$(
        impl<const N: usize> Stored<$O> for Plain<f32, N> {
            #[inline(always)]
            unsafe fn read(from: *const $O, mask: usize) -> Self {
                let mut x = [0.0; N];
                for (i, x) in x.iter_mut().enumerate().take(mask) {
                    // SAFETY: the caller's promise: element `i` is in the mask.
                    *x = unsafe { *from.add(i) }.widen();
                }
                Self(x)
            }

            #[inline(always)]
            unsafe fn write(self, to: *mut $O, mask: usize) {
                for (i, &x) in self.0.iter().enumerate().take(mask) {
                    // SAFETY: the caller's promise: element `i` is in the mask.
                    unsafe { *to.add(i) = $O::narrow(x) };
                }
            }
        }
    )*};
}
stored_as!(f16 bf16);

/// A square block, element by element.
struct Square<T, const N: usize>(Plain<T, N>);

impl<T: Sum, const N: usize> Block for Square<T, N> {
    type V = Plain<T, N>;
    type T = T;

    #[inline(always)]
    unsafe fn load(from: *const T, row: isize, columns: &mut [Plain<T, N>; 16]) {
        for r in 0..N {
            for c in 0..N {
                // SAFETY: the caller's promise: `N` rows of `N` elements.
                columns[c].0[r] = unsafe { *from.wrapping_byte_offset(r as isize * row).add(c) };
            }
        }
    }
}

unsafe fn tile<T: Sum, const N: usize>(tile: &Tile<T, T>) {
    let mut sums = [Plain([T::ZERO; N]); TILE_VECTORS];
    let to = sums.as_mut_ptr();
    let vectors = tile.last.cols.div_ceil(N);
    // SAFETY: the caller's promise; rows and vectors go by the match.
    unsafe {
        let left = match (tile.last.rows, vectors) {
            (4, 2) => sum::<Plain<T, N>, 4, 2>(tile, to),
            (4, 1) => sum::<Plain<T, N>, 4, 1>(tile, to),
            (2, 2) => sum::<Plain<T, N>, 2, 2>(tile, to),
            (2, 1) => sum::<Plain<T, N>, 2, 1>(tile, to),
            (1, 2) => sum::<Plain<T, N>, 1, 2>(tile, to),
            (1, 1) => sum::<Plain<T, N>, 1, 1>(tile, to),
            (rows, _) => unreachable!("a tile of {rows} x {vectors} vectors"),
        };
        if left {
            finish::<Plain<T, N>, T>(&tile.last, to.cast(), vectors * N);
        }
    }
}

unsafe fn packs<T: Sum, const N: usize>(
    from: *const T,
    lane: isize,
    step: isize,
    lanes: usize,
    depth: usize,
    width: usize,
    out: *mut T,
) {
    // SAFETY: the caller's promise.
    unsafe {
        pack::<Plain<T, N>, Square<T, N>, Square<T, N>>(
            (from, lane, step),
            (lanes, depth, width),
            out,
        )
    }
}

unsafe fn splits<T: Sum, const N: usize>(
    from: *const T,
    step: isize,
    sizes: (usize, usize, usize),
    pitch: usize,
    out: *mut T,
) {
    // SAFETY: the caller's promise.
    unsafe { split::<Plain<T, N>, ROWS>((from, step), sizes, pitch, out) }
}

unsafe fn store<O: GemmElement, const N: usize>(
    last: &Last<O::Sum, O>,
    sums: *const O::Sum,
    pitch: usize,
) where
    Plain<O::Sum, N>: Stored<O, T = O::Sum>,
{
    // SAFETY: the caller's promise.
    unsafe { finish::<Plain<O::Sum, N>, O>(last, sums, pitch) }
}

unsafe fn turns<O: GemmElement, const N: usize>(
    last: &Last<O::Sum, O>,
    sums: *const O::Sum,
    pitch: usize,
) where
    Plain<O::Sum, N>: Stored<O>,
{
    // SAFETY: the caller's promise.
    unsafe { turn::<Square<O::Sum, N>, Square<O::Sum, N>, O>(last, sums, pitch) }
}

unsafe fn widens<T: GemmElement, const N: usize>(
    from: *const T,
    row: isize,
    rows: usize,
    cols: usize,
    out: *mut T::Sum,
    width: usize,
) where
    Plain<T::Sum, N>: Stored<T, T = T::Sum>,
{
    // SAFETY: the caller's promise.
    unsafe { widen::<Plain<T::Sum, N>, T>((from, row), (rows, cols), out, width) }
}

unsafe fn dots<T: GemmElement, const N: usize>(
    from: *const T,
    lane: isize,
    lanes: usize,
    depth: usize,
    x: *const T::Sum,
    out: *mut T::Sum,
) where
    Plain<T::Sum, N>: Stored<T, T = T::Sum>,
{
    // SAFETY: the caller's promise.
    unsafe { dot::<Plain<T::Sum, N>, T>(from, lane, lanes, depth, x, out) }
}

unsafe fn axpys<T: GemmElement, const N: usize>(
    from: *const T,
    step: isize,
    lanes: usize,
    depth: usize,
    x: *const T::Sum,
    out: *mut T::Sum,
) where
    Plain<T::Sum, N>: Stored<T, T = T::Sum>,
{
    // SAFETY: the caller's promise.
    unsafe { axpy::<Plain<T::Sum, N>, T, 8>(from, step, lanes, depth, x, out) }
}

/// Rows of a full tile.
const ROWS: usize = 4;

/// Eight sums of a 128-bit vector, the narrowest that is common, leave room in 16 registers.
const fn kernels<T: Sum, const N: usize>(flops_per_ns: f64) -> Kernels<T> {
    Kernels {
        rows: ROWS,
        vectors: 2,
        lanes: N,
        depth: DEPTH_BLOCK,
        right_bytes: RIGHT_BYTES,
        summands: 1,
        masked: false,
        by_rows: false,
        flops_per_ns,
        tile: tile::<T, N>,
        pack: packs::<T, N>,
        split: splits::<T, N>,
        session: None,
    }
}

const fn access<T: GemmElement, const N: usize>() -> Access<T>
where
    Plain<T::Sum, N>: Stored<T, T = T::Sum>,
{
    Access {
        store: store::<T, N>,
        turn: turns::<T, N>,
        widen: widens::<T, N>,
        dot: dots::<T, N>,
        axpy: axpys::<T, N>,
    }
}

pub(super) static F32: Kernels<f32> = kernels::<f32, 4>(40.0);
pub(super) static F64: Kernels<f64> = kernels::<f64, 2>(20.0);
pub(super) static F32_ACCESS: Access<f32> = access::<f32, 4>();
pub(super) static F64_ACCESS: Access<f64> = access::<f64, 2>();
pub(super) static F16_ACCESS: Access<f16> = access::<f16, 4>();
pub(super) static BF16_ACCESS: Access<bf16> = access::<bf16, 4>();
