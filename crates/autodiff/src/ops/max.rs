//! `y = max x` over all elements; all places where it stands share the gradient.

use super::amax::Extreme;
use super::prelude::*;

struct Max(Extreme);

impl Op for Max {
    const NAME: &'static str = "max";
    const AUTOCAST: Autocast = Autocast::Input;
    type In<T> = T;
    type Out<T> = T;

    fn infer(&self, x: &Meta) -> Result<Meta, OpError> {
        self.0.infer(x)
    }
    fn forward(&self, x: Array, save: &mut Save<'_>) -> Array {
        self.0.forward(x, save)
    }
    /// `x̄ = ȳ/k` at each of the `k` places of the maximum, 0 elsewhere; NaN elements count as equal.
    fn vjp(&self, saved: &Saved<'_>, g: Tensor) -> Tensor {
        self.0.rule(saved, &g, true)
    }
}

impl Tensor {
    /// The maximum of all elements, `[*] -> []` (`torch.max`). NaN wins; equal ones share the gradient.
    /// [`Tensor::max_dim`] and [`Tensor::amax`] work along axes.
    ///
    /// # Panics
    /// If there is no element.
    #[track_caller]
    pub fn max(&self) -> Tensor {
        must(self.try_max())
    }
    /// As [`Tensor::max`].
    ///
    /// # Errors
    /// If there is no element.
    #[track_caller]
    pub fn try_max(&self) -> Result<Tensor, OpError> {
        let op = Extreme::over(self, &[], false, true).map_err(|e| e.at("max", self))?;
        Tensor::try_apply(Max(op), self)
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new(&[&[2, 3]], |x| x[0].max()),
        Case::new(&[&[3]], |x| x[0].max() * &x[0]),
        Case::new(&[&[]], |x| x[0].max()),
    ]
}
