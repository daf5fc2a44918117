//! `y = a·b`, broadcasting.

use super::prelude::*;

#[derive(Clone, Copy)]
struct Mul;

impl Zip for Mul {
    #[inline(always)]
    fn f<R: Real>(self, a: R, b: R) -> R {
        a * b
    }
    #[inline(always)]
    fn int(self, a: i64, b: i64) -> i64 {
        a.wrapping_mul(b)
    }
}

impl Op for Mul {
    const NAME: &'static str = "mul";
    const AUTOCAST: Autocast = Autocast::Widest;
    type In<T> = [T; 2];
    type Out<T> = T;

    fn infer(&self, [a, b]: [&Meta; 2]) -> Result<Meta, OpError> {
        broadcast(a, b)
    }
    fn forward(&self, [a, b]: [Array; 2], save: &mut Save<'_>) -> Array {
        if save.need(1) {
            save.input(0, &a);
        }
        if save.need(0) {
            save.input(1, &b);
        }
        a.zip(b, Mul)
    }
    /// `ā = ȳ·b`, `b̄ = ȳ·a`
    fn vjp(&self, saved: &Saved<'_>, g: Tensor) -> [Option<Tensor>; 2] {
        match (saved.need(0), saved.need(1)) {
            (true, false) => [Some(g * saved.input(1)), None],
            (a, b) => {
                let left = a.then(|| &g * saved.input(1));
                [left, b.then(|| g * saved.input(0))]
            }
        }
    }
}

operator!(Mul::mul = Mul);

impl Tensor {
    /// `self·rhs`, element by element, broadcasting (`torch.mul`).
    ///
    /// # Errors
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn try_mul(&self, rhs: &Tensor) -> Result<Tensor, OpError> {
        Tensor::try_apply(Mul, [self, rhs])
    }
    /// `self ← self·rhs`, in place if nobody else holds the buffer.
    ///
    /// # Panics
    /// If `rhs` does not broadcast to `self`, or `self` is a leaf that is tracked here.
    #[track_caller]
    pub fn mul_(&mut self, rhs: impl Operand) {
        let rhs = rhs.operand(self);
        must(self.try_assign(Mul, &[&rhs]));
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new(&[&[2, 3], &[2, 3]], |x| &x[0] * &x[1]),
        Case::new(&[&[2, 3], &[3]], |x| &x[0] * &x[1]),
        Case::new(&[&[2, 1], &[3]], |x| &x[0] * &x[1]),
        Case::new(&[&[], &[0]], |x| 3.0 * &x[0] * &x[1]),
        Case::new(&[&[3]], |x| &x[0] * &x[0] * 2),
    ]
}
