//! `y = mean` over windows of one axis.

use crate::describe::tuple;
use crate::{Layer, Module, Site};
use gradus_autodiff::{AvgPoolOptions, Tensor};
use gradus_tensor::PerAxis;

/// The mean of every window of the last axis.
///
/// # Shape      `[N, C, L]` or `[C, L]`  →  the same with `⌊(L + 2·padding − kernel)/stride⌋ + 1`
/// # Panics     `forward`, if the shape does not fit
/// # PyTorch    `torch.nn.AvgPool1d`
/// # Example
/// ```
/// use gradus_autodiff::Tensor;
/// use gradus_nn::{AvgPool1d, Layer};
/// let x = Tensor::from([[1.0, 3.0, 2.0, 0.0]]);
/// assert_eq!(AvgPool1d::new(2).forward(&x).to_vec::<f64>(), [2.0, 1.0]);
/// ```
#[derive(Module)]
#[module(crate = "crate")]
pub struct AvgPool1d {
    #[module(skip)]
    kernel: PerAxis,
    #[module(skip)]
    options: AvgPool1dOptions,
    site: Site,
}

/// What [`AvgPool1d::with`] takes.
pub type AvgPool1dOptions = AvgPoolOptions;

impl AvgPool1d {
    /// Windows of this size, side by side.
    pub fn new(kernel: impl Into<PerAxis>) -> Self {
        AvgPool1d::with(kernel, AvgPool1dOptions::default())
    }
    /// With these options.
    ///
    /// ```
    /// use gradus_nn::{AvgPool1d, AvgPool1dOptions, Module};
    /// let options = AvgPool1dOptions { stride: Some(2.into()), ..Default::default() };
    /// let text = "AvgPool1d(kernel_size=(3,), stride=(2,), padding=(0,))";
    /// assert_eq!(AvgPool1d::with(3, options).describe(), text);
    /// ```
    pub fn with(kernel: impl Into<PerAxis>, options: AvgPool1dOptions) -> Self {
        let kernel = kernel.into();
        let stride = options.stride.unwrap_or(kernel);
        let [kernel_size, stride, padding] = [kernel, stride, options.padding].map(|p| tuple(p, 1));
        let arguments = format!("kernel_size={kernel_size}, stride={stride}, padding={padding}");
        AvgPool1d { kernel, options, site: Site::described("AvgPool1d", arguments) }
    }
}

impl Layer for AvgPool1d {
    fn forward(&self, x: &Tensor) -> Tensor {
        let call = self.site.enter();
        let y = x.avg_pool1d_with(self.kernel, self.options);
        call.leave(y)
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<crate::testing::Case> {
    use crate::testing::Case;
    let (stride, padding, ceil_mode) = (Some(2.into()), 1.into(), true);
    let padded = AvgPool1dOptions { stride, padding, ceil_mode, ..Default::default() };
    vec![
        Case::layer(&[2, 2, 6], || AvgPool1d::new(2)).empty(&[0, 2, 6], &[0, 2, 3]),
        Case::layer(&[2, 5], move || AvgPool1d::with(3, padded)),
        Case::layer(&[2, 10], || AvgPool1d::new(10)).refuses(&[4, 9]),
    ]
}
