//! The micro-kernel, written once for all vectors: a tile of the product that lives in registers.

#![allow(
    clippy::needless_range_loop,
    reason = "counted loops over registers, which the compiler unrolls"
)]

/// A vector register of one instruction level.
///
/// # Safety
/// All functions need a CPU with the instructions of the level; pointers are valid for what the name
/// says, without alignment.
pub(super) trait Lanes: Copy {
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
}

/// What one call of the micro-kernel does:
///
/// ```text
/// out[i, j] = finish(keep·out[i, j] + Σ_p a[i·a_row + p·a_step] · b[p·b_step + j])
/// ```
/// for `i < rows`, `j < cols`, where `finish` adds `bias[j]` and takes the positive part if asked.
pub(super) struct Tile<T> {
    pub(super) depth: usize,
    pub(super) rows: usize,
    pub(super) cols: usize,
    pub(super) a: *const T,
    pub(super) a_row: isize,
    pub(super) a_step: isize,
    /// Readable for whole vectors if `b_padded`.
    pub(super) b: *const T,
    pub(super) b_step: isize,
    pub(super) b_padded: bool,
    pub(super) out: *mut T,
    pub(super) out_row: usize,
    /// `out` is read only if this is there.
    pub(super) keep: Option<T>,
    /// Null: none.
    pub(super) bias: *const T,
    pub(super) relu: bool,
}

/// Room for the sums of any tile.
pub(super) const TILE_VECTORS: usize = 24;

/// Sums a tile of `R` rows and `N` vectors. Stores it if it is whole and has no epilogue, else leaves
/// the sums in `sums`, for [`finish`], and says so.
///
/// # Safety
/// The CPU has the instructions of `V`; `tile` describes readable factors and a writable tile of the
/// output, with `R` rows and more than `N - 1`, at most `N` vectors of columns; `R · N` fits `sums`.
#[inline(always)]
pub(super) unsafe fn sum<V: Lanes, const R: usize, const N: usize>(
    tile: &Tile<V::T>,
    sums: *mut V,
) -> bool {
    // SAFETY: the caller's promise; the pointers move by the strides of the factors, `depth` times.
    unsafe {
        let mask = V::mask(if tile.b_padded { V::LANES } else { tile.cols - (N - 1) * V::LANES });
        let (mut a, mut b) = (tile.a, tile.b);
        let mut acc = [[V::zero(); N]; R];
        for _ in 0..tile.depth {
            let mut row = [V::zero(); N];
            for j in 0..N {
                let from = b.wrapping_add(j * V::LANES);
                let last = V::MASKED && j == N - 1;
                row[j] = if last { V::load_masked(from, mask) } else { V::load(from) };
            }
            for i in 0..R {
                let x = V::splat(*a.wrapping_offset(i as isize * tile.a_row));
                for j in 0..N {
                    acc[i][j] = x.mul_add(row[j], acc[i][j]);
                }
            }
            a = a.wrapping_offset(tile.a_step);
            b = b.wrapping_offset(tile.b_step);
        }
        let stored = tile.bias.is_null() && !tile.relu && tile.cols == N * V::LANES;
        let (to, row) = if stored { (tile.out, tile.out_row) } else { (sums.cast(), N * V::LANES) };
        match tile.keep {
            Some(keep) if stored => {
                let keep = V::splat(keep);
                for i in 0..R {
                    for j in 0..N {
                        let to = to.add(i * row + j * V::LANES);
                        keep.mul_add(V::load(to), acc[i][j]).store(to);
                    }
                }
            }
            _ => {
                for i in 0..R {
                    for j in 0..N {
                        acc[i][j].store(to.add(i * row + j * V::LANES));
                    }
                }
            }
        }
        !stored
    }
}

/// Writes the sums of a tile with all that comes after them.
///
/// # Safety
/// As [`sum`], which has filled `sums` with rows of `vectors` vectors.
#[inline(always)]
pub(super) unsafe fn finish<V: Lanes>(tile: &Tile<V::T>, sums: *const V, vectors: usize) {
    // SAFETY: the caller's promise; masks keep within `cols`.
    unsafe {
        for j in 0..vectors {
            let done = j * V::LANES;
            let mask = V::mask((tile.cols - done).min(V::LANES));
            let bias = if tile.bias.is_null() {
                None
            } else {
                Some(V::load_masked(tile.bias.add(done), mask))
            };
            for i in 0..tile.rows {
                let mut x = *sums.add(i * vectors + j);
                let to = tile.out.add(i * tile.out_row + done);
                if let Some(keep) = tile.keep {
                    x = V::splat(keep).mul_add(V::load_masked(to, mask), x);
                }
                if let Some(bias) = bias {
                    x = x.add(bias);
                }
                if tile.relu {
                    x = x.relu();
                }
                x.store_masked(to, mask);
            }
        }
    }
}

/// `out[i] = Σ_p from[i·lane + p] · x[p]`, four lanes at a time for more sums under way.
///
/// # Safety
/// The CPU has the instructions of `V`; `lanes` lanes of `depth` contiguous elements are readable, as
/// is `x`; `out` is writable.
#[inline(always)]
pub(super) unsafe fn dot<V: Lanes>(
    from: *const V::T,
    lane: isize,
    lanes: usize,
    depth: usize,
    x: *const V::T,
    out: *mut V::T,
) {
    // SAFETY: the caller's promise.
    unsafe {
        let mut i = 0;
        while i < lanes {
            let here = from.wrapping_offset(i as isize * lane);
            if lanes - i >= 4 {
                dot_lanes::<V, 4, 2>(here, lane, depth, x, out.add(i));
                i += 4;
            } else {
                dot_lanes::<V, 1, 8>(here, lane, depth, x, out.add(i));
                i += 1;
            }
        }
    }
}

/// `R` lanes, each in `U` partial sums.
///
/// # Safety
/// As [`dot`], for `R` lanes.
#[inline(always)]
unsafe fn dot_lanes<V: Lanes, const R: usize, const U: usize>(
    from: *const V::T,
    lane: isize,
    depth: usize,
    x: *const V::T,
    out: *mut V::T,
) {
    // SAFETY: the caller's promise; the last step is masked to `depth`.
    unsafe {
        let mut acc = [[V::zero(); U]; R];
        let mut p = 0;
        while p + U * V::LANES <= depth {
            for u in 0..U {
                let at = p + u * V::LANES;
                let xs = V::load(x.add(at));
                for i in 0..R {
                    let ys = V::load(from.wrapping_offset(i as isize * lane).add(at));
                    acc[i][u] = ys.mul_add(xs, acc[i][u]);
                }
            }
            p += U * V::LANES;
        }
        while p < depth {
            let mask = V::mask((depth - p).min(V::LANES));
            let xs = V::load_masked(x.add(p), mask);
            for i in 0..R {
                let ys = V::load_masked(from.wrapping_offset(i as isize * lane).add(p), mask);
                acc[i][0] = ys.mul_add(xs, acc[i][0]);
            }
            p += V::LANES;
        }
        for i in 0..R {
            let mut sum = acc[i][0];
            for u in 1..U {
                sum = sum.add(acc[i][u]);
            }
            *out.add(i) = sum.sum();
        }
    }
}
