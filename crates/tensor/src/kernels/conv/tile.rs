//! The micro-kernels, once for all vectors. Two of them are the same sum, with vectors along one or the
//! other side of it; the third is their adjoint for few channels.

#![allow(
    clippy::needless_range_loop,
    reason = "counted loops over registers, which the compiler unrolls"
)]

use crate::kernels::gemm::tile::Lanes;
use crate::storage::Plain;

/// A row of a tile, or a step: where in the source it reads, and which row of the sums or of the panel it
/// belongs to.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub(super) struct Entry {
    pub(super) from: u32,
    pub(super) number: u32,
}

// SAFETY: two numbers without invalid patterns.
unsafe impl Plain for Entry {}

/// Vectors along channels, for each row and the steps `s`:
///
/// ```text
/// sums[row.number·width + j] = start[j] + Σ_s from[row.from + s.from] · panel[s.number·width + j]
/// ```
/// or `sums[row.number·width + j]` in place of `start[j]`, if there is no `start`.
pub(super) struct Across<T> {
    pub(super) from: *const T,
    /// As many as the tile has.
    pub(super) rows: *const Entry,
    pub(super) steps: *const Entry,
    pub(super) depth: usize,
    /// `width` elements, or null.
    pub(super) start: *const T,
    pub(super) panel: *const T,
    pub(super) sums: *mut T,
}

/// Vectors along places, row after row:
///
/// ```text
/// to[i·pitch + r·to_row + j] = start[i] + Σ_s from[steps[s] + r·from_row + j] · weights[s·channels + i]
/// ```
/// for `r < rows`, `j < length`.
pub(super) struct Along<T> {
    pub(super) from: *const T,
    pub(super) from_row: usize,
    pub(super) steps: *const u32,
    pub(super) depth: usize,
    pub(super) weights: *const T,
    pub(super) start: *const T,
    pub(super) to: *mut T,
    pub(super) pitch: usize,
    pub(super) to_row: usize,
    pub(super) rows: usize,
    /// At least a vector.
    pub(super) length: usize,
}

/// `to[s] += Σ_j from[steps[s] + j] · with[j]` for `j < length`, which is a multiple of a vector.
pub(super) struct Dots<T> {
    pub(super) from: *const T,
    pub(super) steps: *const u32,
    pub(super) depth: usize,
    pub(super) with: *const T,
    pub(super) length: usize,
    pub(super) to: *mut T,
}

/// A tile of `R` places and `N` vectors of channels.
///
/// # Safety
/// The CPU has the instructions of `V`; all that the formula of [`Across`] reads and writes is there.
#[inline(always)]
pub(super) unsafe fn across<V: Lanes, const R: usize, const N: usize>(tile: &Across<V::T>) {
    let (lanes, width) = (V::LANES, N * V::LANES);
    // SAFETY: the caller's promise.
    unsafe {
        let row = |i: usize| tile.sums.add((*tile.rows.add(i)).number as usize * width);
        let mut rows = [tile.from; R];
        for i in 0..R {
            rows[i] = tile.from.wrapping_add((*tile.rows.add(i)).from as usize);
        }
        let mut sums = [[V::zero(); N]; R];
        for i in 0..R {
            let start = if tile.start.is_null() { row(i) } else { tile.start };
            for j in 0..N {
                sums[i][j] = V::load(start.add(j * lanes));
            }
        }
        let mut steps = tile.steps;
        let end = steps.add(tile.depth);
        while steps != end {
            let Entry { from, number } = *steps;
            let panel = tile.panel.wrapping_add(number as usize * width);
            let mut columns = [V::zero(); N];
            for j in 0..N {
                columns[j] = V::load(panel.add(j * lanes));
            }
            for i in 0..R {
                let x = V::splat(*rows[i].wrapping_add(from as usize));
                for j in 0..N {
                    sums[i][j] = x.mul_add(columns[j], sums[i][j]);
                }
            }
            steps = steps.add(1);
        }
        for i in 0..R {
            for j in 0..N {
                sums[i][j].store(row(i).add(j * lanes));
            }
        }
    }
}

/// `R` channels, along all places: `N` vectors at a time, then two, then one. The last overlaps what is
/// before it if a row is no multiple of a vector.
///
/// # Safety
/// The CPU has the instructions of `V`; all that the formula of [`Along`] reads and writes is there.
#[inline(always)]
pub(super) unsafe fn along<V: Lanes, const R: usize, const N: usize>(tile: &Along<V::T>) {
    for row in 0..tile.rows {
        let mut at = 0;
        // SAFETY: the caller's promise; the last vector ends where the row ends.
        unsafe {
            let (from, to) = (tile.from.add(row * tile.from_row), tile.to.add(row * tile.to_row));
            while at + N * V::LANES <= tile.length {
                along_at::<V, R, N>(tile, from.add(at), to.add(at));
                at += N * V::LANES;
            }
            while N >= 2 && at + V::LANES < tile.length && 2 * V::LANES <= tile.length {
                at = at.min(tile.length - 2 * V::LANES);
                along_at::<V, R, 2>(tile, from.add(at), to.add(at));
                at += 2 * V::LANES;
            }
            while at < tile.length {
                at = at.min(tile.length - V::LANES);
                along_at::<V, R, 1>(tile, from.add(at), to.add(at));
                at += V::LANES;
            }
        }
    }
}

/// # Safety
/// As [`along`], for the vectors at `from` and `to`.
#[inline(always)]
unsafe fn along_at<V: Lanes, const R: usize, const N: usize>(
    tile: &Along<V::T>,
    from: *const V::T,
    to: *mut V::T,
) {
    // SAFETY: the caller's promise.
    unsafe {
        let mut sums = [[V::zero(); N]; R];
        for i in 0..R {
            sums[i] = [V::splat(*tile.start.add(i)); N];
        }
        for s in 0..tile.depth {
            let from = from.add(*tile.steps.add(s) as usize);
            let mut columns = [V::zero(); N];
            for j in 0..N {
                columns[j] = V::load(from.add(j * V::LANES));
            }
            for i in 0..R {
                let w = V::splat(*tile.weights.add(s * R + i));
                for j in 0..N {
                    sums[i][j] = w.mul_add(columns[j], sums[i][j]);
                }
            }
        }
        for i in 0..R {
            for j in 0..N {
                sums[i][j].store(to.add(i * tile.pitch + j * V::LANES));
            }
        }
    }
}

/// Four dot products at a time, then one.
///
/// # Safety
/// The CPU has the instructions of `V`; all that the formula of [`Dots`] reads and writes is there.
#[inline(always)]
pub(super) unsafe fn dots<V: Lanes>(dots: &Dots<V::T>) {
    // SAFETY: the caller's promise.
    unsafe {
        let mut s = 0;
        while s + 4 <= dots.depth {
            dots_at::<V, 4>(dots, s);
            s += 4;
        }
        while s < dots.depth {
            dots_at::<V, 1>(dots, s);
            s += 1;
        }
    }
}

/// # Safety
/// As [`dots`], for `R` products from `s` on.
#[inline(always)]
unsafe fn dots_at<V: Lanes, const R: usize>(dots: &Dots<V::T>, s: usize) {
    // SAFETY: the caller's promise.
    unsafe {
        let mut rows = [dots.from; R];
        for i in 0..R {
            rows[i] = dots.from.wrapping_add(*dots.steps.add(s + i) as usize);
        }
        let mut sums = [[V::zero(); 2]; R];
        let (mut at, lanes) = (0, V::LANES);
        while at + 2 * lanes <= dots.length {
            let with = [V::load(dots.with.add(at)), V::load(dots.with.add(at + lanes))];
            for i in 0..R {
                let here = rows[i].add(at);
                sums[i][0] = V::load(here).mul_add(with[0], sums[i][0]);
                sums[i][1] = V::load(here.add(lanes)).mul_add(with[1], sums[i][1]);
            }
            at += 2 * lanes;
        }
        if at < dots.length {
            let with = V::load(dots.with.add(at));
            for i in 0..R {
                sums[i][0] = V::load(rows[i].add(at)).mul_add(with, sums[i][0]);
            }
        }
        for i in 0..R {
            // As a vector, because only vectors can be added whatever their element.
            let to = dots.to.add(s + i);
            let sum = V::splat(sums[i][0].add(sums[i][1]).sum());
            let mask = V::mask(1);
            sum.add(V::load_masked(to, mask)).store_masked(to, mask);
        }
    }
}

/// `to[i] = from[i]` for `i < count`.
///
/// # Safety
/// The CPU has the instructions of `V`; the elements are there.
#[inline(always)]
pub(super) unsafe fn copy<V: Lanes>(from: *const V::T, count: usize, to: *mut V::T) {
    // SAFETY: the caller's promise; the last vector overlaps the one before, or is masked to `count`.
    unsafe {
        let mut at = 0;
        while at + V::LANES <= count {
            V::load(from.add(at)).store(to.add(at));
            at += V::LANES;
        }
        if at < count && !V::MASKED && at > 0 {
            at = count - V::LANES;
            V::load(from.add(at)).store(to.add(at));
        } else if at < count {
            let mask = V::mask(count - at);
            V::load_masked(from.add(at), mask).store_masked(to.add(at), mask);
        }
    }
}

/// `to[i·pitch + j] = from[i·count + j]` for `j < count`, with zeros behind, row after row: each row overruns into
/// the next by less than a vector, and the last into what follows.
///
/// # Safety
/// The CPU has the instructions of `V`; the elements are there, and a vector behind the last row.
#[inline(always)]
pub(super) unsafe fn frame<V: Lanes>(
    (rows, count): (usize, usize),
    from: *const V::T,
    to: *mut V::T,
    pitch: usize,
) {
    // SAFETY: the caller's promise; `load_masked` reads no more than a row has.
    unsafe {
        let (whole, rest) = (count - count % V::LANES, V::mask(count % V::LANES));
        for i in 0..rows {
            let (from, row) = (from.add(i * count), to.add(i * pitch));
            let mut at = 0;
            while at < whole {
                V::load(from.add(at)).store(row.add(at));
                at += V::LANES;
            }
            if at < count {
                V::load_masked(from.add(at), rest).store(row.add(at));
                at += V::LANES;
            }
            while at < pitch {
                V::zero().store(row.add(at));
                at += V::LANES;
            }
        }
    }
}
