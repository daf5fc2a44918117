//! Convolutions and pools, as modules and as functions, with all keywords of PyTorch's.

use super::Inputs;
use super::modules::{Built, layer};
use crate::parity::attrs::Attrs;
use crate::parity::miss::{Miss, failed, unsupported};
use gradus_autodiff::{AvgPoolOptions, Convolution, MaxPoolOptions, Tensor};
use gradus_nn::{
    AdaptiveMaxPool1d, AdaptiveMaxPool2d, ConvOptions, ConvPadding, ConvTranspose1d,
    ConvTranspose2d, ConvTransposeOptions, Layer, MaxPool1d, MaxPool2d,
};
use gradus_tensor::{PadMode, PerAxis};
use std::rc::Rc;

/// A maximum that returns its indices if it is asked to.
fn maximum<L: Layer + 'static>(
    a: &mut Attrs,
    pool: L,
    with_indices: fn(&L, &Tensor) -> (Tensor, Tensor),
) -> Result<Built, Miss> {
    if !a.flag("return_indices", false)? {
        return layer(pool);
    }
    let module = Rc::new(pool);
    let called = module.clone();
    Ok(Built::new(module, move |x, _| {
        let (y, indices) = with_indices(&called, x.only()?);
        Ok(vec![y, indices])
    }))
}

pub(super) fn max_pool1d(a: &mut Attrs) -> Result<Built, Miss> {
    let (kernel, options) = max_pool(a)?;
    maximum(a, MaxPool1d::with(kernel, options), MaxPool1d::forward_with_indices)
}

pub(super) fn max_pool2d(a: &mut Attrs) -> Result<Built, Miss> {
    let (kernel, options) = max_pool(a)?;
    maximum(a, MaxPool2d::with(kernel, options), MaxPool2d::forward_with_indices)
}

pub(super) fn adaptive_max_pool1d(a: &mut Attrs) -> Result<Built, Miss> {
    let pool = AdaptiveMaxPool1d::new(a.adaptive_size("output_size")?);
    maximum(a, pool, AdaptiveMaxPool1d::forward_with_indices)
}

pub(super) fn adaptive_max_pool2d(a: &mut Attrs) -> Result<Built, Miss> {
    let pool = AdaptiveMaxPool2d::new(a.adaptive_size("output_size")?);
    maximum(a, pool, AdaptiveMaxPool2d::forward_with_indices)
}

pub(super) fn max_pool(a: &mut Attrs) -> Result<(PerAxis, MaxPoolOptions), Miss> {
    let options = MaxPoolOptions {
        stride: a.per_axis("stride")?,
        padding: a.per_axis_or("padding", 0)?,
        dilation: a.per_axis_or("dilation", 1)?,
        ceil_mode: a.flag("ceil_mode", false)?,
    };
    Ok((a.need_per_axis("kernel_size")?, options))
}

pub(super) fn avg_pool(a: &mut Attrs) -> Result<(PerAxis, AvgPoolOptions), Miss> {
    let options = AvgPoolOptions {
        stride: a.per_axis("stride")?,
        padding: a.per_axis_or("padding", 0)?,
        ceil_mode: a.flag("ceil_mode", false)?,
        count_include_pad: a.flag("count_include_pad", true)?,
        divisor_override: a.int("divisor_override")?.map(|n| n as i64),
    };
    Ok((a.need_per_axis("kernel_size")?, options))
}

/// Makes a layer from the two channels, the size of the kernel, and options.
type Make<L, O> = fn(usize, usize, PerAxis, O) -> L;

/// A convolution as a module.
pub(super) fn convolution<L: Layer + 'static>(
    a: &mut Attrs,
    make: Make<L, ConvOptions>,
) -> Result<Built, Miss> {
    let padding_mode = match a.text("padding_mode")?.as_deref() {
        None | Some("zeros") => PadMode::Zeros,
        Some("reflect") => PadMode::Reflect,
        Some("replicate") => PadMode::Replicate,
        Some("circular") => PadMode::Circular,
        Some(other) => return unsupported(format!("no padding_mode \"{other}\"")),
    };
    let Convolution { stride, dilation, groups, .. } = geometry(a)?;
    let (padding, bias) = (a.padding("padding")?, a.flag("bias", true)?);
    let options = ConvOptions { stride, padding, dilation, groups, bias, padding_mode };
    let (inputs, outputs) = (a.need_size("in_channels")?, a.need_size("out_channels")?);
    layer(make(inputs, outputs, a.need_per_axis("kernel_size")?, options))
}

pub(super) fn conv_transpose1d(a: &mut Attrs) -> Result<Built, Miss> {
    transposed(a, ConvTranspose1d::with, ConvTranspose1d::forward_to_size)
}

pub(super) fn conv_transpose2d(a: &mut Attrs) -> Result<Built, Miss> {
    transposed(a, ConvTranspose2d::with, ConvTranspose2d::forward_to_size)
}

/// A transposed convolution as a module; the call may say how large the output is.
fn transposed<L: Layer + 'static>(
    a: &mut Attrs,
    make: Make<L, ConvTransposeOptions>,
    to_size: fn(&L, &Tensor, &[usize]) -> Tensor,
) -> Result<Built, Miss> {
    if let Some(mode) = a.text("padding_mode")?
        && mode != "zeros"
    {
        return unsupported(format!("no padding_mode \"{mode}\" of a transposed convolution"));
    }
    let Convolution { stride, dilation, groups, .. } = geometry(a)?;
    let options = ConvTransposeOptions {
        stride,
        padding: a.per_axis_or("padding", 0)?,
        output_padding: a.per_axis_or("output_padding", 0)?,
        groups,
        bias: a.flag("bias", true)?,
        dilation,
    };
    let (inputs, outputs) = (a.need_size("in_channels")?, a.need_size("out_channels")?);
    let module = Rc::new(make(inputs, outputs, a.need_per_axis("kernel_size")?, options));
    let called = module.clone();
    Ok(Built::new(module, move |x, kwargs| {
        let (x, size) = (x.only()?, kwargs.sizes("output_size")?);
        Ok(vec![size.map_or_else(|| called.forward(x), |size| to_size(&called, x, &size))])
    }))
}

/// All but the padding, which may be a word.
fn geometry(a: &mut Attrs) -> Result<Convolution, Miss> {
    let groups = a.int_or("groups", 1)?;
    Ok(Convolution {
        stride: a.per_axis_or("stride", 1)?,
        padding: 0.into(),
        dilation: a.per_axis_or("dilation", 1)?,
        groups: usize::try_from(groups).map_err(|_| Miss::Failed(format!("{groups} groups")))?,
    })
}

/// The three tensors of a convolution.
fn operands(x: &Inputs) -> Result<(&Tensor, &Tensor, Option<&Tensor>), Miss> {
    match x.named(["input", "weight", "bias"])? {
        [Some(input), Some(weight), bias] => Ok((input, weight, bias)),
        _ => failed("a convolution has an input and a weight"),
    }
}

type Convolve = fn(&Tensor, &Tensor, Option<&Tensor>, &Convolution) -> Tensor;

/// A convolution as a function: with padding of a size, and "same".
pub(super) fn convolve(
    x: &Inputs,
    a: &mut Attrs,
    [sized, same]: [Convolve; 2],
) -> Result<Tensor, Miss> {
    let (input, weight, bias) = operands(x)?;
    let by = geometry(a)?;
    Ok(match a.padding("padding")? {
        ConvPadding::Size(padding) => sized(input, weight, bias, &Convolution { padding, ..by }),
        ConvPadding::Valid => sized(input, weight, bias, &by),
        ConvPadding::Same => same(input, weight, bias, &by),
    })
}

type Spread = fn(&Tensor, &Tensor, Option<&Tensor>, &Convolution, PerAxis) -> Tensor;

/// A transposed convolution as a function.
pub(super) fn convolve_transposed(
    x: &Inputs,
    a: &mut Attrs,
    spread: Spread,
) -> Result<Tensor, Miss> {
    let (input, weight, bias) = operands(x)?;
    let by = Convolution { padding: a.per_axis_or("padding", 0)?, ..geometry(a)? };
    Ok(spread(input, weight, bias, &by, a.per_axis_or("output_padding", 0)?))
}
