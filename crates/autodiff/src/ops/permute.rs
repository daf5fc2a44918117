//! Axes in another order, as a view.

use super::prelude::*;
use gradus_tensor::Axes;

struct Permute(Axes<usize>);

impl Op for Permute {
    const NAME: &'static str = "permute";
    const AUTOCAST: Autocast = Autocast::Input;
    type In<T> = T;
    type Out<T> = T;

    fn infer(&self, x: &Meta) -> Result<Meta, OpError> {
        let sizes: Axes<usize> = self.0.iter().map(|&a| x.shape[a]).collect();
        Ok(x.with_shape(Shape::new(&sizes)))
    }
    fn forward(&self, x: Array, _: &mut Save<'_>) -> Array {
        x.permute(&self.0)
    }
    /// `x̄` is `ȳ` in the old order.
    fn vjp(&self, _: &Saved<'_>, g: Tensor) -> Tensor {
        let mut old: Axes<usize> = self.0.clone();
        self.0.iter().enumerate().for_each(|(new, &axis)| old[axis] = new);
        Tensor::apply(Permute(old), g)
    }
    fn work(&self, _: &Meta, _: &Meta) -> Work {
        Work::NONE // a view
    }
}

impl Tensor {
    /// Axes in the order `dims`, as a view (`torch.permute`).
    ///
    /// # Panics
    /// If `dims` does not name every axis once.
    #[track_caller]
    pub fn permute(&self, dims: &[isize]) -> Tensor {
        must(self.try_permute(dims))
    }
    /// As [`Tensor::permute`].
    ///
    /// # Errors
    /// If `dims` does not name every axis once.
    #[track_caller]
    pub fn try_permute(&self, dims: &[isize]) -> Result<Tensor, OpError> {
        let order: Option<Axes<usize>> = dims.iter().map(|&d| self.shape().axis(d)).collect();
        let every = |o: &Axes<usize>| {
            o.len() == self.rank() && (0..self.rank()).all(|axis| o.contains(&axis))
        };
        match order.filter(every) {
            Some(order) => Tensor::try_apply(Permute(order), self),
            None => {
                let rule = OpError::rule("dims names every axis once");
                Err(rule.hint(format!("dims is {dims:?}")).at("permute", self))
            }
        }
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new(&[&[2, 3, 4]], |x| x[0].permute(&[2, 0, 1])),
        Case::new(&[&[2, 3]], |x| x[0].permute(&[-1, 0]) * 2.0),
        Case::new(&[&[]], |x| x[0].permute(&[])),
        Case::new(&[&[0, 3]], |x| x[0].permute(&[1, 0])),
    ]
}
