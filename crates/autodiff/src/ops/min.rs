//! `y = min x` over all elements; all places where it stands share the gradient.

use super::amax::Extreme;
use super::prelude::*;

struct Min(Extreme);

impl Op for Min {
    const NAME: &'static str = "min";
    const AUTOCAST: Autocast = Autocast::Input;
    type In<T> = T;
    type Out<T> = T;

    fn infer(&self, x: &Meta) -> Result<Meta, OpError> {
        self.0.infer(x)
    }
    fn forward(&self, x: Array, save: &mut Save<'_>) -> Array {
        self.0.forward(x, save)
    }
    /// `x̄ = ȳ/k` at each of the `k` places of the minimum, 0 elsewhere; NaN elements count as equal.
    fn vjp(&self, saved: &Saved<'_>, g: Tensor) -> Tensor {
        self.0.rule(saved, &g, true)
    }
}

impl Tensor {
    /// The minimum of all elements, `[*] -> []` (`torch.min`). NaN wins; equal ones share the gradient.
    /// [`Tensor::min_dim`] and [`Tensor::amin`] work along axes.
    ///
    /// # Panics
    /// If there is no element.
    #[track_caller]
    pub fn min(&self) -> Tensor {
        must(self.try_min())
    }
    /// As [`Tensor::min`].
    ///
    /// # Errors
    /// If there is no element.
    #[track_caller]
    pub fn try_min(&self) -> Result<Tensor, OpError> {
        let op = Extreme::over(self, &[], false, false).map_err(|e| e.at("min", self))?;
        Tensor::try_apply(Min(op), self)
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new(&[&[2, 3]], |x| x[0].min()),
        Case::new(&[&[3]], |x| x[0].min() * &x[0]),
        Case::new(&[&[]], |x| x[0].min()),
    ]
}
