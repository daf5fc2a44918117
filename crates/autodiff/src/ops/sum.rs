//! `y = Σ x` over all elements or over axes.

use super::prelude::*;

struct Sum<'a> {
    dims: &'a [isize],
    keepdim: bool,
}

/// The attributes as the tape keeps them.
struct SumAxes {
    axes: gradus_tensor::Axes<usize>,
    keepdim: bool,
}

impl Op for SumAxes {
    const NAME: &'static str = "sum";
    const AUTOCAST: Autocast = Autocast::F32;
    type In<T> = T;
    type Out<T> = T;

    fn infer(&self, x: &Meta) -> Result<Meta, OpError> {
        let dtype = if x.dtype.is_float() { x.dtype } else { DType::I64 };
        Ok(Meta { shape: without(&x.shape, &self.axes, self.keepdim), dtype })
    }
    fn forward(&self, x: Array, _: &mut Save<'_>) -> Array {
        let shape = without(x.shape(), &self.axes, self.keepdim);
        x.sum_axes(&self.axes).reshape(&shape)
    }
    /// `x̄ = ȳ`, expanded over the axes that were summed.
    fn vjp(&self, saved: &Saved<'_>, g: Tensor) -> Tensor {
        let shape = saved.shape(0);
        let kept = without(shape, &self.axes, true);
        g.reshape_to(&kept).expand(shape)
    }
}

impl Sum<'_> {
    #[track_caller]
    fn of(self, x: &Tensor) -> Result<Tensor, OpError> {
        let axes = axes(self.dims, x.shape()).map_err(|e| e.at("sum", x))?;
        Tensor::try_apply(SumAxes { axes, keepdim: self.keepdim }, x)
    }
}

impl Tensor {
    /// The sum of all elements, `[*] -> []` (`torch.sum`). f16 and bf16 are summed in f32; integers and
    /// bools give i64.
    #[track_caller]
    pub fn sum(&self) -> Tensor {
        must(Sum { dims: &[], keepdim: false }.of(self))
    }
    /// The sum over the axes `dims` (none means all), which stay with size 1 if `keepdim`.
    ///
    /// # Panics
    /// If an axis does not exist or is named twice.
    #[track_caller]
    pub fn sum_dims(&self, dims: &[isize], keepdim: bool) -> Tensor {
        must(Sum { dims, keepdim }.of(self))
    }
    /// As [`Tensor::sum_dims`].
    ///
    /// # Errors
    /// If an axis does not exist or is named twice.
    #[track_caller]
    pub fn try_sum_dims(&self, dims: &[isize], keepdim: bool) -> Result<Tensor, OpError> {
        Sum { dims, keepdim }.of(self)
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new(&[&[2, 3]], |x| x[0].sum()),
        Case::new(&[&[]], |x| x[0].sum()),
        Case::new(&[&[0, 3]], |x| x[0].sum()),
        Case::new(&[&[2, 3]], |x| x[0].sum_dims(&[0], false)),
        Case::new(&[&[2, 3, 2]], |x| x[0].sum_dims(&[-1, 0], true)),
        Case::new(&[&[2, 3, 2]], |x| x[0].sum_dims(&[1], false) * &x[0].sum_dims(&[1], false)),
        Case::new(&[&[2, 0]], |x| x[0].sum_dims(&[1], false)),
    ]
}
