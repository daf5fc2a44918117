//! `y = tanh x`

use super::prelude::*;

#[derive(Clone, Copy)]
struct Tanh;

impl Map for Tanh {
    #[inline(always)]
    fn f<R: Real>(self, x: R) -> R {
        x.tanh()
    }
}

impl Op for Tanh {
    const NAME: &'static str = "tanh";
    const AUTOCAST: Autocast = Autocast::Input;
    const PROMOTION: Promotion = Promotion::Float;
    type In<T> = T;
    type Out<T> = T;

    fn infer(&self, x: &Meta) -> Result<Meta, OpError> {
        Ok(x.clone())
    }
    fn forward(&self, x: Array, save: &mut Save<'_>) -> Array {
        let y = x.map(Tanh);
        save.output(0, &y);
        y
    }
    /// `x̄ = ȳ·(1 − y²)`
    fn vjp(&self, saved: &Saved<'_>, g: Tensor) -> Tensor {
        Tensor::apply(TanhBackward, [g, saved.output(0)])
    }
}

/// `(ȳ, y) -> ȳ·(1 − y²)` in one pass.
#[derive(Clone, Copy)]
struct TanhBackward;

impl Zip for TanhBackward {
    #[inline(always)]
    fn f<R: Real>(self, g: R, y: R) -> R {
        g * (R::of(1.0) - y * y)
    }
}

impl Op for TanhBackward {
    const NAME: &'static str = "tanh_backward";
    const AUTOCAST: Autocast = Autocast::Input;
    type In<T> = [T; 2];
    type Out<T> = T;

    fn infer(&self, [g, y]: [&Meta; 2]) -> Result<Meta, OpError> {
        broadcast(g, y)
    }
    fn forward(&self, [g, y]: [Array; 2], save: &mut Save<'_>) -> Array {
        save.input(0, &g);
        save.input(1, &y);
        g.zip(y, TanhBackward)
    }
    /// With `u` the gradient of the result: `ḡ = u·(1 − y²)`, `y̅ = −2·u·g·y`
    fn vjp(&self, saved: &Saved<'_>, u: Tensor) -> [Option<Tensor>; 2] {
        let (g, y) = (saved.input(0), saved.input(1));
        [
            saved.need(0).then(|| Tensor::apply(TanhBackward, [&u, &y])),
            saved.need(1).then(|| u * g * y * -2.0),
        ]
    }
}

impl Tensor {
    /// `tanh x` of every element (`torch.tanh`); f32 within 1.5 ulp.
    #[track_caller]
    pub fn tanh(&self) -> Tensor {
        Tensor::apply(Tanh, self)
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new(&[&[2, 3]], |x| x[0].tanh()),
        Case::new(&[&[]], |x| x[0].tanh()),
        Case::new(&[&[0]], |x| x[0].tanh()),
        Case::new(&[&[2, 3], &[2, 3]], |x| Tensor::apply(TanhBackward, [&x[0], &x[1]])),
    ]
}
