//! The logarithm of softmax over rows, and its gradient.

use super::super::dispatch::Kernel;
use super::super::level::{Level, level};
use super::super::real::Real;
use super::super::reduce::Sum;
use super::super::stream::Write;
use super::short::{Group, SHORT, fold_short, group_len};
use super::{BLOCK, Lanes, RowFloat, Rows, check_rows, largest, load, store};
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
    if n > 0 {
        T::run_at(level, LogSoftmax { x, n, y, how });
    }
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

/// `Σ e^(x − shift)` over a row.
#[inline(always)]
pub(super) fn sum_of_exp<T: RowFloat, const FMA: bool>(
    x: &[T],
    shift: T::Real<FMA>,
) -> T::Real<FMA> {
    let mut lanes = Lanes::new();
    for at in (0..x.len()).step_by(BLOCK) {
        // e^(-inf) = 0: what is padded adds nothing.
        let mut block = load::<T, FMA>(x, at, T::LOWEST);
        for v in &mut block {
            *v = (*v - shift).exp();
        }
        lanes.add(block);
    }
    lanes.sum()
}

struct LogSoftmax<'a, T> {
    x: &'a [T],
    n: usize,
    y: &'a mut [MaybeUninit<T>],
    how: Write,
}

impl<T: RowFloat> Kernel for LogSoftmax<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(self) {
        if self.n <= SHORT { self.short::<FMA>() } else { self.long::<FMA>() }
    }
}

impl<T: RowFloat> LogSoftmax<'_, T> {
    #[inline(always)]
    fn short<const FMA: bool>(self) {
        let (n, len) = (self.n, group_len(self.n));
        let mut group = Group::new();
        for (x, y) in self.x.chunks(len).zip(self.y.chunks_mut(len)) {
            group.fill::<FMA>(x, n, false);
            let rows = x.chunks_exact(n).zip(&group.shifts).zip(&group.sums);
            for (((x, max), sum), y) in rows.zip(y.chunks_exact_mut(n)) {
                combine::<T, FMA>(x, max.wrap::<FMA>(), sum.wrap::<FMA>().ln(), y);
            }
        }
    }

    #[inline(always)]
    fn long<const FMA: bool>(self) {
        let n = self.n;
        for (x, y) in self.x.chunks_exact(n).zip(self.y.chunks_exact_mut(n)) {
            let max = largest::<T, FMA>(x);
            let log = sum_of_exp::<T, FMA>(x, max).ln();
            for at in (0..n).step_by(BLOCK) {
                let block = load::<T, FMA>(x, at, T::ZERO).map(|x| x - max - log);
                store::<T, FMA>(y, at, block, self.how);
            }
        }
        self.how.finish();
    }
}

/// `y = x − max − log`.
#[inline(always)]
fn combine<T: RowFloat, const FMA: bool>(
    x: &[T],
    max: T::Real<FMA>,
    log: T::Real<FMA>,
    y: &mut [MaybeUninit<T>],
) {
    for (x, y) in x.iter().zip(y) {
        y.write(T::unwrap::<FMA>(x.wrap::<FMA>() - max - log));
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
        let (n, len) = (self.n, group_len(self.n));
        let mut group = Group::new();
        let inputs = self.y.chunks(len).zip(g.chunks(len));
        for ((y, g), dx) in inputs.zip(self.dx.chunks_mut(len)) {
            group.exps[..y.len()].copy_from_slice(y);
            group.exp::<FMA>(y.len());
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
            for at in (0..n).step_by(BLOCK) {
                lanes.add(g.load::<FMA>(at, T::ZERO));
            }
            let sum = lanes.sum();
            for at in (0..n).step_by(BLOCK) {
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
