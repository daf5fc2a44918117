//! The shape rules of convolutions: every mistake a user can make is found here.

use crate::OpError;
use gradus_tensor::{Axes, ConvAxis, ConvGeometry, Convolution, PerAxis, Shape};

/// What the methods are called with, apart from the tensors.
pub(in crate::ops) struct Call<'a> {
    pub(in crate::ops) op: &'static str,
    /// Spatial axes.
    pub(in crate::ops) axes: usize,
    pub(in crate::ops) by: &'a Convolution,
    /// As much padding as keeps the size; `by.padding` is not read.
    pub(in crate::ops) same: bool,
    /// The extra size of a transposed convolution.
    pub(in crate::ops) output_padding: Option<PerAxis>,
}

/// Sizes per axis of what is given as one or several numbers.
struct Sizes {
    stride: Axes<usize>,
    padding: Axes<usize>,
    dilation: Axes<usize>,
    extra: Axes<usize>,
}

const LETTERS: [&str; 3] = ["L", "H, W", "D, H, W"];
const KERNELS: [&str; 3] = ["k", "kH, kW", "kD, kH, kW"];

impl Call<'_> {
    /// Sizes of the convolution, whose output is `x` if it is transposed. `x` may lack the batch axis.
    pub(in crate::ops) fn geometry(
        &self,
        x: &Shape,
        w: &Shape,
        bias: Option<&Shape>,
    ) -> Result<ConvGeometry, OpError> {
        let sizes = self.sizes()?;
        let (batch, channels, space) = match (x.rank() - x.rank().min(self.axes), x.dims()) {
            (2, [n, c, space @ ..]) => (*n, *c, space),
            (1, [c, space @ ..]) => (1, *c, space),
            _ => return self.refuse(format!("x has {} axes", x.rank())),
        };
        if w.rank() != self.axes + 2 {
            return self.refuse(format!("W has {} axes", w.rank()));
        }
        let (in_channels, out_channels) = self.channels(channels, w)?;
        let made = if self.output_padding.is_some() { in_channels } else { out_channels };
        match bias.map(Shape::dims) {
            None => {}
            Some([n]) if *n == made => {}
            Some(_) => return self.refuse(format!("the output has {made} channels")),
        }
        if space.contains(&0) {
            return self.refuse("only the batch and the channels may be empty");
        }
        let axes = (0..self.axes)
            .map(|i| self.axis(&sizes, i, space[i], w[i + 2]))
            .collect::<Result<_, _>>()?;
        Ok(ConvGeometry { batch, in_channels, out_channels, groups: self.by.groups, axes })
    }

    fn sizes(&self) -> Result<Sizes, OpError> {
        let Convolution { stride, padding, dilation, groups } = *self.by;
        let on = |what: &str, given: PerAxis| match given.on(self.axes) {
            Some(sizes) => Ok(sizes),
            None => self.refuse(format!("{what} {given} is not for {} axes", self.axes)),
        };
        let sizes = Sizes {
            stride: on("stride", stride)?,
            padding: if self.same { Axes::new() } else { on("padding", padding)? },
            dilation: on("dilation", dilation)?,
            extra: on("output_padding", self.output_padding.unwrap_or(0.into()))?,
        };
        if sizes.stride.contains(&0) || sizes.dilation.contains(&0) || groups == 0 {
            let found = format!("stride {stride}, dilation {dilation}, groups {groups}");
            let rule = "stride, dilation and groups are at least 1";
            return Err(OpError::rule(rule).hint(found));
        }
        if self.same && sizes.stride.iter().any(|s| *s != 1) {
            let rule = "padding \"same\" needs stride 1";
            return Err(OpError::rule(rule).hint(format!("stride is {stride}")));
        }
        Ok(sizes)
    }

    /// Channels of the convolution's input and output.
    fn channels(&self, x: usize, w: &Shape) -> Result<(usize, usize), OpError> {
        let (groups, [first, second]) = (self.by.groups, [w[0], w[1]]);
        if first == 0 && self.output_padding.is_none() {
            return self.refuse("W makes no channel");
        }
        if !first.is_multiple_of(groups) {
            return self.refuse(format!("{first} is not a multiple of {groups} groups"));
        }
        let Some(all) = second.checked_mul(groups) else {
            return self.refuse("too many channels");
        };
        let (takes, answer) = match self.output_padding {
            None => (all, (all, first)),
            Some(_) => (first, (all, first)),
        };
        if x != takes {
            return self.refuse(format!("x has {x} channels, W takes {takes}"));
        }
        Ok(answer)
    }

    fn axis(&self, by: &Sizes, i: usize, size: usize, kernel: usize) -> Result<ConvAxis, OpError> {
        if kernel == 0 {
            return self.refuse("the kernel has no tap on an axis");
        }
        let (stride, dilation) = (by.stride[i], by.dilation[i]);
        let Some(reach) = (kernel - 1).checked_mul(dilation).filter(|r| *r < isize::MAX as usize)
        else {
            return self.refuse("the kernel is too large");
        };
        let total = if self.same { reach } else { by.padding[i].saturating_mul(2) };
        // An odd rest goes behind the last element.
        let padding = if self.same { reach / 2 } else { by.padding[i] };
        let axis = |input, output| ConvAxis { input, kernel, output, stride, padding, dilation };
        if self.output_padding.is_none() {
            let padded = size.saturating_add(total);
            return match padded.checked_sub(reach + 1) {
                Some(room) => Ok(axis(size, room / stride + 1)),
                None => {
                    let rule = "the kernel is not larger than the padded input";
                    let hint = format!(
                        "on spatial axis {i} it spans {} elements, the padded input {padded}",
                        reach + 1
                    );
                    Err(OpError::rule(rule).hint(hint))
                }
            };
        }
        let extra = by.extra[i];
        if extra >= stride.max(dilation) {
            let rule = "output_padding is smaller than stride or dilation";
            let hint = format!("on spatial axis {i} they are {extra}, {stride} and {dilation}");
            return Err(OpError::rule(rule).hint(hint));
        }
        let full = (size - 1).checked_mul(stride).and_then(|n| n.checked_add(reach + extra + 1));
        match full.and_then(|n| n.checked_sub(total)) {
            Some(made) if made > 0 => Ok(axis(made, size)),
            _ => Err(OpError::rule(
                "(in - 1)·stride - 2·padding + dilation·(k - 1) + output_padding \
                                    + 1 >= 1",
            )
            .hint(format!("spatial axis {i} of the output would be empty"))),
        }
    }

    fn refuse<T>(&self, hint: impl Into<std::borrow::Cow<'static, str>>) -> Result<T, OpError> {
        let (space, taps) = (LETTERS[self.axes - 1], KERNELS[self.axes - 1]);
        let rule = if self.output_padding.is_some() {
            format!(
                "x: [N, in, {space}] or [in, {space}], W: [in, out/groups, {taps}], b: [out]; \
                 groups divide in"
            )
        } else {
            format!(
                "x: [N, in, {space}] or [in, {space}], W: [out, in/groups, {taps}], b: [out]; \
                 groups divide out"
            )
        };
        Err(OpError::rule(rule).hint(hint))
    }
}
