//! `y = −x`

use super::prelude::*;

#[derive(Clone, Copy)]
struct Neg;

impl Map for Neg {
    #[inline(always)]
    fn f<R: Real>(self, x: R) -> R {
        -x
    }
    #[inline(always)]
    fn int(self, x: i64) -> i64 {
        x.wrapping_neg()
    }
}

impl Op for Neg {
    const NAME: &'static str = "neg";
    const AUTOCAST: Autocast = Autocast::Input;
    type In<T> = T;
    type Out<T> = T;

    fn infer(&self, x: &Meta) -> Result<Meta, OpError> {
        match x.dtype {
            DType::Bool => Err(OpError::rule("no negative of bools").hint("logical_not inverts")),
            _ => Ok(x.clone()),
        }
    }
    fn forward(&self, x: Array, _: &mut Save<'_>) -> Array {
        x.map(Neg)
    }
    /// `x̄ = −ȳ`
    fn vjp(&self, _: &Saved<'_>, g: Tensor) -> Tensor {
        -g
    }
}

impl std::ops::Neg for Tensor {
    type Output = Tensor;
    #[track_caller]
    fn neg(self) -> Tensor {
        Tensor::apply(Neg, self)
    }
}
impl std::ops::Neg for &Tensor {
    type Output = Tensor;
    #[track_caller]
    fn neg(self) -> Tensor {
        Tensor::apply(Neg, self)
    }
}

impl Tensor {
    /// `−self` (`torch.neg`).
    ///
    /// # Errors
    /// If the dtype is `bool`.
    #[track_caller]
    pub fn try_neg(&self) -> Result<Tensor, OpError> {
        Tensor::try_apply(Neg, self)
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new(&[&[2, 3]], |x| -&x[0]),
        Case::new(&[&[]], |x| -x[0].clone()),
        Case::new(&[&[0, 2]], |x| -&x[0]),
    ]
}
