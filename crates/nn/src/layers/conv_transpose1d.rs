//! `y = b + wᵀ ⋆ x` over one axis: every input element is spread by the kernel.

use crate::layers::convolution::{ConvTransposeOptions, Plan, check_input, padding_to};
use crate::{Call, Layer, Module, Parameter, Site};
use gradus_autodiff::Tensor;
use gradus_tensor::{Convolution, PerAxis};

/// The transpose of a convolution over one axis: the map that its input gradient is.
///
/// ```text
/// y[n, o, q] = b[o] + Σ_c Σ_k w[c, o, k]·x[n, c, p]      with q = p·stride + k·dilation − padding
/// ```
/// # Shape      `[N, in, L]` or `[in, L]`  →  `[N, out, *]` or `[out, *]` with
/// `* = (size − 1)·stride − 2·padding + dilation·(kernel − 1) + output_padding + 1`
/// # Panics     `forward`, if the shape does not fit, or `output_padding` is as large as both `stride` and
/// `dilation`
/// # PyTorch    `torch.nn.ConvTranspose1d`; `output_size` is [`ConvTranspose1d::forward_to_size`]. Both
/// parameters start from U(−1/√n, 1/√n) with `n = out/groups·kernel`, as there
/// # Example
/// ```
/// use gradus_autodiff::Tensor;
/// use gradus_nn::{ConvTranspose1d, ConvTranspose1dOptions, Layer, Module};
/// use gradus_tensor::Array;
/// let x = Tensor::new(Array::randn([8, 6, 50]));
/// let options = ConvTranspose1dOptions { stride: 2.into(), padding: 1.into(), ..Default::default() };
/// let layer = ConvTranspose1d::with(6, 4, 4, options);
/// assert_eq!(layer.forward(&x).shape().dims(), [8, 4, 100]);
/// assert_eq!(layer.num_parameters(), 6 * 16 + 4);
/// ```
#[derive(Module)]
#[module(crate = "crate")]
pub struct ConvTranspose1d {
    /// `[in, out/groups, k]`.
    pub weight: Parameter,
    /// `[out]`.
    pub bias: Option<Parameter>,
    #[module(skip)]
    by: Convolution,
    #[module(skip)]
    output_padding: PerAxis,
    site: Site,
}

/// What [`ConvTranspose1d::with`] takes.
pub type ConvTranspose1dOptions = ConvTransposeOptions;

impl ConvTranspose1d {
    /// A layer with a bias, in f32: stride 1, no padding.
    ///
    /// # Panics
    /// As [`ConvTranspose1d::with`].
    #[track_caller]
    pub fn new(in_channels: usize, out_channels: usize, kernel_size: impl Into<PerAxis>) -> Self {
        let options = ConvTranspose1dOptions::default();
        ConvTranspose1d::with(in_channels, out_channels, kernel_size, options)
    }
    /// With these options.
    ///
    /// ```
    /// use gradus_nn::{ConvTranspose1d, ConvTranspose1dOptions, Module};
    /// let (stride, output_padding) = (2.into(), 1.into());
    /// let options = ConvTranspose1dOptions { stride, output_padding, ..Default::default() };
    /// let text = "ConvTranspose1d(3, 4, kernel_size=(5,), stride=(2,), output_padding=(1,))";
    /// assert_eq!(ConvTranspose1d::with(3, 4, 5, options).describe(), text);
    /// ```
    /// # Panics
    /// If `groups` does not divide both channels, or a size is not for one axis.
    #[track_caller]
    pub fn with(
        in_channels: usize,
        out_channels: usize,
        kernel_size: impl Into<PerAxis>,
        options: ConvTranspose1dOptions,
    ) -> Self {
        let (channels, kernel) = ([in_channels, out_channels], kernel_size.into());
        let plan = Plan { kind: "ConvTranspose1d", axes: 1, channels, kernel };
        let (by, site) = plan.transposed(&options);
        let (weight, bias) = plan.parameters([in_channels, out_channels / by.groups], options.bias);
        let output_padding = options.output_padding;
        ConvTranspose1d { weight, bias, by, output_padding, site }
    }
    /// As `forward`, with the output padding that makes the output so large: `output_size` is of the
    /// spatial axes, or of all axes. With a stride, several inputs of a convolution give one size of
    /// output; this says which of them is meant.
    ///
    /// ```
    /// use gradus_nn::{Conv1d, Conv1dOptions, ConvTranspose1d, ConvTranspose1dOptions, Layer};
    /// use gradus_tensor::Array;
    /// let x = Array::randn([2, 3, 12]).into();
    /// let down = Conv1d::with(3, 6, 3, Conv1dOptions { stride: 2.into(), ..Default::default() });
    /// let options = ConvTranspose1dOptions { stride: 2.into(), ..Default::default() };
    /// let up = ConvTranspose1d::with(6, 3, 3, options);
    /// let h = down.forward(&x);
    /// assert_eq!(up.forward(&h).shape().dims(), [2, 3, 11]);
    /// assert_eq!(up.forward_to_size(&h, x.shape()).shape().dims(), [2, 3, 12]);
    /// ```
    /// # Panics
    /// If the shape does not fit, or an output of that size is not among the `stride` possible ones.
    #[track_caller]
    pub fn forward_to_size(&self, x: &Tensor, output_size: &[usize]) -> Tensor {
        let call = self.site.enter();
        self.check(&call, x);
        let extra: [usize; 1] = padding_to(&call, x, &self.weight, &self.by, output_size);
        call.leave(self.spread(x, extra.into()))
    }
    #[track_caller]
    fn check(&self, call: &Call<'_>, x: &Tensor) {
        check_input(call, x, self.weight.size(0), 1);
    }
    #[track_caller]
    fn spread(&self, x: &Tensor, output_padding: PerAxis) -> Tensor {
        x.conv_transpose1d(&self.weight, self.bias.as_deref(), &self.by, output_padding)
    }
}

impl Layer for ConvTranspose1d {
    fn forward(&self, x: &Tensor) -> Tensor {
        let call = self.site.enter();
        self.check(&call, x);
        call.leave(self.spread(x, self.output_padding))
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<crate::testing::Case> {
    use crate::testing::Case;
    let (stride, padding, output_padding) = (3.into(), 1.into(), 2.into());
    let wide = ConvTranspose1dOptions { stride, padding, output_padding, ..Default::default() };
    let (dilation, groups, bias) = (2.into(), 2, false);
    let grouped = ConvTranspose1dOptions { dilation, groups, bias, ..Default::default() };
    vec![
        Case::layer(&[2, 2, 3], || ConvTranspose1d::new(2, 3, 3))
            .empty(&[0, 2, 3], &[0, 3, 5])
            .refuses(&[4, 9]),
        Case::layer(&[2, 3], move || ConvTranspose1d::with(2, 1, 2, wide)),
        Case::layer(&[1, 4, 3], move || ConvTranspose1d::with(4, 2, 2, grouped)),
        Case::new(
            &[&[1, 2, 3]],
            move || ConvTranspose1d::with(2, 1, 2, wide),
            |layer, x| layer.forward_to_size(&x[0], &[7]),
        ),
    ]
}
