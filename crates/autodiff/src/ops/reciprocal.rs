//! `y = 1/x`

use super::prelude::*;

#[derive(Clone, Copy)]
pub(super) struct Reciprocal;

impl Map for Reciprocal {
    #[inline(always)]
    fn f<R: Real>(self, x: R) -> R {
        x.recip()
    }
}

impl Op for Reciprocal {
    const NAME: &'static str = "reciprocal";
    const AUTOCAST: Autocast = Autocast::F32;
    const PROMOTION: Promotion = Promotion::Float;
    type In<T> = T;
    type Out<T> = T;

    fn infer(&self, x: &Meta) -> Result<Meta, OpError> {
        Ok(x.clone())
    }
    fn forward(&self, x: Array, save: &mut Save<'_>) -> Array {
        let y = x.map(Reciprocal);
        save.output(0, &y);
        y
    }
    /// `x̄ = −ȳ·y²`
    fn vjp(&self, saved: &Saved<'_>, g: Tensor) -> Tensor {
        let y = saved.output(0);
        -g * (&y * &y)
    }
}

impl Tensor {
    /// `1/x` of every element (`torch.reciprocal`): ±∞ at ±0.
    #[track_caller]
    pub fn reciprocal(&self) -> Tensor {
        Tensor::apply(Reciprocal, self)
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new(&[&[2, 3]], |x| x[0].reciprocal()).within(0.5, 2.0),
        Case::new(&[&[]], |x| x[0].reciprocal()).within(0.5, 2.0),
        Case::new(&[&[0, 2]], |x| x[0].reciprocal()).within(0.5, 2.0),
        Case::new(&[&[3]], |x| x[0].reciprocal() * &x[0]).within(0.5, 2.0),
    ]
}
