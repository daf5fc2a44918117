//! `y = max` over windows of one axis.

use super::max_pool2d::{MaxPool, MaxPoolWithIndices, max_windows};
use super::pooling::MaxPoolOptions;
use super::prelude::*;
use gradus_tensor::PerAxis;

impl Tensor {
    /// The maximum of every window of the last axis, side by side.
    ///
    /// # Shape      `[N, C, L]` or `[C, L]`  →  the same with `⌊(L − kernel)/stride⌋ + 1`
    /// # Gradient   to the maximum alone; a tie goes to the first
    /// # Numerics   NaN wins
    /// # Panics     if the shape does not fit
    /// # PyTorch    `torch.nn.functional.max_pool1d`
    /// # Example
    /// ```
    /// use gradus_autodiff::Tensor;
    /// let x = Tensor::from([[1.0, 3.0, 2.0, 0.0]]);
    /// assert_eq!(x.max_pool1d(2).to_vec::<f64>(), [3.0, 2.0]);
    /// ```
    #[track_caller]
    pub fn max_pool1d(&self, kernel: impl Into<PerAxis>) -> Tensor {
        self.max_pool1d_with(kernel, MaxPoolOptions::default())
    }
    /// As [`Tensor::max_pool1d`], with these options.
    ///
    /// # Panics
    /// If the shape does not fit, or the padding is larger than half a window.
    #[track_caller]
    pub fn max_pool1d_with(&self, kernel: impl Into<PerAxis>, options: MaxPoolOptions) -> Tensor {
        must(self.try_max_pool1d(kernel, options))
    }
    /// As [`Tensor::max_pool1d_with`].
    ///
    /// # Errors
    /// If the shape does not fit, or the padding is larger than half a window.
    #[track_caller]
    pub fn try_max_pool1d(
        &self,
        kernel: impl Into<PerAxis>,
        options: MaxPoolOptions,
    ) -> Result<Tensor, OpError> {
        let windows = max_windows::<1>(self, kernel.into(), options)?;
        Tensor::try_apply(MaxPool::<false, 1>(windows), self)
    }
    /// As [`Tensor::max_pool1d_with`]; also where each maximum stands in its row (i64), −1 for a window of
    /// padding alone (`torch.nn.functional.max_pool1d_with_indices`).
    ///
    /// # Panics
    /// If the shape does not fit, or the padding is larger than half a window.
    #[track_caller]
    pub fn max_pool1d_with_indices(
        &self,
        kernel: impl Into<PerAxis>,
        options: MaxPoolOptions,
    ) -> (Tensor, Tensor) {
        must(self.try_max_pool1d_with_indices(kernel, options))
    }
    /// As [`Tensor::max_pool1d_with_indices`].
    ///
    /// # Errors
    /// If the shape does not fit, or the padding is larger than half a window.
    #[track_caller]
    pub fn try_max_pool1d_with_indices(
        &self,
        kernel: impl Into<PerAxis>,
        options: MaxPoolOptions,
    ) -> Result<(Tensor, Tensor), OpError> {
        let windows = max_windows::<1>(self, kernel.into(), options)?;
        Tensor::try_apply(MaxPoolWithIndices::<false, 1>(windows), self).map(Into::into)
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new(&[&[2, 2, 7]], |x| x[0].max_pool1d(2)),
        Case::new(&[&[3, 8]], |x| {
            let (stride, padding, dilation) = (Some(2.into()), 1.into(), 2.into());
            let options = MaxPoolOptions { stride, padding, dilation, ceil_mode: true };
            x[0].max_pool1d_with(3, options)
        }),
        Case::new(&[&[2, 5]], |x| x[0].max_pool1d_with_indices(3, Default::default()).0 * 2.0),
        Case::new(&[&[0, 2, 4]], |x| x[0].max_pool1d(3)),
        Case::new(&[&[1, 300]], |x| x[0].max_pool1d(300)),
    ]
}
