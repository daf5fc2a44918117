//! Clipping of each group of an optimizer by its own norm.

use super::{ClipOptions, clip_grad_norm_with};
use crate::{OptimError, Optimizer, PerGroup};
use gradus_autodiff::Parameter;

/// As [`crate::clip_grad_norm`] of every group of an optimizer alone; returns the norms before.
///
/// A group whose gradients are large does not shrink those of the others.
///
/// # Errors
/// As [`crate::clip_grad_norm`], and if there are not as many limits as groups. Nothing is changed then.
///
/// # PyTorch
/// `clip_grad_norm_(group["params"], max_norm)` in a loop
///
/// # Example
/// ```
/// use gradus_autodiff::Parameter;
/// use gradus_optim::{Sgd, SgdOptions, clip_grad_norm_per_group};
/// let (a, b) = (Parameter::new([0.0]), Parameter::new([0.0]));
/// let mut opt = Sgd::new([("a".to_owned(), a.clone())], SgdOptions::default())?;
/// opt.add_group([("b".to_owned(), b.clone())], SgdOptions::default())?;
/// a.set_grad(Some([8.0].into()));
/// b.set_grad(Some([0.5].into()));
/// assert_eq!(clip_grad_norm_per_group(&opt, 1.0)?, [8.0, 0.5]);
/// assert!((a.grad().unwrap().item() - 1.0).abs() < 1e-6);
/// assert_eq!(b.grad().unwrap().item(), 0.5);
/// # Ok::<(), gradus_optim::OptimError>(())
/// ```
pub fn clip_grad_norm_per_group(
    opt: &dyn Optimizer,
    max_norm: impl Into<PerGroup>,
) -> Result<Vec<f64>, OptimError> {
    clip_grad_norm_per_group_with(opt, max_norm, ClipOptions::default())
}

/// As [`clip_grad_norm_per_group`], with another norm, or with an error if one is not finite.
///
/// # Errors
/// As [`clip_grad_norm_per_group`], and for a norm that is infinite or NaN if `error_if_nonfinite` is
/// set; then the groups before it are clipped.
pub fn clip_grad_norm_per_group_with(
    opt: &dyn Optimizer,
    max_norm: impl Into<PerGroup>,
    options: ClipOptions,
) -> Result<Vec<f64>, OptimError> {
    let (max_norm, sizes) = (max_norm.into(), opt.param_groups());
    let count = sizes.len();
    let parameters: Vec<Parameter> = opt.named_parameters().into_iter().map(|(_, p)| p).collect();
    let all: Vec<&Parameter> = parameters.iter().collect();
    for &limit in max_norm.values("clip_grad_norm_per_group", "max_norm", count)? {
        super::check(&all, "clip_grad_norm_per_group", "max_norm", limit)?;
    }
    let mut rest = all.as_slice();
    let mut norms = Vec::with_capacity(count);
    for (i, group) in sizes.iter().enumerate() {
        let (own, others) = rest.split_at(group.names.len());
        norms.push(clip_grad_norm_with(own.iter().copied(), max_norm.get(i), options)?);
        rest = others;
    }
    Ok(norms)
}
