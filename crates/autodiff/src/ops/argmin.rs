//! The position of the minimum, over all elements or along one axis.

use super::argmax::{argument, argument_meta};
use super::prelude::*;

/// Without an axis: the position in row-major order.
struct ArgMin {
    axis: Option<usize>,
    keepdim: bool,
}

impl Op for ArgMin {
    const NAME: &'static str = "argmin";
    const AUTOCAST: Autocast = Autocast::Input;
    type In<T> = T;
    type Out<T> = T;

    fn infer(&self, x: &Meta) -> Result<Meta, OpError> {
        argument_meta(x, self.axis, self.keepdim)
    }
    /// The result is a constant, as in PyTorch: positions have no derivative.
    fn forward(&self, x: Array, save: &mut Save<'_>) -> Array {
        save.constant(0);
        argument(&x, self.axis, self.keepdim, Array::min_axis)
    }
    fn vjp(&self, saved: &Saved<'_>, _: Tensor) -> Tensor {
        Tensor::new(Array::zeros(saved.shape(0), saved.dtype(0)))
    }
}

impl Tensor {
    /// The position (i64) of the minimum of all elements in row-major order, `[*] -> []`
    /// (`torch.argmin`). NaN wins; of equal ones the first. The result is a constant.
    ///
    /// # Panics
    /// If there is no element, or the dtype is `bool`.
    #[track_caller]
    pub fn argmin(&self) -> Tensor {
        must(self.try_argmin())
    }
    /// As [`Tensor::argmin`].
    ///
    /// # Errors
    /// If there is no element, or the dtype is `bool`.
    #[track_caller]
    pub fn try_argmin(&self) -> Result<Tensor, OpError> {
        Tensor::try_apply(ArgMin { axis: None, keepdim: false }, self)
    }
    /// The position (i64) of the minimum along `dim`, which stays with size 1 if `keepdim`
    /// (`torch.argmin(dim=…)`).
    ///
    /// # Panics
    /// If the axis does not exist or is empty, or the dtype is `bool`.
    #[track_caller]
    pub fn argmin_dim(&self, dim: isize, keepdim: bool) -> Tensor {
        must(self.try_argmin_dim(dim, keepdim))
    }
    /// As [`Tensor::argmin_dim`].
    ///
    /// # Errors
    /// If the axis does not exist or is empty, or the dtype is `bool`.
    #[track_caller]
    pub fn try_argmin_dim(&self, dim: isize, keepdim: bool) -> Result<Tensor, OpError> {
        let axis = axis(dim, self.shape()).map_err(|e| e.at("argmin", self))?;
        Tensor::try_apply(ArgMin { axis: Some(axis), keepdim }, self)
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new(&[&[2, 3]], |x| x[0].argmin() * &x[0]),
        Case::new(&[&[2, 3]], |x| x[0].argmin_dim(-1, true) * &x[0]),
        Case::new(&[&[2, 3, 2]], |x| x[0].argmin_dim(1, false)),
        Case::new(&[&[]], |x| x[0].argmin_dim(0, false) + x[0].argmin()),
        Case::new(&[&[2, 0]], |x| x[0].argmin_dim(0, false)),
    ]
}
