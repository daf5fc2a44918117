//! The transpose of a convolution over two axes: every input element is spread by the kernel.

use super::prelude::*;
use gradus_tensor::{Convolution, PerAxis};

const OP: (&str, usize) = ("conv_transpose2d", 2);

impl Tensor {
    /// The transpose of a convolution over two axes: the map that its input gradient is.
    ///
    /// ```text
    /// y[n, o, q] = b[o] + Σ_c Σ_k w[c, o, k]·x[n, c, p]      with q = p·stride + k·dilation − padding
    /// ```
    /// # Shape      `self: [N, in, H, W]` or `[in, H, W]`, `weight: [in, out/groups, kH, kW]`, `bias: [out]`  →
    /// `[N, out, *]` with
    /// `* = (size − 1)·stride − 2·padding + dilation·(k − 1) + output_padding + 1`
    /// # Gradient   all three; `x̄` is a convolution of `ȳ`
    /// # Numerics   f16 and bf16 are multiplied and summed in f32
    /// # Panics     if shapes or options do not fit (`output_padding` is smaller than `stride` or
    /// `dilation`), or the dtype is not floating point
    /// # PyTorch    `torch.nn.functional.conv_transpose2d`; it takes integers too
    /// # Example
    /// ```
    /// use gradus_autodiff::{Convolution, Tensor};
    /// let x = Tensor::from([[[1.0, 2.0]]]);
    /// let w = Tensor::from([[[[1.0, 10.0]]]]);
    /// let by = Convolution { stride: [1, 2].into(), ..Default::default() };
    /// let y = x.conv_transpose2d(&w, None, &by, 0.into());
    /// assert_eq!(y.to_vec::<f64>(), [1.0, 10.0, 2.0, 20.0]);
    /// ```
    #[track_caller]
    pub fn conv_transpose2d(
        &self,
        weight: &Tensor,
        bias: Option<&Tensor>,
        by: &Convolution,
        output_padding: PerAxis,
    ) -> Tensor {
        must(self.try_conv_transpose2d(weight, bias, by, output_padding))
    }
    /// As [`Tensor::conv_transpose2d`].
    ///
    /// # Errors
    /// If shapes or options do not fit, or the dtype is not floating point.
    #[track_caller]
    pub fn try_conv_transpose2d(
        &self,
        weight: &Tensor,
        bias: Option<&Tensor>,
        by: &Convolution,
        output_padding: PerAxis,
    ) -> Result<Tensor, OpError> {
        self.convolve_transposed(OP, weight, bias, by, output_padding)
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<Case> {
    let plain: fn(&[Tensor]) -> Tensor =
        |x| x[0].conv_transpose2d(&x[1], x.get(2), &Convolution::default(), 0.into());
    vec![
        Case::new(&[&[2, 2, 3, 2], &[2, 3, 2, 3], &[3]], plain),
        Case::new(&[&[2, 2, 3], &[2, 1, 3, 3], &[2]], |x| {
            let (stride, padding) = (2.into(), 1.into());
            let by = Convolution { stride, padding, groups: 2, ..Default::default() };
            x[0].conv_transpose2d(&x[1], x.get(2), &by, 1.into())
        }),
        // More stride than kernel: some outputs get nothing.
        Case::new(&[&[1, 2, 3, 2], &[2, 1, 2, 2]], |x| {
            let by = Convolution { stride: 3.into(), ..Default::default() };
            x[0].conv_transpose2d(&x[1], None, &by, 2.into())
        }),
        Case::new(&[&[0, 2, 3, 3], &[2, 2, 2, 2], &[2]], plain),
        Case::new(&[&[1, 2, 3, 3], &[2, 1, 3, 2], &[2]], |x| {
            let (padding, dilation) = (1.into(), 2.into());
            let by = Convolution { padding, dilation, groups: 2, ..Default::default() };
            x[0].conv_transpose2d(&x[1], Some(&x[2]), &by, 1.into())
        }),
    ]
}
