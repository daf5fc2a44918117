//! `Yᵢ = Aᵢ·Bᵢ`: matmul for batches that do not broadcast.

use super::prelude::*;

impl Tensor {
    /// Products of two batches of matrices.
    ///
    /// ```text
    /// Yᵢ = Aᵢ·Bᵢ
    /// ```
    /// # Shape      `self: [b, m, k]`, `rhs: [b, k, n]`  →  `[b, m, n]`; nothing broadcasts
    /// # Panics     if the shapes do not fit
    /// # PyTorch    `torch.bmm`
    /// # Example
    /// ```
    /// use gradus_autodiff::Tensor;
    /// let a = Tensor::from([[[1.0, 2.0]], [[3.0, 4.0]]]);
    /// let b = Tensor::from([[[1.0], [1.0]], [[2.0], [0.5]]]);
    /// assert_eq!(a.bmm(&b).to_vec::<f64>(), [3.0, 8.0]);
    /// ```
    #[track_caller]
    pub fn bmm(&self, rhs: &Tensor) -> Tensor {
        must(self.try_bmm(rhs))
    }
    /// As [`Tensor::bmm`].
    ///
    /// # Errors
    /// If the shapes do not fit.
    #[track_caller]
    pub fn try_bmm(&self, rhs: &Tensor) -> Result<Tensor, OpError> {
        match (&**self.shape(), &**rhs.shape()) {
            ([b, _, k], [b2, k2, _]) if b == b2 && k == k2 => self.try_matmul(rhs),
            _ => {
                let e = OpError::rule("[b, m, k] · [b, k, n] -> [b, m, n]");
                let e = e.hint("matmul takes other ranks, and broadcasts");
                Err(e.of("bmm", vec![self.meta(), rhs.meta()]))
            }
        }
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<Case> {
    let shapes: [&'static [&'static [usize]]; 4] = [
        &[&[2, 2, 3], &[2, 3, 2]],
        &[&[1, 1, 1], &[1, 1, 1]],
        &[&[0, 2, 3], &[0, 3, 2]],
        &[&[2, 2, 0], &[2, 0, 2]],
    ];
    shapes.into_iter().map(|s| Case::new(s, |x| x[0].bmm(&x[1]))).collect()
}
