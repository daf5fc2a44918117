//! `y = ⌈x⌉`

use super::prelude::*;

#[derive(Clone, Copy)]
struct Ceil;

impl Map for Ceil {
    #[inline(always)]
    fn f<R: Real>(self, x: R) -> R {
        x.ceil()
    }
    #[inline(always)]
    fn int(self, x: i64) -> i64 {
        x
    }
}

impl Op for Ceil {
    const NAME: &'static str = "ceil";
    const AUTOCAST: Autocast = Autocast::Input;
    type In<T> = T;
    type Out<T> = T;

    fn infer(&self, x: &Meta) -> Result<Meta, OpError> {
        number(x)
    }
    fn forward(&self, x: Array, _: &mut Save<'_>) -> Array {
        x.map(Ceil)
    }
    /// 0 everywhere, as in PyTorch.
    fn vjp(&self, saved: &Saved<'_>, _: Tensor) -> Tensor {
        Tensor::new(Array::zeros(saved.shape(0), saved.dtype(0)))
    }
}

impl Tensor {
    /// The smallest integer not below every element (`torch.ceil`); the dtype stays, NaN and ±∞ stay.
    ///
    /// # Panics
    /// If the dtype is `bool`.
    #[track_caller]
    pub fn ceil(&self) -> Tensor {
        must(self.try_ceil())
    }
    /// As [`Tensor::ceil`].
    ///
    /// # Errors
    /// If the dtype is `bool`.
    #[track_caller]
    pub fn try_ceil(&self) -> Result<Tensor, OpError> {
        Tensor::try_apply(Ceil, self)
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new(&[&[2, 3]], |x| x[0].ceil()).within(-2.0, 2.0),
        Case::new(&[&[]], |x| x[0].ceil()).within(-2.0, 2.0),
        Case::new(&[&[0, 2]], |x| x[0].ceil()).within(-2.0, 2.0),
        Case::new(&[&[3]], |x| x[0].ceil() * &x[0]).within(-2.0, 2.0),
    ]
}
