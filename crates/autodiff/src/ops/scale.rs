//! `y = x·s`, whose gradients are marked as scaled: what a gradient scaler begins a sweep with.

use super::prelude::*;

struct Scale {
    factor: f64,
}

/// `x·s`
#[derive(Clone, Copy)]
pub(crate) struct Times(pub(crate) f64);

impl Map for Times {
    #[inline(always)]
    fn f<R: Real>(self, x: R) -> R {
        x * R::of(self.0)
    }
}

impl Op for Scale {
    const NAME: &'static str = "scale";
    const AUTOCAST: Autocast = Autocast::Input;
    const SCALES_GRADIENTS: bool = true;
    type In<T> = T;
    type Out<T> = T;

    fn infer(&self, x: &Meta) -> Result<Meta, OpError> {
        let x = floating(x)?;
        let dtype = if x.dtype.is_half() { DType::F32 } else { x.dtype };
        Ok(Meta { dtype, ..x })
    }
    fn forward(&self, x: Array, _: &mut Save<'_>) -> Array {
        let x = if x.dtype().is_half() { x.cast(DType::F32) } else { x };
        x.map(Times(self.factor))
    }
    /// `x̄ = ȳ·s`
    fn vjp(&self, _: &Saved<'_>, g: Tensor) -> Tensor {
        g * self.factor
    }
}

impl Tensor {
    /// `self·factor`, with a memory: the gradients that a sweep sends through it count as multiplied by
    /// a gradient scaler's scale ([`crate::Parameter::grad_is_scaled`]), until they are unscaled.
    ///
    /// A half type gives f32: a usual scale, 65536, is no f16.
    ///
    /// # Gradient   `x̄ = ȳ·factor`, marked as scaled
    /// # Panics     if the dtype is not floating point
    /// # PyTorch    `torch.amp.GradScaler.scale` of one tensor, which leaves no mark
    /// # Example
    /// ```
    /// use gradus_autodiff::Parameter;
    /// let p = Parameter::new([3.0]);
    /// p.square().sum().scale(8.0).backward();
    /// assert_eq!(p.grad().unwrap().item(), 48.0);
    /// assert!(p.grad_is_scaled());
    /// ```
    #[track_caller]
    pub fn scale(&self, factor: f64) -> Tensor {
        must(self.try_scale(factor))
    }
    /// As [`Tensor::scale`].
    ///
    /// # Errors
    /// If the dtype is not floating point.
    #[track_caller]
    pub fn try_scale(&self, factor: f64) -> Result<Tensor, OpError> {
        Tensor::try_apply(Scale { factor }, self)
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new(&[&[2, 3]], |x| x[0].scale(3.0).square()),
        Case::new(&[&[]], |x| x[0].square().scale(-0.5)),
        Case::new(&[&[0, 2]], |x| x[0].scale(3.0)),
    ]
}
