//! `y = ln(1 + x)`

use super::prelude::*;

#[derive(Clone, Copy)]
struct Log1p;

impl Map for Log1p {
    #[inline(always)]
    fn f<R: Real>(self, x: R) -> R {
        x.ln_1p()
    }
}

impl Op for Log1p {
    const NAME: &'static str = "log1p";
    const AUTOCAST: Autocast = Autocast::F32;
    const PROMOTION: Promotion = Promotion::Float;
    type In<T> = T;
    type Out<T> = T;

    fn infer(&self, x: &Meta) -> Result<Meta, OpError> {
        Ok(x.clone())
    }
    fn forward(&self, x: Array, save: &mut Save<'_>) -> Array {
        save.input(0, &x);
        x.map(Log1p)
    }
    /// `x̄ = ȳ/(1 + x)`
    fn vjp(&self, saved: &Saved<'_>, g: Tensor) -> Tensor {
        g / (saved.input(0) + 1.0)
    }
}

impl Tensor {
    /// `ln(1 + x)` of every element, exact near 0 (`torch.log1p`); f32 within 1.5 ulp.
    #[track_caller]
    pub fn log1p(&self) -> Tensor {
        Tensor::apply(Log1p, self)
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new(&[&[2, 3]], |x| x[0].log1p()).within(-0.5, 2.0),
        Case::new(&[&[]], |x| x[0].log1p()).within(-0.5, 2.0),
        Case::new(&[&[0, 2]], |x| x[0].log1p()).within(-0.5, 2.0),
        Case::new(&[&[3]], |x| x[0].log1p() * &x[0]).within(-0.5, 2.0),
    ]
}
