//! `y = mean` over windows of one axis.

use super::avg_pool2d::{AvgPool, avg_windows};
use super::pooling::AvgPoolOptions;
use super::prelude::*;
use gradus_tensor::PerAxis;

impl Tensor {
    /// The mean of every window of the last axis, side by side.
    ///
    /// # Shape      `[N, C, L]` or `[C, L]`  →  the same with `⌊(L − kernel)/stride⌋ + 1`
    /// # Numerics   f16 and bf16 are summed in f32
    /// # Panics     if the shape does not fit
    /// # PyTorch    `torch.nn.functional.avg_pool1d`
    /// # Example
    /// ```
    /// use gradus_autodiff::Tensor;
    /// let x = Tensor::from([[1.0, 3.0, 2.0, 0.0]]);
    /// assert_eq!(x.avg_pool1d(2).to_vec::<f64>(), [2.0, 1.0]);
    /// ```
    #[track_caller]
    pub fn avg_pool1d(&self, kernel: impl Into<PerAxis>) -> Tensor {
        self.avg_pool1d_with(kernel, AvgPoolOptions::default())
    }
    /// As [`Tensor::avg_pool1d`], with these options.
    ///
    /// # Panics
    /// If the shape does not fit, the padding is larger than half a window, or the divisor is 0.
    #[track_caller]
    pub fn avg_pool1d_with(&self, kernel: impl Into<PerAxis>, options: AvgPoolOptions) -> Tensor {
        must(self.try_avg_pool1d(kernel, options))
    }
    /// As [`Tensor::avg_pool1d_with`].
    ///
    /// # Errors
    /// If the shape does not fit, the padding is larger than half a window, or the divisor is 0.
    #[track_caller]
    pub fn try_avg_pool1d(
        &self,
        kernel: impl Into<PerAxis>,
        options: AvgPoolOptions,
    ) -> Result<Tensor, OpError> {
        let windows = avg_windows::<1>(self, kernel.into(), options)?;
        Tensor::try_apply(AvgPool::<false, 1>(windows), self)
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new(&[&[2, 2, 7]], |x| x[0].avg_pool1d(2).square()),
        Case::new(&[&[3, 8]], |x| {
            let (stride, padding, ceil_mode) = (Some(2.into()), 1.into(), true);
            let options = AvgPoolOptions { stride, padding, ceil_mode, ..Default::default() };
            x[0].avg_pool1d_with(3, options)
        }),
        Case::new(&[&[0, 2, 4]], |x| x[0].avg_pool1d(3)),
    ]
}
