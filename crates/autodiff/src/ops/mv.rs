//! `y = A·x` of a matrix and a vector: matmul for these ranks alone.

use super::prelude::*;

impl Tensor {
    /// The product of a matrix and a vector.
    ///
    /// ```text
    /// y = A·x
    /// ```
    /// # Shape      `self: [m, k]`, `vector: [k]`  →  `[m]`
    /// # Panics     if the shapes do not fit
    /// # PyTorch    `torch.mv`
    /// # Example
    /// ```
    /// use gradus_autodiff::Tensor;
    /// let a = Tensor::from([[1.0, 2.0], [3.0, 4.0]]);
    /// assert_eq!(a.mv(&Tensor::from([1.0, -1.0])).to_vec::<f64>(), [-1.0, -1.0]);
    /// ```
    #[track_caller]
    pub fn mv(&self, vector: &Tensor) -> Tensor {
        must(self.try_mv(vector))
    }
    /// As [`Tensor::mv`].
    ///
    /// # Errors
    /// If the shapes do not fit.
    #[track_caller]
    pub fn try_mv(&self, vector: &Tensor) -> Result<Tensor, OpError> {
        match (&**self.shape(), &**vector.shape()) {
            ([_, k], [k2]) if k == k2 => self.try_matmul(vector),
            _ => {
                let e = OpError::rule("[m, k] · [k] -> [m]");
                Err(e.of("mv", vec![self.meta(), vector.meta()]))
            }
        }
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<Case> {
    let shapes: [&'static [&'static [usize]]; 3] =
        [&[&[2, 3], &[3]], &[&[0, 3], &[3]], &[&[2, 0], &[0]]];
    shapes.into_iter().map(|s| Case::new(s, |x| x[0].mv(&x[1]))).collect()
}
