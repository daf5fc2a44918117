//! `y[n, o, p] = b[o] + Σ_c Σ_k w[o, c, k]·x[n, c, p·stride + k·dilation − padding]` over one axis.

use super::prelude::*;
use gradus_tensor::Convolution;

const OP: (&str, usize) = ("conv1d", 1);

impl Tensor {
    /// A convolution over one axis (a correlation: the kernel is not turned round).
    ///
    /// ```text
    /// y[n, o, p] = b[o] + Σ_c Σ_k w[o, c, k]·x[n, c, p·stride + k·dilation − padding]
    /// ```
    /// # Shape      `self: [N, in, L]` or `[in, L]`, `weight: [out, in/groups, k]`, `bias: [out]`  →
    /// `[N, out, *]` with `* = ⌊(size + 2·padding − dilation·(k − 1) − 1)/stride⌋ + 1`
    /// # Gradient   all three; `x̄` is a transposed convolution of `ȳ`
    /// # Numerics   f16 and bf16 are multiplied and summed in f32
    /// # Panics     if shapes or options do not fit, or the dtype is not floating point
    /// # PyTorch    `torch.nn.functional.conv1d`; it takes integers too
    /// # Example
    /// ```
    /// use gradus_autodiff::{Convolution, Tensor};
    /// let x = Tensor::from([[1.0, 2.0, 3.0, 4.0]]);
    /// let w = Tensor::from([[[1.0, -1.0]]]);
    /// let y = x.conv1d(&w, None, &Convolution::default());
    /// assert_eq!(y.to_vec::<f64>(), [-1.0, -1.0, -1.0]);
    /// ```
    #[track_caller]
    pub fn conv1d(&self, weight: &Tensor, bias: Option<&Tensor>, by: &Convolution) -> Tensor {
        must(self.try_conv1d(weight, bias, by))
    }
    /// As [`Tensor::conv1d`].
    ///
    /// # Errors
    /// If shapes or options do not fit, or the dtype is not floating point.
    #[track_caller]
    pub fn try_conv1d(
        &self,
        weight: &Tensor,
        bias: Option<&Tensor>,
        by: &Convolution,
    ) -> Result<Tensor, OpError> {
        self.convolve(OP, weight, bias, by, false)
    }
    /// [`Tensor::conv1d`] with as much padding as keeps the size (PyTorch's `padding="same"`): half of
    /// `dilation·(k − 1)` on either side, an odd one behind the end. `by.padding` is not read.
    ///
    /// # Panics
    /// As [`Tensor::conv1d`], and if a stride is not 1.
    #[track_caller]
    pub fn conv1d_same(&self, weight: &Tensor, bias: Option<&Tensor>, by: &Convolution) -> Tensor {
        must(self.try_conv1d_same(weight, bias, by))
    }
    /// As [`Tensor::conv1d_same`].
    ///
    /// # Errors
    /// As [`Tensor::try_conv1d`], and if a stride is not 1.
    #[track_caller]
    pub fn try_conv1d_same(
        &self,
        weight: &Tensor,
        bias: Option<&Tensor>,
        by: &Convolution,
    ) -> Result<Tensor, OpError> {
        self.convolve(OP, weight, bias, by, true)
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<Case> {
    let plain: fn(&[Tensor]) -> Tensor = |x| x[0].conv1d(&x[1], x.get(2), &Convolution::default());
    vec![
        Case::new(&[&[2, 3, 6], &[2, 3, 3], &[2]], plain),
        Case::new(&[&[3, 5], &[2, 3, 1], &[2]], plain),
        Case::new(&[&[0, 2, 4], &[3, 2, 3], &[3]], plain),
        Case::new(&[&[2, 0, 4], &[3, 0, 3], &[3]], plain),
        Case::new(&[&[1, 2, 9], &[2, 2, 3]], |x| {
            let by = Convolution { stride: 2.into(), padding: 1.into(), ..Default::default() };
            x[0].conv1d(&x[1], None, &by)
        }),
        Case::new(&[&[1, 2, 7], &[4, 1, 2], &[4]], |x| {
            let by = Convolution { dilation: 2.into(), groups: 2, ..Default::default() };
            x[0].conv1d_same(&x[1], Some(&x[2]), &by)
        }),
        Case::new(&[&[1, 2, 5], &[2, 2, 4]], |x| {
            x[0].conv1d_same(&x[1], None, &Convolution::default())
        }),
        Case::new(&[&[2, 2, 2]], |x| x[0].conv1d(&x[0], None, &Convolution::default())),
    ]
}
