//! Gradient clipping: by the norm of all gradients together, or element by element.

mod adaptive;
mod norm;
mod per_group;

use crate::OptimError;
use crate::in_place::change;
pub use adaptive::{AdaptiveClipOptions, clip_grad_adaptive, clip_grad_adaptive_with};
use gradus_autodiff::Parameter;
use gradus_tensor::kernels::{element::Map, real::Real};
pub(crate) use norm::norm_of_array;
pub use norm::{get_total_norm, get_total_norm_with};
pub use per_group::{clip_grad_norm_per_group, clip_grad_norm_per_group_with};

/// The options of [`clip_grad_norm_with`] and [`get_total_norm_with`]; the defaults are PyTorch's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClipOptions {
    /// The order of the norm: 2, 1, 0 (counts), infinity (largest), −infinity (smallest), or any number.
    pub norm_type: f64,
    /// Is a norm that is infinite or NaN an error?
    pub error_if_nonfinite: bool,
}

impl Default for ClipOptions {
    fn default() -> Self {
        ClipOptions { norm_type: 2.0, error_if_nonfinite: false }
    }
}

/// Shrinks all gradients by one factor so that their common 2-norm is at most `max_norm`; returns the
/// norm before.
///
/// ```text
/// total = ‖(‖g₁‖, ‖g₂‖, …)‖          g ← g·min(1, max_norm/(total + 10⁻⁶))
/// ```
/// Parameters without a gradient do not count; without any gradient the norm is 0.
///
/// # Numerics
/// The norm is computed in f64, for half types too, and does not overflow. Shrinking takes no pass over memory
/// of its own: the step multiplies, or whoever reads the gradient first ([`Parameter::scale_grad`]). If the norm
/// is infinite or NaN, the gradients become what PyTorch's become: 0 and NaN, or all NaN.
/// # Errors
/// A `max_norm` that is negative or NaN, and gradients still multiplied by a scaler's scale. Nothing is
/// changed then.
/// # PyTorch
/// `torch.nn.utils.clip_grad_norm_`; differences: the norm does not overflow, a negative `max_norm` is an
/// error.
/// # Source     Pascanu, Mikolov & Bengio 2013, Algorithm 1, <https://arxiv.org/abs/1211.5063>
/// # Example
/// ```
/// use gradus_autodiff::Parameter;
/// use gradus_optim::clip_grad_norm;
/// let p = Parameter::new([1.0, 1.0]);
/// p.set_grad(Some([3.0, 4.0].into()));
/// assert_eq!(clip_grad_norm(&[p.clone()], 1.0)?, 5.0);
/// let g = p.grad().unwrap().to_vec::<f64>();
/// assert!((g[0] - 0.6).abs() < 1e-6 && (g[1] - 0.8).abs() < 1e-6);
/// # Ok::<(), gradus_optim::OptimError>(())
/// ```
pub fn clip_grad_norm<'a>(
    parameters: impl IntoIterator<Item = &'a Parameter>,
    max_norm: f64,
) -> Result<f64, OptimError> {
    clip_grad_norm_with(parameters, max_norm, ClipOptions::default())
}

/// As [`clip_grad_norm`], with another norm, or with an error if it is not finite.
///
/// ```
/// use gradus_autodiff::Parameter;
/// use gradus_optim::{ClipOptions, clip_grad_norm_with};
/// let p = Parameter::new([1.0, 1.0]);
/// p.set_grad(Some([3.0, -4.0].into()));
/// let largest = ClipOptions { norm_type: f64::INFINITY, ..Default::default() };
/// assert_eq!(clip_grad_norm_with(&[p], 10.0, largest)?, 4.0);
/// # Ok::<(), gradus_optim::OptimError>(())
/// ```
///
/// # Errors
/// As [`clip_grad_norm`], and for a norm that is infinite or NaN if `error_if_nonfinite` is set.
pub fn clip_grad_norm_with<'a>(
    parameters: impl IntoIterator<Item = &'a Parameter>,
    max_norm: f64,
    options: ClipOptions,
) -> Result<f64, OptimError> {
    let parameters: Vec<&Parameter> = parameters.into_iter().collect();
    check(&parameters, "clip_grad_norm", "max_norm", max_norm)?;
    let norms = parameters.iter().filter_map(|p| norm::of_gradient(p, options.norm_type));
    let total = norm::joined(norms.collect(), options)?;
    shrink(&parameters, max_norm, total);
    Ok(total)
}

/// The second half of [`clip_grad_norm`], for a norm that is known already.
///
/// # Errors
/// As [`clip_grad_norm`].
///
/// # PyTorch
/// `torch.nn.utils.clip_grads_with_norm_`
pub fn clip_grads_with_norm<'a>(
    parameters: impl IntoIterator<Item = &'a Parameter>,
    max_norm: f64,
    total_norm: f64,
) -> Result<(), OptimError> {
    let parameters: Vec<&Parameter> = parameters.into_iter().collect();
    check(&parameters, "clip_grads_with_norm", "max_norm", max_norm)?;
    shrink(&parameters, max_norm, total_norm);
    Ok(())
}

/// Clamps every element of every gradient to `−clip_value..=clip_value`. NaN stays NaN.
///
/// ```
/// use gradus_autodiff::Parameter;
/// use gradus_optim::clip_grad_value;
/// let p = Parameter::new([1.0, 1.0]);
/// p.set_grad(Some([0.3, -4.0].into()));
/// clip_grad_value(&[p.clone()], 0.5)?;
/// assert_eq!(p.grad().unwrap().to_vec::<f64>(), [0.3, -0.5]);
/// # Ok::<(), gradus_optim::OptimError>(())
/// ```
///
/// # Errors
/// If `clip_value` is negative or NaN, or gradients are still multiplied by a scaler's scale.
///
/// # PyTorch
/// `torch.nn.utils.clip_grad_value_`
pub fn clip_grad_value<'a>(
    parameters: impl IntoIterator<Item = &'a Parameter>,
    clip_value: f64,
) -> Result<(), OptimError> {
    let parameters: Vec<&Parameter> = parameters.into_iter().collect();
    check(&parameters, "clip_grad_value", "clip_value", clip_value)?;
    for p in parameters {
        p.update_grad(|g| change(g, |g| g.map(Clamp(clip_value))));
    }
    Ok(())
}

fn check(
    parameters: &[&Parameter],
    of: &'static str,
    option: &'static str,
    value: f64,
) -> Result<(), OptimError> {
    let scaled = parameters.iter().enumerate().filter(|(_, p)| p.grad_is_scaled());
    let scaled: Vec<String> = scaled.map(|(i, _)| format!("parameter {i}")).collect();
    if !scaled.is_empty() {
        return Err(OptimError::ScaledGradient(scaled));
    }
    if value >= 0.0 {
        return Ok(());
    }
    Err(OptimError::Option { of, option, value, allowed: "a number ≥ 0" })
}

fn shrink(parameters: &[&Parameter], max_norm: f64, total: f64) {
    let factor = max_norm / (total + 1e-6);
    // PyTorch multiplies by 1 too, which changes nothing. NaN is not above 1.
    if factor >= 1.0 {
        return;
    }
    for p in parameters {
        p.scale_grad(factor);
    }
}

/// `min(max(x, −c), c)`
#[derive(Clone, Copy)]
struct Clamp(f64);

impl Map for Clamp {
    #[inline(always)]
    fn f<R: Real>(self, x: R) -> R {
        x.maximum(R::of(-self.0)).minimum(R::of(self.0))
    }
}
