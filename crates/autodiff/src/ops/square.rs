//! `y = x²`

use super::prelude::*;

#[derive(Clone, Copy)]
pub(super) struct Square;

impl Map for Square {
    #[inline(always)]
    fn f<R: Real>(self, x: R) -> R {
        x * x
    }
    #[inline(always)]
    fn int(self, x: i64) -> i64 {
        x.wrapping_mul(x)
    }
}

impl Op for Square {
    const NAME: &'static str = "square";
    const AUTOCAST: Autocast = Autocast::F32;
    type In<T> = T;
    type Out<T> = T;

    fn infer(&self, x: &Meta) -> Result<Meta, OpError> {
        Ok(x.clone())
    }
    fn forward(&self, x: Array, save: &mut Save<'_>) -> Array {
        save.input(0, &x);
        x.map(Square)
    }
    /// `x̄ = ȳ·2x`
    fn vjp(&self, saved: &Saved<'_>, g: Tensor) -> Tensor {
        g * (saved.input(0) * 2.0)
    }
}

impl Tensor {
    /// The square of every element (`torch.square`); bools give i64.
    #[track_caller]
    pub fn square(&self) -> Tensor {
        match self.dtype() {
            DType::Bool => self.to_dtype(DType::I64).square(),
            _ => Tensor::apply(Square, self),
        }
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new(&[&[2, 3]], |x| x[0].square()),
        Case::new(&[&[]], |x| x[0].square()),
        Case::new(&[&[0, 2]], |x| x[0].square()),
        Case::new(&[&[3]], |x| x[0].square() * &x[0]),
    ]
}
