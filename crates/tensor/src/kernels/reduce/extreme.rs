//! The largest and smallest elements and where they stand.

use super::super::dispatch::Kernel;
use super::super::level::{Level, level};
use super::{Fold, Maximum, Minimum, Number, check_shape, fold_rows_at};
use std::marker::PhantomData;
use std::mem::MaybeUninit;

/// The largest of `x[o, :, i]` and its index, for `x: [outer, n, inner]`, both outputs
/// `[outer, inner]`. The lowest index among equals; NaN counts as largest, the first one.
///
/// # Panics
///
/// If a length does not fit the shape, or if there is nothing to choose from (`n = 0`).
pub fn max_rows<T: Number>(
    x: &[T],
    shape: [usize; 3],
    values: &mut [MaybeUninit<T>],
    indices: &mut [MaybeUninit<i64>],
) {
    max_rows_at(level(), x, shape, values, indices);
}

/// [`max_rows`] with the instructions of `level`.
#[doc(hidden)]
pub fn max_rows_at<T: Number>(
    level: Level,
    x: &[T],
    shape: [usize; 3],
    values: &mut [MaybeUninit<T>],
    indices: &mut [MaybeUninit<i64>],
) {
    extreme::<Maximum, T>(level, x, shape, values, indices);
}

/// The smallest of `x[o, :, i]` and its index, otherwise as [`max_rows`]; NaN counts as smallest.
///
/// # Panics
///
/// If a length does not fit the shape, or if there is nothing to choose from (`n = 0`).
pub fn min_rows<T: Number>(
    x: &[T],
    shape: [usize; 3],
    values: &mut [MaybeUninit<T>],
    indices: &mut [MaybeUninit<i64>],
) {
    min_rows_at(level(), x, shape, values, indices);
}

/// [`min_rows`] with the instructions of `level`.
#[doc(hidden)]
pub fn min_rows_at<T: Number>(
    level: Level,
    x: &[T],
    shape: [usize; 3],
    values: &mut [MaybeUninit<T>],
    indices: &mut [MaybeUninit<i64>],
) {
    extreme::<Minimum, T>(level, x, shape, values, indices);
}

/// Which of two is chosen.
trait Choice: Fold {
    /// The only value of the type.
    const CHOICE: Self;
    /// Whether `v`, which comes later, replaces `best`.
    fn better<T: Number>(v: T, best: T) -> bool;
}

impl Choice for Maximum {
    const CHOICE: Self = Maximum;
    #[inline(always)]
    fn better<T: Number>(v: T, best: T) -> bool {
        (v > best) | (v.is_nan() & !best.is_nan())
    }
}

impl Choice for Minimum {
    const CHOICE: Self = Minimum;
    #[inline(always)]
    fn better<T: Number>(v: T, best: T) -> bool {
        (v < best) | (v.is_nan() & !best.is_nan())
    }
}

fn extreme<C: Choice, T: Number>(
    level: Level,
    x: &[T],
    shape: [usize; 3],
    values: &mut [MaybeUninit<T>],
    indices: &mut [MaybeUninit<i64>],
) {
    check_shape(x.len(), shape, values.len());
    assert_eq!(values.len(), indices.len(), "one index for each value");
    let [_, n, inner] = shape;
    assert!(n > 0 || values.is_empty(), "no extreme of no elements");
    if values.is_empty() {
        return;
    }
    let choice = PhantomData::<C>;
    if inner > 1 {
        assert!(u32::try_from(n).is_ok(), "at most 2³² rows");
        T::run_at(level, Columns { x, n, inner, values, indices, choice });
    } else if n < SHORT {
        // Wide registers only get in the way of a short row.
        short_rows::<C, T>(x, n, values, indices);
    } else {
        // Twice over the data, both times at full width, is faster than once with an index a lane.
        fold_rows_at(level, C::CHOICE, x, shape, values);
        T::run_at(level, Find { x, n, values, indices });
    }
}

/// Rows shorter than this are searched element by element.
const SHORT: usize = 64;

/// Elements that [`Find`] compares before it looks whether one of them was it.
const BLOCK: usize = 64;

/// Columns searched in one go; their best values and indices stay in the L1 cache.
const WIDTH: usize = 256;

/// Rows searched element by element.
fn short_rows<C: Choice, T: Number>(
    x: &[T],
    n: usize,
    values: &mut [MaybeUninit<T>],
    indices: &mut [MaybeUninit<i64>],
) {
    for ((row, value), index) in x.chunks_exact(n).zip(values).zip(indices) {
        let (mut best, mut at) = (row[0], 0);
        for (i, &v) in row.iter().enumerate() {
            let better = C::better(v, best);
            best = if better { v } else { best };
            at = if better { i } else { at };
        }
        value.write(best);
        index.write(at as i64);
    }
}

/// Finds the first element equal to the value of its row, and makes it that value, since 0 and -0
/// are equal.
struct Find<'a, T> {
    x: &'a [T],
    n: usize,
    values: &'a mut [MaybeUninit<T>],
    indices: &'a mut [MaybeUninit<i64>],
}

impl<T: Number> Kernel for Find<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(self) {
        let rows = self.x.chunks_exact(self.n);
        for ((row, value), index) in rows.zip(self.values).zip(self.indices) {
            // SAFETY: `fold_rows_at` has written all values.
            let best = unsafe { value.assume_init_read() };
            let is_it = |v: T| (v == best) | (v.is_nan() & best.is_nan());
            let (blocks, rest) = row.as_chunks::<BLOCK>();
            let missed = |b: &&[T; BLOCK]| !b.iter().fold(false, |any, &v| any | is_it(v));
            let before = blocks.iter().take_while(missed).count();
            let inside = match blocks.get(before) {
                // All of the block at once: the lowest index where it is, without a branch.
                Some(block) => (0..BLOCK)
                    .fold(BLOCK, |first, j| first.min(if is_it(block[j]) { j } else { BLOCK })),
                None => rest.iter().position(|&v| is_it(v)).unwrap_or(0),
            };
            let at = before * BLOCK + inside;
            value.write(row[at]);
            index.write(at as i64);
        }
    }
}

struct Columns<'a, C, T> {
    x: &'a [T],
    n: usize,
    inner: usize,
    values: &'a mut [MaybeUninit<T>],
    indices: &'a mut [MaybeUninit<i64>],
    choice: PhantomData<C>,
}

impl<C: Choice, T: Number> Kernel for Columns<'_, C, T> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(self) {
        let Self { x, n, inner, values, indices, .. } = self;
        let outputs = values.chunks_exact_mut(inner).zip(indices.chunks_exact_mut(inner));
        for (x, (values, indices)) in x.chunks_exact(n * inner).zip(outputs) {
            let outputs = values.chunks_mut(WIDTH).zip(indices.chunks_mut(WIDTH));
            for (tile, (values, indices)) in outputs.enumerate() {
                let width = values.len();
                let mut best = [T::default(); WIDTH];
                // Lanes as wide as those of f32.
                let mut at = [0u32; WIDTH];
                best[..width].copy_from_slice(&x[tile * WIDTH..][..width]);
                for row in 1..n {
                    let x = &x[row * inner + tile * WIDTH..][..width];
                    for j in 0..width {
                        let better = C::better(x[j], best[j]);
                        best[j] = if better { x[j] } else { best[j] };
                        at[j] = if better { row as u32 } else { at[j] };
                    }
                }
                for j in 0..width {
                    values[j].write(best[j]);
                    indices[j].write(at[j].into());
                }
            }
        }
    }
}
