//! Clipping relative to the weights: each unit by its own norm.

use super::norm::norm;
use crate::OptimError;
use crate::arithmetic::Product;
use crate::error::in_range;
use crate::in_place::change;
use gradus_autodiff::Parameter;
use gradus_tensor::{Array, DType, threads};

/// Serial nanoseconds for each element of gradient and weight: twice that of a norm.
const NS_PER_ELEMENT: f64 = 0.12;

/// The options of [`clip_grad_adaptive_with`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdaptiveClipOptions {
    /// `λ`: how large a gradient may be beside its weights.
    pub clip_factor: f64,
    /// `ε`: weights count as at least this large, so that zeros can grow.
    pub eps: f64,
}

impl Default for AdaptiveClipOptions {
    fn default() -> Self {
        AdaptiveClipOptions { clip_factor: 0.01, eps: 1e-3 }
    }
}

/// Shrinks the gradient of every unit to at most `clip_factor` times the norm of its weights; returns how
/// many units were clipped.
///
/// ```text
/// gᵢ ← gᵢ·λ·max(‖wᵢ‖, ε)/‖gᵢ‖        where ‖gᵢ‖ > λ·max(‖wᵢ‖, ε)
/// ```
/// A unit is what belongs to one index of the first axis: the weights of one output of a `Linear`, of
/// one channel of a convolution. A parameter with less than two axes is one unit. The paper leaves the
/// last layer out: do not list its parameters.
///
/// # Numerics   norms in f64, without overflow; a gradient with NaN stays as it is
/// # Errors     `clip_factor` or `eps` negative, infinite or NaN; gradients still multiplied by a scaler's
/// scale. Nothing is changed then.
/// # PyTorch    none; `timm.utils.adaptive_clip_grad`
/// # Source     Brock, De, Smith & Simonyan 2021, Equation 3, <https://arxiv.org/abs/2102.06171>
/// # Example
/// ```
/// use gradus_autodiff::Parameter;
/// use gradus_optim::clip_grad_adaptive;
/// let p = Parameter::new([[3.0, 4.0], [30.0, 40.0]]);
/// p.set_grad(Some([[0.6, 0.8], [0.3, 0.4]].into()));       // norms 1 and 0.5, weights 5 and 50
/// assert_eq!(clip_grad_adaptive(&[p.clone()], 0.1)?, 1);
/// let g = p.grad().unwrap().to_vec::<f64>();
/// assert!((g[0] - 0.3).abs() < 1e-12 && (g[1] - 0.4).abs() < 1e-12);
/// assert_eq!(g[2..], [0.3, 0.4]);
/// # Ok::<(), gradus_optim::OptimError>(())
/// ```
pub fn clip_grad_adaptive<'a>(
    parameters: impl IntoIterator<Item = &'a Parameter>,
    clip_factor: f64,
) -> Result<usize, OptimError> {
    let options = AdaptiveClipOptions { clip_factor, ..Default::default() };
    clip_grad_adaptive_with(parameters, options)
}

/// As [`clip_grad_adaptive`], with another floor of the weights.
///
/// # Errors
/// As [`clip_grad_adaptive`].
pub fn clip_grad_adaptive_with<'a>(
    parameters: impl IntoIterator<Item = &'a Parameter>,
    options: AdaptiveClipOptions,
) -> Result<usize, OptimError> {
    let parameters: Vec<&Parameter> = parameters.into_iter().collect();
    let AdaptiveClipOptions { clip_factor, eps } = options;
    super::check(&parameters, "clip_grad_adaptive", "clip_factor", clip_factor)?;
    let finite =
        |option, v: f64| in_range("clip_grad_adaptive", option, v, v >= 0.0, "a finite number ≥ 0");
    finite("clip_factor", clip_factor)?;
    finite("eps", eps)?;
    Ok(parameters.into_iter().map(|p| clip(p, options)).sum())
}

/// How many units of one parameter were clipped.
fn clip(p: &Parameter, options: AdaptiveClipOptions) -> usize {
    let Some(grad) = p.grad() else { return 0 };
    let grad = grad.into_array();
    let units = if p.rank() < 2 { 1 } else { p.size(0) };
    if grad.numel() == 0 {
        return 0;
    }
    let (weights, grads) = (unit_norms(&p.array(), units), unit_norms(&grad, units));
    drop(grad); // else it is not unique, and shrinking copies it
    let mut clipped = 0;
    let factor = |(w, g): (&f64, &f64)| {
        let most = options.clip_factor * w.max(options.eps);
        let above = *g > most;
        clipped += usize::from(above);
        if above { most / g } else { 1.0 }
    };
    let factors: Vec<f64> = weights.iter().zip(&grads).map(factor).collect();
    if clipped > 0 {
        let mut shape = vec![1; p.rank()];
        shape.iter_mut().take(1).for_each(|n| *n = units);
        let factors = Array::from_f64(shape, DType::F64, &factors);
        p.update_grad(|g| {
            change(g, |g| {
                let dtype = g.dtype();
                let wide = if dtype.is_half() { g.cast(DType::F32) } else { g };
                let factors = factors.cast(wide.dtype());
                wide.zip(factors, Product).cast(dtype)
            });
        });
    }
    clipped
}

/// The 2-norm of each of so many equal parts.
fn unit_norms(x: &Array, units: usize) -> Vec<f64> {
    let (each, work) = (x.numel() / units, x.numel() as f64 * NS_PER_ELEMENT);
    let mut norms = vec![0.0; units];
    if x.dtype() == DType::F64 {
        let all = x.read::<f64>();
        threads::run_chunks(&mut norms, 1, work, &|i, out| {
            out[0] = norm(&all[i * each..(i + 1) * each], 2.0);
        });
    } else {
        let wide = x.clone().cast(DType::F32);
        let all = wide.read::<f32>();
        threads::run_chunks(&mut norms, 1, work, &|i, out| {
            out[0] = norm(&all[i * each..(i + 1) * each], 2.0);
        });
    }
    norms
}
