//! `y = erf x = 2/√π·∫₀ˣ e^(−t²) dt`

use super::prelude::*;
use std::f64::consts::FRAC_2_SQRT_PI;

#[derive(Clone, Copy)]
struct Erf;

impl Map for Erf {
    #[inline(always)]
    fn f<R: Real>(self, x: R) -> R {
        x.erf()
    }
}

impl Op for Erf {
    const NAME: &'static str = "erf";
    const AUTOCAST: Autocast = Autocast::Input;
    const PROMOTION: Promotion = Promotion::Float;
    type In<T> = T;
    type Out<T> = T;

    fn infer(&self, x: &Meta) -> Result<Meta, OpError> {
        Ok(x.clone())
    }
    fn forward(&self, x: Array, save: &mut Save<'_>) -> Array {
        save.input(0, &x);
        x.map(Erf)
    }
    /// `x̄ = ȳ·2/√π·e^(−x²)`
    fn vjp(&self, saved: &Saved<'_>, g: Tensor) -> Tensor {
        g * (-saved.input(0).square()).exp() * FRAC_2_SQRT_PI
    }
}

impl Tensor {
    /// The error function of every element (`torch.erf`); f32 within 1.5 ulp, f64 within 2.
    #[track_caller]
    pub fn erf(&self) -> Tensor {
        Tensor::apply(Erf, self)
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new(&[&[2, 3]], |x| x[0].erf()),
        Case::new(&[&[]], |x| x[0].erf()),
        Case::new(&[&[0, 2]], |x| x[0].erf()),
        Case::new(&[&[3]], |x| x[0].erf() * &x[0]),
    ]
}
