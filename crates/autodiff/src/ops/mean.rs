//! `y = Σ x / n` over all elements or over axes.

use super::prelude::*;
use gradus_tensor::Axes;

#[derive(Clone)]
struct Mean {
    axes: Axes<usize>,
    keepdim: bool,
}

/// `x/n`
#[derive(Clone, Copy)]
pub(super) struct Divided(pub(super) f64);

impl Map for Divided {
    #[inline(always)]
    fn f<R: Real>(self, x: R) -> R {
        x / R::of(self.0)
    }
}

/// How many elements of `shape` fall into one result over `axes`.
pub(super) fn count(shape: &Shape, axes: &[usize]) -> usize {
    axes.iter().map(|&a| shape[a]).product()
}

impl Op for Mean {
    const NAME: &'static str = "mean";
    const AUTOCAST: Autocast = Autocast::Input;
    type In<T> = T;
    type Out<T> = T;

    fn infer(&self, x: &Meta) -> Result<Meta, OpError> {
        let x = floating(x)?;
        Ok(x.with_shape(without(&x.shape, &self.axes, self.keepdim)))
    }
    /// Half types are summed and divided in f32: a sum of f16 overflows at 65504.
    fn forward(&self, x: Array, _: &mut Save<'_>) -> Array {
        let (dtype, n) = (x.dtype(), count(x.shape(), &self.axes));
        let shape = without(x.shape(), &self.axes, self.keepdim);
        let sum = x.cast(dtype.accumulator()).sum_axes(&self.axes);
        sum.map(Divided(n as f64)).cast(dtype).reshape(&shape)
    }
    /// `x̄ = ȳ/n`, expanded over the axes of the mean.
    fn vjp(&self, saved: &Saved<'_>, g: Tensor) -> Tensor {
        Tensor::apply(MeanBackward { mean: self.clone(), shape: saved.shape(0).clone() }, g)
    }
}

/// `ȳ -> ȳ/n`, expanded to the shape of the input: the adjoint of [`Mean`], and the mean its own.
struct MeanBackward {
    mean: Mean,
    shape: Shape,
}

impl Op for MeanBackward {
    const NAME: &'static str = "mean_backward";
    const AUTOCAST: Autocast = Autocast::Input;
    type In<T> = T;
    type Out<T> = T;

    fn infer(&self, g: &Meta) -> Result<Meta, OpError> {
        Ok(g.with_shape(self.shape.clone()))
    }
    fn forward(&self, g: Array, _: &mut Save<'_>) -> Array {
        let kept = without(&self.shape, &self.mean.axes, true);
        let n = count(&self.shape, &self.mean.axes);
        g.map(Divided(n as f64)).reshape(&kept).expand(&self.shape)
    }
    /// `ḡ`: the mean of the gradient.
    fn vjp(&self, _: &Saved<'_>, u: Tensor) -> Tensor {
        Tensor::apply(self.mean.clone(), u)
    }
}

impl Tensor {
    /// The mean of all elements, `[*] -> []` (`torch.mean`); NaN of none. f16 and bf16 are summed in f32.
    ///
    /// # Panics
    /// If the dtype is not floating point.
    #[track_caller]
    pub fn mean(&self) -> Tensor {
        self.mean_dims(&[], false)
    }
    /// The mean over the axes `dims` (none means all), which stay with size 1 if `keepdim`.
    ///
    /// # Panics
    /// If the dtype is not floating point, or an axis does not exist or is named twice.
    #[track_caller]
    pub fn mean_dims(&self, dims: &[isize], keepdim: bool) -> Tensor {
        must(self.try_mean_dims(dims, keepdim))
    }
    /// As [`Tensor::mean_dims`].
    ///
    /// # Errors
    /// If the dtype is not floating point, or an axis does not exist or is named twice.
    #[track_caller]
    pub fn try_mean_dims(&self, dims: &[isize], keepdim: bool) -> Result<Tensor, OpError> {
        let axes = axes(dims, self.shape()).map_err(|e| e.at("mean", self))?;
        Tensor::try_apply(Mean { axes, keepdim }, self)
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new(&[&[2, 3]], |x| x[0].mean()),
        Case::new(&[&[]], |x| x[0].mean()),
        Case::new(&[&[2, 3]], |x| x[0].mean_dims(&[0], false)),
        Case::new(&[&[2, 3, 2]], |x| x[0].mean_dims(&[-1, 0], true) * &x[0]),
        Case::new(&[&[0, 2]], |x| x[0].mean_dims(&[1], false)),
        Case::new(&[&[2]], |x| {
            let mean = Mean { axes: Axes::from_slice(&[0]), keepdim: false };
            let y = Tensor::apply(MeanBackward { mean, shape: [3, 2].into() }, &x[0].reshape(&[2]));
            &y * &y
        }),
    ]
}
