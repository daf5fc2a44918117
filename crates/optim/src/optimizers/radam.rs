//! RAdam: Adam that waits until its mean of squares can be trusted.

use crate::error::adam_in_range;
use crate::{ElementRule, Jobs, Optim, OptimError, Progress, Rule};
use gradus_tensor::kernels::real::Real;
use gradus_tensor::kernels::update::{Update, lerp};
use serde::{Deserialize, Serialize};

/// RAdam: plain momentum at first, then Adam with a factor that grows to 1.
///
/// ```text
/// g ← −g                      if maximize
/// g ← g + λ·θ                 λ = weight_decay; decoupled instead:  θ ← θ·(1 − lr·λ)
/// m ← m + (1 − β₁)·(g − m)
/// v ← β₂·v + (1 − β₂)·g²
/// ρ∞ = 2/(1 − β₂) − 1         ρ = ρ∞ − 2·t·β₂ᵗ/(1 − β₂ᵗ)
/// r = √((ρ − 4)(ρ − 2)·ρ∞ / ((ρ∞ − 4)(ρ∞ − 2)·ρ))
/// θ ← θ − lr·m/(1 − β₁ᵗ) · r·√(1 − β₂ᵗ)/(√v + ε)     if ρ > 5
/// θ ← θ − lr·m/(1 − β₁ᵗ)                              else
/// ```
/// With β₂ = 0.999 the first five steps are momentum; with β₂ ≤ 2/3, where ρ∞ ≤ 5, all are.
///
/// # Units      `lr` per step; in the first steps times the gradient
/// # Errors     `lr`, `eps`, `weight_decay` < 0; a beta outside `[0, 1)`
/// # PyTorch    `torch.optim.RAdam`; differences: infinite and NaN options are refused
/// # Source     Liu et al. 2020, Algorithm 2, <https://arxiv.org/abs/1908.03265>
/// # Example
/// ```
/// use gradus_autodiff::Parameter;
/// use gradus_optim::{Optimizer, RAdam, RAdamOptions};
/// let p = Parameter::new([1.0]);
/// let options = RAdamOptions { lr: 0.1, ..Default::default() };
/// let mut opt = RAdam::from_parameters([p.clone()], options)?;
/// for _ in 0..5 {
///     p.set_grad(Some([0.2].into()));
///     opt.step()?; // lr·g each
/// }
/// assert!((p.item() - 0.9).abs() < 1e-12);
/// # Ok::<(), gradus_optim::OptimError>(())
/// ```
pub type RAdam = Optim<RAdamOptions>;

/// The options of [`RAdam`]; the defaults are PyTorch's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RAdamOptions {
    /// Learning rate.
    pub lr: f64,
    /// `β₁`, `β₂`: how much of the mean of gradients and of squares is left after a step.
    pub betas: (f64, f64),
    /// `ε`: keeps the denominator off 0.
    pub eps: f64,
    /// `λ`: pulls every parameter to 0.
    pub weight_decay: f64,
    /// Decay the parameter itself, not through the gradient.
    pub decoupled_weight_decay: bool,
    /// Climb instead of descend.
    pub maximize: bool,
}

impl Default for RAdamOptions {
    fn default() -> Self {
        RAdamOptions {
            lr: 1e-3,
            betas: (0.9, 0.999),
            eps: 1e-8,
            weight_decay: 0.0,
            decoupled_weight_decay: false,
            maximize: false,
        }
    }
}

/// The constants of one step.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct RAdamStep {
    sign: f64,
    /// `λ`, if it acts through the gradient.
    coupled: f64,
    /// `1 − lr·λ`, if it acts on the parameter.
    shrink: f64,
    betas: (f64, f64),
    /// What `m` is multiplied by.
    step_size: f64,
    /// Is it divided by `√v + ε`?
    adaptive: bool,
    eps: f64,
}

impl Update for RAdamStep {
    type State<R: Real> = [R; 2];
    #[inline(always)]
    fn f<R: Real>(self, x: R, g: R, [m, v]: &mut [R; 2]) -> R {
        let (b1, b2) = self.betas;
        let g = R::of(self.sign) * g;
        let g = R::select(self.coupled != 0.0, R::of(self.coupled).mul_add(x, g), g);
        let x = x * R::of(self.shrink);
        *m = lerp(*m, g, 1.0 - b1);
        *v = (R::of(1.0 - b2) * g).mul_add(g, *v * R::of(b2));
        let root = v.sqrt() + R::of(self.eps);
        x - R::of(self.step_size) * *m / R::select(self.adaptive, root, R::of(1.0))
    }
}

impl Rule for RAdamOptions {
    const NAME: &'static str = "RAdam";
    const SLOTS: &'static [&'static str] = &["exp_avg", "exp_avg_sq"];

    fn check(&self) -> Result<(), OptimError> {
        adam_in_range("RAdam", (self.lr, self.eps), self.betas, self.weight_decay)
    }
    fn lr(&self) -> f64 {
        self.lr
    }
    fn set_lr(&mut self, lr: f64) {
        self.lr = lr;
    }
    fn momentum(&mut self) -> Option<&mut f64> {
        Some(&mut self.betas.0)
    }
    fn advance(jobs: Jobs<'_, Self>) {
        jobs.by_element();
    }
}

impl ElementRule for RAdamOptions {
    type Step = RAdamStep;

    fn step(&self, at: Progress<'_>) -> RAdamStep {
        let (b1, b2) = self.betas;
        let t = at.t as f64;
        let (correction1, correction2) = (1.0 - b1.powf(t), 1.0 - b2.powf(t));
        // The length of a plain mean that varies as much, in the end and now.
        let end = 2.0 / (1.0 - b2) - 1.0;
        let now = end - 2.0 * t * b2.powf(t) / correction2;
        let adaptive = now > 5.0;
        let rectified = (now - 4.0) * (now - 2.0) * end / ((end - 4.0) * (end - 2.0) * now);
        let factor = if adaptive { (rectified * correction2).sqrt() } else { 1.0 };
        let decay = |on: bool| if on { self.weight_decay } else { 0.0 };
        RAdamStep {
            sign: if self.maximize { -1.0 } else { 1.0 },
            coupled: decay(!self.decoupled_weight_decay),
            shrink: 1.0 - self.lr * decay(self.decoupled_weight_decay),
            betas: self.betas,
            step_size: self.lr / correction1 * factor,
            adaptive,
            eps: self.eps,
        }
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<RAdamOptions> {
    let plain = RAdamOptions { lr: 0.05, ..Default::default() };
    vec![
        RAdamOptions { weight_decay: 0.5, maximize: true, ..plain.clone() },
        RAdamOptions { weight_decay: 0.5, decoupled_weight_decay: true, ..plain.clone() },
        RAdamOptions { betas: (0.3, 0.9), eps: 0.01, ..plain.clone() },
        plain,
    ]
}
