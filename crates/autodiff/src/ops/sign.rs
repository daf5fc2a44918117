//! `y = sign x`

use super::prelude::*;

#[derive(Clone, Copy)]
struct Sign;

impl Map for Sign {
    #[inline(always)]
    fn f<R: Real>(self, x: R) -> R {
        R::select(x > R::of(0.0), R::of(1.0), R::select(x < R::of(0.0), R::of(-1.0), R::of(0.0)))
    }
    #[inline(always)]
    fn int(self, x: i64) -> i64 {
        x.signum()
    }
}

impl Op for Sign {
    const NAME: &'static str = "sign";
    const AUTOCAST: Autocast = Autocast::Input;
    type In<T> = T;
    type Out<T> = T;

    fn infer(&self, x: &Meta) -> Result<Meta, OpError> {
        Ok(x.clone())
    }
    fn forward(&self, x: Array, _: &mut Save<'_>) -> Array {
        x.map(Sign)
    }
    /// 0 everywhere, as in PyTorch.
    fn vjp(&self, saved: &Saved<'_>, _: Tensor) -> Tensor {
        Tensor::new(Array::zeros(saved.shape(0), saved.dtype(0)))
    }
}

impl Tensor {
    /// −1, 0 or 1 (`torch.sign`); 0 of NaN, as in PyTorch.
    #[track_caller]
    pub fn sign(&self) -> Tensor {
        Tensor::apply(Sign, self)
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new(&[&[2, 3]], |x| x[0].sign()),
        Case::new(&[&[]], |x| x[0].sign()),
        Case::new(&[&[0, 2]], |x| x[0].sign()),
        Case::new(&[&[3]], |x| x[0].sign() * &x[0]),
    ]
}
