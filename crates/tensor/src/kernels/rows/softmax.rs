//! Softmax over rows, and its gradient.

use super::super::dispatch::Kernel;
use super::super::level::{Level, level};
use super::super::reduce::Sum;
use super::super::stream::{self, Write};
use super::exp_sums::ScaledSoftmax;
use super::exps::{KEPT, Scaled, Sums};
use super::short::{GROUP, Group, SHORT, fold_short};
use super::{BLOCK, Lanes, RowFloat, Rows, check_rows, group_len, load, runs, store};
use std::mem::MaybeUninit;

/// `y[i] = e^(x[i] − max) / Σⱼ e^(x[j] − max)` in each row of `n`.
///
/// An element of -inf gives 0; a row with inf or NaN, or of nothing but -inf, gives NaN, as PyTorch.
///
/// # Panics
///
/// If the lengths differ or are no multiple of `n`.
pub fn softmax<T: RowFloat>(x: &[T], n: usize, y: &mut [MaybeUninit<T>], how: Write) {
    softmax_at(level(), x, n, y, how);
}

/// [`softmax`] with the instructions of `level`.
#[doc(hidden)]
pub fn softmax_at<T: RowFloat>(
    level: Level,
    x: &[T],
    n: usize,
    y: &mut [MaybeUninit<T>],
    how: Write,
) {
    check_rows(n, x.len(), &[y.len()]);
    if n == 0 {
        return;
    } else if n <= SHORT {
        by_groups(level, x, n, y, &mut [T::ZERO; GROUP], how);
    } else if n <= KEPT {
        by_groups(level, x, n, y, &mut [T::ZERO; KEPT], how);
    } else {
        let mut sums = Sums::new();
        for (x, y) in x.chunks_exact(n).zip(y.chunks_exact_mut(n)) {
            sums.fill(level, x, n, &mut [], false);
            let (sums, scale) = (&[sums.shifts[0], sums.sums[0]], &[T::ONE]);
            T::run_at(level, ScaledSoftmax { x, n, sums, scale, y, how });
        }
    }
    how.finish();
}

/// Softmax of rows whose exponentials have room in `exps`.
fn by_groups<T: RowFloat>(
    level: Level,
    x: &[T],
    n: usize,
    y: &mut [MaybeUninit<T>],
    exps: &mut [T],
    how: Write,
) {
    let len = group_len(GROUP, n);
    let mut sums = Sums::new();
    for (x, y) in x.chunks(len).zip(y.chunks_mut(len)) {
        sums.fill(level, x, n, exps, false);
        T::run_at(level, Scaled { exps: &*exps, n, sums: &sums.sums, y, how });
    }
}

/// `dx = y·(g − Σ g·y)` in each row of `n`, for `y = softmax(x)` and its gradient `g`.
///
/// # Panics
///
/// If the lengths differ or are no multiple of `n`.
pub fn softmax_backward<T: RowFloat>(
    y: &[T],
    g: Rows<'_, T>,
    n: usize,
    dx: &mut [MaybeUninit<T>],
    how: Write,
) {
    softmax_backward_at(level(), y, g, n, dx, how);
}

/// [`softmax_backward`] with the instructions of `level`.
#[doc(hidden)]
pub fn softmax_backward_at<T: RowFloat>(
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
            for ((product, y), g) in group.exps.iter_mut().zip(y).zip(g) {
                *product = y.mul(*g);
            }
            fold_short(Sum, &group.exps[..y.len()], n, &mut group.sums);
            let rows = y.chunks_exact(n).zip(g.chunks_exact(n)).zip(&group.sums);
            for (((y, g), dot), dx) in rows.zip(dx.chunks_exact_mut(n)) {
                combine::<T, FMA>(y, g, dot.wrap::<FMA>(), dx);
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
                    stream::fetch_ahead(y[at..].as_ptr());
                    g.fetch_ahead(at);
                    let mut block = load::<T, FMA>(y, at, T::ZERO);
                    let g = g.load::<FMA>(at, T::ZERO);
                    for j in 0..BLOCK {
                        block[j] = block[j] * g[j];
                    }
                    lanes.add(block);
                }
                lanes.flush();
            }
            let dot = lanes.sum();
            for at in (0..n).step_by(BLOCK) {
                let mut block = load::<T, FMA>(y, at, T::ZERO);
                let g = g.load::<FMA>(at, T::ZERO);
                for j in 0..BLOCK {
                    block[j] = block[j] * (g[j] - dot);
                }
                store::<T, FMA>(dx, at, block, self.how);
            }
        }
        self.how.finish();
    }
}

/// `dx = y·(g − dot)`.
#[inline(always)]
fn combine<T: RowFloat, const FMA: bool>(
    y: &[T],
    g: &[T],
    dot: T::Real<FMA>,
    dx: &mut [MaybeUninit<T>],
) {
    for ((y, g), dx) in y.iter().zip(g).zip(dx) {
        dx.write(T::unwrap::<FMA>(y.wrap::<FMA>() * (g.wrap::<FMA>() - dot)));
    }
}
