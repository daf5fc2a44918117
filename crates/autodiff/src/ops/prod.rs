//! `y = Π x` over all elements or along one axis.

use super::prelude::*;

struct Prod {
    axis: usize,
    keepdim: bool,
}

#[derive(Clone, Copy)]
struct Times;

impl Zip for Times {
    #[inline(always)]
    fn f<R: Real>(self, a: R, b: R) -> R {
        a * b
    }
    #[inline(always)]
    fn int(self, a: i64, b: i64) -> i64 {
        a.wrapping_mul(b)
    }
}

/// The product along `axis`, which stays with size 1: one half times the other, until one is left.
fn product(x: &Array, axis: usize) -> Array {
    let mut y = x.clone();
    let mut odd = Array::ones(x.shape().with(axis, 1), x.dtype());
    while y.shape()[axis] > 1 {
        let (n, half, dim) = (y.shape()[axis], y.shape()[axis] / 2, axis as isize);
        if n % 2 == 1 {
            odd = odd.zip(y.narrow(dim, n - 1, 1), Times);
        }
        y = y.narrow(dim, 0, half).zip(y.narrow(dim, half, half), Times);
    }
    if y.shape()[axis] == 0 { odd } else { odd.zip(y, Times) }
}

/// For every element the product of all others along `axis`, by halves as [`product`]; no division, so
/// zeros need no case of their own.
fn others(x: &Tensor, axis: usize) -> Tensor {
    let (n, dim) = (x.shape()[axis], axis as isize);
    if n < 2 {
        return x.ones_like();
    }
    let half = n / 2;
    let (a, b) = (x.narrow(dim, 0, half), x.narrow(dim, half, half));
    let pairs = &a * &b;
    if n % 2 == 0 {
        let rest = others(&pairs, axis);
        return Tensor::cat(&[&(&rest * b), &(&rest * a)], dim);
    }
    let rest = others(&Tensor::cat(&[&pairs, &x.narrow(dim, n - 1, 1)], dim), axis);
    let (pairs, last) = (rest.narrow(dim, 0, half), rest.narrow(dim, half, 1));
    Tensor::cat(&[&(&pairs * b), &(&pairs * a), &last], dim)
}

impl Op for Prod {
    const NAME: &'static str = "prod";
    const AUTOCAST: Autocast = Autocast::F32;
    type In<T> = T;
    type Out<T> = T;

    fn infer(&self, x: &Meta) -> Result<Meta, OpError> {
        let dtype = if x.dtype.is_float() { x.dtype } else { DType::I64 };
        Ok(Meta { shape: without(&x.shape, &[self.axis], self.keepdim), dtype })
    }
    /// f16 and bf16 are multiplied in f32, integers and bools in i64.
    fn forward(&self, x: Array, save: &mut Save<'_>) -> Array {
        save.input(0, &x);
        let dtype = if x.dtype().is_float() { x.dtype() } else { DType::I64 };
        let shape = without(x.shape(), &[self.axis], self.keepdim);
        let wide = x.dtype().accumulator();
        product(&x.cast(wide), self.axis).cast(dtype).reshape(&shape)
    }
    /// `x̄ᵢ = ȳ·Π xⱼ` over all `j ≠ i`
    fn vjp(&self, saved: &Saved<'_>, g: Tensor) -> Tensor {
        let kept = without(saved.shape(0), &[self.axis], true);
        g.reshape_to(&kept) * others(&saved.input(0), self.axis)
    }
}

impl Tensor {
    /// The product of all elements, `[*] -> []` (`torch.prod`); 1 of none. Integers and bools give i64.
    /// The derivative is exact beside zeros.
    ///
    /// ```
    /// use gradus_autodiff::Tensor;
    /// let x = Tensor::from([2.0, 0.0, 3.0]).requires_grad_();
    /// x.prod().backward();
    /// assert_eq!(x.grad().unwrap().to_vec::<f64>(), [0.0, 6.0, 0.0]);
    /// ```
    #[track_caller]
    pub fn prod(&self) -> Tensor {
        let flat = self.reshape_to(&self.numel().into());
        Tensor::apply(Prod { axis: 0, keepdim: false }, flat)
    }
    /// The product along `dim`, which stays with size 1 if `keepdim` (`torch.prod(dim)`).
    ///
    /// # Panics
    /// If the axis does not exist.
    #[track_caller]
    pub fn prod_dim(&self, dim: isize, keepdim: bool) -> Tensor {
        must(self.try_prod_dim(dim, keepdim))
    }
    /// As [`Tensor::prod_dim`].
    ///
    /// # Errors
    /// If the axis does not exist.
    #[track_caller]
    pub fn try_prod_dim(&self, dim: isize, keepdim: bool) -> Result<Tensor, OpError> {
        let axis = axis(dim, self.shape()).map_err(|e| e.at("prod", self))?;
        if self.rank() == 0 {
            return Ok(self.prod());
        }
        Tensor::try_apply(Prod { axis, keepdim }, self)
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new(&[&[2, 3]], |x| x[0].prod()),
        Case::new(&[&[2, 5]], |x| x[0].prod_dim(1, true) * &x[0]),
        Case::new(&[&[7, 2]], |x| x[0].prod_dim(0, false)),
        Case::new(&[&[2, 4]], |x| (&x[0] * Tensor::from([1.0, 0.0, 1.0, 0.0])).prod_dim(-1, false)),
        Case::new(&[&[]], |x| x[0].prod()),
        Case::new(&[&[2, 0]], |x| x[0].prod_dim(1, false)),
    ]
}
