//! `y = max x` and its position along one axis: two outputs, one of them without derivative.

use super::prelude::*;

struct MaxDim {
    axis: usize,
    keepdim: bool,
}

impl Op for MaxDim {
    const NAME: &'static str = "max_dim";
    const AUTOCAST: Autocast = Autocast::Input;
    type In<T> = T;
    type Out<T> = [T; 2];

    fn infer(&self, x: &Meta) -> Result<[Meta; 2], OpError> {
        extreme_metas(x, self.axis, self.keepdim)
    }
    fn forward(&self, x: Array, save: &mut Save<'_>) -> [Array; 2] {
        let (y, at) = if x.rank() == 0 {
            (x.clone(), Array::zeros((), DType::I64))
        } else {
            x.max_axis(self.axis)
        };
        keep_positions(save, &at);
        [y, at].map(|a| fit(&a, self.axis, self.keepdim))
    }
    /// `x̄ = ȳ` where the maximum stands, 0 elsewhere.
    fn vjp(&self, saved: &Saved<'_>, [g, _]: [Option<Tensor>; 2]) -> Tensor {
        place_extreme(saved, g, self.axis)
    }
}

/// Metas of the two outputs of an extreme over an axis.
pub(super) fn extreme_metas(x: &Meta, axis: usize, keepdim: bool) -> Result<[Meta; 2], OpError> {
    if x.shape.get(axis) == Some(&0) {
        return Err(OpError::rule("an empty axis has no extreme"));
    }
    let axes: &[usize] = if x.shape.rank() == 0 { &[] } else { &[axis] };
    let shape = without(&x.shape, axes, keepdim);
    Ok([x.with_shape(shape.clone()), Meta { shape, dtype: DType::I64 }])
}

/// Keep the positions, with the axis at size 1; they have no derivative.
pub(super) fn keep_positions(save: &mut Save<'_>, at: &Array) {
    save.cache(0, at);
    save.constant(1);
}

/// A result with the axis at size 1, as the caller wants it.
pub(super) fn fit(y: &Array, axis: usize, keepdim: bool) -> Array {
    if keepdim || y.rank() == 0 { y.clone() } else { y.reshape(&y.shape().without(axis)) }
}

/// The gradient of the extreme, where it stands.
pub(super) fn place_extreme(saved: &Saved<'_>, g: Option<Tensor>, axis: usize) -> Tensor {
    let shape = saved.shape(0);
    let Some(g) = g else {
        return Tensor::new(Array::zeros(shape, saved.dtype(0)));
    };
    if shape.rank() == 0 {
        return g;
    }
    let at = Tensor::new(saved.cache(0).clone());
    g.reshape_to(at.shape()).scatter_zeros(axis, &at, shape)
}

impl Tensor {
    /// The maximum along `dim` and its position (i64): `(values, indices)` of `torch.max(dim)`. NaN
    /// wins; a tie goes to the first, which alone gets the gradient.
    ///
    /// # Panics
    /// If the axis does not exist or is empty.
    #[track_caller]
    pub fn max_dim(&self, dim: isize, keepdim: bool) -> (Tensor, Tensor) {
        must(self.try_max_dim(dim, keepdim))
    }
    /// As [`Tensor::max_dim`].
    ///
    /// # Errors
    /// If the axis does not exist or is empty.
    #[track_caller]
    pub fn try_max_dim(&self, dim: isize, keepdim: bool) -> Result<(Tensor, Tensor), OpError> {
        let axis = axis(dim, self.shape()).map_err(|e| e.at("max_dim", self))?;
        Tensor::try_apply(MaxDim { axis, keepdim }, self).map(Into::into)
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new(&[&[2, 3]], |x| x[0].max_dim(-1, true).0),
        Case::new(&[&[3, 2]], |x| x[0].max_dim(0, false).0 * 2.0),
        Case::new(&[&[2, 3, 2]], |x| x[0].max_dim(1, true).0 * &x[0]),
        Case::new(&[&[]], |x| x[0].max_dim(0, false).0),
    ]
}
