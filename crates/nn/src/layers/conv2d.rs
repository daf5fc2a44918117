//! `y = b + w ⋆ x` over two axes.

use crate::layers::convolution::{Border, ConvOptions, Plan, check_input};
use crate::{Layer, Module, Parameter, Site};
use gradus_autodiff::Tensor;
use gradus_tensor::{Convolution, PerAxis};

/// A convolution over two axes (a correlation: the kernel is not turned round).
///
/// ```text
/// y[n, o, p] = b[o] + Σ_c Σ_k w[o, c, k]·x[n, c, p·stride + k·dilation − padding]
/// ```
/// # Shape      `[N, in, H, W]` or `[in, H, W]`  →  `[N, out, *]` or `[out, *]` with
/// `* = ⌊(size + 2·padding − dilation·(kernel − 1) − 1)/stride⌋ + 1`
/// # Panics     `forward`, if the shape does not fit
/// # PyTorch    `torch.nn.Conv2d`; both parameters start from U(−1/√n, 1/√n) with `n = in/groups·kH·kW`, as
/// there
/// # Example
/// ```
/// use gradus_autodiff::Tensor;
/// use gradus_nn::{Conv2d, Conv2dOptions, Layer, Module};
/// use gradus_tensor::Array;
/// let x = Tensor::new(Array::randn([8, 1, 28, 28]));
/// assert_eq!(Conv2d::new(1, 32, 3).forward(&x).shape().dims(), [8, 32, 26, 26]);
/// let options = Conv2dOptions { stride: 2.into(), padding: 1.into(), ..Default::default() };
/// let layer = Conv2d::with(1, 32, [3, 5], options);
/// assert_eq!(layer.forward(&x).shape().dims(), [8, 32, 14, 13]);
/// assert_eq!(layer.num_parameters(), 32 * 15 + 32);
/// ```
#[derive(Module)]
#[module(crate = "crate")]
pub struct Conv2d {
    /// `[out, in/groups, kH, kW]`.
    pub weight: Parameter,
    /// `[out]`.
    pub bias: Option<Parameter>,
    #[module(skip)]
    border: Border,
    #[module(skip)]
    by: Convolution,
    site: Site,
}

/// What [`Conv2d::with`] takes.
pub type Conv2dOptions = ConvOptions;

impl Conv2d {
    /// A layer with a bias, in f32: stride 1, no padding.
    ///
    /// # Panics
    /// As [`Conv2d::with`].
    #[track_caller]
    pub fn new(in_channels: usize, out_channels: usize, kernel_size: impl Into<PerAxis>) -> Self {
        Conv2d::with(in_channels, out_channels, kernel_size, Conv2dOptions::default())
    }
    /// With these options.
    ///
    /// ```
    /// use gradus_nn::{Conv2d, Conv2dOptions, ConvPadding, Module};
    /// use gradus_tensor::PadMode;
    /// let (padding, padding_mode) = (ConvPadding::Same, PadMode::Reflect);
    /// let options = Conv2dOptions { padding, padding_mode, groups: 4, ..Default::default() };
    /// let text = "Conv2d(4, 8, kernel_size=(3, 3), stride=(1, 1), padding=same, groups=4, padding_mode=reflect)";
    /// assert_eq!(Conv2d::with(4, 8, 3, options).describe(), text);
    /// ```
    /// # Panics
    /// If `groups` does not divide both channels, a size is not for two axes, `padding` is "same" with a
    /// stride, or `padding_mode` is `Constant`.
    #[track_caller]
    pub fn with(
        in_channels: usize,
        out_channels: usize,
        kernel_size: impl Into<PerAxis>,
        options: Conv2dOptions,
    ) -> Self {
        let (channels, kernel) = ([in_channels, out_channels], kernel_size.into());
        let plan = Plan { kind: "Conv2d", axes: 2, channels, kernel };
        let (border, by, site) = plan.convolution(&options);
        let (weight, bias) = plan.parameters([out_channels, in_channels / by.groups], options.bias);
        Conv2d { weight, bias, border, by, site }
    }
}

impl Layer for Conv2d {
    fn forward(&self, x: &Tensor) -> Tensor {
        let call = self.site.enter();
        let (weight, bias) = (&*self.weight, self.bias.as_deref());
        check_input(&call, x, weight.size(1) * self.by.groups, 2);
        let y = match &self.border {
            Border::Zeros => x.conv2d(weight, bias, &self.by),
            Border::Same => x.conv2d_same(weight, bias, &self.by),
            Border::Pad(pad, mode) => x.pad(pad, *mode).conv2d(weight, bias, &self.by),
        };
        call.leave(y)
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<crate::testing::Case> {
    use crate::layers::ConvPadding;
    use crate::testing::Case;
    use gradus_tensor::PadMode;
    let strided = Conv2dOptions {
        stride: [2, 1].into(),
        padding: [1, 0].into(),
        dilation: [1, 2].into(),
        ..Default::default()
    };
    let same = Conv2dOptions { padding: ConvPadding::Same, ..Default::default() };
    let depthwise = Conv2dOptions { groups: 2, bias: false, ..Default::default() };
    let (padding, padding_mode) = ([2, 1].into(), PadMode::Reflect);
    let mirrored = Conv2dOptions { padding, padding_mode, ..Default::default() };
    let around = Conv2dOptions { padding_mode: PadMode::Circular, ..same };
    vec![
        Case::layer(&[2, 2, 4, 3], || Conv2d::new(2, 3, [3, 2]))
            .empty(&[0, 2, 4, 4], &[0, 3, 2, 3])
            .refuses(&[4, 9]),
        Case::layer(&[2, 5, 4], move || Conv2d::with(2, 2, 2, strided)),
        Case::layer(&[1, 1, 3, 4], move || Conv2d::with(1, 2, [2, 3], same)),
        Case::layer(&[1, 2, 3, 3], move || Conv2d::with(2, 4, 2, depthwise)),
        Case::layer(&[1, 1, 3, 2], move || Conv2d::with(1, 2, 3, mirrored)),
        Case::layer(&[1, 3, 3], move || Conv2d::with(1, 1, [2, 3], around)),
    ]
}
