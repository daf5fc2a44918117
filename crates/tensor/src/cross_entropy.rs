//! Cross-entropy of rows of logits with class positions, and its gradient: one pass each.

use crate::kernels::rows::{RowFloat, exp_sums, scaled_softmax};
use crate::rows::{lane, row_lane};
use crate::storage::as_uninit;
use crate::{Array, Element, threads};

/// Serial nanoseconds for each logit: an exponential.
const NS_PER_ELEMENT: f64 = 0.6;
/// Logits of one task, at least.
const CHUNK: usize = 8 << 10;

impl Array {
    /// Losses `[m]` of the rows of `self: [m, c]`, in f64 for f64, else in f32, and what their gradient
    /// needs again, the pairs `(maxᵢ, Σᵢ)`, `[m, 2]`:
    ///
    /// ```text
    /// lossᵢ = coefᵢ·(maxᵢ + ln Σᵢ − x[i, atᵢ]),   Σᵢ = Σⱼ e^(x[i, j] − maxᵢ)
    /// ```
    /// `at` is i64 and in range; −1 marks a row whose loss is 0.
    ///
    /// # Panics
    /// If shapes or dtypes do not fit.
    #[track_caller]
    pub fn cross_entropy_rows(&self, at: &Array, coef: &Array) -> (Array, Array) {
        let x = self.clone().cast(row_lane(self.dtype())).contiguous();
        let coef = coef.clone().cast(x.dtype());
        lane!(self.dtype(), T => losses::<T>(&x, at.elements(), &coef.read::<T>()))
    }
    /// The gradient of [`Array::cross_entropy_rows`] in the dtype of `self`, where `scale: [m]` is the
    /// gradient of the loss of each row, times its coefficient:
    ///
    /// ```text
    /// y[i, j] = scaleᵢ·(e^(x[i, j] − maxᵢ)/Σᵢ − [j = atᵢ])
    /// ```
    /// Here −1 is the last class; a row that was skipped has scale 0.
    ///
    /// # Panics
    /// If shapes or dtypes do not fit.
    #[track_caller]
    pub fn cross_entropy_rows_backward(&self, at: &Array, sums: &Array, scale: &Array) -> Array {
        let x = self.clone().cast(row_lane(self.dtype())).contiguous();
        let scale = scale.clone().cast(x.dtype());
        let y = lane!(self.dtype(), T => {
            gradients::<T>(&x, at.elements(), sums.elements::<T>(), &scale.read::<T>())
        });
        y.cast(self.dtype())
    }
}

/// Rows of one task.
fn task_rows(classes: usize) -> usize {
    (CHUNK / classes.max(1)).max(1)
}

fn losses<T: RowFloat + Element>(x: &Array, at: &[i64], coef: &[T]) -> (Array, Array) {
    let (m, c) = (x.shape()[0], x.shape()[1]);
    let (data, rows) = (x.elements::<T>(), task_rows(c));
    let sums = Array::build::<T>([m, 2], |out| {
        threads::run_chunks(out, 2 * rows, x.numel() as f64 * NS_PER_ELEMENT, &|i, out| {
            exp_sums(&data[i * rows * c..][..out.len() / 2 * c], c, as_uninit(out));
        });
    });
    let pairs = sums.elements::<T>().chunks_exact(2);
    let losses = Array::build::<T>(m, |out| {
        for (((i, out), pair), &coef) in out.iter_mut().enumerate().zip(pairs).zip(coef) {
            *out = match usize::try_from(at[i]) {
                Ok(at) => {
                    let below = pair[0].wide() - data[i * c + at].wide();
                    number(coef.wide() * (below + pair[1].wide().ln()))
                }
                Err(_) => T::ZERO,
            };
        }
    });
    (losses, sums)
}

fn gradients<T: RowFloat + Element>(x: &Array, at: &[i64], sums: &[T], scale: &[T]) -> Array {
    let (data, c) = (x.elements::<T>(), x.shape()[1]);
    let rows = task_rows(c);
    Array::build::<T>(x.shape(), |out| {
        let cost = data.len() as f64 * NS_PER_ELEMENT;
        threads::run_chunks(out, (rows * c).max(1), cost, &|i, out| {
            let (first, count) = (i * rows, out.len() / c);
            let (at, scale) = (&at[first..][..count], &scale[first..][..count]);
            let part = &data[first * c..][..out.len()];
            scaled_softmax(part, c, &sums[2 * first..][..2 * count], scale, as_uninit(out));
            for ((row, &at), &scale) in out.chunks_exact_mut(c).zip(at).zip(scale) {
                let hit = usize::try_from(at).unwrap_or(c - 1);
                row[hit] = number(row[hit].wide() - scale.wide());
            }
        });
    })
}

fn number<T: Element>(v: f64) -> T {
    T::of(crate::Scalar::Float(v))
}
