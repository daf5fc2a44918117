//! `y = cos x`

use super::prelude::*;

#[derive(Clone, Copy)]
struct Cos;

impl Map for Cos {
    #[inline(always)]
    fn f<R: Real>(self, x: R) -> R {
        x.cos_near()
    }
}

impl Rare for Cos {
    #[inline(always)]
    fn is_rare<R: Real>(self, x: R) -> bool {
        x.is_far()
    }
    #[inline(always)]
    fn rare<R: Real>(self, x: R) -> R {
        x.cos()
    }
}

impl Op for Cos {
    const NAME: &'static str = "cos";
    const AUTOCAST: Autocast = Autocast::Input;
    const PROMOTION: Promotion = Promotion::Float;
    type In<T> = T;
    type Out<T> = T;

    fn infer(&self, x: &Meta) -> Result<Meta, OpError> {
        Ok(x.clone())
    }
    fn forward(&self, x: Array, save: &mut Save<'_>) -> Array {
        save.input(0, &x);
        x.map_rare(Cos)
    }
    /// `x̄ = −ȳ·sin x`
    fn vjp(&self, saved: &Saved<'_>, g: Tensor) -> Tensor {
        -g * saved.input(0).sin()
    }
}

impl Tensor {
    /// The cosine of every element, in radians (`torch.cos`), of any size; f32 within 1.75 ulp, f64
    /// within 1.
    #[track_caller]
    pub fn cos(&self) -> Tensor {
        Tensor::apply(Cos, self)
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new(&[&[2, 3]], |x| x[0].cos()),
        Case::new(&[&[]], |x| x[0].cos()),
        Case::new(&[&[0, 2]], |x| x[0].cos()),
        Case::new(&[&[3]], |x| x[0].cos() * &x[0]),
    ]
}
