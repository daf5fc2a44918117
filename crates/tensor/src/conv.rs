//! Convolutions of arrays and their two gradients: the three maps that a convolution is made of.

use crate::kernels::conv as kernels;
use crate::rows::{lane, row_lane};
use crate::{Array, Axes, PerAxis, Shape};

/// How a kernel moves over an input: what `torch.nn.functional.conv2d` takes behind its tensors.
///
/// ```
/// use gradus_tensor::Convolution;
/// let strided = Convolution { stride: 2.into(), padding: [1, 0].into(), ..Default::default() };
/// assert_eq!(strided.groups, 1);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Convolution {
    /// Elements from one place of the kernel to the next. Default: 1.
    pub stride: PerAxis,
    /// Zeros put before the first and behind the last element. Default: 0.
    pub padding: PerAxis,
    /// Elements from one tap of the kernel to the next. Default: 1.
    pub dilation: PerAxis,
    /// Blocks of channels that do not see each other. Default: 1.
    pub groups: usize,
}

impl Default for Convolution {
    fn default() -> Self {
        Convolution { stride: 1.into(), padding: 0.into(), dilation: 1.into(), groups: 1 }
    }
}

/// One spatial axis of a convolution: output `o` reads input `o·stride + k·dilation − padding` with
/// tap `k`, and 0 where there is no such element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConvAxis {
    /// Elements of the input.
    pub input: usize,
    /// Taps of the kernel.
    pub kernel: usize,
    /// Elements of the output.
    pub output: usize,
    /// Input elements from one output to the next.
    pub stride: usize,
    /// Zeros before the first input element; those behind the last follow from `output`.
    pub padding: usize,
    /// Input elements from one tap to the next.
    pub dilation: usize,
}

/// A convolution with all its sizes.
///
/// ```text
/// y[n, o, p] = b[o] + Σ_c Σ_k w[o, c, k] · x[n, c, p·stride + k·dilation − padding]
/// ```
/// with `c` over the channels of the group of `o`.
///
/// # Shape
/// `x: [batch, in_channels, input…]`, `w: [out_channels, in_channels/groups, kernel…]`,
/// `b: [out_channels]` → `y: [batch, out_channels, output…]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConvGeometry {
    /// Images.
    pub batch: usize,
    /// Channels of the input.
    pub in_channels: usize,
    /// Channels of the output.
    pub out_channels: usize,
    /// Blocks of channels that do not see each other.
    pub groups: usize,
    /// Up to three spatial axes.
    pub axes: Axes<ConvAxis>,
}

impl ConvGeometry {
    /// Shape of the input.
    pub fn input_shape(&self) -> Shape {
        self.shape(self.batch, self.in_channels, |a| a.input)
    }
    /// Shape of the weight.
    pub fn weight_shape(&self) -> Shape {
        let each = self.in_channels / self.groups.max(1);
        self.shape(self.out_channels, each, |a| a.kernel)
    }
    /// Shape of the output.
    pub fn output_shape(&self) -> Shape {
        self.shape(self.batch, self.out_channels, |a| a.output)
    }
    fn shape(&self, first: usize, second: usize, size: impl Fn(&ConvAxis) -> usize) -> Shape {
        let mut sizes = Axes::new();
        sizes.extend([first, second]);
        sizes.extend(self.axes.iter().map(size));
        Shape::new(&sizes)
    }
    #[track_caller]
    fn check(&self, what: &str, parts: [(&Array, Shape); 2], bias: Option<(&Array, usize)>) {
        let [(a, _), (b, _)] = &parts;
        let g = self.groups;
        assert!(
            g > 0 && self.in_channels.is_multiple_of(g) && self.out_channels.is_multiple_of(g),
            "{what}: {g} groups do not divide {} and {} channels",
            self.in_channels,
            self.out_channels
        );
        for (x, shape) in &parts {
            let x = x.meta();
            assert!(x.shape == *shape, "{what}: {x} does not have the shape {shape}");
        }
        let dtype = a.dtype();
        assert!(dtype.is_float() && dtype == b.dtype(), "{what}: one floating dtype is needed");
        if let Some((bias, channels)) = bias {
            let fits = bias.shape().dims() == [channels] && bias.dtype() == dtype;
            assert!(fits, "{what}: a bias {} for {channels} channels of {dtype}", bias.meta());
        }
        assert!(self.axes.len() <= 3, "{what}: at most three spatial axes");
    }
}

/// The array in the type that is computed in, row-major.
fn wide(x: &Array) -> Array {
    x.clone().cast(row_lane(x.dtype())).contiguous()
}

impl Array {
    /// `y` of [`ConvGeometry`] for `x` = `self` (`torch.nn.functional.conv2d` and its kin).
    ///
    /// f16 and bf16 are computed in f32.
    ///
    /// # Panics
    /// If shapes or dtypes do not fit.
    #[track_caller]
    pub fn convolution(&self, w: &Array, b: Option<&Array>, by: &ConvGeometry) -> Array {
        let parts = [(self, by.input_shape()), (w, by.weight_shape())];
        by.check("convolution", parts, b.map(|b| (b, by.out_channels)));
        let (x, w, b) = (wide(self), wide(w), b.map(wide));
        lane!(x.dtype(), T => Array::build::<T>(by.output_shape(), |out| {
            let b = b.as_ref().map(|b| b.elements::<T>());
            kernels::forward(by, x.elements::<T>(), w.elements::<T>(), b, out);
        }))
        .cast(self.dtype())
    }
    /// The gradient of [`Array::convolution`] for its input, for the gradient `self` of its output:
    ///
    /// ```text
    /// x̄[n, c, q] = b[c] + Σ_o Σ_k w[o, c, k] · ȳ[n, o, p]      with q = p·stride + k·dilation − padding
    /// ```
    /// With a bias of `in_channels` elements it is PyTorch's `conv_transpose2d`.
    ///
    /// # Panics
    /// If shapes or dtypes do not fit.
    #[track_caller]
    pub fn convolution_input_gradient(
        &self,
        w: &Array,
        b: Option<&Array>,
        by: &ConvGeometry,
    ) -> Array {
        let parts = [(self, by.output_shape()), (w, by.weight_shape())];
        by.check("convolution_input_gradient", parts, b.map(|b| (b, by.in_channels)));
        let (g, w, b) = (wide(self), wide(w), b.map(wide));
        lane!(g.dtype(), T => Array::build::<T>(by.input_shape(), |out| {
            let b = b.as_ref().map(|b| b.elements::<T>());
            kernels::input_gradient(by, g.elements::<T>(), w.elements::<T>(), b, out);
        }))
        .cast(self.dtype())
    }
    /// The gradient of [`Array::convolution`] for its weight, for `x` = `self` and the gradient `ȳ` of
    /// its output:
    ///
    /// ```text
    /// w̄[o, c, k] = Σ_n Σ_p x[n, c, p·stride + k·dilation − padding] · ȳ[n, o, p]
    /// ```
    /// # Panics
    /// If shapes or dtypes do not fit.
    #[track_caller]
    pub fn convolution_weight_gradient(&self, grad: &Array, by: &ConvGeometry) -> Array {
        let parts = [(self, by.input_shape()), (grad, by.output_shape())];
        by.check("convolution_weight_gradient", parts, None);
        let (x, g) = (wide(self), wide(grad));
        lane!(x.dtype(), T => Array::build::<T>(by.weight_shape(), |out| {
            kernels::weight_gradient(by, x.elements::<T>(), g.elements::<T>(), out, None);
        }))
        .cast(self.dtype())
    }
    /// [`Array::convolution_weight_gradient`] and, in the same reading of `ȳ`, the gradient of the bias:
    ///
    /// ```text
    /// b̄[o] = Σ_n Σ_p ȳ[n, o, p]
    /// ```
    /// # Panics
    /// If shapes or dtypes do not fit.
    #[track_caller]
    pub fn convolution_weight_bias_gradient(&self, grad: &Array, by: &ConvGeometry) -> [Array; 2] {
        let parts = [(self, by.input_shape()), (grad, by.output_shape())];
        by.check("convolution_weight_bias_gradient", parts, None);
        let (x, g) = (wide(self), wide(grad));
        lane!(x.dtype(), T => {
            let mut bias = Array::zeros([by.out_channels], x.dtype());
            let weight = Array::build::<T>(by.weight_shape(), |out| {
                let (x, g, b) = (x.elements::<T>(), g.elements::<T>(), bias.elements_mut::<T>());
                kernels::weight_gradient(by, x, g, out, Some(b));
            });
            [weight, bias]
        })
        .map(|gradient| gradient.cast(self.dtype()))
    }
}
