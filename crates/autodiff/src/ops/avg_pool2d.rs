//! `y = mean` over windows of two axes; with its adjoint, which every mean over windows shares.

use super::pooling::{AvgPoolOptions, filled, name, pooled, unpooled, windows};
use super::prelude::*;
use gradus_tensor::PerAxis;
use gradus_tensor::kernels::pool::Windows;
use std::sync::Arc;

/// The mean of every window over the last `AXES` axes.
pub(super) struct AvgPool<const ADAPTIVE: bool, const AXES: usize>(pub(super) Arc<Windows>);

impl<const ADAPTIVE: bool, const AXES: usize> Op for AvgPool<ADAPTIVE, AXES> {
    const NAME: &'static str = name("avg", ADAPTIVE, AXES);
    const AUTOCAST: Autocast = Autocast::Input;
    type In<T> = T;
    type Out<T> = T;

    fn infer(&self, x: &Meta) -> Result<Meta, OpError> {
        Ok(pooled(x, &self.0))
    }
    fn forward(&self, x: Array, _: &mut Save<'_>) -> Array {
        x.pool_average(&self.0)
    }
    /// `x̄`: every `ȳ`, divided as the mean was, added to all entries of its window.
    fn vjp(&self, _: &Saved<'_>, g: Tensor) -> Tensor {
        Tensor::apply(Spread::<ADAPTIVE, AXES>(self.0.clone()), g)
    }
}

/// `ȳ -> x̄`, the adjoint of [`AvgPool`].
struct Spread<const ADAPTIVE: bool, const AXES: usize>(Arc<Windows>);

impl<const ADAPTIVE: bool, const AXES: usize> Op for Spread<ADAPTIVE, AXES> {
    const NAME: &'static str = "avg_pool_backward";
    const AUTOCAST: Autocast = Autocast::Input;
    type In<T> = T;
    type Out<T> = T;

    fn infer(&self, g: &Meta) -> Result<Meta, OpError> {
        Ok(unpooled(g, &self.0))
    }
    fn forward(&self, g: Array, _: &mut Save<'_>) -> Array {
        g.pool_spread(&self.0)
    }
    /// `ḡ`: the mean again.
    fn vjp(&self, _: &Saved<'_>, u: Tensor) -> Tensor {
        Tensor::apply(AvgPool::<ADAPTIVE, AXES>(self.0.clone()), u)
    }
}

/// The windows of a sliding mean.
pub(super) fn avg_windows<const AXES: usize>(
    x: &Tensor,
    kernel: PerAxis,
    options: AvgPoolOptions,
) -> Result<Arc<Windows>, OpError> {
    let op = name("avg", false, AXES);
    let windows = windows::<AXES>(op, x, |input| options.pool(kernel).windows(input))?;
    filled::<AXES>(op, x)?;
    Ok(windows)
}

impl Tensor {
    /// The mean of every window of two axes, side by side.
    ///
    /// # Shape      `[N, C, H, W]` or `[C, H, W]`  →  the same with `⌊(size − kernel)/stride⌋ + 1`
    /// # Numerics   f16 and bf16 are summed in f32
    /// # Panics     if the shape does not fit
    /// # PyTorch    `torch.nn.functional.avg_pool2d`
    /// # Example
    /// ```
    /// use gradus_autodiff::Tensor;
    /// let x = Tensor::from([[[1.0, 2.0, 5.0, 1.0], [3.0, 4.0, 0.0, 0.0]]]);
    /// assert_eq!(x.avg_pool2d(2).to_vec::<f64>(), [2.5, 1.5]);
    /// ```
    #[track_caller]
    pub fn avg_pool2d(&self, kernel: impl Into<PerAxis>) -> Tensor {
        self.avg_pool2d_with(kernel, AvgPoolOptions::default())
    }
    /// As [`Tensor::avg_pool2d`], with these options.
    ///
    /// ```
    /// use gradus_autodiff::{AvgPoolOptions, Tensor};
    /// let x = Tensor::from([[[1.0, 2.0], [3.0, 4.0]]]);
    /// let options = AvgPoolOptions { divisor_override: Some(1), ..Default::default() };
    /// assert_eq!(x.avg_pool2d_with(2, options).to_vec::<f64>(), [10.0]);
    /// ```
    /// # Panics
    /// If the shape does not fit, the padding is larger than half a window, or the divisor is 0.
    #[track_caller]
    pub fn avg_pool2d_with(&self, kernel: impl Into<PerAxis>, options: AvgPoolOptions) -> Tensor {
        must(self.try_avg_pool2d(kernel, options))
    }
    /// As [`Tensor::avg_pool2d_with`].
    ///
    /// # Errors
    /// If the shape does not fit, the padding is larger than half a window, or the divisor is 0.
    #[track_caller]
    pub fn try_avg_pool2d(
        &self,
        kernel: impl Into<PerAxis>,
        options: AvgPoolOptions,
    ) -> Result<Tensor, OpError> {
        let windows = avg_windows::<2>(self, kernel.into(), options)?;
        Tensor::try_apply(AvgPool::<false, 2>(windows), self)
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<Case> {
    fn padded() -> AvgPoolOptions {
        AvgPoolOptions { stride: Some(2.into()), padding: 1.into(), ..AvgPoolOptions::default() }
    }
    vec![
        Case::new(&[&[2, 2, 4, 6]], |x| x[0].avg_pool2d(2).square()),
        Case::new(&[&[2, 5, 7]], |x| x[0].avg_pool2d_with(3, padded())),
        Case::new(&[&[1, 1, 6, 5]], |x| {
            let options = AvgPoolOptions { count_include_pad: false, ceil_mode: true, ..padded() };
            x[0].avg_pool2d_with([3, 2], options).tanh()
        }),
        Case::new(&[&[1, 1, 4, 4]], |x| {
            let options = AvgPoolOptions { divisor_override: Some(-3), ..padded() };
            x[0].avg_pool2d_with(2, options)
        }),
        Case::new(&[&[0, 2, 4, 4]], |x| x[0].avg_pool2d(2)),
        Case::new(&[&[1, 2, 3]], |x| {
            let windows = must(avg_windows::<2>(&x[0].detach(), 2.into(), padded()));
            let y = Tensor::apply(AvgPool::<false, 2>(windows.clone()), &x[0]);
            Tensor::apply(Spread::<false, 2>(windows), y.tanh()).square()
        }),
    ]
}
