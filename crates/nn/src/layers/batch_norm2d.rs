//! Batch normalisation of images.

use crate::layers::batch_norm::{BatchNorm, BatchNormOptions};
use crate::{DeepCopy, Layer, Module, Ties, Visitor};
use gradus_autodiff::Tensor;
use std::ops::Deref;

/// Every channel with mean 0 and variance 1 over the batch, then scaled and shifted.
///
/// ```text
/// y = (x − μ)/√(σ² + ε)·w + b
/// ```
/// In training `μ` and the biased `σ²` are those of the batch, over all axes but the channels
/// together, and gradients pass through them; the running statistics move towards `μ` and the unbiased
/// variance `σ²·n/(n − 1)`. In evaluation the running statistics are used, and nothing moves.
///
/// # Shape      `[N, C, H, W]`  →  the same
/// # Panics     `forward`, if the shape does not fit, or in training with one value for each channel
/// # PyTorch    `torch.nn.BatchNorm2d`; an input without elements leaves the running statistics as they are
/// # Source     Ioffe & Szegedy 2015, <https://arxiv.org/abs/1502.03167>
/// # Example
/// ```
/// use gradus_autodiff::Tensor;
/// use gradus_nn::{BatchNorm2d, Layer};
/// let layer = BatchNorm2d::new(1);
/// let y = layer.forward(&Tensor::from([[[[1.0_f32, 2.0], [3.0, 4.0]]]]));
/// assert_eq!(layer.running_mean.as_ref().unwrap().to_vec::<f32>(), [0.25]);
/// assert!(y.to_vec::<f32>()[0] < -1.34);
/// ```
pub struct BatchNorm2d(BatchNorm);

impl BatchNorm2d {
    /// For `num_features` channels, with PyTorch's options.
    pub fn new(num_features: usize) -> Self {
        BatchNorm2d::with(num_features, BatchNormOptions::default())
    }
    /// With these options.
    ///
    /// ```
    /// use gradus_nn::{BatchNorm2d, BatchNormOptions, Module};
    /// let options = BatchNormOptions { affine: false, ..Default::default() };
    /// assert_eq!(BatchNorm2d::with(3, options).num_parameters(), 0);
    /// ```
    pub fn with(num_features: usize, options: BatchNormOptions) -> Self {
        BatchNorm2d(BatchNorm::new("BatchNorm2d", num_features, options))
    }
}

/// Parameters and running statistics.
impl Deref for BatchNorm2d {
    type Target = BatchNorm;
    fn deref(&self) -> &BatchNorm {
        &self.0
    }
}

/// By hand, for the inner struct adds no name.
impl Module for BatchNorm2d {
    fn visit(&self, visitor: &mut Visitor<'_>) {
        self.0.visit(visitor);
    }
}

impl DeepCopy for BatchNorm2d {
    fn deep_copy_with(&self, ties: &mut Ties) -> Self {
        BatchNorm2d(self.0.deep_copy_with(ties))
    }
}

impl Layer for BatchNorm2d {
    fn forward(&self, x: &Tensor) -> Tensor {
        self.0.forward(x, 4..=4, "x: [N, C, H, W]")
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<crate::testing::Case> {
    use crate::testing::Case;
    let cumulative = BatchNormOptions { momentum: None, ..BatchNormOptions::default() };
    vec![
        Case::layer(&[2, 2, 2, 3], || BatchNorm2d::new(2)).empty(&[0, 2, 2, 3], &[0, 2, 2, 3]),
        Case::layer(&[1, 2, 2, 1], move || BatchNorm2d::with(2, cumulative)).refuses(&[4, 9]),
        Case::layer(&[2, 2, 2, 1], || BatchNorm2d::new(2)).eval(),
    ]
}
