//! Transposing, in vector registers.

use super::gemm::Sum;
use super::level::{Level, detected};
use crate::Element;

/// Columns that elements of 1 and 2 bytes are taken from at a time: so many lines stay in L1.
const SIDE: usize = 16;

/// `to[r·width + c] = from[c·stride + r]` for `rows × columns` elements.
///
/// Elements of 4 and 8 bytes move through the registers of f32 and f64, others one by one.
///
/// # Panics
/// If `from` or `to` is too short, or `width < columns`.
pub(crate) fn turn<T: Element>(
    level: Level,
    from: &[T],
    stride: usize,
    [rows, columns, width]: [usize; 3],
    to: &mut [T],
) {
    if rows == 0 || columns == 0 {
        return;
    }
    assert!(columns <= width, "turn: {columns} columns in rows of {width}");
    assert!((columns - 1) * stride + rows <= from.len(), "turn: elements that are not there");
    assert!((rows - 1) * width + columns <= to.len(), "turn: no room");
    let (size, level) = (size_of::<T>(), level.min(detected()));
    if size != 4 && size != 8 {
        return one_by_one(from, stride, [rows, columns, width], to);
    }
    let strides = ((stride * size) as isize, size as isize);
    let (from, to) = (from.as_ptr(), to.as_mut_ptr());
    // SAFETY: all elements were shown to be there. They are moved as bits of the same size, by the
    // instructions of a level that this CPU has.
    unsafe {
        if size == 4 {
            let pack = f32::gemm_kernels(level).pack;
            pack(from.cast(), strides.0, strides.1, columns, rows, width, to.cast());
        } else {
            let pack = f64::gemm_kernels(level).pack;
            pack(from.cast(), strides.0, strides.1, columns, rows, width, to.cast());
        }
    }
}

/// [`turn`] of elements that no register is made for.
fn one_by_one<T: Element>(
    from: &[T],
    stride: usize,
    [rows, columns, width]: [usize; 3],
    to: &mut [T],
) {
    for first in (0..columns).step_by(SIDE) {
        let part = first..columns.min(first + SIDE);
        for (r, row) in to.chunks_mut(width).take(rows).enumerate() {
            let lines = from[first * stride + r..].iter().step_by(stride);
            row[part.clone()].iter_mut().zip(lines).for_each(|(to, &v)| *to = v);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use half::bf16;
    use proptest::prelude::*;

    fn check<T: Element + PartialEq>(sizes: [usize; 3], gap: usize, of: impl Fn(usize) -> T) {
        let [rows, columns, width] = sizes;
        let (stride, width) = (rows + gap, columns + width);
        let from: Vec<T> = (0..columns * stride).map(of).collect();
        for level in [Level::Baseline, Level::Avx2, Level::Avx512] {
            let mut to = vec![T::default(); rows * width];
            turn(level, &from, stride, [rows, columns, width], &mut to);
            for (i, &got) in to.iter().enumerate() {
                let (r, c) = (i / width, i % width);
                let want = if c < columns { from[c * stride + r] } else { T::default() };
                assert_eq!(got, want, "row {r}, column {c} of {sizes:?}");
            }
        }
    }

    proptest! {
        #[test]
        fn every_element_is_where_it_belongs(
            rows in 1_usize..40, columns in 1_usize..40, right in 0_usize..5, gap in 0_usize..9,
        ) {
            let sizes = [rows, columns, right];
            check(sizes, gap, |i| i as f32);
            check(sizes, gap, |i| f64::from_bits(i as u64 + 1));
            check(sizes, gap, |i| i as i64);
            check(sizes, gap, |i| i as u8);
            check(sizes, gap, |i| bf16::from_bits(i as u16 % 0x7f80));
        }
    }
}
