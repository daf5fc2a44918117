//! The logarithm of softmax over rows, and its gradient.

use super::super::dispatch::Kernel;
use super::super::level::{Level, level};
use super::super::real::Real;
use super::super::reduce::Sum;
use super::super::stream::{self, Write};
use super::exps::{Shifted, Sums};
use super::short::{GROUP, Group, SHORT, exp_blocks, fold_short};
use super::{BLOCK, Lanes, RowFloat, Rows, check_rows, group_len, load, runs, store};
use std::mem::MaybeUninit;

/// `y[i] = x[i] − max − ln Σⱼ e^(x[j] − max)` in each row of `n`.
///
/// An element of -inf gives -inf; a row with inf or NaN, or of nothing but -inf, gives NaN, as
/// PyTorch.
///
/// # Panics
///
/// If the lengths differ or are no multiple of `n`.
pub fn log_softmax<T: RowFloat>(x: &[T], n: usize, y: &mut [MaybeUninit<T>], how: Write) {
    log_softmax_at(level(), x, n, y, how);
}

/// [`log_softmax`] with the instructions of `level`.
#[doc(hidden)]
pub fn log_softmax_at<T: RowFloat>(
    level: Level,
    x: &[T],
    n: usize,
    y: &mut [MaybeUninit<T>],
    how: Write,
) {
    check_rows(n, x.len(), &[y.len()]);
    if n == 0 {
        return;
    }
    let (len, mut exps) = (group_len(GROUP, n), [T::ZERO; GROUP]);
    let exps: &mut [T] = if n <= SHORT { &mut exps } else { &mut [] };
    let mut group = Sums::new();
    for (x, y) in x.chunks(len).zip(y.chunks_mut(len)) {
        group.fill(level, x, n, exps, false);
        group.ln(level, x.len() / n);
        let Sums { shifts, sums: logs } = &group;
        T::run_at(level, Shifted { x, n, shifts, logs, y, how });
    }
    how.finish();
}

/// `dx = g − e^y·Σ g` in each row of `n`, for `y = log_softmax(x)` and its gradient `g`.
///
/// # Panics
///
/// If the lengths differ or are no multiple of `n`.
pub fn log_softmax_backward<T: RowFloat>(
    y: &[T],
    g: Rows<'_, T>,
    n: usize,
    dx: &mut [MaybeUninit<T>],
    how: Write,
) {
    log_softmax_backward_at(level(), y, g, n, dx, how);
}

/// [`log_softmax_backward`] with the instructions of `level`.
#[doc(hidden)]
pub fn log_softmax_backward_at<T: RowFloat>(
    level: Level,
    y: &[T],
    g: Rows<'_, T>,
    n: usize,
    dx: &mut [MaybeUninit<T>],
    how: Write,
) {
    check_rows(n, y.len(), &[dx.len()]);
    if let Some(rows) = y.len().checked_div(n) {
        assert!(g.reach(rows, n), "the gradient has fewer rows");
        T::run_at(level, Backward { y, g, n, dx, how });
    }
}

struct Backward<'a, T> {
    y: &'a [T],
    g: Rows<'a, T>,
    n: usize,
    dx: &'a mut [MaybeUninit<T>],
    how: Write,
}

impl<T: RowFloat> Kernel for Backward<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(self) {
        match self.g.slice(self.y.len() / self.n, self.n) {
            Some(g) if self.n < BLOCK => self.short::<FMA>(g),
            _ => self.long::<FMA>(),
        }
    }
}

impl<T: RowFloat> Backward<'_, T> {
    #[inline(always)]
    fn short<const FMA: bool>(self, g: &[T]) {
        let (n, len) = (self.n, group_len(GROUP, self.n));
        let mut group = Group::new();
        let inputs = self.y.chunks(len).zip(g.chunks(len));
        for ((y, g), dx) in inputs.zip(self.dx.chunks_mut(len)) {
            group.exps[..y.len()].copy_from_slice(y);
            exp_blocks::<T, FMA>(&mut group.exps, y.len());
            fold_short(Sum, g, n, &mut group.sums);
            let rows = group.exps.chunks_exact(n).zip(g.chunks_exact(n)).zip(&group.sums);
            for (((exps, g), sum), dx) in rows.zip(dx.chunks_exact_mut(n)) {
                let sum = sum.wrap::<FMA>();
                for ((e, g), dx) in exps.iter().zip(g).zip(dx) {
                    dx.write(T::unwrap::<FMA>(g.wrap::<FMA>() - e.wrap::<FMA>() * sum));
                }
            }
        }
    }

    #[inline(always)]
    fn long<const FMA: bool>(self) {
        let n = self.n;
        let mut room = [T::ZERO; BLOCK];
        for (i, (y, dx)) in self.y.chunks_exact(n).zip(self.dx.chunks_exact_mut(n)).enumerate() {
            let g = self.g.row(i, n, &mut room);
            let mut lanes = Lanes::new();
            for run in runs(n) {
                for at in run {
                    lanes.add(g.load::<FMA>(at, T::ZERO));
                }
                lanes.flush();
            }
            let sum = lanes.sum();
            for at in (0..n).step_by(BLOCK) {
                stream::fetch_ahead(y[at..].as_ptr());
                let mut block = load::<T, FMA>(y, at, T::ZERO);
                let g = g.load::<FMA>(at, T::ZERO);
                for j in 0..BLOCK {
                    block[j] = g[j] - block[j].exp() * sum;
                }
                store::<T, FMA>(dx, at, block, self.how);
            }
        }
        self.how.finish();
    }
}
