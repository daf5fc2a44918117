//! The logarithm of a sum of exponentials over rows.

use super::super::dispatch::Kernel;
use super::super::level::{Level, level};
use super::super::real::Real;
use super::log_softmax::sum_of_exp;
use super::short::{Group, SHORT, group_len};
use super::{RowFloat, check_rows, largest};
use std::mem::MaybeUninit;

/// `out = max + ln Σⱼ e^(x[j] − max)` for each row of `n`.
///
/// A row of nothing but -inf gives -inf, one with inf gives inf, one with NaN gives NaN.
///
/// # Panics
///
/// If the lengths do not fit.
pub fn logsumexp<T: RowFloat>(x: &[T], n: usize, out: &mut [MaybeUninit<T>]) {
    logsumexp_at(level(), x, n, out);
}

/// [`logsumexp`] with the instructions of `level`.
#[doc(hidden)]
pub fn logsumexp_at<T: RowFloat>(level: Level, x: &[T], n: usize, out: &mut [MaybeUninit<T>]) {
    if n == 0 {
        assert!(x.is_empty(), "rows of no elements");
        out.fill(MaybeUninit::new(T::LOWEST));
        return;
    }
    check_rows(n, x.len(), &[]);
    assert_eq!(x.len() / n, out.len(), "one output for each row");
    T::run_at(level, LogSumExp { x, n, out });
}

struct LogSumExp<'a, T> {
    x: &'a [T],
    n: usize,
    out: &'a mut [MaybeUninit<T>],
}

impl<T: RowFloat> Kernel for LogSumExp<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(self) {
        if self.n <= SHORT { self.short::<FMA>() } else { self.long::<FMA>() }
    }
}

impl<T: RowFloat> LogSumExp<'_, T> {
    #[inline(always)]
    fn short<const FMA: bool>(self) {
        let (n, len) = (self.n, group_len(self.n));
        let mut group = Group::new();
        for (x, out) in self.x.chunks(len).zip(self.out.chunks_mut(len / n)) {
            group.fill::<FMA>(x, n, true);
            for ((out, shift), sum) in out.iter_mut().zip(&group.shifts).zip(&group.sums) {
                out.write(T::unwrap::<FMA>(shift.wrap::<FMA>() + sum.wrap::<FMA>().ln()));
            }
        }
    }

    #[inline(always)]
    fn long<const FMA: bool>(self) {
        for (x, out) in self.x.chunks_exact(self.n).zip(self.out) {
            let max = largest::<T, FMA>(x);
            // inf − inf would be NaN; without a shift an infinite row has its own, right sum.
            let infinite = max.abs() == T::HIGHEST.wrap::<FMA>();
            let shift = T::Real::<FMA>::select(infinite, T::ZERO.wrap::<FMA>(), max);
            let sum = sum_of_exp::<T, FMA>(x, shift);
            out.write(T::unwrap::<FMA>(shift + sum.ln()));
        }
    }
}
