//! `y = a + b`, broadcasting.

use super::prelude::*;

/// The formula; the sweep adds gradients by it, too.
#[derive(Clone, Copy)]
pub(crate) struct Add;

impl Zip for Add {
    #[inline(always)]
    fn f<R: Real>(self, a: R, b: R) -> R {
        a + b
    }
    #[inline(always)]
    fn int(self, a: i64, b: i64) -> i64 {
        a.wrapping_add(b)
    }
}

impl Op for Add {
    const NAME: &'static str = "add";
    const AUTOCAST: Autocast = Autocast::Widest;
    type In<T> = [T; 2];
    type Out<T> = T;

    fn infer(&self, [a, b]: [&Meta; 2]) -> Result<Meta, OpError> {
        broadcast(a, b)
    }
    fn forward(&self, [a, b]: [Array; 2], _: &mut Save<'_>) -> Array {
        a.zip(b, Add)
    }
    /// `ā = b̄ = ȳ`
    fn vjp(&self, saved: &Saved<'_>, g: Tensor) -> [Option<Tensor>; 2] {
        match (saved.need(0), saved.need(1)) {
            (true, true) => [Some(g.clone()), Some(g)],
            (a, b) => [a.then(|| g.clone()), b.then_some(g)],
        }
    }
}

operator!(Add::add = Add);

impl Tensor {
    /// `self + rhs`, broadcasting (`torch.add`).
    ///
    /// # Errors
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn try_add(&self, rhs: &Tensor) -> Result<Tensor, OpError> {
        Tensor::try_apply(Add, [self, rhs])
    }
    /// `self ← self + rhs`, in place if nobody else holds the buffer.
    ///
    /// # Panics
    /// If `rhs` does not broadcast to `self`, or `self` is a leaf that is tracked here.
    #[track_caller]
    pub fn add_(&mut self, rhs: impl Operand) {
        let rhs = rhs.operand(self);
        must(self.try_assign(Add, &[&rhs]));
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new(&[&[2, 3], &[2, 3]], |x| &x[0] + &x[1]),
        Case::new(&[&[2, 3], &[3]], |x| &x[0] + &x[1]),
        Case::new(&[&[2, 1], &[3]], |x| &x[0] + &x[1]),
        Case::new(&[&[0, 3], &[3]], |x| &x[0] + &x[1]),
        Case::new(&[&[], &[2]], |x| 1.5 + &x[0] + &x[1] + 2),
        Case::new(&[&[2, 3]], |x| &x[0] + &x[0]),
    ]
}
