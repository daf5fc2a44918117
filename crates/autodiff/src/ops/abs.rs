//! `y = |x|`

use super::prelude::*;

#[derive(Clone, Copy)]
struct Abs;

impl Map for Abs {
    #[inline(always)]
    fn f<R: Real>(self, x: R) -> R {
        x.abs()
    }
    #[inline(always)]
    fn int(self, x: i64) -> i64 {
        x.wrapping_abs()
    }
}

impl Op for Abs {
    const NAME: &'static str = "abs";
    const AUTOCAST: Autocast = Autocast::Input;
    type In<T> = T;
    type Out<T> = T;

    fn infer(&self, x: &Meta) -> Result<Meta, OpError> {
        number(x)
    }
    fn forward(&self, x: Array, save: &mut Save<'_>) -> Array {
        save.input(0, &x);
        x.map(Abs)
    }
    /// `x̄ = ȳ·sign x`
    fn vjp(&self, saved: &Saved<'_>, g: Tensor) -> Tensor {
        g * saved.input(0).sign()
    }
}

impl Tensor {
    /// The absolute value of every element (`torch.abs`). The derivative at 0 is 0.
    ///
    /// # Panics
    /// If the dtype is `bool`.
    #[track_caller]
    pub fn abs(&self) -> Tensor {
        must(self.try_abs())
    }
    /// As [`Tensor::abs`].
    ///
    /// # Errors
    /// If the dtype is `bool`.
    #[track_caller]
    pub fn try_abs(&self) -> Result<Tensor, OpError> {
        Tensor::try_apply(Abs, self)
    }
    /// `self ← |self|`, in place if nobody else holds the buffer (`torch.Tensor.abs_`).
    ///
    /// # Panics
    /// If the dtype is `bool`, or `self` is a leaf that is tracked here.
    #[track_caller]
    pub fn abs_(&mut self) {
        must(self.try_assign(Abs, &[]));
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new(&[&[2, 3]], |x| x[0].abs()),
        Case::new(&[&[]], |x| x[0].abs()),
        Case::new(&[&[0, 2]], |x| x[0].abs()),
        Case::new(&[&[3]], |x| x[0].abs() * &x[0]),
    ]
}
