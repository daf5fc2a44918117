//! `y = b + w ⋆ x` over one axis.

use crate::layers::convolution::{Border, ConvOptions, Plan, check_input};
use crate::{Layer, Module, Parameter, Site};
use gradus_autodiff::Tensor;
use gradus_tensor::{Convolution, PerAxis};

/// A convolution over one axis (a correlation: the kernel is not turned round).
///
/// ```text
/// y[n, o, p] = b[o] + Σ_c Σ_k w[o, c, k]·x[n, c, p·stride + k·dilation − padding]
/// ```
/// # Shape      `[N, in, L]` or `[in, L]`  →  `[N, out, *]` or `[out, *]` with
/// `* = ⌊(L + 2·padding − dilation·(kernel − 1) − 1)/stride⌋ + 1`
/// # Panics     `forward`, if the shape does not fit
/// # PyTorch    `torch.nn.Conv1d`; both parameters start from U(−1/√n, 1/√n) with `n = in/groups·kernel`, as
/// there
/// # Example
/// ```
/// use gradus_autodiff::Tensor;
/// use gradus_nn::{Conv1d, Conv1dOptions, Layer, Module};
/// use gradus_tensor::Array;
/// let x = Tensor::new(Array::randn([8, 4, 100]));
/// assert_eq!(Conv1d::new(4, 6, 5).forward(&x).shape().dims(), [8, 6, 96]);
/// let options = Conv1dOptions { dilation: 8.into(), padding: 16.into(), ..Default::default() };
/// let layer = Conv1d::with(4, 6, 5, options);
/// assert_eq!(layer.forward(&x).shape().dims(), [8, 6, 100]);
/// assert_eq!(layer.num_parameters(), 6 * 20 + 6);
/// ```
#[derive(Module)]
#[module(crate = "crate")]
pub struct Conv1d {
    /// `[out, in/groups, k]`.
    pub weight: Parameter,
    /// `[out]`.
    pub bias: Option<Parameter>,
    #[module(skip)]
    border: Border,
    #[module(skip)]
    by: Convolution,
    site: Site,
}

/// What [`Conv1d::with`] takes.
pub type Conv1dOptions = ConvOptions;

impl Conv1d {
    /// A layer with a bias, in f32: stride 1, no padding.
    ///
    /// # Panics
    /// As [`Conv1d::with`].
    #[track_caller]
    pub fn new(in_channels: usize, out_channels: usize, kernel_size: impl Into<PerAxis>) -> Self {
        Conv1d::with(in_channels, out_channels, kernel_size, Conv1dOptions::default())
    }
    /// With these options.
    ///
    /// ```
    /// use gradus_nn::{Conv1d, Conv1dOptions, Module};
    /// let options = Conv1dOptions { stride: 2.into(), padding: 1.into(), ..Default::default() };
    /// let text = "Conv1d(3, 4, kernel_size=(5,), stride=(2,), padding=(1,))";
    /// assert_eq!(Conv1d::with(3, 4, 5, options).describe(), text);
    /// ```
    /// # Panics
    /// If `groups` does not divide both channels, a size is not for one axis, `padding` is "same" with a
    /// stride, or `padding_mode` is `Constant`.
    #[track_caller]
    pub fn with(
        in_channels: usize,
        out_channels: usize,
        kernel_size: impl Into<PerAxis>,
        options: Conv1dOptions,
    ) -> Self {
        let (channels, kernel) = ([in_channels, out_channels], kernel_size.into());
        let plan = Plan { kind: "Conv1d", axes: 1, channels, kernel };
        let (border, by, site) = plan.convolution(&options);
        let (weight, bias) = plan.parameters([out_channels, in_channels / by.groups], options.bias);
        Conv1d { weight, bias, border, by, site }
    }
}

impl Layer for Conv1d {
    fn forward(&self, x: &Tensor) -> Tensor {
        let call = self.site.enter();
        let (weight, bias) = (&*self.weight, self.bias.as_deref());
        check_input(&call, x, weight.size(1) * self.by.groups, 1);
        let y = match &self.border {
            Border::Zeros => x.conv1d(weight, bias, &self.by),
            Border::Same => x.conv1d_same(weight, bias, &self.by),
            Border::Pad(pad, mode) => x.pad(pad, *mode).conv1d(weight, bias, &self.by),
        };
        call.leave(y)
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<crate::testing::Case> {
    use crate::layers::ConvPadding;
    use crate::testing::Case;
    use gradus_tensor::PadMode;
    let strided = Conv1dOptions {
        stride: 2.into(),
        padding: 1.into(),
        dilation: 2.into(),
        ..Default::default()
    };
    let same = Conv1dOptions { padding: ConvPadding::Same, groups: 2, ..Default::default() };
    let ends = Conv1dOptions { padding_mode: PadMode::Replicate, ..same };
    let (padding, padding_mode) = (2.into(), PadMode::Circular);
    let around = Conv1dOptions { padding, padding_mode, bias: false, ..Default::default() };
    vec![
        Case::layer(&[2, 2, 5], || Conv1d::new(2, 3, 3))
            .empty(&[0, 2, 4], &[0, 3, 2])
            .refuses(&[4, 9]),
        Case::layer(&[2, 7], move || Conv1d::with(2, 2, 3, strided)),
        Case::layer(&[1, 4, 5], move || Conv1d::with(4, 2, 4, same)),
        Case::layer(&[1, 2, 4], move || Conv1d::with(2, 4, 4, ends)),
        Case::layer(&[1, 4], move || Conv1d::with(1, 2, 3, around)),
    ]
}
