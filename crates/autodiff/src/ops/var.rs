//! `y = Σ (x − x̄)² / (n − correction)` over all elements or over axes.

use super::mean::{Divided, count};
use super::prelude::*;
use super::square::Square;
use gradus_tensor::Axes;

/// What variance and standard deviation are taken over.
#[derive(Clone)]
pub(super) struct Spread {
    axes: Axes<usize>,
    keepdim: bool,
    correction: f64,
}

struct Var(Spread);

impl Op for Var {
    const NAME: &'static str = "var";
    const AUTOCAST: Autocast = Autocast::Input;
    type In<T> = T;
    type Out<T> = T;

    fn infer(&self, x: &Meta) -> Result<Meta, OpError> {
        self.0.infer(x)
    }
    fn forward(&self, x: Array, save: &mut Save<'_>) -> Array {
        save.input(0, &x);
        let dtype = x.dtype();
        self.0.variance(x).cast(dtype)
    }
    /// `x̄ = ȳ·2(x − mean x)/(n − correction)`
    fn vjp(&self, saved: &Saved<'_>, g: Tensor) -> Tensor {
        self.0.rule(&saved.input(0), &g)
    }
}

#[derive(Clone, Copy)]
struct Deviation;

impl Zip for Deviation {
    #[inline(always)]
    fn f<R: Real>(self, x: R, mean: R) -> R {
        x - mean
    }
}

/// `(Σ d², Σ d) -> (Σ d² − (Σ d)²/n)/degrees`, at least 0
#[derive(Clone, Copy)]
struct FromSums {
    n: f64,
    degrees: f64,
}

impl Zip for FromSums {
    #[inline(always)]
    fn f<R: Real>(self, squares: R, sum: R) -> R {
        let central = squares - sum * sum / R::of(self.n);
        central.maximum(R::of(0.0)) / R::of(self.degrees)
    }
}

impl Spread {
    pub(super) fn of(
        x: &Tensor,
        op: &'static str,
        dims: &[isize],
        correction: Scalar,
        keepdim: bool,
    ) -> Result<Self, OpError> {
        let axes = axes(dims, x.shape()).map_err(|e| e.at(op, x))?;
        Ok(Spread { axes, keepdim, correction: correction.to_f64() })
    }
    pub(super) fn infer(&self, x: &Meta) -> Result<Meta, OpError> {
        let x = floating(x)?;
        Ok(x.with_shape(without(&x.shape, &self.axes, self.keepdim)))
    }
    /// In f32 or f64. Two passes: first the mean, then the squares of the deviations from it; what the
    /// rounding of the mean has left in their sum is taken off. Rejected: `Σ x² − (Σ x)²/n`, which
    /// cancels when the mean is large.
    pub(super) fn variance(&self, x: Array) -> Array {
        let shape = without(x.shape(), &self.axes, self.keepdim);
        let n = count(x.shape(), &self.axes) as f64;
        let wide = x.dtype().accumulator();
        let x = x.cast(wide);
        let mean = x.sum_axes(&self.axes).map(Divided(n));
        let d = x.zip(mean, Deviation);
        let sum = d.sum_axes(&self.axes);
        let squares = d.map(Square).sum_axes(&self.axes);
        let degrees = (n - self.correction).max(0.0);
        squares.zip(sum, FromSums { n, degrees }).reshape(&shape)
    }
    /// `x̄ = ḡ·2(x − mean x)/(n − correction)` for the gradient `g` of the variance. Without degrees of
    /// freedom the variance is infinite, and so is its derivative (NaN at the mean), as in PyTorch.
    pub(super) fn rule(&self, x: &Tensor, g: &Tensor) -> Tensor {
        let dims: Axes<isize> = self.axes.iter().map(|&a| a as isize).collect();
        let g = g.reshape_to(&without(x.shape(), &self.axes, true));
        let mean = if x.rank() == 0 { x.clone() } else { x.mean_dims(&dims, true) };
        let degrees = count(x.shape(), &self.axes) as f64 - self.correction;
        if degrees <= 0.0 {
            return g * Tensor::where_(&x.eq(&mean), f64::NAN, x.full_like(f64::INFINITY));
        }
        g * (2.0 / degrees) * (x - mean)
    }
}

impl Tensor {
    /// The variance of all elements, `[*] -> []`, divided by `n − 1` (`torch.var`); NaN of fewer than
    /// two. [`Tensor::var_dims`] takes another correction.
    ///
    /// # Panics
    /// If the dtype is not floating point.
    #[track_caller]
    pub fn var(&self) -> Tensor {
        self.var_dims(&[], 1, false)
    }
    /// The variance over the axes `dims` (none means all), divided by `n − correction`: 1 is the unbiased
    /// estimate, 0 the mean square deviation. The axes stay with size 1 if `keepdim`.
    ///
    /// ```
    /// use gradus_autodiff::Tensor;
    /// let x = Tensor::from([[1.0, 2.0, 6.0], [5.0, 5.0, 5.0]]);
    /// assert_eq!(x.var_dims(&[1], 1, false).to_vec::<f64>(), [7.0, 0.0]);
    /// ```
    /// # Panics
    /// If the dtype is not floating point, or an axis does not exist or is named twice.
    #[track_caller]
    pub fn var_dims(&self, dims: &[isize], correction: impl Into<Scalar>, keepdim: bool) -> Tensor {
        must(self.try_var_dims(dims, correction, keepdim))
    }
    /// As [`Tensor::var_dims`].
    ///
    /// # Errors
    /// If the dtype is not floating point, or an axis does not exist or is named twice.
    #[track_caller]
    pub fn try_var_dims(
        &self,
        dims: &[isize],
        correction: impl Into<Scalar>,
        keepdim: bool,
    ) -> Result<Tensor, OpError> {
        let spread = Spread::of(self, "var", dims, correction.into(), keepdim)?;
        Tensor::try_apply(Var(spread), self)
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new(&[&[2, 3]], |x| x[0].var()),
        Case::new(&[&[]], |x| x[0].var_dims(&[], 0, false)),
        Case::new(&[&[2, 3]], |x| x[0].var_dims(&[0], 1, false)),
        Case::new(&[&[2, 3, 2]], |x| x[0].var_dims(&[-1, 0], 0, true) * &x[0]),
        Case::new(&[&[2, 3, 2]], |x| x[0].var_dims(&[1], 0.5, false)),
        Case::new(&[&[0, 3]], |x| x[0].var_dims(&[1], 1, false)),
    ]
}
