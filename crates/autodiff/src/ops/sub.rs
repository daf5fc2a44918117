//! `y = a − b`, broadcasting.

use super::prelude::*;

#[derive(Clone, Copy)]
struct Sub;

impl Zip for Sub {
    #[inline(always)]
    fn f<R: Real>(self, a: R, b: R) -> R {
        a - b
    }
    #[inline(always)]
    fn int(self, a: i64, b: i64) -> i64 {
        a.wrapping_sub(b)
    }
}

impl Op for Sub {
    const NAME: &'static str = "sub";
    const AUTOCAST: Autocast = Autocast::Widest;
    type In<T> = [T; 2];
    type Out<T> = T;

    fn infer(&self, [a, b]: [&Meta; 2]) -> Result<Meta, OpError> {
        if a.dtype == DType::Bool {
            return Err(OpError::rule("no subtraction of bools").hint("cast one side to a number"));
        }
        broadcast(a, b)
    }
    fn forward(&self, [a, b]: [Array; 2], _: &mut Save<'_>) -> Array {
        a.zip(b, Sub)
    }
    /// `ā = ȳ`, `b̄ = −ȳ`
    fn vjp(&self, saved: &Saved<'_>, g: Tensor) -> [Option<Tensor>; 2] {
        [saved.need(0).then(|| g.clone()), saved.need(1).then(|| -g)]
    }
}

operator!(Sub::sub = Sub);

impl Tensor {
    /// `self − rhs`, broadcasting (`torch.sub`).
    ///
    /// # Errors
    /// If the shapes do not broadcast, or both are bools.
    #[track_caller]
    pub fn try_sub(&self, rhs: &Tensor) -> Result<Tensor, OpError> {
        Tensor::try_apply(Sub, [self, rhs])
    }
    /// `self ← self − rhs`, in place if nobody else holds the buffer.
    ///
    /// # Panics
    /// If `rhs` does not broadcast to `self`, or `self` is a leaf that is tracked here.
    #[track_caller]
    pub fn sub_(&mut self, rhs: impl Operand) {
        let rhs = rhs.operand(self);
        must(self.try_assign(Sub, &[&rhs]));
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new(&[&[2, 3], &[2, 3]], |x| &x[0] - &x[1]),
        Case::new(&[&[3], &[2, 1]], |x| &x[0] - &x[1]),
        Case::new(&[&[], &[2, 0]], |x| 1 - &x[0] - &x[1]),
        Case::new(&[&[3]], |x| x[0].clone() - &x[0]),
    ]
}
