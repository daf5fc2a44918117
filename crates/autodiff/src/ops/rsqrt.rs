//! `y = 1/√x`

use super::prelude::*;

#[derive(Clone, Copy)]
struct Rsqrt;

impl Map for Rsqrt {
    #[inline(always)]
    fn f<R: Real>(self, x: R) -> R {
        x.sqrt().recip()
    }
}

impl Op for Rsqrt {
    const NAME: &'static str = "rsqrt";
    const AUTOCAST: Autocast = Autocast::F32;
    const PROMOTION: Promotion = Promotion::Float;
    type In<T> = T;
    type Out<T> = T;

    fn infer(&self, x: &Meta) -> Result<Meta, OpError> {
        Ok(x.clone())
    }
    fn forward(&self, x: Array, save: &mut Save<'_>) -> Array {
        let y = x.map(Rsqrt);
        save.output(0, &y);
        y
    }
    /// `x̄ = −½·ȳ·y³`
    fn vjp(&self, saved: &Saved<'_>, g: Tensor) -> Tensor {
        let y = saved.output(0);
        g * (&y * &y * y) * -0.5
    }
}

impl Tensor {
    /// `1/√x` of every element (`torch.rsqrt`): ∞ at 0, NaN below.
    #[track_caller]
    pub fn rsqrt(&self) -> Tensor {
        Tensor::apply(Rsqrt, self)
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new(&[&[2, 3]], |x| x[0].rsqrt()).within(0.5, 2.0),
        Case::new(&[&[]], |x| x[0].rsqrt()).within(0.5, 2.0),
        Case::new(&[&[0, 2]], |x| x[0].rsqrt()).within(0.5, 2.0),
        Case::new(&[&[3]], |x| x[0].rsqrt() * &x[0]).within(0.5, 2.0),
    ]
}
