//! Layer normalisation over rows, and its gradients.
//!
//! No fused multiply-add: memory is the limit, and so the results have the same bits at every level.

use super::super::dispatch::Kernel;
use super::super::level::{Level, level};
use super::super::real::Real;
use super::super::reduce::Sum;
use super::super::stream::{self, Write};
use super::{
    BLOCK, Lanes, ROWS, RowFloat, Rows, TOGETHER, check_rows, fold_group, group_len, load, runs,
    store,
};
use std::mem::MaybeUninit;

/// What scales and shifts the normalised rows: an element for each column, or nothing.
#[derive(Clone, Copy, Debug)]
pub struct Affine<'a, T> {
    /// Factors.
    pub weight: Option<&'a [T]>,
    /// Summands.
    pub bias: Option<&'a [T]>,
}

/// What is known of a row: two parts of its mean, a large and a small one, and `1/√(σ² + ε)`.
///
/// A mean in one f32 would be wrong by half a unit of its last place, which is much for rows that vary
/// little around a large mean.
pub type Stats<T> = [T; 3];

/// Elements of a group of rows whose share of the column sums is added up at once: of f32 32 KiB.
const GROUP: usize = 8 << 10;

/// `y = (x − μ)/√(σ² + ε)·w + b` in each row of `n`, with mean and biased variance of the row.
///
/// # Panics
///
/// If the lengths do not fit.
pub fn layer_norm<T: RowFloat>(
    x: &[T],
    by: Affine<'_, T>,
    eps: f64,
    y: &mut [MaybeUninit<T>],
    stats: &mut [Stats<T>],
    how: Write,
) {
    layer_norm_at(level(), x, by, eps, y, stats, how);
}

/// [`layer_norm`] with the instructions of `level`.
#[doc(hidden)]
pub fn layer_norm_at<T: RowFloat>(
    level: Level,
    x: &[T],
    by: Affine<'_, T>,
    eps: f64,
    y: &mut [MaybeUninit<T>],
    stats: &mut [Stats<T>],
    how: Write,
) {
    assert_eq!(x.len(), y.len(), "input and output differ in length");
    let Some(n) = x.len().checked_div(stats.len()).filter(|&n| n > 0) else { return };
    check_rows(n, x.len(), &[]);
    let fits = |v: Option<&[T]>| v.is_none_or(|v| v.len() == n);
    assert!(fits(by.weight) && fits(by.bias), "weight and bias have one element for each column");
    let (rows, mut sums) = (group_len(TOGETHER, n) / n, [T::ZERO; ROWS]);
    let groups = x.chunks(rows * n).zip(y.chunks_mut(rows * n));
    for ((x, y), stats) in groups.zip(stats.chunks_mut(rows)) {
        fold_group(level, Sum, x, n, &mut sums);
        T::run_at(level, LayerNorm { x, n, sums: &sums, by, eps, y, stats, how });
    }
    how.finish();
}

struct LayerNorm<'a, T> {
    x: &'a [T],
    n: usize,
    /// Of each row.
    sums: &'a [T],
    by: Affine<'a, T>,
    eps: f64,
    y: &'a mut [MaybeUninit<T>],
    stats: &'a mut [Stats<T>],
    how: Write,
}

impl<T: RowFloat> Kernel for LayerNorm<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(self) {
        let n = self.n;
        let rows = self.x.chunks_exact(n).zip(self.y.chunks_exact_mut(n));
        for ((x, y), (stats, sum)) in rows.zip(self.stats.iter_mut().zip(self.sums)) {
            *stats = moments::<T, FMA>(x, *sum, self.eps);
            for at in (0..n).step_by(BLOCK) {
                let mut block = normalised::<T, FMA>(x, at, stats);
                if let Some(weight) = self.by.weight {
                    times::<T, FMA>(&mut block, weight, at);
                }
                if let Some(bias) = self.by.bias {
                    let bias = load::<T, FMA>(bias, at, T::ZERO);
                    for j in 0..BLOCK {
                        block[j] = block[j] + bias[j];
                    }
                }
                store::<T, FMA>(y, at, block, self.how);
            }
        }
    }
}

/// From the sum of a row, whose pass has brought it into the cache, a pass over the deviations from its mean.
#[inline(always)]
fn moments<T: RowFloat, const FMA: bool>(x: &[T], sum: T, eps: f64) -> Stats<T> {
    let n = x.len() as f64;
    let shift = T::Real::<FMA>::of(sum.wide() / n);
    let (mut one, mut two) = (Lanes::new(), Lanes::new());
    for run in runs(x.len()) {
        for at in run {
            // What is padded deviates by nothing.
            let mut block = load::<T, FMA>(x, at, T::unwrap::<FMA>(shift));
            let mut squares = block;
            for j in 0..BLOCK {
                block[j] = block[j] - shift;
                squares[j] = block[j] * block[j];
            }
            one.add(block);
            two.add(squares);
        }
        one.flush();
        two.flush();
    }
    let rest = one.total() / n;
    let variance = two.total() / n - rest * rest;
    // Rounding may leave less than 0, which has no root; NaN stays.
    let variance = if variance < 0.0 { 0.0 } else { variance };
    let number = |v: f64| T::unwrap::<FMA>(T::Real::<FMA>::of(v));
    [T::unwrap::<FMA>(shift), number(rest), number(1.0 / (variance + eps).sqrt())]
}

/// `(x − μ)/√(σ² + ε)` of one block.
#[inline(always)]
fn normalised<T: RowFloat, const FMA: bool>(
    x: &[T],
    at: usize,
    &[shift, rest, rstd]: &Stats<T>,
) -> [T::Real<FMA>; BLOCK] {
    let (shift, rest, rstd) = (shift.wrap::<FMA>(), rest.wrap::<FMA>(), rstd.wrap::<FMA>());
    let mut block = load::<T, FMA>(x, at, T::ZERO);
    for v in &mut block {
        *v = (*v - shift - rest) * rstd;
    }
    block
}

#[inline(always)]
fn times<T: RowFloat, const FMA: bool>(block: &mut [T::Real<FMA>; BLOCK], by: &[T], at: usize) {
    let by = load::<T, FMA>(by, at, T::ZERO);
    for j in 0..BLOCK {
        block[j] = block[j] * by[j];
    }
}

/// The gradients of [`layer_norm`] for rows `x` with `stats`, from the gradient `g` of its result. With
/// `x̂ = (x − μ)·r`, `a = g·w` and means over the row:
///
/// ```text
/// dx = r·(a − mean(a) − x̂·mean(a·x̂))        sums += [Σ g·x̂, Σ g] of each column
/// ```
/// `sums` is empty, or has `2n` elements.
///
/// # Panics
///
/// If the lengths do not fit.
pub fn layer_norm_backward<T: RowFloat>(
    x: &[T],
    g: Rows<'_, T>,
    stats: &[Stats<T>],
    weight: Option<&[T]>,
    dx: &mut [MaybeUninit<T>],
    sums: &mut [f64],
    how: Write,
) {
    layer_norm_backward_at(level(), x, g, stats, weight, dx, sums, how);
}

/// [`layer_norm_backward`] with the instructions of `level`.
#[doc(hidden)]
#[allow(clippy::too_many_arguments, reason = "the arguments of the function above, and the level")]
pub fn layer_norm_backward_at<T: RowFloat>(
    level: Level,
    x: &[T],
    g: Rows<'_, T>,
    stats: &[Stats<T>],
    weight: Option<&[T]>,
    dx: &mut [MaybeUninit<T>],
    sums: &mut [f64],
    how: Write,
) {
    assert_eq!(x.len(), dx.len(), "input and output differ in length");
    let Some(n) = x.len().checked_div(stats.len()).filter(|&n| n > 0) else { return };
    check_rows(n, x.len(), &[]);
    assert!(g.reach(stats.len(), n), "the gradient has fewer rows");
    assert!(weight.is_none_or(|w| w.len() == n), "the weight has one element for each column");
    assert!(sums.is_empty() || sums.len() == 2 * n, "two sums for each column");
    T::run_at(level, Backward { x, n, g, stats, weight, dx, sums, how });
}

struct Backward<'a, T> {
    x: &'a [T],
    n: usize,
    g: Rows<'a, T>,
    stats: &'a [Stats<T>],
    weight: Option<&'a [T]>,
    dx: &'a mut [MaybeUninit<T>],
    sums: &'a mut [f64],
    how: Write,
}

impl<T: RowFloat> Kernel for Backward<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(mut self) {
        let (n, rows) = (self.n, self.stats.len());
        let together = (GROUP / n).max(1);
        for first in (0..rows).step_by(together) {
            let last = (first + together).min(rows);
            for row in first..last {
                self.row::<FMA>(row);
            }
            if !self.sums.is_empty() {
                for at in (0..n).step_by(BLOCK) {
                    self.columns::<FMA>(first, last, at);
                }
            }
        }
        self.how.finish();
    }
}

impl<T: RowFloat> Backward<'_, T> {
    /// `dx` of one row.
    #[inline(always)]
    fn row<const FMA: bool>(&mut self, row: usize) {
        let n = self.n;
        let mut room = [T::ZERO; BLOCK];
        let (x, g) = (&self.x[row * n..][..n], self.g.row(row, n, &mut room));
        let (stats, weight) = (&self.stats[row], self.weight);
        let scaled = |at: usize| {
            let mut a = g.load::<FMA>(at, T::ZERO);
            if let Some(weight) = weight {
                times::<T, FMA>(&mut a, weight, at);
            }
            a
        };
        let (mut one, mut two) = (Lanes::new(), Lanes::new());
        for run in runs(n) {
            for at in run {
                stream::fetch_ahead(x[at..].as_ptr());
                g.fetch_ahead(at);
                let (a, mut hat) = (scaled(at), normalised::<T, FMA>(x, at, stats));
                for j in 0..BLOCK {
                    hat[j] = hat[j] * a[j];
                }
                one.add(a);
                two.add(hat);
            }
            one.flush();
            two.flush();
        }
        let mean = |sum: f64| T::Real::<FMA>::of(sum / n as f64);
        let (one, two, rstd) = (mean(one.total()), mean(two.total()), stats[2].wrap::<FMA>());
        let dx = &mut self.dx[row * n..][..n];
        for at in (0..n).step_by(BLOCK) {
            let (mut a, hat) = (scaled(at), normalised::<T, FMA>(x, at, stats));
            for j in 0..BLOCK {
                a[j] = (a[j] - one - hat[j] * two) * rstd;
            }
            store::<T, FMA>(dx, at, a, self.how);
        }
    }

    /// The sums of a block of columns over a group of rows.
    #[inline(always)]
    fn columns<const FMA: bool>(&mut self, first: usize, last: usize, at: usize) {
        let n = self.n;
        let mut room = [T::ZERO; BLOCK];
        let (mut dw, mut db) = ([T::ZERO.wrap::<FMA>(); BLOCK], [T::ZERO.wrap::<FMA>(); BLOCK]);
        for row in first..last {
            let hat = normalised::<T, FMA>(&self.x[row * n..][..n], at, &self.stats[row]);
            let g = self.g.row(row, n, &mut room).load::<FMA>(at, T::ZERO);
            for j in 0..BLOCK {
                dw[j] = dw[j] + g[j] * hat[j];
                db[j] = db[j] + g[j];
            }
        }
        let (of_w, of_b) = self.sums.split_at_mut(n);
        for (sums, terms) in [(of_w, dw), (of_b, db)] {
            for (sum, v) in sums[at..].iter_mut().zip(terms) {
                *sum += v.to_f64();
            }
        }
    }
}

#[cfg(test)]
mod tests;
