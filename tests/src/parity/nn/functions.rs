//! `torch.nn.functional` and what it is called here: a line each.

use super::Inputs;
use crate::parity::attrs::Attrs;
use crate::parity::miss::{Miss, failed, unsupported};
use gradus_autodiff::{
    CrossEntropyOptions, NllLossOptions, Reduction, Tensor, cross_entropy_with, mse_loss_with,
    nll_loss_with,
};

/// A function of named inputs and arguments.
pub(in crate::parity) type Function = fn(&Inputs, &mut Attrs) -> Result<Tensor, Miss>;

pub(in crate::parity) const FUNCTIONS: &[(&str, Function)] = &[
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
