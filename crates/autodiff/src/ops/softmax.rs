//! `yᵢ = eˣⁱ / Σⱼ eˣʲ` along one axis: fused both ways.

use super::prelude::*;

struct Softmax {
    axis: usize,
}

impl Op for Softmax {
    const NAME: &'static str = "softmax";
    const AUTOCAST: Autocast = Autocast::F32;
    type In<T> = T;
    type Out<T> = T;

    fn infer(&self, x: &Meta) -> Result<Meta, OpError> {
        floating(x)
    }
    /// The maximum is taken off first, so nothing overflows.
    fn forward(&self, x: Array, save: &mut Save<'_>) -> Array {
        let y = x.softmax(self.axis);
        save.output(0, &y);
        y
    }
    /// `x̄ = y·(ȳ − Σ ȳ·y)`, in one pass.
    fn vjp(&self, saved: &Saved<'_>, g: Tensor) -> Tensor {
        Tensor::apply(SoftmaxBackward { axis: self.axis }, [g, saved.output(0)])
    }
}

/// Softmax has no meaning for integers.
pub(super) fn floating(x: &Meta) -> Result<Meta, OpError> {
    match x.dtype.is_float() {
        true => Ok(x.clone()),
        false => Err(OpError::rule("the input is floating point").hint("cast it with to_dtype")),
    }
}

/// `(ȳ, y) -> y·(ȳ − Σ ȳ·y)`
struct SoftmaxBackward {
    axis: usize,
}

impl Op for SoftmaxBackward {
    const NAME: &'static str = "softmax_backward";
    const AUTOCAST: Autocast = Autocast::F32;
    type In<T> = [T; 2];
    type Out<T> = T;

    fn infer(&self, [g, y]: [&Meta; 2]) -> Result<Meta, OpError> {
        broadcast(g, y)
    }
    fn forward(&self, [g, y]: [Array; 2], save: &mut Save<'_>) -> Array {
        save.input(0, &g);
        save.input(1, &y);
        y.softmax_backward(&g, self.axis)
    }
    /// With `u` the gradient of the result and `⟨a, b⟩ = Σ a·b` along the axis:
    ///
    /// ```text
    /// ḡ = y·(u − ⟨u, y⟩)        y̅ = u·(g − ⟨g, y⟩) − g·⟨u, y⟩
    /// ```
    fn vjp(&self, saved: &Saved<'_>, u: Tensor) -> [Option<Tensor>; 2] {
        let (g, y, dims) = (saved.input(0), saved.input(1), [self.axis as isize]);
        let dot = |a: &Tensor, b: &Tensor| {
            if a.rank() == 0 { a * b } else { (a * b).sum_dims(&dims, true) }
        };
        let left =
            saved.need(0).then(|| Tensor::apply(SoftmaxBackward { axis: self.axis }, [&u, &y]));
        let right = saved.need(1).then(|| &u * (&g - dot(&g, &y)) - &g * dot(&u, &y));
        [left, right]
    }
}

impl Tensor {
    /// `eˣ / Σ eˣ` along `dim` (`torch.softmax`), without overflow.
    ///
    /// # Panics
    /// If the axis does not exist or the dtype is not floating point.
    #[track_caller]
    pub fn softmax(&self, dim: isize) -> Tensor {
        must(self.try_softmax(dim))
    }
    /// As [`Tensor::softmax`].
    ///
    /// # Errors
    /// If the axis does not exist or the dtype is not floating point.
    #[track_caller]
    pub fn try_softmax(&self, dim: isize) -> Result<Tensor, OpError> {
        let axis = axis(dim, self.shape()).map_err(|e| e.at("softmax", self))?;
        Tensor::try_apply(Softmax { axis }, self)
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new(&[&[2, 3]], |x| x[0].softmax(-1)),
        Case::new(&[&[2, 3, 2]], |x| x[0].softmax(1)),
        Case::new(&[&[]], |x| x[0].softmax(0)),
        Case::new(&[&[0, 3]], |x| x[0].softmax(1)),
        Case::new(&[&[3]], |x| {
            let e = (&x[0] - x[0].max_dim(0, true).0.detach()).exp();
            &e / e.sum()
        }),
        Case::new(&[&[2, 3], &[2, 3]], |x| {
            Tensor::apply(SoftmaxBackward { axis: 1 }, [&x[0], &x[1]])
        }),
    ]
}
