//! `Y = β·C + α·A·B`

use super::prelude::*;

struct Addmm {
    beta: Scalar,
    alpha: Scalar,
}

/// `(c, p) -> β·c + α·p`; without `β`, `c` is not read.
#[derive(Clone, Copy)]
struct Blend {
    beta: Scalar,
    alpha: Scalar,
}

impl Zip for Blend {
    #[inline(always)]
    fn f<R: Real>(self, p: R, c: R) -> R {
        R::of(self.alpha.to_f64()) * p + R::of(self.beta.to_f64()) * c
    }
    #[inline(always)]
    fn int(self, p: i64, c: i64) -> i64 {
        let (beta, alpha) = (self.beta.to_i64(), self.alpha.to_i64());
        alpha.wrapping_mul(p).wrapping_add(beta.wrapping_mul(c))
    }
}

impl Op for Addmm {
    const NAME: &'static str = "addmm";
    const AUTOCAST: Autocast = Autocast::Low;
    type In<T> = [T; 3];
    type Out<T> = T;

    fn infer(&self, [c, a, b]: [&Meta; 3]) -> Result<Meta, OpError> {
        let shape: Shape = match (&*a.shape, &*b.shape) {
            ([m, k], [k2, n]) if k == k2 => [*m, *n].into(),
            _ => return Err(OpError::rule("A: [m, k], B: [k, n]")),
        };
        match Shape::broadcast(&c.shape, &shape) {
            Some(s) if s == shape => {}
            _ => return Err(OpError::rule("C broadcasts to [m, n]")),
        }
        let whole = |s: Scalar| s.dtype() != DType::F64;
        if !(c.dtype.is_float() || whole(self.beta) && whole(self.alpha)) {
            return Err(OpError::rule("beta and alpha are integers if the tensors are"));
        }
        Ok(Meta { shape, dtype: c.dtype })
    }
    fn forward(&self, [c, a, b]: [Array; 3], save: &mut Save<'_>) -> Array {
        if save.need(2) {
            save.input(1, &a);
        }
        if save.need(1) {
            save.input(2, &b);
        }
        let product = a.matmul(&b);
        let blend = Blend { beta: self.beta, alpha: self.alpha };
        if self.beta.to_f64() == 0.0 {
            // C is not read, so NaN in it stays out, as in PyTorch.
            let zero = Array::zeros((), product.dtype());
            return product.zip(zero, blend);
        }
        product.zip(c, blend)
    }
    /// `C̄ = β·Ȳ`, `Ā = α·Ȳ·Bᵀ`, `B̄ = α·Aᵀ·Ȳ`
    fn vjp(&self, saved: &Saved<'_>, g: Tensor) -> [Option<Tensor>; 3] {
        let c = saved.need(0).then(|| &g * self.beta);
        let g = if saved.need(1) || saved.need(2) { g * self.alpha } else { g };
        let a = saved.need(1).then(|| g.matmul(&saved.input(2).t()));
        [c, a, saved.need(2).then(|| saved.input(1).t().matmul(&g))]
    }
    fn work(&self, [c, a, b]: [&Meta; 3], y: &Meta) -> Work {
        Work::of([c, a, b, y]).of_product(y, a.shape[1])
    }
}

impl Tensor {
    /// A matrix product added to a tensor.
    ///
    /// ```text
    /// Y = β·C + α·A·B
    /// ```
    /// # Shape      `self` (C) broadcasts to `[m, n]`, `a: [m, k]`, `b: [k, n]`  →  `[m, n]`
    /// # Numerics   with `beta` 0, NaN in `self` stays out
    /// # Panics     if the shapes do not fit, or `beta` or `alpha` is no integer and the tensors are
    /// # PyTorch    `torch.addmm`; it truncates such numbers
    /// # Example
    /// ```
    /// use gradus_autodiff::Tensor;
    /// let (a, b) = (Tensor::from([[1.0, 2.0]]), Tensor::from([[3.0], [4.0]]));
    /// assert_eq!(Tensor::from(10.0).addmm(&a, &b, 0.5, 2).item(), 27.0);
    /// ```
    #[track_caller]
    pub fn addmm(
        &self,
        a: &Tensor,
        b: &Tensor,
        beta: impl Into<Scalar>,
        alpha: impl Into<Scalar>,
    ) -> Tensor {
        must(self.try_addmm(a, b, beta, alpha))
    }
    /// As [`Tensor::addmm`].
    ///
    /// # Errors
    /// If the shapes do not fit, or `beta` or `alpha` is no integer and the tensors are.
    #[track_caller]
    pub fn try_addmm(
        &self,
        a: &Tensor,
        b: &Tensor,
        beta: impl Into<Scalar>,
        alpha: impl Into<Scalar>,
    ) -> Result<Tensor, OpError> {
        Tensor::try_apply(Addmm { beta: beta.into(), alpha: alpha.into() }, [self, a, b])
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new(&[&[2, 4], &[2, 3], &[3, 4]], |x| x[0].addmm(&x[1], &x[2], 1, 1)),
        Case::new(&[&[4], &[2, 3], &[3, 4]], |x| x[0].addmm(&x[1], &x[2], 0.5, -2.0)),
        Case::new(&[&[], &[2, 3], &[3, 4]], |x| x[0].addmm(&x[1], &x[2], 0, 3)),
        Case::new(&[&[2, 1], &[2, 0], &[0, 4]], |x| x[0].addmm(&x[1], &x[2], 2, 1)),
        Case::new(&[&[1], &[0, 3], &[3, 2]], |x| x[0].addmm(&x[1], &x[2], 2, 1)),
        Case::new(&[&[3, 3]], |x| x[0].addmm(&x[0], &x[0], 0.5, 2)),
    ]
}
