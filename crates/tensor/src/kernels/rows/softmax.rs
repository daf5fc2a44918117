//! Softmax over rows, and its gradient.

use super::super::dispatch::Kernel;
use super::super::level::{Level, level};
use super::super::real::Real;
use super::super::reduce::Sum;
use super::super::stream::Write;
use super::log_softmax::sum_of_exp;
use super::short::{Group, SHORT, fold_short, group_len};
use super::{BLOCK, Lanes, RowFloat, Rows, check_rows, largest, load, store};
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
    if n > 0 {
        T::run_at(level, Softmax { x, n, y, how });
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

struct Softmax<'a, T> {
    x: &'a [T],
    n: usize,
    y: &'a mut [MaybeUninit<T>],
    how: Write,
}

/// Elements of a row whose exponentials are kept until their sum is known: 16 KiB of f32. In a longer row
/// they are computed twice.
const KEPT: usize = 4096;

impl<T: RowFloat> Kernel for Softmax<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(self) {
        if self.n <= SHORT { self.short::<FMA>() } else { self.long::<FMA>() }
    }
}

impl<T: RowFloat> Softmax<'_, T> {
    #[inline(always)]
    fn short<const FMA: bool>(self) {
        let (n, len) = (self.n, group_len(self.n));
        let mut group = Group::new();
        for (x, y) in self.x.chunks(len).zip(self.y.chunks_mut(len)) {
            group.fill::<FMA>(x, n, false);
            let rows = group.exps.chunks_exact(n).zip(&group.sums);
            for ((exps, sum), y) in rows.zip(y.chunks_exact_mut(n)) {
                let scale = sum.wrap::<FMA>().recip();
                for (e, y) in exps.iter().zip(y) {
                    y.write(T::unwrap::<FMA>(e.wrap::<FMA>() * scale));
                }
            }
        }
    }

    #[inline(always)]
    fn long<const FMA: bool>(self) {
        let n = self.n;
        let mut kept = [T::ZERO; KEPT];
        for (x, y) in self.x.chunks_exact(n).zip(self.y.chunks_exact_mut(n)) {
            let max = largest::<T, FMA>(x);
            if n > KEPT {
                let scale = sum_of_exp::<T, FMA>(x, max).recip();
                for at in (0..n).step_by(BLOCK) {
                    let block = exps::<T, FMA>(x, at, max).map(|e| e * scale);
                    store::<T, FMA>(y, at, block, self.how);
                }
                continue;
            }
            let mut lanes = Lanes::new();
            for (at, kept) in (0..n).step_by(BLOCK).zip(kept.as_chunks_mut::<BLOCK>().0) {
                let block = exps::<T, FMA>(x, at, max);
                *kept = block.map(T::unwrap::<FMA>);
                lanes.add(block);
            }
            let scale = lanes.sum().recip();
            for (at, kept) in (0..n).step_by(BLOCK).zip(kept.as_chunks::<BLOCK>().0) {
                let block = kept.map(|e| e.wrap::<FMA>() * scale);
                store::<T, FMA>(y, at, block, self.how);
            }
        }
        self.how.finish();
    }
}

/// `e^(x − max)` of one block. e^(-inf) = 0: what is padded adds nothing.
#[inline(always)]
fn exps<T: RowFloat, const FMA: bool>(
    x: &[T],
    at: usize,
    max: T::Real<FMA>,
) -> [T::Real<FMA>; BLOCK] {
    let mut block = load::<T, FMA>(x, at, T::LOWEST);
    for v in &mut block {
        *v = (*v - max).exp();
    }
    block
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
            for at in (0..n).step_by(BLOCK) {
                let mut block = load::<T, FMA>(y, at, T::ZERO);
                let g = g.load::<FMA>(at, T::ZERO);
                for j in 0..BLOCK {
                    block[j] = block[j] * g[j];
                }
                lanes.add(block);
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
