//! `y = min x` and its position along one axis: two outputs, one of them without derivative.

use super::max_dim::{extreme_metas, fit, keep_positions, place_extreme};
use super::prelude::*;

struct MinDim {
    axis: usize,
    keepdim: bool,
}

impl Op for MinDim {
    const NAME: &'static str = "min_dim";
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
            x.min_axis(self.axis)
        };
        keep_positions(save, &at);
        [y, at].map(|a| fit(&a, self.axis, self.keepdim))
    }
    /// `x̄ = ȳ` where the minimum stands, 0 elsewhere.
    fn vjp(&self, saved: &Saved<'_>, [g, _]: [Option<Tensor>; 2]) -> Tensor {
        place_extreme(saved, g, self.axis)
    }
}

impl Tensor {
    /// The minimum along `dim` and its position (i64): `(values, indices)` of `torch.min(dim)`. NaN
    /// wins; a tie goes to the first, which alone gets the gradient.
    ///
    /// # Panics
    /// If the axis does not exist or is empty.
    #[track_caller]
    pub fn min_dim(&self, dim: isize, keepdim: bool) -> (Tensor, Tensor) {
        must(self.try_min_dim(dim, keepdim))
    }
    /// As [`Tensor::min_dim`].
    ///
    /// # Errors
    /// If the axis does not exist or is empty.
    #[track_caller]
    pub fn try_min_dim(&self, dim: isize, keepdim: bool) -> Result<(Tensor, Tensor), OpError> {
        let axis = axis(dim, self.shape()).map_err(|e| e.at("min_dim", self))?;
        Tensor::try_apply(MinDim { axis, keepdim }, self).map(Into::into)
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new(&[&[2, 3]], |x| x[0].min_dim(-1, true).0),
        Case::new(&[&[3, 2]], |x| x[0].min_dim(0, false).0 * 2.0),
        Case::new(&[&[2, 3, 2]], |x| x[0].min_dim(1, true).0 * &x[0]),
        Case::new(&[&[]], |x| x[0].min_dim(0, false).0),
    ]
}
