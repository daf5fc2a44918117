//! Reductions of contiguous memory, serial: sums, products, extremes, norms.
//!
//! The order of the additions depends on the shape alone: fixed lanes, then a fixed tree. So a sum
//! has the same bits at every instruction level. The caller cuts `outer` for threads.

mod extreme;
mod fold;
mod norm;

pub use extreme::{max_rows, max_rows_at, min_rows, min_rows_at};
pub use fold::{Fold, Maximum, Minimum, Product, Sum, fold, fold_at, fold_rows, fold_rows_at};
pub use norm::{Normed, norm_acc, norm_acc_at, scaled_norm_acc, scaled_norm_acc_at};

use super::element::Lane;
use std::mem::MaybeUninit;

#[cfg(test)]
mod tests;

/// An element type that can be reduced: `f32`, `f64`, `i64`. Integers wrap, as in PyTorch.
pub trait Number: Lane {
    /// Where a sum starts.
    const ZERO: Self;
    /// Where a product starts.
    const ONE: Self;
    /// Not above any element.
    const LOWEST: Self;
    /// Not below any element.
    const HIGHEST: Self;
    /// `a + b`.
    fn add(self, other: Self) -> Self;
    /// `a·b`.
    fn mul(self, other: Self) -> Self;
    /// Whether this is not a number.
    fn is_nan(self) -> bool;
}

macro_rules! float_number {
    ($($T:ident)*) => {$(
        impl Number for $T {
            const ZERO: $T = 0.0;
            const ONE: $T = 1.0;
            const LOWEST: $T = $T::NEG_INFINITY;
            const HIGHEST: $T = $T::INFINITY;
            #[inline(always)]
            fn add(self, other: $T) -> $T {
                self + other
            }
            #[inline(always)]
            fn mul(self, other: $T) -> $T {
                self * other
            }
            #[inline(always)]
            fn is_nan(self) -> bool {
                $T::is_nan(self)
            }
        }
    )*};
}
float_number!(f32 f64);

impl Number for i64 {
    const ZERO: i64 = 0;
    const ONE: i64 = 1;
    const LOWEST: i64 = i64::MIN;
    const HIGHEST: i64 = i64::MAX;
    #[inline(always)]
    fn add(self, other: i64) -> i64 {
        self.wrapping_add(other)
    }
    #[inline(always)]
    fn mul(self, other: i64) -> i64 {
        self.wrapping_mul(other)
    }
    #[inline(always)]
    fn is_nan(self) -> bool {
        false
    }
}

/// The sum of all elements; 0 if there are none. f32 accumulates in f32, in 64 lanes and levels of
/// 64, so that the error stays at a few units of the last place for any length.
///
/// # Example
///
/// ```
/// use gradus_tensor::kernels::reduce::sum;
///
/// // One accumulator would stop at 2²⁴ = 16777216.
/// assert_eq!(sum(&vec![1.0f32; 20_000_000]), 2e7);
/// ```
pub fn sum<T: Number>(x: &[T]) -> T {
    fold(Sum, x)
}

/// `out[o, i] = Σₖ x[o, k, i]` for `x: [outer, n, inner]`, `out: [outer, inner]`.
///
/// # Panics
///
/// If a length does not fit the shape.
pub fn sum_rows<T: Number>(
    x: &[T],
    outer: usize,
    n: usize,
    inner: usize,
    out: &mut [MaybeUninit<T>],
) {
    fold_rows(Sum, x, [outer, n, inner], out);
}

/// Checks that `x: [outer, n, inner]` and `out: [outer, inner]`.
#[track_caller]
fn check_shape(x: usize, [outer, n, inner]: [usize; 3], out: usize) {
    assert!(
        outer.checked_mul(n).and_then(|rows| rows.checked_mul(inner)) == Some(x)
            && outer.checked_mul(inner) == Some(out),
        "{x} elements reduced to {out} do not fit the shape [{outer}, {n}, {inner}]"
    );
}
