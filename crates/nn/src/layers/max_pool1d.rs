//! `y = max` over windows of one axis.

use crate::{Layer, Module, Site};
use gradus_autodiff::{MaxPoolOptions, Tensor};
use gradus_tensor::PerAxis;

/// The maximum of every window of the last axis.
///
/// # Shape      `[N, C, L]` or `[C, L]`  →  the same with
/// `⌊(L + 2·padding − dilation·(kernel − 1) − 1)/stride⌋ + 1`
/// # Gradient   to the maximum alone; a tie goes to the first
/// # Panics     `forward`, if the shape does not fit
/// # PyTorch    `torch.nn.MaxPool1d`; `return_indices` is [`MaxPool1d::forward_with_indices`]
/// # Example
/// ```
/// use gradus_autodiff::Tensor;
/// use gradus_nn::{Layer, MaxPool1d};
/// let x = Tensor::from([[1.0, 3.0, 2.0, 0.0]]);
/// assert_eq!(MaxPool1d::new(2).forward(&x).to_vec::<f64>(), [3.0, 2.0]);
/// ```
#[derive(Module)]
#[module(crate = "crate")]
pub struct MaxPool1d {
    #[module(skip)]
    kernel: PerAxis,
    #[module(skip)]
    options: MaxPool1dOptions,
    site: Site,
}

/// What [`MaxPool1d::with`] takes.
pub type MaxPool1dOptions = MaxPoolOptions;

impl MaxPool1d {
    /// Windows of this size, side by side.
    pub fn new(kernel: impl Into<PerAxis>) -> Self {
        MaxPool1d::with(kernel, MaxPool1dOptions::default())
    }
    /// With these options.
    ///
    /// ```
    /// use gradus_nn::{MaxPool1d, MaxPool1dOptions, Module};
    /// let options = MaxPool1dOptions { stride: Some(2.into()), ..Default::default() };
    /// let text = "MaxPool1d(kernel_size=3, stride=2, padding=0, dilation=1, ceil_mode=false)";
    /// assert_eq!(MaxPool1d::with(3, options).describe(), text);
    /// ```
    pub fn with(kernel: impl Into<PerAxis>, options: MaxPool1dOptions) -> Self {
        let kernel = kernel.into();
        let MaxPoolOptions { stride, padding, dilation, ceil_mode } = options;
        let stride = stride.unwrap_or(kernel);
        let arguments = format!(
            "kernel_size={kernel}, stride={stride}, padding={padding}, dilation={dilation}, \
             ceil_mode={ceil_mode}"
        );
        MaxPool1d { kernel, options, site: Site::described("MaxPool1d", arguments) }
    }
    /// As `forward`; also where each maximum stands: see [`Tensor::max_pool1d_with_indices`].
    ///
    /// # Panics
    /// If the shape does not fit.
    #[track_caller]
    pub fn forward_with_indices(&self, x: &Tensor) -> (Tensor, Tensor) {
        let call = self.site.enter();
        let (y, indices) = x.max_pool1d_with_indices(self.kernel, self.options);
        (call.leave(y), indices)
    }
}

impl Layer for MaxPool1d {
    fn forward(&self, x: &Tensor) -> Tensor {
        let call = self.site.enter();
        let y = x.max_pool1d_with(self.kernel, self.options);
        call.leave(y)
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<crate::testing::Case> {
    use crate::testing::Case;
    let (stride, padding) = (Some(2.into()), 1.into());
    let padded = MaxPool1dOptions { stride, padding, ..Default::default() };
    vec![
        Case::layer(&[2, 2, 6], || MaxPool1d::new(2)).empty(&[0, 2, 6], &[0, 2, 3]),
        Case::layer(&[2, 5], move || MaxPool1d::with(3, padded)),
        Case::layer(&[2, 10], || MaxPool1d::new(10)).refuses(&[4, 9]),
        Case::new(&[&[2, 5]], || MaxPool1d::new(2), |layer, x| layer.forward_with_indices(&x[0]).0),
    ]
}
