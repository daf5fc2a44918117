//! `y = mean` over as many windows of two axes as are asked for.

use super::avg_pool2d::AvgPool;
use super::pooling::{name, windows};
use super::prelude::*;
use gradus_tensor::AdaptiveSize;

impl Tensor {
    /// The mean of so many windows of two axes: window `i` of `m` on `n` entries holds those from
    /// `⌊i·n/m⌋` up to `⌈(i + 1)·n/m⌉`. Windows may overlap; size 1 is the mean of all.
    ///
    /// # Shape      `[N, C, H, W]` or `[C, H, W]`  →  the same with the new sizes
    /// # Numerics   f16 and bf16 are summed in f32
    /// # Panics     if the shape does not fit
    /// # PyTorch    `torch.nn.functional.adaptive_avg_pool2d`
    /// # Example
    /// ```
    /// use gradus_autodiff::Tensor;
    /// let x = Tensor::from([[[1.0, 2.0], [3.0, 4.0]]]);
    /// assert_eq!(x.adaptive_avg_pool2d(1).to_vec::<f64>(), [2.5]);
    /// assert_eq!(x.adaptive_avg_pool2d([None, Some(1)]).to_vec::<f64>(), [1.5, 3.5]);
    /// ```
    #[track_caller]
    pub fn adaptive_avg_pool2d(&self, output_size: impl Into<AdaptiveSize>) -> Tensor {
        must(self.try_adaptive_avg_pool2d(output_size))
    }
    /// As [`Tensor::adaptive_avg_pool2d`].
    ///
    /// # Errors
    /// If the shape does not fit.
    #[track_caller]
    pub fn try_adaptive_avg_pool2d(
        &self,
        output_size: impl Into<AdaptiveSize>,
    ) -> Result<Tensor, OpError> {
        let size = output_size.into();
        let windows = windows::<2>(name("avg", true, 2), self, |input| size.windows(input))?;
        Tensor::try_apply(AvgPool::<true, 2>(windows), self)
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new(&[&[2, 2, 5, 7]], |x| x[0].adaptive_avg_pool2d([2, 3])),
        Case::new(&[&[2, 4, 3]], |x| x[0].adaptive_avg_pool2d(1) * 2.0),
        Case::new(&[&[1, 4, 6]], |x| x[0].adaptive_avg_pool2d([None, Some(3)]).square()),
        Case::new(&[&[0, 2, 4, 4]], |x| x[0].adaptive_avg_pool2d(2)),
    ]
}
