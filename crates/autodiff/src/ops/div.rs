//! `y = a/b`, broadcasting; true division, so integers give f32.

use super::prelude::*;

#[derive(Clone, Copy)]
struct Div;

impl Zip for Div {
    #[inline(always)]
    fn f<R: Real>(self, a: R, b: R) -> R {
        a / b
    }
}

impl Op for Div {
    const NAME: &'static str = "div";
    const AUTOCAST: Autocast = Autocast::Widest;
    const PROMOTION: Promotion = Promotion::Float;
    type In<T> = [T; 2];
    type Out<T> = T;

    fn infer(&self, [a, b]: [&Meta; 2]) -> Result<Meta, OpError> {
        broadcast(a, b)
    }
    fn forward(&self, [a, b]: [Array; 2], save: &mut Save<'_>) -> Array {
        save.input(1, &b);
        if save.need(1) {
            save.input(0, &a);
        }
        a.zip(b, Div)
    }
    /// `ā = ȳ/b`, `b̄ = −ȳ·(a/b)/b`, which neither overflows in b² nor divides 0 by 0 earlier than the
    /// quotient does.
    fn vjp(&self, saved: &Saved<'_>, g: Tensor) -> [Option<Tensor>; 2] {
        let b = saved.input(1);
        let right = saved.need(1).then(|| -&g * ((saved.input(0) / &b) / &b));
        [saved.need(0).then(|| g / b), right]
    }
}

operator!(Div::div = Div);

impl Tensor {
    /// `self/rhs`, broadcasting (`torch.true_divide`).
    ///
    /// # Errors
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn try_div(&self, rhs: &Tensor) -> Result<Tensor, OpError> {
        Tensor::try_apply(Div, [self, rhs])
    }
    /// `self ← self/rhs`, in place if nobody else holds the buffer.
    ///
    /// # Panics
    /// If `rhs` does not broadcast to `self`, `self` is not floating point, or `self` is a leaf that is
    /// tracked here.
    #[track_caller]
    pub fn div_(&mut self, rhs: impl Operand) {
        let rhs = rhs.operand(self);
        must(self.try_assign(Div, &[&rhs]));
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new(&[&[2, 3], &[2, 3]], |x| &x[0] / &x[1]).within(0.5, 2.0),
        Case::new(&[&[2, 3], &[3]], |x| &x[0] / &x[1]).within(0.5, 2.0),
        Case::new(&[&[2, 1], &[3]], |x| &x[0] / &x[1]).within(-2.0, -0.5),
        Case::new(&[&[], &[0]], |x| 3.0 / &x[0] / &x[1]).within(0.5, 2.0),
        Case::new(&[&[3]], |x| &x[0] / (&x[0] + 1)).within(0.5, 2.0),
    ]
}
