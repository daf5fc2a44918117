//! `y = max` over as many windows of one axis as are asked for.

use super::max_pool2d::{MaxPool, MaxPoolWithIndices};
use super::pooling::{filled, name, windows};
use super::prelude::*;
use gradus_tensor::AdaptiveSize;
use gradus_tensor::kernels::pool::Windows;
use std::sync::Arc;

const NAME: &str = name("max", true, 1);

fn adaptive_windows(x: &Tensor, size: AdaptiveSize) -> Result<Arc<Windows>, OpError> {
    let windows = windows::<1>(NAME, x, |input| size.windows(input))?;
    filled::<1>(NAME, x)?;
    Ok(windows)
}

impl Tensor {
    /// The maximum of so many windows of the last axis, cut as those of
    /// [`Tensor::adaptive_avg_pool1d`].
    ///
    /// # Shape      `[N, C, L]` or `[C, L]`  →  the same with the new size
    /// # Gradient   to the maximum alone; a tie goes to the first
    /// # Numerics   NaN wins
    /// # Panics     if the shape does not fit
    /// # PyTorch    `torch.nn.functional.adaptive_max_pool1d`
    /// # Example
    /// ```
    /// use gradus_autodiff::Tensor;
    /// let x = Tensor::from([[1.0, 3.0, 2.0]]);
    /// assert_eq!(x.adaptive_max_pool1d(2).to_vec::<f64>(), [3.0, 3.0]);
    /// ```
    #[track_caller]
    pub fn adaptive_max_pool1d(&self, output_size: impl Into<AdaptiveSize>) -> Tensor {
        must(self.try_adaptive_max_pool1d(output_size))
    }
    /// As [`Tensor::adaptive_max_pool1d`].
    ///
    /// # Errors
    /// If the shape does not fit.
    #[track_caller]
    pub fn try_adaptive_max_pool1d(
        &self,
        output_size: impl Into<AdaptiveSize>,
    ) -> Result<Tensor, OpError> {
        let windows = adaptive_windows(self, output_size.into())?;
        Tensor::try_apply(MaxPool::<true, 1>(windows), self)
    }
    /// As [`Tensor::adaptive_max_pool1d`]; also where each maximum stands, as
    /// [`Tensor::max_pool1d_with_indices`] says it.
    ///
    /// # Panics
    /// If the shape does not fit.
    #[track_caller]
    pub fn adaptive_max_pool1d_with_indices(
        &self,
        output_size: impl Into<AdaptiveSize>,
    ) -> (Tensor, Tensor) {
        must(self.try_adaptive_max_pool1d_with_indices(output_size))
    }
    /// As [`Tensor::adaptive_max_pool1d_with_indices`].
    ///
    /// # Errors
    /// If the shape does not fit.
    #[track_caller]
    pub fn try_adaptive_max_pool1d_with_indices(
        &self,
        output_size: impl Into<AdaptiveSize>,
    ) -> Result<(Tensor, Tensor), OpError> {
        let windows = adaptive_windows(self, output_size.into())?;
        Tensor::try_apply(MaxPoolWithIndices::<true, 1>(windows), self).map(Into::into)
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new(&[&[2, 2, 7]], |x| x[0].adaptive_max_pool1d(3)),
        Case::new(&[&[2, 4]], |x| x[0].adaptive_max_pool1d(6) * 2.0),
        Case::new(&[&[0, 2, 4]], |x| x[0].adaptive_max_pool1d(2)),
        Case::new(&[&[2, 4]], |x| x[0].adaptive_max_pool1d(2).square()),
        Case::new(&[&[2, 5]], |x| x[0].adaptive_max_pool1d_with_indices(2).0),
    ]
}
