//! What the convolution layers share: options and their checks, how parameters start, how a layer is printed.

use crate::describe::tuple;
use crate::{Call, Parameter, Site, init};
use gradus_autodiff::Tensor;
use gradus_tensor::{Axes, Convolution, PadMode, PerAxis, Shape};
use std::array::from_fn;
use std::fmt::Write;

/// Options of [`Conv1d`](crate::Conv1d) and [`Conv2d`](crate::Conv2d); the defaults are PyTorch's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ConvOptions {
    /// Elements from one place of the kernel to the next.
    pub stride: PerAxis,
    /// Elements put around the input.
    pub padding: ConvPadding,
    /// Elements from one tap of the kernel to the next.
    pub dilation: PerAxis,
    /// Blocks of channels that do not see each other.
    pub groups: usize,
    /// Add a bias?
    pub bias: bool,
    /// What is put around the input: anything but [`PadMode::Constant`].
    pub padding_mode: PadMode,
}

impl Default for ConvOptions {
    fn default() -> Self {
        let Convolution { stride, padding, dilation, groups } = Convolution::default();
        let padding_mode = PadMode::Zeros;
        ConvOptions { stride, padding: padding.into(), dilation, groups, bias: true, padding_mode }
    }
}

/// How many elements a convolution puts around its input.
///
/// ```
/// use gradus_nn::{Conv2d, Conv2dOptions, ConvPadding, Module};
/// let by = |padding| Conv2d::with(1, 8, 3, Conv2dOptions { padding, ..Default::default() });
/// let text = "Conv2d(1, 8, kernel_size=(3, 3), stride=(1, 1)";
/// assert_eq!(by(0.into()).describe(), format!("{text})"));
/// assert_eq!(by([2, 0].into()).describe(), format!("{text}, padding=(2, 0))"));
/// assert_eq!(by(ConvPadding::Same).describe(), format!("{text}, padding=same)"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConvPadding {
    /// So many before the first and behind the last element; `1.into()` makes it.
    Size(PerAxis),
    /// As many as keep the size (PyTorch's `"same"`), an odd one behind the end; needs stride 1.
    Same,
    /// None (PyTorch's `"valid"`).
    Valid,
}

impl From<PerAxis> for ConvPadding {
    fn from(size: PerAxis) -> Self {
        ConvPadding::Size(size)
    }
}

impl From<usize> for ConvPadding {
    fn from(size: usize) -> Self {
        ConvPadding::Size(size.into())
    }
}

impl From<[usize; 1]> for ConvPadding {
    fn from(size: [usize; 1]) -> Self {
        ConvPadding::Size(size.into())
    }
}

impl From<[usize; 2]> for ConvPadding {
    fn from(sizes: [usize; 2]) -> Self {
        ConvPadding::Size(sizes.into())
    }
}

/// Options of [`ConvTranspose1d`](crate::ConvTranspose1d) and
/// [`ConvTranspose2d`](crate::ConvTranspose2d); the defaults are PyTorch's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ConvTransposeOptions {
    /// Output elements from one input to the next.
    pub stride: PerAxis,
    /// Elements cut off at both ends of the output.
    pub padding: PerAxis,
    /// Elements more behind the end of the output; fewer than `stride` or than `dilation`.
    pub output_padding: PerAxis,
    /// Blocks of channels that do not see each other.
    pub groups: usize,
    /// Add a bias?
    pub bias: bool,
    /// Elements from one tap of the kernel to the next.
    pub dilation: PerAxis,
}

impl Default for ConvTransposeOptions {
    fn default() -> Self {
        let Convolution { stride, padding, dilation, groups } = Convolution::default();
        let output_padding = 0.into();
        ConvTransposeOptions { stride, padding, output_padding, groups, bias: true, dilation }
    }
}

/// Where the elements around an input come from.
#[derive(Clone)]
pub(super) enum Border {
    /// The op puts as many zeros as its options say.
    Zeros,
    /// The op puts as many zeros as keep the size.
    Same,
    /// The `pad` op puts so many before the convolution, which then puts none.
    Pad(Vec<isize>, PadMode),
}

/// A layer that is being made.
pub(super) struct Plan {
    pub(super) kind: &'static str,
    /// Spatial axes.
    pub(super) axes: usize,
    /// In and out.
    pub(super) channels: [usize; 2],
    pub(super) kernel: PerAxis,
}

impl Plan {
    /// How the input is padded, and the options of the op.
    ///
    /// # Panics
    /// As `Conv2d::with`.
    #[track_caller]
    pub(super) fn convolution(&self, options: &ConvOptions) -> (Border, Convolution, Site) {
        let ConvOptions { stride, padding, dilation, groups, bias, padding_mode } = *options;
        let (kind, axes) = (self.kind, self.axes);
        let size = if let ConvPadding::Size(size) = padding { size } else { 0.into() };
        let by = Convolution { stride, padding: size, dilation, groups };
        self.check(&by, 0.into());
        let is_one = || stride.on(axes).is_some_and(|s| s.iter().all(|s| *s == 1));
        assert!(
            padding != ConvPadding::Same || is_one(),
            "{kind}: padding \"same\" needs stride 1, not {stride}"
        );
        let mode = match padding_mode {
            PadMode::Zeros => "zeros",
            PadMode::Reflect => "reflect",
            PadMode::Replicate => "replicate",
            PadMode::Circular => "circular",
            PadMode::Constant(_) => panic!(
                "{kind}: padding_mode is Zeros, Reflect, Replicate or Circular; other constants are \
                 put around the input by Tensor::pad"
            ),
        };
        let printed = match padding {
            ConvPadding::Size(size) => tuple(size, axes),
            ConvPadding::Same => "same".to_owned(),
            ConvPadding::Valid => "valid".to_owned(),
        };
        let site = self.site(&by, &printed, 0.into(), bias, mode);
        match (padding_mode, padding) {
            (PadMode::Zeros, ConvPadding::Same) => (Border::Same, by, site),
            (PadMode::Zeros, _) => (Border::Zeros, by, site),
            _ => {
                let pad = self.pads(padding, dilation);
                (Border::Pad(pad, padding_mode), Convolution { padding: 0.into(), ..by }, site)
            }
        }
    }

    /// The options of the op.
    ///
    /// # Panics
    /// As `ConvTranspose2d::with`.
    #[track_caller]
    pub(super) fn transposed(&self, options: &ConvTransposeOptions) -> (Convolution, Site) {
        let ConvTransposeOptions { stride, padding, output_padding, groups, bias, dilation } =
            *options;
        let by = Convolution { stride, padding, dilation, groups };
        self.check(&by, output_padding);
        let printed = tuple(padding, self.axes);
        (by, self.site(&by, &printed, output_padding, bias, "zeros"))
    }

    /// What PyTorch refuses when a layer is made; the op checks the rest when it is called.
    #[track_caller]
    fn check(&self, by: &Convolution, output_padding: PerAxis) {
        let Plan { kind, axes, channels: [inputs, outputs], kernel } = *self;
        let groups = by.groups;
        assert!(groups > 0, "{kind}: groups is at least 1");
        for (what, channels) in [("in_channels", inputs), ("out_channels", outputs)] {
            assert!(
                channels.is_multiple_of(groups),
                "{kind}: {what} {channels} is not a multiple of groups {groups}"
            );
        }
        for (what, sizes) in [
            ("kernel_size", kernel),
            ("stride", by.stride),
            ("padding", by.padding),
            ("dilation", by.dilation),
            ("output_padding", output_padding),
        ] {
            let axis = if axes == 1 { "axis" } else { "axes" };
            assert!(
                sizes.on(axes).is_some(),
                "{kind}: {what} {sizes} is not for {axes} spatial {axis}"
            );
        }
    }

    /// The numbers for the `pad` op: of the last axis first.
    fn pads(&self, padding: ConvPadding, dilation: PerAxis) -> Vec<isize> {
        let on = |size: PerAxis| size.on(self.axes).unwrap_or_default();
        let (kernel, dilation) = (on(self.kernel), on(dilation));
        let ends = |i: usize| match padding {
            ConvPadding::Size(size) => [on(size)[i]; 2],
            ConvPadding::Valid => [0; 2],
            ConvPadding::Same => {
                let all = dilation[i].saturating_mul(kernel[i].saturating_sub(1));
                [all / 2, all - all / 2]
            }
        };
        // What no axis can have is refused by the op.
        let signed = |n: usize| isize::try_from(n).unwrap_or(isize::MAX);
        (0..self.axes).rev().flat_map(ends).map(signed).collect()
    }

    /// The layer as PyTorch prints it, without what is at its default.
    fn site(
        &self,
        by: &Convolution,
        padding: &str,
        output_padding: PerAxis,
        bias: bool,
        mode: &str,
    ) -> Site {
        let sizes = |size: PerAxis| tuple(size, self.axes);
        let [inputs, outputs] = self.channels;
        let (kernel, stride) = (sizes(self.kernel), sizes(by.stride));
        let mut text = format!("{inputs}, {outputs}, kernel_size={kernel}, stride={stride}");
        for (name, value, default) in [
            ("padding", padding, &*sizes(0.into())),
            ("dilation", &sizes(by.dilation), &sizes(1.into())),
            ("output_padding", &sizes(output_padding), &sizes(0.into())),
            ("groups", &by.groups.to_string(), "1"),
            ("bias", &bias.to_string(), "true"),
            ("padding_mode", mode, "zeros"),
        ] {
            if value != default {
                let _ = write!(text, ", {name}={value}");
            }
        }
        Site::described(self.kind, text)
    }

    /// A weight `[first, second, kernel…]` and a bias for the output, both from U(−1/√n, 1/√n) with `n`
    /// the numbers of the weight behind its first axis: PyTorch's `kaiming_uniform_` with a = √5.
    pub(super) fn parameters(
        &self,
        [first, second]: [usize; 2],
        bias: bool,
    ) -> (Parameter, Option<Parameter>) {
        let mut sizes = Axes::new();
        sizes.extend([first, second]);
        sizes.extend(self.kernel.on(self.axes).unwrap_or_default().iter().copied());
        let bound = init::inverse_root(sizes[1..].iter().product());
        let weight = init::uniform_parameter(bound, Shape::new(&sizes));
        (weight, bias.then(|| init::uniform_parameter(bound, [self.channels[1]])))
    }
}

/// Spatial axes by their number.
const LETTERS: [&str; 2] = ["L", "H, W"];

/// Refuse an input that is not `[N, C, *]` or `[C, *]` with so many channels and spatial axes.
#[track_caller]
pub(super) fn check_input(call: &Call<'_>, x: &Tensor, channels: usize, axes: usize) {
    let (sizes, space) = (x.shape().dims(), LETTERS[axes - 1]);
    let found = sizes.len().checked_sub(axes + 1).filter(|batch| *batch < 2).map(|c| sizes[c]);
    if found == Some(channels) {
        return;
    }
    let rule = format!("x: [N, {channels}, {space}] or [{channels}, {space}]");
    let hint = match found {
        Some(_) if channels == 1 && sizes.len() == axes + 1 => {
            "a batch of one channel has an axis for it: x.unsqueeze(1)".to_owned()
        }
        Some(n) => format!("x has {n} channels"),
        None => format!("x has {} axes", sizes.len()),
    };
    call.refuse(x, rule, hint)
}

/// The output padding that makes `x` as large as `output_size` says: sizes of the spatial axes, or of all
/// (`torch.nn.ConvTranspose2d.forward`).
#[track_caller]
pub(super) fn padding_to<const N: usize>(
    call: &Call<'_>,
    x: &Tensor,
    weight: &Tensor,
    by: &Convolution,
    output_size: &[usize],
) -> [usize; N] {
    let other = x.rank() - N;
    if ![N, x.rank()].contains(&output_size.len()) {
        let rule = format!("output_size has {N} or {} numbers", x.rank());
        call.refuse(x, rule, format!("it has {}", output_size.len()));
    }
    let asked = &output_size[output_size.len() - N..];
    let on = |size: PerAxis| size.on(N).unwrap_or_default();
    let (stride, padding, dilation) = (on(by.stride), on(by.padding), on(by.dilation));
    let least: [i128; N] = from_fn(|i| {
        let [size, kernel] = [x.size((other + i) as isize), weight.size((2 + i) as isize)];
        let [size, kernel, stride, padding, dilation] =
            [size, kernel, stride[i], padding[i], dilation[i]].map(|n| n as i128);
        (size - 1) * stride - 2 * padding + dilation * (kernel - 1) + 1
    });
    from_fn(|i| {
        let extra = asked[i] as i128 - least[i];
        match usize::try_from(extra) {
            Ok(extra) if extra < stride[i] => extra,
            _ => {
                let most = least[i] + stride[i] as i128 - 1;
                let rule = format!("output_size is {} to {most} on spatial axis {i}", least[i]);
                call.refuse(x, rule, format!("asked for {}", asked[i]))
            }
        }
    })
}

#[cfg(test)]
mod tests;
