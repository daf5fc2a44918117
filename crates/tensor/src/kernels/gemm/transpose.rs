//! Packing of strided factors: copies and transposes in vector registers.

use super::tile::Lanes;

/// A square block that fits the registers.
///
/// # Safety
/// `block` needs the instructions of its level, and `SIDE` rows of `SIDE` elements readable and
/// writable.
pub(super) trait Block<T> {
    /// Rows and columns.
    const SIDE: usize;

    /// `to[c·to_row + r] = from[r·from_row + c]`
    unsafe fn block(from: *const T, from_row: isize, to: *mut T, to_row: usize);
}

/// `out[p·width + j] =` step `p` of lane `j`, for `lanes × depth` elements at `from`; what lies between
/// `lanes` and `width` stays.
///
/// # Safety
/// The CPU has the instructions of `V` and `B`; the elements are readable; `out` is writable
/// where it says; `lanes <= width`.
#[inline(always)]
pub(super) unsafe fn pack<V: Lanes, B: Block<V::T>>(
    (from, lane, step): (*const V::T, isize, isize),
    (lanes, depth, width): (usize, usize, usize),
    out: *mut V::T,
) {
    // SAFETY: the caller's promise.
    unsafe {
        if lane == 1 {
            copy::<V>((from, step), (lanes, depth, width), out);
        } else if step == 1 {
            transpose::<V::T, B>((from, lane), (lanes, depth), out, width);
        } else {
            for p in 0..depth {
                let from = from.wrapping_offset(p as isize * step);
                for j in 0..lanes {
                    *out.add(p * width + j) = *from.wrapping_offset(j as isize * lane);
                }
            }
        }
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
pub(super) unsafe fn transpose<T: Copy, B: Block<T>>(
    (from, from_row): (*const T, isize),
    (rows, cols): (usize, usize),
    to: *mut T,
    to_row: usize,
) {
    let (whole_rows, whole_cols) = (rows - rows % B::SIDE, cols - cols % B::SIDE);
    // SAFETY: the caller's promise; blocks only where whole ones fit, the rest one by one.
    unsafe {
        let one = |r: usize, c: usize| {
            *to.add(c * to_row + r) = *from.wrapping_offset(r as isize * from_row).add(c);
        };
        for r in (0..whole_rows).step_by(B::SIDE) {
            for c in (0..whole_cols).step_by(B::SIDE) {
                let from = from.wrapping_offset(r as isize * from_row).add(c);
                B::block(from, from_row, to.add(c * to_row + r), to_row);
            }
            for c in whole_cols..cols {
                for r in r..r + B::SIDE {
                    one(r, c);
                }
            }
        }
        for r in whole_rows..rows {
            for c in 0..cols {
                one(r, c);
            }
        }
    }
}
