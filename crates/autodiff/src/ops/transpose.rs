//! Two axes exchanged, as a view.

use super::prelude::*;

struct Transpose {
    dim0: isize,
    dim1: isize,
}

impl Op for Transpose {
    const NAME: &'static str = "transpose";
    const AUTOCAST: Autocast = Autocast::Input;
    type In<T> = T;
    type Out<T> = T;

    fn infer(&self, x: &Meta) -> Result<Meta, OpError> {
        let (a, b) = (axis(self.dim0, &x.shape)?, axis(self.dim1, &x.shape)?);
        let mut sizes = gradus_tensor::Axes::from(x.shape.dims());
        if a != b {
            sizes.swap(a, b);
        }
        Ok(x.with_shape(Shape::new(&sizes)))
    }
    fn forward(&self, x: Array, _: &mut Save<'_>) -> Array {
        x.transpose(self.dim0, self.dim1)
    }
    /// `x̄` is `ȳ` with the axes exchanged back.
    fn vjp(&self, _: &Saved<'_>, g: Tensor) -> Tensor {
        g.transpose(self.dim0, self.dim1)
    }
    fn work(&self, _: &Meta, _: &Meta) -> Work {
        Work::NONE // a view
    }
}

impl Tensor {
    /// Axes `dim0` and `dim1` exchanged, as a view (`torch.transpose`).
    ///
    /// # Panics
    /// If an axis does not exist.
    #[track_caller]
    pub fn transpose(&self, dim0: isize, dim1: isize) -> Tensor {
        must(self.try_transpose(dim0, dim1))
    }
    /// As [`Tensor::transpose`].
    ///
    /// # Errors
    /// If an axis does not exist.
    #[track_caller]
    pub fn try_transpose(&self, dim0: isize, dim1: isize) -> Result<Tensor, OpError> {
        Tensor::try_apply(Transpose { dim0, dim1 }, self)
    }
    /// A matrix transposed, `[m, n] -> [n, m]` (`torch.t`); vectors and scalars stay.
    ///
    /// # Panics
    /// If there are more than two axes.
    #[track_caller]
    pub fn t(&self) -> Tensor {
        match self.rank() {
            0 | 1 => self.clone(),
            2 => self.transpose(0, 1),
            _ => panic!("t: {} has more than two axes; use transpose(-1, -2)", self.meta()),
        }
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new(&[&[2, 3]], |x| x[0].t()),
        Case::new(&[&[2, 3, 4]], |x| x[0].transpose(0, -1)),
        Case::new(&[&[]], |x| x[0].transpose(0, -1)),
        Case::new(&[&[3, 3]], |x| x[0].t() * &x[0]),
    ]
}
