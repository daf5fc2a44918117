//! `y = eˣ`

use super::prelude::*;

#[derive(Clone, Copy)]
struct Exp;

impl Map for Exp {
    #[inline(always)]
    fn f<R: Real>(self, x: R) -> R {
        x.exp()
    }
}

impl Op for Exp {
    const NAME: &'static str = "exp";
    const AUTOCAST: Autocast = Autocast::F32;
    const PROMOTION: Promotion = Promotion::Float;
    type In<T> = T;
    type Out<T> = T;

    fn infer(&self, x: &Meta) -> Result<Meta, OpError> {
        Ok(x.clone())
    }
    fn forward(&self, x: Array, save: &mut Save<'_>) -> Array {
        let y = x.map(Exp);
        save.output(0, &y);
        y
    }
    /// `x̄ = ȳ·y`
    fn vjp(&self, saved: &Saved<'_>, g: Tensor) -> Tensor {
        g * saved.output(0)
    }
}

impl Tensor {
    /// `eˣ` of every element (`torch.exp`); f32 within 1 ulp.
    #[track_caller]
    pub fn exp(&self) -> Tensor {
        Tensor::apply(Exp, self)
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new(&[&[2, 3]], |x| x[0].exp()),
        Case::new(&[&[]], |x| x[0].exp()),
        Case::new(&[&[0]], |x| x[0].exp()),
    ]
}
