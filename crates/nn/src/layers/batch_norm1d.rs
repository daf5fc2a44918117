//! Batch normalisation of samples or sequences.

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
/// # Shape      `[N, C]` or `[N, C, L]`  →  the same
/// # Panics     `forward`, if the shape does not fit, or in training with one value for each channel
/// # PyTorch    `torch.nn.BatchNorm1d`; an input without elements leaves the running statistics as they are
/// # Source     Ioffe & Szegedy 2015, <https://arxiv.org/abs/1502.03167>
/// # Example
/// ```
/// use gradus_autodiff::Tensor;
/// use gradus_nn::{BatchNorm1d, Layer};
/// let layer = BatchNorm1d::new(1);
/// let y = layer.forward(&Tensor::from([[1.0_f32], [2.0], [3.0], [4.0]]));
/// assert_eq!(layer.running_mean.as_ref().unwrap().to_vec::<f32>(), [0.25]);
/// assert!(y.to_vec::<f32>()[0] < -1.34);
/// ```
pub struct BatchNorm1d(BatchNorm);

impl BatchNorm1d {
    /// For `num_features` channels, with PyTorch's options.
    pub fn new(num_features: usize) -> Self {
        BatchNorm1d::with(num_features, BatchNormOptions::default())
    }
    /// With these options.
    ///
    /// ```
    /// use gradus_nn::{BatchNorm1d, BatchNormOptions, Module};
    /// let options = BatchNormOptions { affine: false, ..Default::default() };
    /// assert_eq!(BatchNorm1d::with(3, options).num_parameters(), 0);
    /// ```
    pub fn with(num_features: usize, options: BatchNormOptions) -> Self {
        BatchNorm1d(BatchNorm::new("BatchNorm1d", num_features, options))
    }
}

/// Parameters and running statistics.
impl Deref for BatchNorm1d {
    type Target = BatchNorm;
    fn deref(&self) -> &BatchNorm {
        &self.0
    }
}

/// By hand, for the inner struct adds no name.
impl Module for BatchNorm1d {
    fn visit(&self, visitor: &mut Visitor<'_>) {
        self.0.visit(visitor);
    }
}

impl DeepCopy for BatchNorm1d {
    fn deep_copy_with(&self, ties: &mut Ties) -> Self {
        BatchNorm1d(self.0.deep_copy_with(ties))
    }
}

impl Layer for BatchNorm1d {
    fn forward(&self, x: &Tensor) -> Tensor {
        self.0.forward(x, 2..=3, "x: [N, C] or [N, C, L]")
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<crate::testing::Case> {
    use crate::testing::Case;
    let options = |affine, track_running_stats| BatchNormOptions {
        eps: 0.1,
        momentum: Some(0.3),
        affine,
        track_running_stats,
    };
    let with = move |a, t| move || BatchNorm1d::with(3, options(a, t));
    vec![
        Case::layer(&[4, 3], || BatchNorm1d::new(3)).empty(&[0, 3], &[0, 3]).refuses(&[4, 9]),
        Case::layer(&[2, 3, 2], || BatchNorm1d::new(3)).empty(&[2, 3, 0], &[2, 3, 0]),
        Case::layer(&[4, 3], || BatchNorm1d::new(3)).eval().empty(&[0, 3], &[0, 3]),
        Case::layer(&[2, 3, 2], with(true, true)).eval(),
        Case::layer(&[4, 3], with(false, true)),
        Case::layer(&[4, 3], with(true, false)).eval(),
        Case::layer(&[1, 3, 2], with(false, false)),
    ]
}

#[cfg(test)]
mod tests;
