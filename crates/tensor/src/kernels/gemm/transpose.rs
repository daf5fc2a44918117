//! Packing of strided factors: copies and transposes in vector registers.

#![allow(
    clippy::needless_range_loop,
    reason = "counted loops over registers, which the compiler unrolls"
)]

use super::tile::{Lanes, Tile};

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

    /// The columns of a block: `columns[c]` holds `from[r·row + c]` for all `r`. At most 16.
    unsafe fn load(from: *const Self::T, row: isize, columns: &mut [Self::V; 16]);
}

/// `out[p·width + j] =` step `p` of lane `j`, for `lanes × depth` elements at `from`; what lies between
/// `lanes` and `width` stays. Transposes by large blocks where they fit, then by small ones.
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
        if lane == 1 {
            return copy::<V>((from, step), (lanes, depth, width), out);
        }
        if step != 1 {
            for p in 0..depth {
                let from = from.wrapping_offset(p as isize * step);
                for j in 0..lanes {
                    *out.add(p * width + j) = *from.wrapping_offset(j as isize * lane);
                }
            }
            return;
        }
        let (rows, cols) = (lanes - lanes % Large::SIDE, depth - depth % Large::SIDE);
        transpose::<Large>((from, lane), (rows, cols), out, width);
        let right = from.wrapping_add(cols);
        transpose::<Small>((right, lane), (rows, depth - cols), out.add(cols * width), width);
        let below = from.wrapping_offset(rows as isize * lane);
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
    // SAFETY: the caller's promise; the last vector of a row is masked to `lanes`.
    unsafe {
        for p in 0..depth {
            let (from, to) = (from.wrapping_offset(p as isize * step), out.add(p * width));
            let mut j = 0;
            while j + V::LANES <= lanes {
                V::load(from.add(j)).store(to.add(j));
                j += V::LANES;
            }
            if j < lanes {
                let mask = V::mask(lanes - j);
                V::load_masked(from.add(j), mask).store_masked(to.add(j), mask);
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
                B::load(from.wrapping_offset(r as isize * from_row).add(c), from_row, &mut columns);
                for i in 0..B::SIDE {
                    columns[i].store(to.add((c + i) * to_row + r));
                }
            }
        }
        for r in 0..rows {
            let from = from.wrapping_offset(r as isize * from_row);
            for c in if r < whole_rows { whole_cols } else { 0 }..cols {
                *to.add(c * to_row + r) = *from.add(c);
            }
        }
    }
}

/// Writes a tile whose rows are columns of the output:
///
/// ```text
/// out[j, i] = finish(keep·out[j, i] + sums[i, j])
/// ```
/// with the sizes, `out`, `keep`, `bias[i]` and `relu` of `tile`.
///
/// # Safety
/// As [`pack`], for `tile.rows` rows of `sums`, `pitch` apart and readable up to whole blocks, and the
/// transposed part of the output.
#[inline(always)]
pub(super) unsafe fn turn<B: Block>(tile: &Tile<B::T>, sums: *const B::T, pitch: usize) {
    // SAFETY: the caller's promise; masks and the last columns keep within the tile.
    unsafe {
        let mut columns = [B::V::zero(); 16];
        for i in (0..tile.rows).step_by(B::SIDE) {
            let mask = B::V::mask((tile.rows - i).min(B::SIDE));
            let bias = (!tile.bias.is_null()).then(|| B::V::load_masked(tile.bias.add(i), mask));
            for j in (0..tile.cols).step_by(B::SIDE) {
                B::load(sums.add(i * pitch + j), pitch as isize, &mut columns);
                for c in 0..B::SIDE.min(tile.cols - j) {
                    let to = tile.out.add((j + c) * tile.out_row + i);
                    let mut x = columns[c];
                    if let Some(keep) = tile.keep {
                        x = B::V::splat(keep).mul_add(B::V::load_masked(to, mask), x);
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
}
