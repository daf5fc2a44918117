//! Packing of strided factors: copies and transposes in vector registers.

#![allow(
    clippy::needless_range_loop,
    reason = "counted loops over registers, which the compiler unrolls"
)]

use super::tile::{Lanes, Last, Stored};
use std::ops::Range;

/// A square block that fits the registers.
///
/// # Safety
/// `load` needs the instructions of its level, and `SIDE` rows of `SIDE` readable elements.
pub(super) trait Block {
    /// A vector of `SIDE` elements.
    type V: Lanes<T = Self::T>;
    /// Element.
    type T: Copy;
    /// Rows and columns.
    const SIDE: usize = Self::V::LANES;

    /// The columns of a block: `columns[c]` holds `from[r·row + c]` for all `r`, `row` in bytes. At
    /// most 16.
    unsafe fn load(from: *const Self::T, row: isize, columns: &mut [Self::V; 16]);
}

/// `out[p·width + j] =` step `p` of lane `j`, for `lanes × depth` elements at `from`; what lies between
/// `lanes` and `width` stays; strides in bytes. Transposes by large blocks where they fit, then by small ones.
///
/// # Safety
/// The CPU has the instructions of all three; the elements are readable; `out` is writable where it
/// says; `lanes <= width`.
#[inline(always)]
pub(super) unsafe fn pack<V: Lanes, Large: Block<T = V::T>, Small: Block<T = V::T>>(
    (from, lane, step): (*const V::T, isize, isize),
    (lanes, depth, width): (usize, usize, usize),
    out: *mut V::T,
) {
    // SAFETY: the caller's promise; the parts make up the whole.
    unsafe {
        let size = size_of::<V::T>() as isize;
        if lane == size {
            return copy::<V>((from, step), (lanes, depth, width), out);
        }
        if step != size {
            for p in 0..depth {
                let from = from.wrapping_byte_offset(p as isize * step);
                for j in 0..lanes {
                    let from = from.wrapping_byte_offset(j as isize * lane);
                    *out.add(p * width + j) = from.read_unaligned();
                }
            }
            return;
        }
        let (rows, cols) = (lanes - lanes % Large::SIDE, depth - depth % Large::SIDE);
        transpose::<Large>((from, lane), (rows, cols), out, width);
        let right = from.wrapping_add(cols);
        transpose::<Small>((right, lane), (rows, depth - cols), out.add(cols * width), width);
        let below = from.wrapping_byte_offset(rows as isize * lane);
        transpose::<Small>((below, lane), (lanes - rows, depth), out.add(rows), width);
    }
}

/// Contiguous lanes: rows of vectors.
///
/// # Safety
/// As [`pack`].
#[inline(always)]
unsafe fn copy<V: Lanes>(
    (from, step): (*const V::T, isize),
    (lanes, depth, width): (usize, usize, usize),
    out: *mut V::T,
) {
    // SAFETY: the caller's promise; the last vector of a row is masked to `lanes`, or ends before the next row
    // does, both where it is read and where it is written.
    unsafe {
        let whole = lanes - lanes % V::LANES;
        let wide = whole + V::LANES;
        let room = step >= (wide * size_of::<V::T>()) as isize && wide <= 2 * width;
        let over = if !V::MASKED && lanes == width && room { depth.saturating_sub(1) } else { 0 };
        for p in 0..depth {
            let (from, to) = (from.wrapping_byte_offset(p as isize * step), out.add(p * width));
            let mut j = 0;
            while j + V::LANES <= lanes {
                V::load(from.add(j)).store(to.add(j));
                j += V::LANES;
            }
            if j < lanes && p < over {
                V::load(from.add(j)).store(to.add(j));
            } else if j < lanes {
                let mask = V::mask(lanes - j);
                V::load_masked(from.add(j), mask).store_masked(to.add(j), mask);
            }
        }
    }
}

/// Steps that all groups take before one takes the next: so few lines stay in L1 until the last group has read
/// its part of them, even if the step is a power of two and they meet in one set.
const TOGETHER: usize = 4;

/// `out[g·pitch + p·lanes + i] = from[p·step + g·lanes + i]` for `lanes` of each of some groups and `depth` steps,
/// `step` in bytes: contiguous lanes, cut into panels. Each line of the source is read in one go; groups of `FULL`
/// lanes in as few moves as an array of so many.
///
/// # Safety
/// As [`pack`].
#[inline(always)]
pub(super) unsafe fn split<V: Lanes, const FULL: usize>(
    (from, step): (*const V::T, isize),
    (groups, lanes, depth): (usize, usize, usize),
    pitch: usize,
    out: *mut V::T,
) {
    for first in (0..depth).step_by(TOGETHER) {
        let steps = TOGETHER.min(depth - first);
        let from = from.wrapping_byte_offset(first as isize * step);
        for g in 0..groups {
            let from = from.wrapping_add(g * lanes);
            let to = out.wrapping_add(g * pitch + first * lanes);
            // SAFETY: the caller's promise.
            unsafe {
                if lanes != FULL {
                    copy::<V>((from, step), (lanes, steps, lanes), to);
                    continue;
                }
                for p in 0..steps {
                    let row = from.wrapping_byte_offset(p as isize * step).cast::<[V::T; FULL]>();
                    to.add(p * FULL).cast::<[V::T; FULL]>().write(row.read_unaligned());
                }
            }
        }
    }
}

/// `to[c·to_row + r] = from[r·from_row + c]` for `rows × cols` elements.
///
/// # Safety
/// As [`pack`], with contiguous depth.
#[inline(always)]
unsafe fn transpose<B: Block>(
    (from, from_row): (*const B::T, isize),
    (rows, cols): (usize, usize),
    to: *mut B::T,
    to_row: usize,
) {
    let (whole_rows, whole_cols) = (rows - rows % B::SIDE, cols - cols % B::SIDE);
    // SAFETY: the caller's promise; blocks only where whole ones fit, the rest one by one.
    unsafe {
        let mut columns = [B::V::zero(); 16];
        for r in (0..whole_rows).step_by(B::SIDE) {
            for c in (0..whole_cols).step_by(B::SIDE) {
                let from = from.wrapping_byte_offset(r as isize * from_row).add(c);
                B::load(from, from_row, &mut columns);
                for i in 0..B::SIDE {
                    columns[i].store(to.add((c + i) * to_row + r));
                }
            }
        }
        for r in 0..rows {
            let from = from.wrapping_byte_offset(r as isize * from_row);
            for c in if r < whole_rows { whole_cols } else { 0 }..cols {
                *to.add(c * to_row + r) = from.add(c).read_unaligned();
            }
        }
    }
}

/// Writes a tile whose rows are columns of the output:
///
/// ```text
/// to[j, i] = finish(keep·kept[j, i] + sums[i, j])
/// ```
/// with the sizes, `bias[i]` and the rest of `last`.
///
/// # Safety
/// As [`pack`], for `last.rows` rows of `sums`, `pitch` apart and readable up to whole blocks, and the
/// transposed part of the output.
#[inline(always)]
pub(super) unsafe fn turn<Large: Block, Small: Block<T = Large::T>, O>(
    last: &Last<Large::T, O>,
    sums: *const Large::T,
    pitch: usize,
) where
    Large::V: Stored<O>,
    Small::V: Stored<O>,
{
    let whole = last.rows - last.rows % Large::SIDE;
    // SAFETY: the caller's promise, for both parts of the rows.
    unsafe {
        turn_rows::<Large, O>(last, 0..whole, sums, pitch);
        turn_rows::<Small, O>(last, whole..last.rows, sums, pitch);
    }
}

/// [`turn`] of some rows.
///
/// # Safety
/// As [`turn`].
#[inline(always)]
unsafe fn turn_rows<B: Block, O>(
    last: &Last<B::T, O>,
    rows: Range<usize>,
    sums: *const B::T,
    pitch: usize,
) where
    B::V: Stored<O>,
{
    let row = (pitch * size_of::<B::T>()) as isize;
    // SAFETY: the caller's promise; masks and the last columns keep within the tile.
    unsafe {
        let mut columns = [B::V::zero(); 16];
        for i in rows.clone().step_by(B::SIDE) {
            let mask = B::V::mask((rows.end - i).min(B::SIDE));
            let bias = (!last.bias.is_null()).then(|| B::V::load_masked(last.bias.add(i), mask));
            for j in (0..last.cols).step_by(B::SIDE) {
                B::load(sums.add(i * pitch + j), row, &mut columns);
                for c in 0..B::SIDE.min(last.cols - j) {
                    let mut x = columns[c];
                    if let Some(keep) = last.keep {
                        let kept = last.kept.add((j + c) * last.kept_row + i);
                        x = B::V::splat(keep).mul_add(B::V::load_masked(kept, mask), x);
                    }
                    if let Some(bias) = bias {
                        x = x.add(bias);
                    }
                    if last.relu {
                        x = x.relu();
                    }
                    x.write(last.to.add((j + c) * last.to_row + i), mask);
                }
            }
        }
    }
}
