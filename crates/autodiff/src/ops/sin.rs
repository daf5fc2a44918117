//! `y = sin x`

use super::prelude::*;

#[derive(Clone, Copy)]
struct Sin;

impl Map for Sin {
    #[inline(always)]
    fn f<R: Real>(self, x: R) -> R {
        x.sin_near()
    }
}

impl Rare for Sin {
    #[inline(always)]
    fn is_rare<R: Real>(self, x: R) -> bool {
        x.is_far()
    }
    #[inline(always)]
    fn rare<R: Real>(self, x: R) -> R {
        x.sin()
    }
}

impl Op for Sin {
    const NAME: &'static str = "sin";
    const AUTOCAST: Autocast = Autocast::Input;
    const PROMOTION: Promotion = Promotion::Float;
    type In<T> = T;
    type Out<T> = T;

    fn infer(&self, x: &Meta) -> Result<Meta, OpError> {
        Ok(x.clone())
    }
    fn forward(&self, x: Array, save: &mut Save<'_>) -> Array {
        save.input(0, &x);
        x.map_rare(Sin)
    }
    /// `x̄ = ȳ·cos x`
    fn vjp(&self, saved: &Saved<'_>, g: Tensor) -> Tensor {
        g * saved.input(0).cos()
    }
}

impl Tensor {
    /// The sine of every element, in radians (`torch.sin`), of any size; f32 within 1.75 ulp, f64
    /// within 1.
    #[track_caller]
    pub fn sin(&self) -> Tensor {
        Tensor::apply(Sin, self)
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new(&[&[2, 3]], |x| x[0].sin()),
        Case::new(&[&[]], |x| x[0].sin()),
        Case::new(&[&[0, 2]], |x| x[0].sin()),
        Case::new(&[&[3]], |x| x[0].sin() * &x[0]),
    ]
}
