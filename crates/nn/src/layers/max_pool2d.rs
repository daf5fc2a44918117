//! `y = max` over windows of two axes.

use crate::{Layer, Module, Site};
use gradus_autodiff::{MaxPoolOptions, Tensor};
use gradus_tensor::PerAxis;

/// The maximum of every window of two axes.
///
/// # Shape      `[N, C, H, W]` or `[C, H, W]`  →  the same with
/// `⌊(size + 2·padding − dilation·(kernel − 1) − 1)/stride⌋ + 1`
/// # Gradient   to the maximum alone; a tie goes to the first
/// # Panics     `forward`, if the shape does not fit
/// # PyTorch    `torch.nn.MaxPool2d`; `return_indices` is [`MaxPool2d::forward_with_indices`]
/// # Example
/// ```
/// use gradus_autodiff::Tensor;
/// use gradus_nn::{Layer, MaxPool2d};
/// let x = Tensor::from([[[1.0, 2.0, 5.0, 0.0], [3.0, 4.0, 0.0, 0.0]]]);
/// assert_eq!(MaxPool2d::new(2).forward(&x).to_vec::<f64>(), [4.0, 5.0]);
/// ```
#[derive(Module)]
#[module(crate = "crate")]
pub struct MaxPool2d {
    #[module(skip)]
    kernel: PerAxis,
    #[module(skip)]
    options: MaxPool2dOptions,
    site: Site,
}

/// What [`MaxPool2d::with`] takes.
pub type MaxPool2dOptions = MaxPoolOptions;

impl MaxPool2d {
    /// Windows of this size, side by side.
    pub fn new(kernel: impl Into<PerAxis>) -> Self {
        MaxPool2d::with(kernel, MaxPool2dOptions::default())
    }
    /// With these options.
    ///
    /// ```
    /// use gradus_nn::{MaxPool2d, MaxPool2dOptions, Module};
    /// let options = MaxPool2dOptions { stride: Some(2.into()), ..Default::default() };
    /// let text = "MaxPool2d(kernel_size=3, stride=2, padding=0, dilation=1, ceil_mode=false)";
    /// assert_eq!(MaxPool2d::with(3, options).describe(), text);
    /// ```
    pub fn with(kernel: impl Into<PerAxis>, options: MaxPool2dOptions) -> Self {
        let kernel = kernel.into();
        let MaxPoolOptions { stride, padding, dilation, ceil_mode } = options;
        let stride = stride.unwrap_or(kernel);
        let arguments = format!(
            "kernel_size={kernel}, stride={stride}, padding={padding}, dilation={dilation}, \
             ceil_mode={ceil_mode}"
        );
        MaxPool2d { kernel, options, site: Site::described("MaxPool2d", arguments) }
    }
    /// As `forward`; also where each maximum stands: see [`Tensor::max_pool2d_with_indices`].
    ///
    /// # Panics
    /// If the shape does not fit.
    #[track_caller]
    pub fn forward_with_indices(&self, x: &Tensor) -> (Tensor, Tensor) {
        let call = self.site.enter();
        let (y, indices) = x.max_pool2d_with_indices(self.kernel, self.options);
        (call.leave(y), indices)
    }
}

impl Layer for MaxPool2d {
    fn forward(&self, x: &Tensor) -> Tensor {
        let call = self.site.enter();
        let y = x.max_pool2d_with(self.kernel, self.options);
        call.leave(y)
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<crate::testing::Case> {
    use crate::testing::Case;
    let (stride, padding) = (Some(2.into()), 1.into());
    let padded = MaxPool2dOptions { stride, padding, ..Default::default() };
    vec![
        Case::layer(&[2, 2, 4, 4], || MaxPool2d::new(2)).empty(&[0, 2, 4, 4], &[0, 2, 2, 2]),
        Case::layer(&[2, 5, 4], move || MaxPool2d::with([3, 2], padded)).refuses(&[4, 9]),
        Case::new(
            &[&[1, 4, 5]],
            || MaxPool2d::new(2),
            |layer, x| layer.forward_with_indices(&x[0]).0,
        ),
    ]
}
