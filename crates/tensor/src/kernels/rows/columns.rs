//! What softmax divides by, for the columns of a matrix: vectors run across them, nothing is turned.

use super::super::dispatch::Kernel;
use super::super::level::{Level, level};
use super::super::real::Real;
use super::{BLOCK, Lanes, RowFloat, load, runs};

/// The largest element of each column of each `[n, inner]` matrix, and `Σ e^(x − max)` over the column.
///
/// For parts of columns, to be put together: a column of nothing but -inf has the sum 0, not yet NaN.
///
/// # Panics
///
/// If the lengths do not fit.
pub fn column_exp_sums<T: RowFloat>(
    x: &[T],
    [outer, n, inner]: [usize; 3],
    max: &mut [T],
    sum: &mut [T],
) {
    column_exp_sums_at(level(), x, [outer, n, inner], max, sum);
}

/// [`column_exp_sums`] with the instructions of `level`.
#[doc(hidden)]
pub fn column_exp_sums_at<T: RowFloat>(
    level: Level,
    x: &[T],
    [outer, n, inner]: [usize; 3],
    max: &mut [T],
    sum: &mut [T],
) {
    assert!(x.len() == outer * n * inner, "{} elements are not {outer}·{n}·{inner}", x.len());
    assert!(max.len() == outer * inner && sum.len() == max.len(), "one result for each column");
    if x.is_empty() {
        max.fill(T::LOWEST);
        sum.fill(T::ZERO);
        return;
    }
    T::run_at(level, ExpSums { x, n, inner, max, sum });
}

struct ExpSums<'a, T> {
    x: &'a [T],
    n: usize,
    inner: usize,
    max: &'a mut [T],
    sum: &'a mut [T],
}

impl<T: RowFloat> Kernel for ExpSums<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(self) {
        let Self { x, n, inner, max, sum } = self;
        // Narrow rows are taken several at once, as one row that fills the registers.
        let together = (BLOCK / inner).clamp(1, n);
        let stride = together * inner;
        let outputs = max.chunks_exact_mut(inner).zip(sum.chunks_exact_mut(inner));
        for (x, (max, sum)) in x.chunks_exact(n * inner).zip(outputs) {
            for column in (0..inner).step_by(BLOCK) {
                let width = BLOCK.min(inner - column);
                let lanes = if together > 1 { stride } else { width };
                let parts = || x[column..].chunks(stride).map(|row| &row[..lanes.min(row.len())]);
                let mut best = [T::LOWEST.wrap::<FMA>(); BLOCK];
                for part in parts() {
                    let block = load::<T, FMA>(part, 0, T::LOWEST);
                    for j in 0..BLOCK {
                        best[j] = best[j].maximum(block[j]);
                    }
                }
                for j in inner..lanes {
                    best[j % inner] = best[j % inner].maximum(best[j]);
                }
                // -inf − -inf would be NaN.
                let mut shift = best;
                for v in &mut shift {
                    let nothing = *v == T::LOWEST.wrap::<FMA>();
                    *v = T::Real::<FMA>::select(nothing, T::ZERO.wrap::<FMA>(), *v);
                }
                for j in inner..lanes {
                    shift[j] = shift[j % inner];
                }
                let mut total = Lanes::new();
                let mut rest = parts();
                for run in runs(BLOCK * parts().len()) {
                    for part in rest.by_ref().take(run.count()) {
                        // e^(-inf) = 0: what is padded adds nothing.
                        let mut block = load::<T, FMA>(part, 0, T::LOWEST);
                        for j in 0..BLOCK {
                            block[j] = (block[j] - shift[j]).exp();
                        }
                        total.add(block);
                    }
                    total.flush();
                }
                let mut total = total.total;
                for j in inner..lanes {
                    total[j % inner] += total[j];
                }
                for j in 0..width {
                    max[column + j] = T::unwrap::<FMA>(best[j]);
                    sum[column + j] = T::unwrap::<FMA>(T::Real::<FMA>::of(total[j]));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::samples::{levels, noise};
    use super::*;

    fn check<T: RowFloat>(x: &[T], shape: [usize; 3], tolerance: f64) {
        let [outer, n, inner] = shape;
        for level in levels() {
            let (mut max, mut sum) = (vec![T::ZERO; outer * inner], vec![T::ZERO; outer * inner]);
            column_exp_sums_at(level, x, shape, &mut max, &mut sum);
            for (at, (max, sum)) in max.iter().zip(&sum).enumerate() {
                let (o, i) = (at / inner, at % inner);
                let column: Vec<f64> = (0..n).map(|k| x[(o * n + k) * inner + i].wide()).collect();
                let most = column.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let want: f64 = column.iter().map(|v| (v - most).exp()).sum();
                assert_eq!(max.wide(), most, "{level:?} {shape:?} {at}");
                let error = (sum.wide() - want).abs();
                assert!(
                    error <= tolerance * want,
                    "{level:?} {shape:?} {at}: {sum:?}, want {want}"
                );
            }
        }
    }

    #[test]
    fn sums_of_columns_equal_their_formula() {
        for shape in [[1, 1, 2], [2, 3, 2], [1, 100, 3], [2, 7, 31], [1, 5, 33], [3, 4, 64]] {
            let x = noise(shape.iter().product(), 1);
            check(&x, shape, 1e-13);
            check(&x.iter().map(|&v| v as f32).collect::<Vec<_>>(), shape, 1e-6);
        }
        for shape in [[1, 1000, 16], [2, 65, 65], [1, 9, 300], [1, 2, 129]] {
            let x: Vec<f64> = noise(shape.iter().product(), 2).iter().map(|v| v * 30.0).collect();
            check(&x, shape, 1e-13);
            check(&x.iter().map(|&v| v as f32).collect::<Vec<_>>(), shape, 2e-6);
        }
    }

    #[test]
    fn a_column_of_nothing_sums_to_nothing_and_nan_stays() {
        const INF: f32 = f32::INFINITY;
        let x = [-INF, 0.0, f32::NAN, INF, -INF, -INF, 1.0, 0.0];
        let (mut max, mut sum) = ([0.0; 4], [0.0; 4]);
        column_exp_sums(&x, [1, 2, 4], &mut max, &mut sum);
        assert_eq!((max[0], sum[0]), (-INF, 0.0));
        assert_eq!((max[1], sum[1]), (0.0, 1.0));
        assert!(max[2].is_nan() && sum[2].is_nan());
        assert!(max[3] == INF && sum[3].is_nan());
    }
}
