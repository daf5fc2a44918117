//! `y = max` over windows of two axes; with its adjoint, which every maximum over windows shares.

use super::pooling::{MaxPoolOptions, filled, name, pooled, unpooled, windows};
use super::prelude::*;
use gradus_tensor::PerAxis;
use gradus_tensor::kernels::pool::Windows;
use std::sync::Arc;

/// The maximum of every window over the last `AXES` axes.
pub(super) struct MaxPool<const ADAPTIVE: bool, const AXES: usize>(pub(super) Arc<Windows>);

impl<const ADAPTIVE: bool, const AXES: usize> Op for MaxPool<ADAPTIVE, AXES> {
    const NAME: &'static str = name("max", ADAPTIVE, AXES);
    const AUTOCAST: Autocast = Autocast::Input;
    type In<T> = T;
    type Out<T> = T;

    fn infer(&self, x: &Meta) -> Result<Meta, OpError> {
        Ok(pooled(x, &self.0))
    }
    fn forward(&self, x: Array, save: &mut Save<'_>) -> Array {
        let (y, taps) = x.pool_max(&self.0, save.any());
        taps.iter().for_each(|taps| save.cache(0, taps));
        y
    }
    /// `x̄`: every `ȳ` where the maximum stands.
    fn vjp(&self, saved: &Saved<'_>, g: Tensor) -> Tensor {
        let (windows, taps) = (self.0.clone(), saved.cache(0).clone());
        Tensor::apply(Place { windows, taps }, g)
    }
}

/// As [`MaxPool`], with the positions as the second output.
pub(super) struct MaxPoolWithIndices<const ADAPTIVE: bool, const AXES: usize>(
    pub(super) Arc<Windows>,
);

impl<const ADAPTIVE: bool, const AXES: usize> Op for MaxPoolWithIndices<ADAPTIVE, AXES> {
    const NAME: &'static str = name("max", ADAPTIVE, AXES);
    const AUTOCAST: Autocast = Autocast::Input;
    type In<T> = T;
    type Out<T> = [T; 2];

    fn infer(&self, x: &Meta) -> Result<[Meta; 2], OpError> {
        let y = pooled(x, &self.0);
        let indices = y.with_dtype(DType::I64);
        Ok([y, indices])
    }
    fn forward(&self, x: Array, save: &mut Save<'_>) -> [Array; 2] {
        let (y, taps) = x.pool_max(&self.0, true);
        let taps = taps.expect("asked for");
        save.cache(0, &taps);
        save.constant(1);
        [y, taps.pool_positions(&self.0)]
    }
    /// As that of [`MaxPool`].
    fn vjp(&self, saved: &Saved<'_>, [g, _]: [Option<Tensor>; 2]) -> Tensor {
        let (windows, taps) = (self.0.clone(), saved.cache(0).clone());
        match g {
            Some(g) => Tensor::apply(Place { windows, taps }, g),
            None => Tensor::new(Array::zeros(saved.shape(0), saved.dtype(0))),
        }
    }
}

/// `ȳ -> x̄`: every gradient added where the maximum of its window stands.
struct Place {
    windows: Arc<Windows>,
    /// Which entry of its window it is.
    taps: Array,
}

impl Op for Place {
    const NAME: &'static str = "max_pool_backward";
    const AUTOCAST: Autocast = Autocast::Input;
    type In<T> = T;
    type Out<T> = T;

    fn infer(&self, g: &Meta) -> Result<Meta, OpError> {
        Ok(unpooled(g, &self.windows))
    }
    fn forward(&self, g: Array, _: &mut Save<'_>) -> Array {
        g.pool_place(&self.taps, &self.windows)
    }
    /// `ḡ`: picked where it was put.
    fn vjp(&self, _: &Saved<'_>, u: Tensor) -> Tensor {
        let (windows, taps) = (self.windows.clone(), self.taps.clone());
        Tensor::apply(Pick { windows, taps }, u)
    }
}

/// The entries of a tensor where the maxima of another one stand: the adjoint of [`Place`].
struct Pick {
    windows: Arc<Windows>,
    taps: Array,
}

impl Op for Pick {
    const NAME: &'static str = "max_pool_pick";
    const AUTOCAST: Autocast = Autocast::Input;
    type In<T> = T;
    type Out<T> = T;

    fn infer(&self, x: &Meta) -> Result<Meta, OpError> {
        Ok(pooled(x, &self.windows))
    }
    fn forward(&self, x: Array, _: &mut Save<'_>) -> Array {
        x.pool_pick(&self.taps, &self.windows)
    }
    /// `x̄`: put back where it was picked.
    fn vjp(&self, _: &Saved<'_>, g: Tensor) -> Tensor {
        let (windows, taps) = (self.windows.clone(), self.taps.clone());
        Tensor::apply(Place { windows, taps }, g)
    }
}

/// The windows of a sliding maximum.
pub(super) fn max_windows<const AXES: usize>(
    x: &Tensor,
    kernel: PerAxis,
    options: MaxPoolOptions,
) -> Result<Arc<Windows>, OpError> {
    let op = name("max", false, AXES);
    let windows = windows::<AXES>(op, x, |input| options.pool(kernel).windows(input))?;
    filled::<AXES>(op, x)?;
    Ok(windows)
}

impl Tensor {
    /// The maximum of every window of two axes, side by side.
    ///
    /// # Shape      `[N, C, H, W]` or `[C, H, W]`  →  the same with `⌊(size − kernel)/stride⌋ + 1`
    /// # Gradient   to the maximum alone; a tie goes to the first
    /// # Numerics   NaN wins
    /// # Panics     if the shape does not fit
    /// # PyTorch    `torch.nn.functional.max_pool2d`
    /// # Example
    /// ```
    /// use gradus_autodiff::Tensor;
    /// let x = Tensor::from([[[1.0, 2.0, 5.0, 0.0], [3.0, 4.0, 0.0, 0.0]]]);
    /// assert_eq!(x.max_pool2d(2).to_vec::<f64>(), [4.0, 5.0]);
    /// ```
    #[track_caller]
    pub fn max_pool2d(&self, kernel: impl Into<PerAxis>) -> Tensor {
        self.max_pool2d_with(kernel, MaxPoolOptions::default())
    }
    /// As [`Tensor::max_pool2d`], with these options.
    ///
    /// ```
    /// use gradus_autodiff::{MaxPoolOptions, Tensor};
    /// let x = Tensor::from([[[1.0, 2.0, 5.0, 0.0], [3.0, 4.0, 0.0, 0.0]]]);
    /// let options = MaxPoolOptions { stride: Some(1.into()), ..Default::default() };
    /// assert_eq!(x.max_pool2d_with(2, options).to_vec::<f64>(), [4.0, 5.0, 5.0]);
    /// ```
    /// # Panics
    /// If the shape does not fit, or the padding is larger than half a window.
    #[track_caller]
    pub fn max_pool2d_with(&self, kernel: impl Into<PerAxis>, options: MaxPoolOptions) -> Tensor {
        must(self.try_max_pool2d(kernel, options))
    }
    /// As [`Tensor::max_pool2d_with`].
    ///
    /// # Errors
    /// If the shape does not fit, or the padding is larger than half a window.
    #[track_caller]
    pub fn try_max_pool2d(
        &self,
        kernel: impl Into<PerAxis>,
        options: MaxPoolOptions,
    ) -> Result<Tensor, OpError> {
        let windows = max_windows::<2>(self, kernel.into(), options)?;
        Tensor::try_apply(MaxPool::<false, 2>(windows), self)
    }
    /// As [`Tensor::max_pool2d_with`]; also where each maximum stands in its plane, as `h·W + w` (i64), −1
    /// for a window of padding alone (`torch.nn.functional.max_pool2d_with_indices`).
    ///
    /// ```
    /// use gradus_autodiff::Tensor;
    /// let x = Tensor::from([[[1.0, 2.0, 5.0, 0.0], [3.0, 4.0, 0.0, 0.0]]]);
    /// let (_, indices) = x.max_pool2d_with_indices(2, Default::default());
    /// assert_eq!(indices.to_vec::<i64>(), [5, 2]);
    /// ```
    /// # Panics
    /// If the shape does not fit, or the padding is larger than half a window.
    #[track_caller]
    pub fn max_pool2d_with_indices(
        &self,
        kernel: impl Into<PerAxis>,
        options: MaxPoolOptions,
    ) -> (Tensor, Tensor) {
        must(self.try_max_pool2d_with_indices(kernel, options))
    }
    /// As [`Tensor::max_pool2d_with_indices`].
    ///
    /// # Errors
    /// If the shape does not fit, or the padding is larger than half a window.
    #[track_caller]
    pub fn try_max_pool2d_with_indices(
        &self,
        kernel: impl Into<PerAxis>,
        options: MaxPoolOptions,
    ) -> Result<(Tensor, Tensor), OpError> {
        let windows = max_windows::<2>(self, kernel.into(), options)?;
        Tensor::try_apply(MaxPoolWithIndices::<false, 2>(windows), self).map(Into::into)
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<Case> {
    let adjoint: fn(&[Tensor]) -> Tensor = |x| {
        let options = MaxPoolOptions { stride: Some(1.into()), ..MaxPoolOptions::default() };
        let windows = must(max_windows::<2>(&x[0].detach(), 2.into(), options));
        let taps = x[0].array().pool_max(&windows, true).1.expect("asked for");
        let pick = Tensor::apply(Pick { windows: windows.clone(), taps: taps.clone() }, &x[0]);
        Tensor::apply(Place { windows, taps }, pick.tanh() * &x[1])
    };
    vec![
        Case::new(&[&[2, 2, 4, 6]], |x| x[0].max_pool2d(2)),
        Case::new(&[&[2, 5, 7]], |x| {
            let (stride, padding) = (Some(2.into()), 1.into());
            let options = MaxPoolOptions { stride, padding, ..MaxPoolOptions::default() };
            x[0].max_pool2d_with(3, options) * 2.0
        }),
        Case::new(&[&[1, 1, 6, 5]], |x| {
            let (stride, dilation) = (Some([1, 2].into()), [2, 1].into());
            let options =
                MaxPoolOptions { stride, dilation, ceil_mode: true, ..MaxPoolOptions::default() };
            x[0].max_pool2d_with_indices([3, 2], options).0
        }),
        Case::new(&[&[0, 2, 4, 4]], |x| x[0].max_pool2d(2)),
        Case::new(&[&[1, 17, 16]], |x| x[0].max_pool2d([17, 16])),
        Case::new(&[&[1, 3, 4], &[1, 2, 3]], adjoint),
    ]
}
