//! Repeat along axes of size 1 and new leading axes, without a copy.

use super::prelude::*;

struct Expand(Shape);

impl Op for Expand {
    const NAME: &'static str = "expand";
    const AUTOCAST: Autocast = Autocast::Input;
    type In<T> = T;
    type Out<T> = T;

    fn infer(&self, x: &Meta) -> Result<Meta, OpError> {
        match Shape::broadcast(&x.shape, &self.0) {
            Some(s) if s == self.0 => Ok(x.with_shape(s)),
            _ => Err(OpError::rule(format!("the input broadcasts to the target {}", self.0))),
        }
    }
    fn forward(&self, x: Array, _: &mut Save<'_>) -> Array {
        x.expand(&self.0)
    }
    /// `x̄ = ȳ`, summed over the repeated axes.
    fn vjp(&self, saved: &Saved<'_>, g: Tensor) -> Tensor {
        g.sum_to(saved.shape(0))
    }
}

impl Tensor {
    /// Repeat along axes of size 1 and new leading axes, as a view (`torch.Tensor.expand`).
    ///
    /// # Panics
    /// If the shape of `self` does not broadcast to `shape`.
    #[track_caller]
    pub fn expand(&self, shape: impl Into<Shape>) -> Tensor {
        must(self.try_expand(shape))
    }
    /// As [`Tensor::expand`].
    ///
    /// # Errors
    /// If the shape of `self` does not broadcast to `shape`.
    #[track_caller]
    pub fn try_expand(&self, shape: impl Into<Shape>) -> Result<Tensor, OpError> {
        let shape = shape.into();
        if *self.shape() == shape {
            return Ok(self.clone());
        }
        Tensor::try_apply(Expand(shape), self)
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new(&[&[1, 3]], |x| x[0].expand([2, 3])),
        Case::new(&[&[2, 1]], |x| x[0].expand([4, 2, 3]) * &x[0]),
        Case::new(&[&[]], |x| x[0].expand([2])),
        Case::new(&[&[1]], |x| x[0].expand([0])),
    ]
}
