//! `y = mean` over as many windows of one axis as are asked for.

use super::avg_pool2d::AvgPool;
use super::pooling::{name, windows};
use super::prelude::*;
use gradus_tensor::AdaptiveSize;

impl Tensor {
    /// The mean of so many windows of the last axis: window `i` of `m` on `n` entries holds those from
    /// `⌊i·n/m⌋` up to `⌈(i + 1)·n/m⌉`. Windows may overlap; size 1 is the mean of all.
    ///
    /// # Shape      `[N, C, L]` or `[C, L]`  →  the same with the new size
    /// # Numerics   f16 and bf16 are summed in f32
    /// # Panics     if the shape does not fit
    /// # PyTorch    `torch.nn.functional.adaptive_avg_pool1d`
    /// # Example
    /// ```
    /// use gradus_autodiff::Tensor;
    /// let x = Tensor::from([[1.0, 3.0, 5.0]]);
    /// assert_eq!(x.adaptive_avg_pool1d(2).to_vec::<f64>(), [2.0, 4.0]);
    /// ```
    #[track_caller]
    pub fn adaptive_avg_pool1d(&self, output_size: impl Into<AdaptiveSize>) -> Tensor {
        must(self.try_adaptive_avg_pool1d(output_size))
    }
    /// As [`Tensor::adaptive_avg_pool1d`].
    ///
    /// # Errors
    /// If the shape does not fit.
    #[track_caller]
    pub fn try_adaptive_avg_pool1d(
        &self,
        output_size: impl Into<AdaptiveSize>,
    ) -> Result<Tensor, OpError> {
        let size = output_size.into();
        let windows = windows::<1>(name("avg", true, 1), self, |input| size.windows(input))?;
        Tensor::try_apply(AvgPool::<true, 1>(windows), self)
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new(&[&[2, 2, 7]], |x| x[0].adaptive_avg_pool1d(3)),
        Case::new(&[&[2, 4]], |x| x[0].adaptive_avg_pool1d(6) * 2.0),
        Case::new(&[&[0, 2, 4]], |x| x[0].adaptive_avg_pool1d(2)),
        Case::new(&[&[2, 4]], |x| x[0].adaptive_avg_pool1d(2).square()),
    ]
}
