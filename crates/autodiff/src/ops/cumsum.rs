//! `yᵢ = x₁ + … + xᵢ` along one axis.

use super::prelude::*;
use gradus_tensor::Element;

#[derive(Clone, Copy)]
struct Cumsum {
    axis: usize,
    /// From the end: `yᵢ = xᵢ + … + xₙ`.
    reverse: bool,
}

/// Running sums along the middle of `[outer, n, inner]`, in place.
fn running<T: Element>(x: &mut [T], [n, inner]: [usize; 2], back: bool, add: impl Fn(T, T) -> T) {
    if inner == 1 {
        for row in x.chunks_exact_mut(n) {
            let mut sum = T::default();
            let mut step = |v: &mut T| {
                sum = add(sum, *v);
                *v = sum;
            };
            if back {
                row.iter_mut().rev().for_each(&mut step)
            } else {
                row.iter_mut().for_each(step)
            }
        }
        return;
    }
    for block in x.chunks_exact_mut(n * inner) {
        for i in 1..n {
            let at = if back { n - i } else { i };
            let (before, after) = block.split_at_mut(at * inner);
            let (low, high) = (&mut before[(at - 1) * inner..], &mut after[..inner]);
            let (to, from) = if back { (low, high) } else { (high, low) };
            to.iter_mut().zip(from).for_each(|(to, from)| *to = add(*to, *from));
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
        let dtype = x.dtype();
        if x.rank() == 0 || x.numel() == 0 {
            return x.cast(if dtype.is_float() { dtype } else { DType::I64 });
        }
        let (_, n, inner) = x.shape().around(self.axis);
        let rows = [n, inner];
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
