//! `torch.nn.functional` and what it is called here: a line each.

use super::modules::normalized_shape;
use super::{Inputs, spatial};
use crate::parity::attrs::Attrs;
use crate::parity::miss::{Miss, failed, unsupported};
use crate::parity::ops::pad_mode;
use crate::parity::ops::table::approximate;
use gradus_autodiff::{
    CrossEntropyOptions, NllLossOptions, Reduction, Tensor, cross_entropy_with, mse_loss_with,
    nll_loss_with,
};

/// A function of named inputs and arguments.
pub(in crate::parity) type Function = fn(&Inputs, &mut Attrs) -> Result<Tensor, Miss>;

pub(in crate::parity) const FUNCTIONS: &[(&str, Function)] = &[
    ("adaptive_avg_pool1d", |x, a| {
        Ok(x.the("input")?.adaptive_avg_pool1d(a.adaptive_size("output_size")?))
    }),
    ("adaptive_avg_pool2d", |x, a| {
        Ok(x.the("input")?.adaptive_avg_pool2d(a.adaptive_size("output_size")?))
    }),
    ("adaptive_max_pool1d", |x, a| {
        Ok(x.the("input")?.adaptive_max_pool1d(a.adaptive_size("output_size")?))
    }),
    ("adaptive_max_pool2d", |x, a| {
        Ok(x.the("input")?.adaptive_max_pool2d(a.adaptive_size("output_size")?))
    }),
    ("avg_pool1d", |x, a| {
        let (kernel, options) = spatial::avg_pool(a)?;
        Ok(x.the("input")?.avg_pool1d_with(kernel, options))
    }),
    ("avg_pool2d", |x, a| {
        let (kernel, options) = spatial::avg_pool(a)?;
        Ok(x.the("input")?.avg_pool2d_with(kernel, options))
    }),
    ("conv1d", |x, a| spatial::convolve(x, a, [Tensor::conv1d, Tensor::conv1d_same])),
    ("conv2d", |x, a| spatial::convolve(x, a, [Tensor::conv2d, Tensor::conv2d_same])),
    ("conv_transpose1d", |x, a| spatial::convolve_transposed(x, a, Tensor::conv_transpose1d)),
    ("conv_transpose2d", |x, a| spatial::convolve_transposed(x, a, Tensor::conv_transpose2d)),
    ("cross_entropy", |x, a| {
        let [input, target, weight] = x.named(["input", "target", "weight"])?;
        let options = CrossEntropyOptions {
            weight: weight.cloned(),
            ignore_index: a.int_or("ignore_index", -100)? as i64,
            reduction: reduction(a)?,
            label_smoothing: a.float("label_smoothing", 0.0)?,
        };
        Ok(cross_entropy_with(need(input)?, need(target)?, options))
    }),
    ("gelu", |x, a| {
        let [input] = x.named(["input"])?;
        Ok(need(input)?.gelu_with(approximate(a)?))
    }),
    ("layer_norm", |x, a| {
        let [input, weight, bias] = x.named(["input", "weight", "bias"])?;
        let (shape, eps) = (normalized_shape(a)?, a.float("eps", 1e-5)?);
        Ok(need(input)?.layer_norm(&shape, weight, bias, eps))
    }),
    ("log_softmax", |x, a| Ok(x.the("input")?.log_softmax(a.need_int("dim")?))),
    ("max_pool1d", |x, a| {
        let (kernel, options) = spatial::max_pool(a)?;
        Ok(x.the("input")?.max_pool1d_with(kernel, options))
    }),
    ("max_pool2d", |x, a| {
        let (kernel, options) = spatial::max_pool(a)?;
        Ok(x.the("input")?.max_pool2d_with(kernel, options))
    }),
    ("mse_loss", |x, a| {
        let [input, target] = x.named(["input", "target"])?;
        Ok(mse_loss_with(need(input)?, need(target)?, reduction(a)?))
    }),
    ("nll_loss", |x, a| {
        let [input, target, weight] = x.named(["input", "target", "weight"])?;
        let options = NllLossOptions {
            weight: weight.cloned(),
            ignore_index: a.int_or("ignore_index", -100)? as i64,
            reduction: reduction(a)?,
        };
        Ok(nll_loss_with(need(input)?, need(target)?, options))
    }),
    ("pad", |x, a| {
        let (pad, mode) = (a.axes("pad")?, pad_mode(a)?);
        Ok(x.the("input")?.pad(&pad, mode))
    }),
    ("softmax", |x, a| Ok(x.the("input")?.softmax(a.need_int("dim")?))),
];

fn need(x: Option<&Tensor>) -> Result<&Tensor, Miss> {
    x.map_or_else(|| failed("an input is missing"), Ok)
}

fn reduction(attrs: &mut Attrs) -> Result<Reduction, Miss> {
    match attrs.text("reduction")?.as_deref() {
        None | Some("mean") => Ok(Reduction::Mean),
        Some("sum") => Ok(Reduction::Sum),
        Some("none") => Ok(Reduction::None),
        Some(other) => unsupported(format!("no reduction \"{other}\"")),
    }
}
