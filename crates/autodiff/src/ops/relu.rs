//! `y = max(x, 0)`

use super::prelude::*;

#[derive(Clone, Copy)]
struct Relu;

impl Map for Relu {
    #[inline(always)]
    fn f<R: Real>(self, x: R) -> R {
        R::select(x < R::of(0.0), R::of(0.0), x) // NaN stays
    }
    #[inline(always)]
    fn int(self, x: i64) -> i64 {
        x.max(0)
    }
}

impl Op for Relu {
    const NAME: &'static str = "relu";
    const AUTOCAST: Autocast = Autocast::Input;
    type In<T> = T;
    type Out<T> = T;

    fn infer(&self, x: &Meta) -> Result<Meta, OpError> {
        number(x)
    }
    fn forward(&self, x: Array, save: &mut Save<'_>) -> Array {
        let y = x.map(Relu);
        save.output(0, &y);
        y
    }
    /// `x̄ = ȳ` where `y > 0` (or is NaN), else 0.
    fn vjp(&self, saved: &Saved<'_>, g: Tensor) -> Tensor {
        Tensor::apply(ReluBackward, [g, saved.output(0).detach()])
    }
}

/// `(ȳ, y) -> 0 where y ≤ 0, else ȳ` in one pass.
#[derive(Clone, Copy)]
struct ReluBackward;

impl Zip for ReluBackward {
    #[inline(always)]
    fn f<R: Real>(self, g: R, y: R) -> R {
        R::select(y <= R::of(0.0), R::of(0.0), g)
    }
}

impl Op for ReluBackward {
    const NAME: &'static str = "relu_backward";
    const AUTOCAST: Autocast = Autocast::Input;
    type In<T> = [T; 2];
    type Out<T> = T;

    fn infer(&self, [g, y]: [&Meta; 2]) -> Result<Meta, OpError> {
        broadcast(g, y)
    }
    fn forward(&self, [g, y]: [Array; 2], save: &mut Save<'_>) -> Array {
        save.input(1, &y);
        g.zip(y, ReluBackward)
    }
    /// `ḡ`: as forward; `y̅ = 0`.
    fn vjp(&self, saved: &Saved<'_>, u: Tensor) -> [Option<Tensor>; 2] {
        [saved.need(0).then(|| Tensor::apply(ReluBackward, [u, saved.input(1)])), None]
    }
}

impl Tensor {
    /// `max(x, 0)` of every element (`torch.relu`). The derivative at 0 is 0; NaN stays NaN.
    ///
    /// # Panics
    /// If the dtype is `bool`.
    #[track_caller]
    pub fn relu(&self) -> Tensor {
        must(self.try_relu())
    }
    /// As [`Tensor::relu`].
    ///
    /// # Errors
    /// If the dtype is `bool`.
    #[track_caller]
    pub fn try_relu(&self) -> Result<Tensor, OpError> {
        Tensor::try_apply(Relu, self)
    }
    /// `self ← max(self, 0)`, in place if nobody else holds the buffer (`torch.relu_`).
    ///
    /// # Panics
    /// If the dtype is `bool`, or `self` is a leaf that is tracked here.
    #[track_caller]
    pub fn relu_(&mut self) {
        must(self.try_assign(Relu, &[]));
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new(&[&[2, 3]], |x| x[0].relu()),
        Case::new(&[&[]], |x| x[0].relu()),
        Case::new(&[&[0, 2]], |x| x[0].relu()),
        Case::new(&[&[2, 3]], |x| x[0].relu() * &x[0] * &x[0]),
        Case::new(&[&[2, 3], &[2, 3]], |x| Tensor::apply(ReluBackward, [&x[0], &x[1]])),
    ]
}
