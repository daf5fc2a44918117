//! `y = √x`

use super::prelude::*;

#[derive(Clone, Copy)]
pub(super) struct Sqrt;

impl Map for Sqrt {
    #[inline(always)]
    fn f<R: Real>(self, x: R) -> R {
        x.sqrt()
    }
}

impl Op for Sqrt {
    const NAME: &'static str = "sqrt";
    const AUTOCAST: Autocast = Autocast::Input;
    const PROMOTION: Promotion = Promotion::Float;
    type In<T> = T;
    type Out<T> = T;

    fn infer(&self, x: &Meta) -> Result<Meta, OpError> {
        Ok(x.clone())
    }
    fn forward(&self, x: Array, save: &mut Save<'_>) -> Array {
        let y = x.map(Sqrt);
        save.output(0, &y);
        y
    }
    /// `x̄ = ȳ/(2·y)`
    fn vjp(&self, saved: &Saved<'_>, g: Tensor) -> Tensor {
        g / (saved.output(0) * 2.0)
    }
}

impl Tensor {
    /// The square root of every element (`torch.sqrt`), correctly rounded; NaN below 0. The derivative at 0 is ∞.
    #[track_caller]
    pub fn sqrt(&self) -> Tensor {
        Tensor::apply(Sqrt, self)
    }
    /// `self ← √self`, in place if nobody else holds the buffer (`torch.Tensor.sqrt_`).
    ///
    /// # Panics
    /// If the dtype is not floating point, or `self` is a leaf that is tracked here.
    #[track_caller]
    pub fn sqrt_(&mut self) {
        must(self.try_assign(Sqrt, &[]));
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new(&[&[2, 3]], |x| x[0].sqrt()).within(0.5, 2.0),
        Case::new(&[&[]], |x| x[0].sqrt()).within(0.5, 2.0),
        Case::new(&[&[0, 2]], |x| x[0].sqrt()).within(0.5, 2.0),
        Case::new(&[&[3]], |x| x[0].sqrt() * &x[0]).within(0.5, 2.0),
    ]
}
