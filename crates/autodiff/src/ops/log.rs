//! `y = ln x`

use super::prelude::*;

#[derive(Clone, Copy)]
struct Log;

impl Map for Log {
    #[inline(always)]
    fn f<R: Real>(self, x: R) -> R {
        x.ln()
    }
}

impl Op for Log {
    const NAME: &'static str = "log";
    const AUTOCAST: Autocast = Autocast::F32;
    const PROMOTION: Promotion = Promotion::Float;
    type In<T> = T;
    type Out<T> = T;

    fn infer(&self, x: &Meta) -> Result<Meta, OpError> {
        Ok(x.clone())
    }
    fn forward(&self, x: Array, save: &mut Save<'_>) -> Array {
        save.input(0, &x);
        x.map(Log)
    }
    /// `x̄ = ȳ/x`
    fn vjp(&self, saved: &Saved<'_>, g: Tensor) -> Tensor {
        g / saved.input(0)
    }
}

impl Tensor {
    /// The natural logarithm of every element (`torch.log`): −∞ at 0, NaN below; f32 within 1 ulp.
    #[track_caller]
    pub fn log(&self) -> Tensor {
        Tensor::apply(Log, self)
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new(&[&[2, 3]], |x| x[0].log()).within(0.5, 2.0),
        Case::new(&[&[]], |x| x[0].log()).within(0.5, 2.0),
        Case::new(&[&[0, 2]], |x| x[0].log()).within(0.5, 2.0),
        Case::new(&[&[3]], |x| x[0].log() * &x[0]).within(0.5, 2.0),
    ]
}
