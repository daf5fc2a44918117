//! `y = 1/(1 + e⁻ˣ)`

use super::prelude::*;

#[derive(Clone, Copy)]
struct Sigmoid;

impl Map for Sigmoid {
    #[inline(always)]
    fn f<R: Real>(self, x: R) -> R {
        x.sigmoid()
    }
}

impl Op for Sigmoid {
    const NAME: &'static str = "sigmoid";
    const AUTOCAST: Autocast = Autocast::Input;
    const PROMOTION: Promotion = Promotion::Float;
    type In<T> = T;
    type Out<T> = T;

    fn infer(&self, x: &Meta) -> Result<Meta, OpError> {
        Ok(x.clone())
    }
    fn forward(&self, x: Array, save: &mut Save<'_>) -> Array {
        let y = x.map(Sigmoid);
        save.output(0, &y);
        y
    }
    /// `x̄ = ȳ·(1 − y)·y`
    fn vjp(&self, saved: &Saved<'_>, g: Tensor) -> Tensor {
        Tensor::apply(SigmoidBackward, [g, saved.output(0)])
    }
}

/// `(ȳ, y) -> ȳ·(1 − y)·y` in one pass.
#[derive(Clone, Copy)]
struct SigmoidBackward;

impl Zip for SigmoidBackward {
    #[inline(always)]
    fn f<R: Real>(self, g: R, y: R) -> R {
        g * (R::of(1.0) - y) * y
    }
}

impl Op for SigmoidBackward {
    const NAME: &'static str = "sigmoid_backward";
    const AUTOCAST: Autocast = Autocast::Input;
    type In<T> = [T; 2];
    type Out<T> = T;

    fn infer(&self, [g, y]: [&Meta; 2]) -> Result<Meta, OpError> {
        broadcast(g, y)
    }
    fn forward(&self, [g, y]: [Array; 2], save: &mut Save<'_>) -> Array {
        save.input(0, &g);
        save.input(1, &y);
        g.zip(y, SigmoidBackward)
    }
    /// With `u` the gradient of the result: `ḡ = u·(1 − y)·y`, `y̅ = u·g·(1 − 2y)`
    fn vjp(&self, saved: &Saved<'_>, u: Tensor) -> [Option<Tensor>; 2] {
        let (g, y) = (saved.input(0), saved.input(1));
        [
            saved.need(0).then(|| Tensor::apply(SigmoidBackward, [&u, &y])),
            saved.need(1).then(|| u * g * (1.0 - y * 2.0)),
        ]
    }
}

impl Tensor {
    /// `1/(1 + e⁻ˣ)` of every element (`torch.sigmoid`), without overflow on either side; f32 within
    /// 2.5 ulp.
    #[track_caller]
    pub fn sigmoid(&self) -> Tensor {
        Tensor::apply(Sigmoid, self)
    }
    /// `self ← sigmoid(self)`, in place if nobody else holds the buffer (`torch.Tensor.sigmoid_`).
    ///
    /// # Panics
    /// If the dtype is not floating point, or `self` is a leaf that is tracked here.
    #[track_caller]
    pub fn sigmoid_(&mut self) {
        must(self.try_assign(Sigmoid, &[]));
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new(&[&[2, 3]], |x| x[0].sigmoid()),
        Case::new(&[&[]], |x| x[0].sigmoid()),
        Case::new(&[&[0, 2]], |x| x[0].sigmoid()),
        Case::new(&[&[3]], |x| x[0].sigmoid() * &x[0]).within(-4.0, 4.0),
        Case::new(&[&[2, 3], &[2, 3]], |x| Tensor::apply(SigmoidBackward, [&x[0], &x[1]])),
    ]
}
