//! `y`: `x` with more entries, or fewer, at both ends of its last axes.

use super::prelude::*;
use gradus_tensor::{PadError, PadMode, Padded};
use std::sync::Arc;

struct Pad(Arc<Padded>);

impl Op for Pad {
    const NAME: &'static str = "pad";
    const AUTOCAST: Autocast = Autocast::Input;
    type In<T> = T;
    type Out<T> = T;

    fn infer(&self, x: &Meta) -> Result<Meta, OpError> {
        Ok(x.with_shape(self.0.shape(&x.shape)))
    }
    fn forward(&self, x: Array, _: &mut Save<'_>) -> Array {
        x.pad(&self.0)
    }
    /// `x̄`: every `ȳ` added where `y` came from.
    fn vjp(&self, saved: &Saved<'_>, g: Tensor) -> Tensor {
        let shape = saved.shape(0).clone();
        Tensor::apply(PadBackward { padded: self.0.clone(), shape }, g)
    }
}

/// The adjoint of [`Pad`] without its constant.
struct PadBackward {
    padded: Arc<Padded>,
    shape: Shape,
}

impl Op for PadBackward {
    const NAME: &'static str = "pad_backward";
    const AUTOCAST: Autocast = Autocast::Input;
    type In<T> = T;
    type Out<T> = T;

    fn infer(&self, g: &Meta) -> Result<Meta, OpError> {
        Ok(g.with_shape(self.shape.clone()))
    }
    fn forward(&self, g: Array, _: &mut Save<'_>) -> Array {
        g.pad_backward(&self.padded, &self.shape)
    }
    /// `ḡ`: padded again, with zeros for the constant.
    fn vjp(&self, _: &Saved<'_>, u: Tensor) -> Tensor {
        Tensor::apply(Pad(Arc::new(self.padded.with_zeros())), u)
    }
}

impl Tensor {
    /// More entries, or fewer, at both ends of the last axes.
    ///
    /// `pad` is `[before, after]` of the last axis, then of the one before it, and so on; negative
    /// numbers cut entries off.
    ///
    /// Modes that are not constant take `[N, C, *]` or `[C, *]`, with `*` the padded axes.
    ///
    /// # Shape      every size `n` of a padded axis  →  `n + before + after`
    /// # Gradient   every entry of the result gives its gradient to the entry it is a copy of
    /// # Panics     if the shape does not fit, a mirror would be longer than the axis, or a size negative
    /// # PyTorch    `torch.nn.functional.pad`
    /// # Example
    /// ```
    /// use gradus_autodiff::Tensor;
    /// use gradus_tensor::PadMode;
    /// let x = Tensor::from([[1.0, 2.0, 3.0]]);
    /// assert_eq!(x.pad(&[1, -1], PadMode::Constant(9.into())).to_vec::<f64>(), [9.0, 1.0, 2.0]);
    /// assert_eq!(x.pad(&[2, 0], PadMode::Reflect).to_vec::<f64>(), [3.0, 2.0, 1.0, 2.0, 3.0]);
    /// ```
    #[track_caller]
    pub fn pad(&self, pad: &[isize], mode: PadMode) -> Tensor {
        must(self.try_pad(pad, mode))
    }
    /// As [`Tensor::pad`].
    ///
    /// # Errors
    /// If the shape does not fit, a mirror would be longer than the axis, or a size negative.
    #[track_caller]
    pub fn try_pad(&self, pad: &[isize], mode: PadMode) -> Result<Tensor, OpError> {
        match Padded::new(self.shape(), pad, mode) {
            Ok(padded) => Tensor::try_apply(Pad(Arc::new(padded)), self),
            Err(PadError { rule, hint }) => Err(OpError::rule(rule).hint(hint).at("pad", self)),
        }
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new(&[&[2, 3]], |x| x[0].pad(&[1, 2, 0, 1], PadMode::Constant(0.5.into())).square()),
        Case::new(&[&[4, 3]], |x| x[0].pad(&[2, -1, -1, -2], PadMode::Zeros).tanh()),
        Case::new(&[&[]], |x| x[0].pad(&[], PadMode::Zeros) * &x[0]),
        Case::new(&[&[2, 0]], |x| x[0].pad(&[1, 1], PadMode::Constant(1.into()))),
        Case::new(&[&[2, 3, 4]], |x| x[0].pad(&[2, 3, 1, 0], PadMode::Reflect).tanh()),
        Case::new(&[&[1, 2, 4]], |x| x[0].pad(&[3, -1], PadMode::Reflect) * 2.0),
        Case::new(&[&[1, 2, 2, 3]], |x| x[0].pad(&[4, 1, 0, 3], PadMode::Replicate).square()),
        Case::new(&[&[2, 2, 3]], |x| x[0].pad(&[3, 2, 1, 2], PadMode::Circular).tanh()),
        Case::new(&[&[1, 3]], |x| x[0].pad(&[-1, 1], PadMode::Circular).square()),
        Case::new(&[&[0, 2, 3]], |x| x[0].pad(&[1, 1], PadMode::Reflect)),
    ]
}
