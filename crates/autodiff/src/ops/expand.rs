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
    fn work(&self, _: &Meta, _: &Meta) -> Work {
        Work::NONE // a view
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
    /// As [`Tensor::expand`], with −1 where an axis keeps its size (`torch.Tensor.expand(-1, 4)`).
    ///
    /// # Panics
    /// If the shapes do not fit, or −1 stands for an axis that `self` does not have.
    #[track_caller]
    pub fn expand_sizes(&self, sizes: &[isize]) -> Tensor {
        must(self.try_expand_sizes(sizes))
    }
    /// As [`Tensor::expand_sizes`].
    ///
    /// # Errors
    /// If the shapes do not fit, or −1 stands for an axis that `self` does not have.
    #[track_caller]
    pub fn try_expand_sizes(&self, sizes: &[isize]) -> Result<Tensor, OpError> {
        let new = sizes.len().saturating_sub(self.rank());
        let kept = |i: usize| i.checked_sub(new).and_then(|j| self.shape().get(j).copied());
        let size = |(i, &s): (usize, &isize)| match s {
            -1 => kept(i),
            s => usize::try_from(s).ok(),
        };
        let shape: Option<Vec<usize>> = sizes.iter().enumerate().map(size).collect();
        match shape {
            Some(shape) => self.try_expand(shape),
            None => {
                let e = OpError::rule("sizes are not negative; -1 keeps an axis of the input");
                Err(e.hint(format!("sizes are {sizes:?}")).at("expand", self))
            }
        }
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new(&[&[1, 3]], |x| x[0].expand([2, 3])),
        Case::new(&[&[2, 1]], |x| x[0].expand([4, 2, 3]) * &x[0]),
        Case::new(&[&[2, 1]], |x| x[0].expand_sizes(&[3, -1, 2])),
        Case::new(&[&[]], |x| x[0].expand([2])),
        Case::new(&[&[1]], |x| x[0].expand([0])),
    ]
}
