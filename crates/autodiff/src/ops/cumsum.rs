//! `yᵢ = x₁ + … + xᵢ` along one axis.

use super::prelude::*;
use gradus_tensor::Element;

#[derive(Clone, Copy)]
struct Cumsum {
    axis: usize,
    /// From the end: `yᵢ = xᵢ + … + xₙ`.
    reverse: bool,
}

/// Running sums of the rows that `around` describes, in place.
fn running<T: Element>(
    x: &mut [T],
    [outer, n, inner]: [usize; 3],
    reverse: bool,
    add: fn(T, T) -> T,
) {
    for o in 0..outer {
        for i in 1..n {
            let (to, from) = if reverse { (n - 1 - i, n - i) } else { (i, i - 1) };
            for j in 0..inner {
                let at = |row: usize| (o * n + row) * inner + j;
                x[at(to)] = add(x[at(to)], x[at(from)]);
            }
        }
    }
}

impl Op for Cumsum {
    const NAME: &'static str = "cumsum";
    const AUTOCAST: Autocast = Autocast::F32;
    type In<T> = T;
    type Out<T> = T;

    fn infer(&self, x: &Meta) -> Result<Meta, OpError> {
        Ok(x.with_dtype(if x.dtype.is_float() { x.dtype } else { DType::I64 }))
    }
    /// Running sums are kept in f64, as in PyTorch: their rounding errors add up.
    fn forward(&self, x: Array, _: &mut Save<'_>) -> Array {
        if x.rank() == 0 {
            return if x.dtype().is_float() { x } else { x.cast(DType::I64) };
        }
        let (dtype, (outer, n, inner)) = (x.dtype(), x.shape().around(self.axis));
        let rows = [outer, n, inner];
        if dtype.is_float() {
            let mut y = x.cast(DType::F64);
            running::<f64>(y.elements_mut(), rows, self.reverse, |a, b| a + b);
            y.cast(dtype)
        } else {
            let mut y = x.cast(DType::I64);
            running::<i64>(y.elements_mut(), rows, self.reverse, i64::wrapping_add);
            y
        }
    }
    /// `x̄`: the running sum of `ȳ` from the other end.
    fn vjp(&self, _: &Saved<'_>, g: Tensor) -> Tensor {
        Tensor::apply(Cumsum { reverse: !self.reverse, ..*self }, g)
    }
}

impl Tensor {
    /// Running sums along `dim` (`torch.cumsum`); integers and bools give i64.
    ///
    /// ```
    /// use gradus_autodiff::Tensor;
    /// assert_eq!(Tensor::from([1.0, 2.0, 3.0]).cumsum(0).to_vec::<f64>(), [1.0, 3.0, 6.0]);
    /// ```
    /// # Panics
    /// If the axis does not exist.
    #[track_caller]
    pub fn cumsum(&self, dim: isize) -> Tensor {
        must(self.try_cumsum(dim))
    }
    /// As [`Tensor::cumsum`].
    ///
    /// # Errors
    /// If the axis does not exist.
    #[track_caller]
    pub fn try_cumsum(&self, dim: isize) -> Result<Tensor, OpError> {
        let axis = axis(dim, self.shape()).map_err(|e| e.at("cumsum", self))?;
        Tensor::try_apply(Cumsum { axis, reverse: false }, self)
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new(&[&[4]], |x| x[0].cumsum(0)),
        Case::new(&[&[2, 3, 2]], |x| x[0].cumsum(1) * &x[0]),
        Case::new(&[&[2, 3]], |x| x[0].cumsum(-1)),
        Case::new(&[&[]], |x| x[0].cumsum(0)),
        Case::new(&[&[0, 3]], |x| x[0].cumsum(0)),
    ]
}
