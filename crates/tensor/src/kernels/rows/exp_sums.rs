//! What softmax divides by, and softmax from it: for losses, whose forward pass needs only the first.

use super::super::dispatch::Kernel;
use super::super::level::{Level, level};
use super::super::real::Real;
use super::super::reduce::Maximum;
use super::super::stream::Write;
use super::exps::{ExpSums, Sums};
use super::{BLOCK, RowFloat, TOGETHER, check_rows, fold_group, group_len, load, store};
use std::mem::MaybeUninit;

/// `(max, Σⱼ e^(x[j] − max))` for each row of `n`, as pairs; the sum is NaN where softmax is.
///
/// The two are kept apart because their logarithm, `max + ln Σ`, loses the small part of large
/// logits.
///
/// # Panics
///
/// If the lengths do not fit.
pub fn exp_sums<T: RowFloat>(x: &[T], n: usize, out: &mut [MaybeUninit<T>]) {
    exp_sums_at(level(), x, n, out);
}

/// [`exp_sums`] with the instructions of `level`.
#[doc(hidden)]
pub fn exp_sums_at<T: RowFloat>(level: Level, x: &[T], n: usize, out: &mut [MaybeUninit<T>]) {
    check_rows(n, x.len(), &[]);
    if let Some(rows) = x.len().checked_div(n) {
        assert_eq!(2 * rows, out.len(), "one pair for each row");
        let len = group_len(TOGETHER, n);
        let mut group = Sums::new();
        for (x, out) in x.chunks(len).zip(out.chunks_mut(2 * len / n)) {
            fold_group(level, Maximum, x, n, &mut group.shifts);
            let Sums { shifts, sums } = &mut group;
            T::run_at(level, ExpSums { x, n, shifts, exps: &mut [], sums });
            for (out, (max, sum)) in out.chunks_exact_mut(2).zip(shifts.iter().zip(sums)) {
                out[0].write(*max);
                out[1].write(*sum);
            }
        }
    }
}

/// `y = scale·e^(x − max)/Σ` in each row of `n`, with the pairs of [`exp_sums`] and one scale a row:
/// `scale·softmax(x)`.
///
/// # Panics
///
/// If the lengths do not fit.
pub fn scaled_softmax<T: RowFloat>(
    x: &[T],
    n: usize,
    sums: &[T],
    scale: &[T],
    y: &mut [MaybeUninit<T>],
) {
    scaled_softmax_at(level(), x, n, sums, scale, y);
}

/// [`scaled_softmax`] with the instructions of `level`.
#[doc(hidden)]
pub fn scaled_softmax_at<T: RowFloat>(
    level: Level,
    x: &[T],
    n: usize,
    sums: &[T],
    scale: &[T],
    y: &mut [MaybeUninit<T>],
) {
    check_rows(n, x.len(), &[y.len()]);
    if let Some(rows) = x.len().checked_div(n) {
        assert!(sums.len() == 2 * rows && scale.len() == rows, "a pair and a scale for each row");
        T::run_at(level, ScaledSoftmax { x, n, sums, scale, y, how: Write::Cached });
    }
}

pub(super) struct ScaledSoftmax<'a, T> {
    pub(super) x: &'a [T],
    pub(super) n: usize,
    pub(super) sums: &'a [T],
    pub(super) scale: &'a [T],
    pub(super) y: &'a mut [MaybeUninit<T>],
    pub(super) how: Write,
}

impl<T: RowFloat> Kernel for ScaledSoftmax<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(self) {
        let n = self.n;
        let rows = self.x.chunks_exact(n).zip(self.y.chunks_exact_mut(n));
        for ((x, y), (sums, scale)) in rows.zip(self.sums.chunks_exact(2).zip(self.scale)) {
            let max = sums[0].wrap::<FMA>();
            let scale = scale.wrap::<FMA>() / sums[1].wrap::<FMA>();
            for at in (0..n).step_by(BLOCK) {
                let mut block = load::<T, FMA>(x, at, T::LOWEST);
                for v in &mut block {
                    *v = (*v - max).exp() * scale;
                }
                store::<T, FMA>(y, at, block, self.how);
            }
        }
    }
}
