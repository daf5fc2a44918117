//! `y = min x` over axes; all places where it stands share the gradient.

use super::amax::Extreme;
use super::prelude::*;

struct Amin(Extreme);

impl Op for Amin {
    const NAME: &'static str = "amin";
    const AUTOCAST: Autocast = Autocast::Input;
    type In<T> = T;
    type Out<T> = T;

    fn infer(&self, x: &Meta) -> Result<Meta, OpError> {
        self.0.infer(x)
    }
    fn forward(&self, x: Array, save: &mut Save<'_>) -> Array {
        self.0.forward(x, save)
    }
    /// `x̄ = ȳ/k` at each of the `k` places of the minimum, 0 elsewhere.
    fn vjp(&self, saved: &Saved<'_>, g: Tensor) -> Tensor {
        self.0.rule(saved, &g, false)
    }
}

impl Tensor {
    /// The minimum over the axes `dims` (none means all), which stay with size 1 if `keepdim`
    /// (`torch.amin`). NaN wins; equal minima share the gradient.
    ///
    /// # Panics
    /// If an axis is empty, does not exist or is named twice.
    #[track_caller]
    pub fn amin(&self, dims: &[isize], keepdim: bool) -> Tensor {
        must(self.try_amin(dims, keepdim))
    }
    /// As [`Tensor::amin`].
    ///
    /// # Errors
    /// If an axis is empty, does not exist or is named twice.
    #[track_caller]
    pub fn try_amin(&self, dims: &[isize], keepdim: bool) -> Result<Tensor, OpError> {
        let op = Extreme::over(self, dims, keepdim, false).map_err(|e| e.at("amin", self))?;
        Tensor::try_apply(Amin(op), self)
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new(&[&[2, 3]], |x| x[0].amin(&[], false)),
        Case::new(&[&[2, 3, 2]], |x| x[0].amin(&[0, -1], true) * &x[0]),
        Case::new(&[&[3, 2]], |x| x[0].amin(&[0], false) * 2.0),
        Case::new(&[&[]], |x| x[0].amin(&[0], true)),
        Case::new(&[&[2, 0]], |x| x[0].amin(&[0], false)),
    ]
}
