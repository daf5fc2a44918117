//! The position of the maximum, over all elements or along one axis.

use super::max_dim::fit;
use super::prelude::*;

/// Without an axis: the position in row-major order.
struct ArgMax {
    axis: Option<usize>,
    keepdim: bool,
}

impl Op for ArgMax {
    const NAME: &'static str = "argmax";
    const AUTOCAST: Autocast = Autocast::Input;
    type In<T> = T;
    type Out<T> = T;

    fn infer(&self, x: &Meta) -> Result<Meta, OpError> {
        argument_meta(x, self.axis, self.keepdim)
    }
    /// The result is a constant, as in PyTorch: positions have no derivative.
    fn forward(&self, x: Array, save: &mut Save<'_>) -> Array {
        save.constant(0);
        argument(&x, self.axis, self.keepdim, Array::max_axis)
    }
    fn vjp(&self, saved: &Saved<'_>, _: Tensor) -> Tensor {
        Tensor::new(Array::zeros(saved.shape(0), saved.dtype(0)))
    }
}

/// Meta of a position.
pub(super) fn argument_meta(x: &Meta, axis: Option<usize>, keepdim: bool) -> Result<Meta, OpError> {
    number(x)?;
    let empty = axis.map_or(x.shape.numel() == 0, |axis| x.shape.get(axis) == Some(&0));
    if empty {
        return Err(OpError::rule("an empty axis has no extreme"));
    }
    let shape = match axis {
        Some(axis) if x.shape.rank() > 0 => without(&x.shape, &[axis], keepdim),
        _ => Shape::scalar(),
    };
    Ok(Meta { shape, dtype: DType::I64 })
}

/// The position that `search` finds along the axis, or in row-major order.
pub(super) fn argument(
    x: &Array,
    axis: Option<usize>,
    keepdim: bool,
    search: fn(&Array, usize) -> (Array, Array),
) -> Array {
    match axis {
        Some(axis) if x.rank() > 0 => fit(&search(x, axis).1, axis, keepdim),
        _ => search(&x.reshape(&[x.numel()].into()), 0).1.reshape(&Shape::scalar()),
    }
}

impl Tensor {
    /// The position (i64) of the maximum of all elements in row-major order, `[*] -> []`
    /// (`torch.argmax`). NaN wins; of equal ones the first. The result is a constant.
    ///
    /// # Panics
    /// If there is no element, or the dtype is `bool`.
    #[track_caller]
    pub fn argmax(&self) -> Tensor {
        must(self.try_argmax())
    }
    /// As [`Tensor::argmax`].
    ///
    /// # Errors
    /// If there is no element, or the dtype is `bool`.
    #[track_caller]
    pub fn try_argmax(&self) -> Result<Tensor, OpError> {
        Tensor::try_apply(ArgMax { axis: None, keepdim: false }, self)
    }
    /// The position (i64) of the maximum along `dim`, which stays with size 1 if `keepdim`
    /// (`torch.argmax(dim=…)`).
    ///
    /// # Panics
    /// If the axis does not exist or is empty, or the dtype is `bool`.
    #[track_caller]
    pub fn argmax_dim(&self, dim: isize, keepdim: bool) -> Tensor {
        must(self.try_argmax_dim(dim, keepdim))
    }
    /// As [`Tensor::argmax_dim`].
    ///
    /// # Errors
    /// If the axis does not exist or is empty, or the dtype is `bool`.
    #[track_caller]
    pub fn try_argmax_dim(&self, dim: isize, keepdim: bool) -> Result<Tensor, OpError> {
        let axis = axis(dim, self.shape()).map_err(|e| e.at("argmax", self))?;
        Tensor::try_apply(ArgMax { axis: Some(axis), keepdim }, self)
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new(&[&[2, 3]], |x| x[0].argmax() * &x[0]),
        Case::new(&[&[2, 3]], |x| x[0].argmax_dim(-1, true) * &x[0]),
        Case::new(&[&[2, 3, 2]], |x| x[0].argmax_dim(1, false)),
        Case::new(&[&[]], |x| x[0].argmax_dim(0, false) + x[0].argmax()),
        Case::new(&[&[2, 0]], |x| x[0].argmax_dim(0, false)),
    ]
}
