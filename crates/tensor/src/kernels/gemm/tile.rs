//! The micro-kernel, written once for all vectors: a tile of the product that lives in registers.

#![allow(
    clippy::needless_range_loop,
    reason = "counted loops over registers, which the compiler unrolls"
)]

use std::hint::black_box;

/// A vector register of one instruction level.
///
/// # Safety
/// All functions need a CPU with the instructions of the level; pointers are valid for what the name
/// says, without alignment.
pub(in crate::kernels) trait Lanes: Copy {
    /// Element.
    type T: Copy;
    /// Which elements take part.
    type Mask: Copy;
    /// Elements of a vector.
    const LANES: usize;
    /// Whether `load_masked` costs nothing and touches only the elements of the mask.
    const MASKED: bool;

    unsafe fn splat(x: Self::T) -> Self;
    unsafe fn zero() -> Self;
    unsafe fn load(from: *const Self::T) -> Self;
    unsafe fn store(self, to: *mut Self::T);
    /// The first `count <= LANES` elements.
    unsafe fn mask(count: usize) -> Self::Mask;
    /// The elements of the mask, 0 elsewhere.
    unsafe fn load_masked(from: *const Self::T, mask: Self::Mask) -> Self;
    /// Writes the elements of the mask only.
    unsafe fn store_masked(self, to: *mut Self::T, mask: Self::Mask);
    /// `self · b + c`
    unsafe fn mul_add(self, b: Self, c: Self) -> Self;
    unsafe fn add(self, b: Self) -> Self;
    /// `max(self, 0)`; NaN stays.
    unsafe fn relu(self) -> Self;
    unsafe fn sum(self) -> Self::T;
    /// Fetches a cache line that will be loaded soon, if that pays.
    #[inline(always)]
    fn prefetch(_from: *const Self::T) {}
}

/// Vectors that are stored as another type: widened when read, rounded when written.
///
/// # Safety
/// As [`Lanes`]; pointers are valid for the elements of the mask.
pub(super) trait Stored<O>: Lanes {
    /// The elements of the mask, 0 elsewhere.
    unsafe fn read(from: *const O, mask: Self::Mask) -> Self;
    /// Writes the elements of the mask only.
    unsafe fn write(self, to: *mut O, mask: Self::Mask);
}

impl<V: Lanes> Stored<V::T> for V {
    #[inline(always)]
    unsafe fn read(from: *const V::T, mask: V::Mask) -> V {
        // SAFETY: the caller's promise.
        unsafe { V::load_masked(from, mask) }
    }

    #[inline(always)]
    unsafe fn write(self, to: *mut V::T, mask: V::Mask) {
        // SAFETY: the caller's promise.
        unsafe { self.store_masked(to, mask) }
    }
}

/// What a tile is multiplied from: a vector of sums, or of pairs that are summed on the way.
///
/// # Safety
/// As [`Lanes`].
pub(super) trait Factors: Copy {
    /// Element of a panel.
    type P: Copy;
    /// The sums.
    type V: Lanes;

    unsafe fn splat(x: Self::P) -> Self;
    unsafe fn load(from: *const Self::P) -> Self;
    unsafe fn load_masked(from: *const Self::P, mask: <Self::V as Lanes>::Mask) -> Self;
    /// `a · b + sum`
    unsafe fn multiply(a: Self, b: Self, sum: Self::V) -> Self::V;
}

impl<V: Lanes> Factors for V {
    type P = V::T;
    type V = V;

    #[inline(always)]
    unsafe fn splat(x: V::T) -> V {
        // SAFETY: the caller's promise.
        unsafe { <V as Lanes>::splat(x) }
    }

    #[inline(always)]
    unsafe fn load(from: *const V::T) -> V {
        // SAFETY: the caller's promise.
        unsafe { <V as Lanes>::load(from) }
    }

    #[inline(always)]
    unsafe fn load_masked(from: *const V::T, mask: V::Mask) -> V {
        // SAFETY: the caller's promise.
        unsafe { <V as Lanes>::load_masked(from, mask) }
    }

    #[inline(always)]
    unsafe fn multiply(a: V, b: V, sum: V) -> V {
        // SAFETY: the caller's promise.
        unsafe { a.mul_add(b, sum) }
    }
}

/// What one call of the micro-kernel does:
///
/// ```text
/// out[i, j] = finish(Σ_p a[i·a_row + p·a_step] · b[p·b_step + j])
/// ```
/// for the rows and columns of `last`, which says where to and how.
pub(super) struct Tile<P, S> {
    pub(super) depth: usize,
    pub(super) a: *const P,
    /// Strides of `a` in bytes.
    pub(super) a_row: isize,
    pub(super) a_step: isize,
    /// Readable for whole vectors if `b_padded`.
    pub(super) b: *const P,
    /// In bytes.
    pub(super) b_step: isize,
    pub(super) b_padded: bool,
    pub(super) last: Last<S, S>,
}

/// Where the sums of a tile go, and what comes after them:
///
/// ```text
/// to[i, j] = finish(keep·kept[i, j] + sums[i, j])
/// ```
/// for `i < rows`, `j < cols`, where `finish` adds `bias[j]` and takes the positive part if asked.
pub(in crate::kernels) struct Last<S, O> {
    pub(in crate::kernels) rows: usize,
    pub(in crate::kernels) cols: usize,
    pub(in crate::kernels) to: *mut O,
    pub(in crate::kernels) to_row: usize,
    /// `kept` is read only if this is there.
    pub(in crate::kernels) keep: Option<S>,
    pub(in crate::kernels) kept: *const S,
    pub(in crate::kernels) kept_row: usize,
    /// Null: none.
    pub(in crate::kernels) bias: *const S,
    pub(in crate::kernels) relu: bool,
}

/// Room for the sums of any tile.
pub(super) const TILE_VECTORS: usize = 24;

/// Steps between the prefetch of a part of the right factor and its use. The panel comes from L2, and
/// the CPU's own prefetch does not keep up with 16 bytes a cycle: on Granite Rapids 8 x 48 sums of a panel
/// in L2 take 12 % longer without.
const AHEAD: isize = 8;

/// Sums a tile of `R` rows and `N` vectors. Stores it if it is whole and has no epilogue, else leaves
/// the sums in `sums`, for [`finish`], and says so.
///
/// # Safety
/// The CPU has the instructions of `F`; `tile` describes readable factors and a writable tile of the
/// output, with `R` rows and more than `N - 1`, at most `N` vectors of columns; `R · N` fits `sums`.
#[inline(always)]
pub(super) unsafe fn sum<F: Factors, const R: usize, const N: usize>(
    tile: &Tile<F::P, <F::V as Lanes>::T>,
    sums: *mut F::V,
) -> bool {
    let lanes = F::V::LANES;
    // SAFETY: the caller's promise; the pointers move by the strides of the factors, `depth` times.
    unsafe {
        let last = &tile.last;
        let mask = F::V::mask(if tile.b_padded { lanes } else { last.cols - (N - 1) * lanes });
        let (mut at, mut b) = (0, tile.b);
        // Addresses that the compiler cannot derive from each other: else it adds the stride seven times in each step.
        // In GF/s on Granite Rapids, 256x256x256: by AVX2 104 and 111, by AVX-512 209 and 212.
        let mut rows = [tile.a; R];
        for i in 1..R {
            rows[i] = black_box(tile.a.wrapping_byte_offset(i as isize * tile.a_row));
        }
        let mut acc = [[F::V::zero(); N]; R];
        for _ in 0..tile.depth {
            let mut row = [F::splat(rows[0].wrapping_byte_offset(at).read_unaligned()); N];
            for j in 0..N {
                let from = b.wrapping_add(j * lanes);
                F::V::prefetch(from.wrapping_byte_offset(AHEAD * tile.b_step).cast());
                let masked = F::V::MASKED && j == N - 1;
                row[j] = if masked { F::load_masked(from, mask) } else { F::load(from) };
            }
            for i in 0..R {
                let x = F::splat(rows[i].wrapping_byte_offset(at).read_unaligned());
                for j in 0..N {
                    acc[i][j] = F::multiply(x, row[j], acc[i][j]);
                }
            }
            at += tile.a_step;
            b = b.wrapping_byte_offset(tile.b_step);
        }
        let stored = last.bias.is_null() && !last.relu && last.cols == N * lanes;
        let (to, row) = if stored { (last.to, last.to_row) } else { (sums.cast(), N * lanes) };
        match last.keep {
            Some(keep) if stored => {
                let keep = <F::V as Lanes>::splat(keep);
                for i in 0..R {
                    for j in 0..N {
                        let kept = last.kept.add(i * last.kept_row + j * lanes);
                        let x = keep.mul_add(<F::V as Lanes>::load(kept), acc[i][j]);
                        x.store(to.add(i * row + j * lanes));
                    }
                }
            }
            _ => {
                for i in 0..R {
                    for j in 0..N {
                        acc[i][j].store(to.add(i * row + j * lanes));
                    }
                }
            }
        }
        !stored
    }
}

/// Writes the sums of a tile, which lie in rows `pitch` apart, with all that comes after them.
///
/// # Safety
/// The CPU has the instructions of `V`; `sums` is readable for whole vectors; `last` describes a
/// writable tile, with a readable `kept` and `bias` where it has them.
#[inline(always)]
pub(super) unsafe fn finish<V: Stored<O>, O>(
    last: &Last<V::T, O>,
    sums: *const V::T,
    pitch: usize,
) {
    // SAFETY: the caller's promise; masks keep within `cols`.
    unsafe {
        for done in (0..last.cols).step_by(V::LANES) {
            let mask = V::mask((last.cols - done).min(V::LANES));
            let bias = if last.bias.is_null() {
                None
            } else {
                Some(V::load_masked(last.bias.add(done), mask))
            };
            for i in 0..last.rows {
                let mut x = V::load(sums.add(i * pitch + done));
                if let Some(keep) = last.keep {
                    let kept = V::load_masked(last.kept.add(i * last.kept_row + done), mask);
                    x = V::splat(keep).mul_add(kept, x);
                }
                if let Some(bias) = bias {
                    x = x.add(bias);
                }
                if last.relu {
                    x = x.relu();
                }
                x.write(last.to.add(i * last.to_row + done), mask);
            }
        }
    }
}
