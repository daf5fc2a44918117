//! `y = Σ aᵢ·bᵢ` of two vectors.

use super::prelude::*;

struct Dot;

impl Op for Dot {
    const NAME: &'static str = "dot";
    const AUTOCAST: Autocast = Autocast::Widest;
    type In<T> = [T; 2];
    type Out<T> = T;

    fn infer(&self, [a, b]: [&Meta; 2]) -> Result<Meta, OpError> {
        match (&*a.shape, &*b.shape) {
            ([n], [m]) if n == m => Ok(a.with_shape(Shape::scalar())),
            _ => Err(OpError::rule("[n] · [n] -> []")),
        }
    }
    fn forward(&self, [a, b]: [Array; 2], save: &mut Save<'_>) -> Array {
        if save.need(1) {
            save.input(0, &a);
        }
        if save.need(0) {
            save.input(1, &b);
        }
        a.matmul(&b)
    }
    /// `ā = ȳ·b`, `b̄ = ȳ·a`
    fn vjp(&self, saved: &Saved<'_>, g: Tensor) -> [Option<Tensor>; 2] {
        let left = saved.need(0).then(|| &g * saved.input(1));
        [left, saved.need(1).then(|| g * saved.input(0))]
    }
    fn work(&self, [a, b]: [&Meta; 2], y: &Meta) -> Work {
        Work::of([a, b, y]).of_product(y, a.shape.numel())
    }
}

impl Tensor {
    /// The inner product of two vectors.
    ///
    /// ```text
    /// y = Σ aᵢ·bᵢ
    /// ```
    /// # Shape      `self: [n]`, `rhs: [n]`  →  `[]`
    /// # Panics     if the shapes do not fit
    /// # PyTorch    `torch.dot`; here different dtypes are promoted
    /// # Example
    /// ```
    /// use gradus_autodiff::Tensor;
    /// assert_eq!(Tensor::from([1.0, 2.0]).dot(&Tensor::from([3.0, 4.0])).item(), 11.0);
    /// ```
    #[track_caller]
    pub fn dot(&self, rhs: &Tensor) -> Tensor {
        must(self.try_dot(rhs))
    }
    /// As [`Tensor::dot`].
    ///
    /// # Errors
    /// If the shapes do not fit.
    #[track_caller]
    pub fn try_dot(&self, rhs: &Tensor) -> Result<Tensor, OpError> {
        Tensor::try_apply(Dot, [self, rhs])
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new(&[&[3], &[3]], |x| x[0].dot(&x[1])),
        Case::new(&[&[3]], |x| x[0].dot(&x[0]) * 2.0),
        Case::new(&[&[0], &[0]], |x| x[0].dot(&x[1])),
    ]
}
