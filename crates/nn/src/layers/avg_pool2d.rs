//! `y = mean` over windows of two axes.

use crate::{Layer, Module, Site};
use gradus_autodiff::{AvgPoolOptions, Tensor};
use gradus_tensor::PerAxis;

/// The mean of every window of two axes.
///
/// # Shape      `[N, C, H, W]` or `[C, H, W]`  →  the same with `⌊(size + 2·padding − kernel)/stride⌋ + 1`
/// # Panics     `forward`, if the shape does not fit
/// # PyTorch    `torch.nn.AvgPool2d`
/// # Example
/// ```
/// use gradus_autodiff::Tensor;
/// use gradus_nn::{AvgPool2d, Layer};
/// let x = Tensor::from([[[1.0, 2.0, 5.0, 1.0], [3.0, 4.0, 0.0, 0.0]]]);
/// assert_eq!(AvgPool2d::new(2).forward(&x).to_vec::<f64>(), [2.5, 1.5]);
/// ```
#[derive(Module)]
#[module(crate = "crate")]
pub struct AvgPool2d {
    #[module(skip)]
    kernel: PerAxis,
    #[module(skip)]
    options: AvgPool2dOptions,
    site: Site,
}

/// What [`AvgPool2d::with`] takes.
pub type AvgPool2dOptions = AvgPoolOptions;

impl AvgPool2d {
    /// Windows of this size, side by side.
    pub fn new(kernel: impl Into<PerAxis>) -> Self {
        AvgPool2d::with(kernel, AvgPool2dOptions::default())
    }
    /// With these options.
    ///
    /// ```
    /// use gradus_nn::{AvgPool2d, AvgPool2dOptions, Module};
    /// let options = AvgPool2dOptions { stride: Some(2.into()), ..Default::default() };
    /// let text = "AvgPool2d(kernel_size=3, stride=2, padding=0)";
    /// assert_eq!(AvgPool2d::with(3, options).describe(), text);
    /// ```
    pub fn with(kernel: impl Into<PerAxis>, options: AvgPool2dOptions) -> Self {
        let kernel = kernel.into();
        let stride = options.stride.unwrap_or(kernel);
        let padding = options.padding;
        let arguments = format!("kernel_size={kernel}, stride={stride}, padding={padding}");
        AvgPool2d { kernel, options, site: Site::described("AvgPool2d", arguments) }
    }
}

impl Layer for AvgPool2d {
    fn forward(&self, x: &Tensor) -> Tensor {
        let call = self.site.enter();
        let y = x.avg_pool2d_with(self.kernel, self.options);
        call.leave(y)
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<crate::testing::Case> {
    use crate::testing::Case;
    let (stride, padding, ceil_mode) = (Some(2.into()), 1.into(), true);
    let padded = AvgPool2dOptions { stride, padding, ceil_mode, ..Default::default() };
    vec![
        Case::layer(&[2, 2, 4, 4], || AvgPool2d::new(2)).empty(&[0, 2, 4, 4], &[0, 2, 2, 2]),
        Case::layer(&[2, 5, 4], move || AvgPool2d::with([3, 2], padded)).refuses(&[4, 9]),
    ]
}
