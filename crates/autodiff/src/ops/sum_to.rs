//! Sum over the axes that broadcasting repeats; the inverse of `expand`, and its backward rule.

use super::prelude::*;

struct SumTo(Shape);

impl Op for SumTo {
    const NAME: &'static str = "sum_to";
    const AUTOCAST: Autocast = Autocast::F32;
    type In<T> = T;
    type Out<T> = T;

    fn infer(&self, x: &Meta) -> Result<Meta, OpError> {
        match Shape::broadcast(&x.shape, &self.0) {
            Some(s) if s == x.shape => Ok(x.with_shape(self.0.clone())),
            _ => Err(OpError::rule(format!("the target {} broadcasts to the input", self.0))),
        }
    }
    fn forward(&self, x: Array, _: &mut Save<'_>) -> Array {
        x.sum_to(&self.0)
    }
    /// `x̄ = ȳ`, expanded.
    fn vjp(&self, saved: &Saved<'_>, g: Tensor) -> Tensor {
        g.expand(saved.shape(0))
    }
}

impl Tensor {
    /// Sum over the axes that broadcasting `shape` to the shape of `self` repeats
    /// (`torch.Tensor.sum_to_size`).
    ///
    /// # Panics
    /// If `shape` does not broadcast to the shape of `self`.
    #[track_caller]
    pub fn sum_to(&self, shape: &Shape) -> Tensor {
        if self.shape() == shape { self.clone() } else { Tensor::apply(SumTo(shape.clone()), self) }
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new(&[&[2, 3]], |x| x[0].sum_to(&[3].into())),
        Case::new(&[&[2, 3]], |x| x[0].sum_to(&[2, 1].into())),
        Case::new(&[&[2, 3]], |x| x[0].sum_to(&().into())),
        Case::new(&[&[4, 2, 3]], |x| x[0].sum_to(&[2, 1].into()) * 2.0),
        Case::new(&[&[0, 3]], |x| x[0].sum_to(&[3].into())),
    ]
}
