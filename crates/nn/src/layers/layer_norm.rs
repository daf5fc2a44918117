//! `y = (x − μ)/√(σ² + ε)·w + b` over the last axes.

use crate::{Layer, Module, Parameter, Site};
use gradus_autodiff::Tensor;
use gradus_tensor::{Array, DType, Shape};

/// Every sample with mean 0 and variance 1 over its last axes, then scaled and shifted.
///
/// ```text
/// y = (x − μ)/√(σ² + ε)·w + b
/// ```
/// `μ` and the biased `σ²` are those of the sample, in training and in evaluation; gradients pass through
/// them.
///
/// # Shape      `[*, normalized_shape]`  →  the same
/// # Panics     `forward`, if the input does not end with `normalized_shape`; `new`, if that has no axes
/// # PyTorch    `torch.nn.LayerNorm`
/// # Source     Ba, Kiros & Hinton 2016, <https://arxiv.org/abs/1607.06450>
/// # Example
/// ```
/// use gradus_autodiff::Tensor;
/// use gradus_nn::{Layer, LayerNorm, Module};
/// let layer = LayerNorm::new(2);
/// let y = layer.forward(&Tensor::from([[1.0_f32, 3.0], [10.0, 50.0]])).to_vec::<f32>();
/// assert!((y[0] + 1.0).abs() < 1e-4 && (y[3] - 1.0).abs() < 1e-4);
/// assert_eq!(LayerNorm::new([4, 5]).num_parameters(), 40);
/// ```
#[derive(Module)]
#[module(crate = "crate")]
pub struct LayerNorm {
    /// As `normalized_shape`, starts as ones; none if not `elementwise_affine`.
    pub weight: Option<Parameter>,
    /// As `normalized_shape`, starts as zeros; none if not `elementwise_affine` or not `bias`.
    pub bias: Option<Parameter>,
    #[module(skip)]
    normalized_shape: Shape,
    #[module(skip)]
    eps: f64,
    site: Site,
}

/// What [`LayerNorm::with`] takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LayerNormOptions {
    /// Added to the variance, under the root.
    pub eps: f64,
    /// Have a weight (and a bias)?
    pub elementwise_affine: bool,
    /// Have a bias? Only with `elementwise_affine`.
    pub bias: bool,
}

impl Default for LayerNormOptions {
    fn default() -> Self {
        LayerNormOptions { eps: 1e-5, elementwise_affine: true, bias: true }
    }
}

impl LayerNorm {
    /// Over the last axes, which have this shape: a number for one axis, or an array.
    ///
    /// # Panics
    /// If the shape has no axes.
    #[track_caller]
    pub fn new(normalized_shape: impl Into<Shape>) -> Self {
        LayerNorm::with(normalized_shape, LayerNormOptions::default())
    }
    /// With these options.
    ///
    /// ```
    /// use gradus_nn::{LayerNorm, LayerNormOptions, Module};
    /// let plain = LayerNormOptions { elementwise_affine: false, ..Default::default() };
    /// assert_eq!(LayerNorm::with(3, plain).num_parameters(), 0);
    /// let layer = LayerNorm::with(3, LayerNormOptions { bias: false, ..Default::default() });
    /// assert_eq!(layer.describe(), "LayerNorm([3], eps=1e-5, elementwise_affine=true, bias=false)");
    /// ```
    /// # Panics
    /// If the shape has no axes.
    #[track_caller]
    pub fn with(normalized_shape: impl Into<Shape>, options: LayerNormOptions) -> Self {
        let shape = normalized_shape.into();
        assert!(shape.rank() > 0, "LayerNorm: normalized_shape has at least one axis");
        let LayerNormOptions { eps, elementwise_affine: affine, bias } = options;
        let arguments =
            format!("{shape}, eps={eps:e}, elementwise_affine={affine}, bias={}", affine && bias);
        LayerNorm {
            weight: affine.then(|| Parameter::new(Array::ones(&shape, DType::F32))),
            bias: (affine && bias).then(|| Parameter::new(Array::zeros(&shape, DType::F32))),
            normalized_shape: shape,
            eps,
            site: Site::described("LayerNorm", arguments),
        }
    }
}

impl Layer for LayerNorm {
    fn forward(&self, x: &Tensor) -> Tensor {
        let call = self.site.enter();
        let (weight, bias) = (self.weight.as_deref(), self.bias.as_deref());
        call.leave(x.layer_norm(&self.normalized_shape, weight, bias, self.eps))
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<crate::testing::Case> {
    use crate::testing::Case;
    let with = |elementwise_affine, bias| {
        move || LayerNorm::with(3, LayerNormOptions { eps: 0.1, elementwise_affine, bias })
    };
    vec![
        Case::layer(&[4, 3], || LayerNorm::new(3)).empty(&[0, 3], &[0, 3]).refuses(&[4, 9]),
        Case::layer(&[2, 2, 3], with(true, false)).empty(&[2, 0, 3], &[2, 0, 3]),
        Case::layer(&[3], with(true, true)),
        Case::layer(&[4, 3], with(false, true)).eval(),
        Case::layer(&[2, 2, 3], || LayerNorm::new([2, 3])),
    ]
}

#[cfg(test)]
mod tests;
