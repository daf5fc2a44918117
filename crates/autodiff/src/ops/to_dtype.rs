//! The same numbers in another dtype.

use super::prelude::*;

struct ToDtype(DType);

impl Op for ToDtype {
    const NAME: &'static str = "to_dtype";
    const AUTOCAST: Autocast = Autocast::Input;
    const PROMOTION: Promotion = Promotion::Keep;
    type In<T> = T;
    type Out<T> = T;

    fn infer(&self, x: &Meta) -> Result<Meta, OpError> {
        Ok(x.with_dtype(self.0))
    }
    fn forward(&self, x: Array, save: &mut Save<'_>) -> Array {
        if !self.0.is_float() {
            save.constant(0);
        }
        x.cast(self.0)
    }
    /// `x̄ = ȳ`: the engine casts it to the dtype of `x`.
    fn vjp(&self, _: &Saved<'_>, g: Tensor) -> Tensor {
        g
    }
}

impl Tensor {
    /// The same numbers in another dtype (`torch.Tensor.to(dtype)`): floats truncate towards zero in
    /// integers, everything but 0 is `true`. The gradient comes back in the dtype of `self`; a result
    /// that is not floating point has none.
    #[track_caller]
    pub fn to_dtype(&self, dtype: DType) -> Tensor {
        if dtype == self.dtype() { self.clone() } else { Tensor::apply(ToDtype(dtype), self) }
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new(&[&[2, 3]], |x| x[0].to_dtype(DType::F64) * &x[0]),
        Case::new(&[&[]], |x| Tensor::apply(ToDtype(x[0].dtype()), &x[0])),
    ]
}
