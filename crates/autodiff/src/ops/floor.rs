//! `y = ⌊x⌋`

use super::prelude::*;

#[derive(Clone, Copy)]
struct Floor;

impl Map for Floor {
    #[inline(always)]
    fn f<R: Real>(self, x: R) -> R {
        x.floor()
    }
    #[inline(always)]
    fn int(self, x: i64) -> i64 {
        x
    }
}

impl Op for Floor {
    const NAME: &'static str = "floor";
    const AUTOCAST: Autocast = Autocast::Input;
    type In<T> = T;
    type Out<T> = T;

    fn infer(&self, x: &Meta) -> Result<Meta, OpError> {
        number(x)
    }
    fn forward(&self, x: Array, _: &mut Save<'_>) -> Array {
        x.map(Floor)
    }
    /// 0 everywhere, as in PyTorch.
    fn vjp(&self, saved: &Saved<'_>, _: Tensor) -> Tensor {
        Tensor::new(Array::zeros(saved.shape(0), saved.dtype(0)))
    }
}

impl Tensor {
    /// The largest integer not above every element (`torch.floor`); the dtype stays, NaN and ±∞ stay.
    ///
    /// # Panics
    /// If the dtype is `bool`.
    #[track_caller]
    pub fn floor(&self) -> Tensor {
        must(self.try_floor())
    }
    /// As [`Tensor::floor`].
    ///
    /// # Errors
    /// If the dtype is `bool`.
    #[track_caller]
    pub fn try_floor(&self) -> Result<Tensor, OpError> {
        Tensor::try_apply(Floor, self)
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new(&[&[2, 3]], |x| x[0].floor()).within(-2.0, 2.0),
        Case::new(&[&[]], |x| x[0].floor()).within(-2.0, 2.0),
        Case::new(&[&[0, 2]], |x| x[0].floor()).within(-2.0, 2.0),
        Case::new(&[&[3]], |x| x[0].floor() * &x[0]).within(-2.0, 2.0),
    ]
}
