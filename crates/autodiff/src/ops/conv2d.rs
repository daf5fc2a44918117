//! `y[n, o, p] = b[o] + Σ_c Σ_k w[o, c, k]·x[n, c, p·stride + k·dilation − padding]` over two axes.

use super::prelude::*;
use gradus_tensor::Convolution;

const OP: (&str, usize) = ("conv2d", 2);

impl Tensor {
    /// A convolution over two axes (a correlation: the kernel is not turned round).
    ///
    /// ```text
    /// y[n, o, p] = b[o] + Σ_c Σ_k w[o, c, k]·x[n, c, p·stride + k·dilation − padding]
    /// ```
    /// # Shape      `self: [N, in, H, W]` or `[in, H, W]`, `weight: [out, in/groups, kH, kW]`, `bias: [out]`  →
    /// `[N, out, *]` with `* = ⌊(size + 2·padding − dilation·(k − 1) − 1)/stride⌋ + 1`
    /// # Gradient   all three; `x̄` is a transposed convolution of `ȳ`
    /// # Numerics   f16 and bf16 are multiplied and summed in f32
    /// # Panics     if shapes or options do not fit, or the dtype is not floating point
    /// # PyTorch    `torch.nn.functional.conv2d`; it takes integers too
    /// # Example
    /// ```
    /// use gradus_autodiff::{Convolution, Tensor};
    /// let x = Tensor::from([[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]]);
    /// let w = Tensor::from([[[[1.0, 0.0], [0.0, 1.0]]]]);
    /// let y = x.conv2d(&w, None, &Convolution::default());
    /// assert_eq!(y.to_vec::<f64>(), [6.0, 8.0]);
    /// ```
    #[track_caller]
    pub fn conv2d(&self, weight: &Tensor, bias: Option<&Tensor>, by: &Convolution) -> Tensor {
        must(self.try_conv2d(weight, bias, by))
    }
    /// As [`Tensor::conv2d`].
    ///
    /// # Errors
    /// If shapes or options do not fit, or the dtype is not floating point.
    #[track_caller]
    pub fn try_conv2d(
        &self,
        weight: &Tensor,
        bias: Option<&Tensor>,
        by: &Convolution,
    ) -> Result<Tensor, OpError> {
        self.convolve(OP, weight, bias, by, false)
    }
    /// [`Tensor::conv2d`] with as much padding as keeps the size (PyTorch's `padding="same"`): half of
    /// `dilation·(k − 1)` on either side, an odd one behind the end. `by.padding` is not read.
    ///
    /// # Panics
    /// As [`Tensor::conv2d`], and if a stride is not 1.
    #[track_caller]
    pub fn conv2d_same(&self, weight: &Tensor, bias: Option<&Tensor>, by: &Convolution) -> Tensor {
        must(self.try_conv2d_same(weight, bias, by))
    }
    /// As [`Tensor::conv2d_same`].
    ///
    /// # Errors
    /// As [`Tensor::try_conv2d`], and if a stride is not 1.
    #[track_caller]
    pub fn try_conv2d_same(
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
    let plain: fn(&[Tensor]) -> Tensor = |x| x[0].conv2d(&x[1], x.get(2), &Convolution::default());
    vec![
        Case::new(&[&[2, 2, 4, 3], &[3, 2, 3, 2], &[3]], plain),
        Case::new(&[&[2, 4, 4], &[2, 1, 1, 1], &[2]], |x| {
            x[0].conv2d(&x[1], Some(&x[2]), &Convolution { groups: 2, ..Default::default() })
        }),
        Case::new(&[&[0, 2, 4, 4], &[2, 2, 3, 3], &[2]], plain),
        // A row and a column are left over.
        Case::new(&[&[1, 2, 4, 6], &[2, 2, 3, 3]], |x| {
            x[0].conv2d(&x[1], None, &Convolution { stride: 2.into(), ..Default::default() })
        }),
        Case::new(&[&[1, 1, 5, 4], &[2, 1, 2, 3], &[2]], |x| {
            let (stride, padding) = ([1, 3].into(), [1, 2].into());
            let by = Convolution { stride, padding, dilation: [2, 1].into(), groups: 1 };
            x[0].conv2d(&x[1], Some(&x[2]), &by)
        }),
        // Depthwise, with two outputs for each channel.
        Case::new(&[&[1, 2, 3, 4], &[4, 1, 3, 3], &[4]], |x| {
            let by = Convolution { padding: 1.into(), groups: 2, ..Default::default() };
            x[0].conv2d(&x[1], Some(&x[2]), &by)
        }),
        Case::new(&[&[1, 1, 3, 4], &[1, 1, 2, 3]], |x| {
            x[0].conv2d_same(&x[1], None, &Convolution::default())
        }),
    ]
}
