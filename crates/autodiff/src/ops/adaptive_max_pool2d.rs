//! `y = max` over as many windows of two axes as are asked for.

use super::max_pool2d::{MaxPool, MaxPoolWithIndices};
use super::pooling::{filled, name, windows};
use super::prelude::*;
use gradus_tensor::AdaptiveSize;
use gradus_tensor::kernels::pool::Windows;
use std::sync::Arc;

const NAME: &str = name("max", true, 2);

fn adaptive_windows(x: &Tensor, size: AdaptiveSize) -> Result<Arc<Windows>, OpError> {
    let windows = windows::<2>(NAME, x, |input| size.windows(input))?;
    filled::<2>(NAME, x)?;
    Ok(windows)
}

impl Tensor {
    /// The maximum of so many windows of two axes, cut as those of
    /// [`Tensor::adaptive_avg_pool2d`].
    ///
    /// # Shape      `[N, C, H, W]` or `[C, H, W]`  →  the same with the new sizes
    /// # Gradient   to the maximum alone; a tie goes to the first
    /// # Numerics   NaN wins
    /// # Panics     if the shape does not fit
    /// # PyTorch    `torch.nn.functional.adaptive_max_pool2d`
    /// # Example
    /// ```
    /// use gradus_autodiff::Tensor;
    /// let x = Tensor::from([[[1.0, 2.0], [3.0, 4.0]]]);
    /// assert_eq!(x.adaptive_max_pool2d([1, 2]).to_vec::<f64>(), [3.0, 4.0]);
    /// ```
    #[track_caller]
    pub fn adaptive_max_pool2d(&self, output_size: impl Into<AdaptiveSize>) -> Tensor {
        must(self.try_adaptive_max_pool2d(output_size))
    }
    /// As [`Tensor::adaptive_max_pool2d`].
    ///
    /// # Errors
    /// If the shape does not fit.
    #[track_caller]
    pub fn try_adaptive_max_pool2d(
        &self,
        output_size: impl Into<AdaptiveSize>,
    ) -> Result<Tensor, OpError> {
        let windows = adaptive_windows(self, output_size.into())?;
        Tensor::try_apply(MaxPool::<true, 2>(windows), self)
    }
    /// As [`Tensor::adaptive_max_pool2d`]; also where each maximum stands, as
    /// [`Tensor::max_pool2d_with_indices`] says it.
    ///
    /// # Panics
    /// If the shape does not fit.
    #[track_caller]
    pub fn adaptive_max_pool2d_with_indices(
        &self,
        output_size: impl Into<AdaptiveSize>,
    ) -> (Tensor, Tensor) {
        must(self.try_adaptive_max_pool2d_with_indices(output_size))
    }
    /// As [`Tensor::adaptive_max_pool2d_with_indices`].
    ///
    /// # Errors
    /// If the shape does not fit.
    #[track_caller]
    pub fn try_adaptive_max_pool2d_with_indices(
        &self,
        output_size: impl Into<AdaptiveSize>,
    ) -> Result<(Tensor, Tensor), OpError> {
        let windows = adaptive_windows(self, output_size.into())?;
        Tensor::try_apply(MaxPoolWithIndices::<true, 2>(windows), self).map(Into::into)
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new(&[&[2, 2, 5, 7]], |x| x[0].adaptive_max_pool2d([2, 3])),
        Case::new(&[&[2, 4, 3]], |x| x[0].adaptive_max_pool2d(1) * 2.0),
        Case::new(&[&[1, 4, 6]], |x| x[0].adaptive_max_pool2d([None, Some(3)]).square()),
        Case::new(&[&[0, 2, 4, 4]], |x| x[0].adaptive_max_pool2d(2)),
        Case::new(&[&[1, 3, 5]], |x| x[0].adaptive_max_pool2d_with_indices(2).0),
    ]
}
