//! The logarithm of a sum of exponentials over rows.

use super::super::level::{Level, level};
use super::exps::Sums;
use super::short::{GROUP, SHORT};
use super::{RowFloat, check_rows, group_len};
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
    let (len, mut exps) = (group_len(GROUP, n), [T::ZERO; GROUP]);
    let exps: &mut [T] = if n <= SHORT { &mut exps } else { &mut [] };
    let mut group = Sums::new();
    for (x, out) in x.chunks(len).zip(out.chunks_mut(len / n)) {
        // inf − inf would be NaN; without a shift an infinite row has its own, right sum.
        group.fill(level, x, n, exps, true);
        group.ln(level, out.len());
        for ((out, shift), log) in out.iter_mut().zip(&group.shifts).zip(&group.sums) {
            out.write(shift.add(*log));
        }
    }
}
