//! `y = √var x` over all elements or over axes.

use super::prelude::*;
use super::sqrt::Sqrt;
use super::var::Spread;

struct Std(Spread);

impl Op for Std {
    const NAME: &'static str = "std";
    const AUTOCAST: Autocast = Autocast::Input;
    type In<T> = T;
    type Out<T> = T;

    fn infer(&self, x: &Meta) -> Result<Meta, OpError> {
        self.0.infer(x)
    }
    fn forward(&self, x: Array, save: &mut Save<'_>) -> Array {
        save.input(0, &x);
        let dtype = x.dtype();
        let y = self.0.variance(x).map(Sqrt).cast(dtype);
        save.output(0, &y);
        y
    }
    /// The rule of the variance for `ȳ/(2y)`, which is 0 where `y = 0`.
    fn vjp(&self, saved: &Saved<'_>, g: Tensor) -> Tensor {
        let y = saved.output(0);
        let variance = Tensor::where_(&y.eq(0), 0, g / (y * 2.0));
        self.0.rule(&saved.input(0), &variance)
    }
}

impl Tensor {
    /// The standard deviation of all elements, `[*] -> []`: the root of [`Tensor::var`] (`torch.std`).
    /// Where it is 0, so is its derivative.
    ///
    /// # Panics
    /// If the dtype is not floating point.
    #[track_caller]
    pub fn std(&self) -> Tensor {
        self.std_dims(&[], 1, false)
    }
    /// The standard deviation over the axes `dims` (none means all): the root of [`Tensor::var_dims`].
    ///
    /// # Panics
    /// If the dtype is not floating point, or an axis does not exist or is named twice.
    #[track_caller]
    pub fn std_dims(&self, dims: &[isize], correction: impl Into<Scalar>, keepdim: bool) -> Tensor {
        must(self.try_std_dims(dims, correction, keepdim))
    }
    /// As [`Tensor::std_dims`].
    ///
    /// # Errors
    /// If the dtype is not floating point, or an axis does not exist or is named twice.
    #[track_caller]
    pub fn try_std_dims(
        &self,
        dims: &[isize],
        correction: impl Into<Scalar>,
        keepdim: bool,
    ) -> Result<Tensor, OpError> {
        let spread = Spread::of(self, "std", dims, correction.into(), keepdim)?;
        Tensor::try_apply(Std(spread), self)
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new(&[&[2, 3]], |x| x[0].std()),
        Case::new(&[&[3]], |x| x[0].std_dims(&[], 0, false)),
        Case::new(&[&[3, 2]], |x| x[0].std_dims(&[0], 1, false)),
        Case::new(&[&[2, 3, 2]], |x| x[0].std_dims(&[-1, 0], 0, true) * &x[0]),
        Case::new(&[&[0, 3]], |x| x[0].std_dims(&[1], 1, false)),
    ]
}
