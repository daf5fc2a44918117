//! NAdam: Adam with Nesterov's look ahead.

use crate::error::{adam_in_range, in_range};
use crate::{ElementRule, Jobs, Optim, OptimError, Progress, Rule};
use gradus_tensor::kernels::real::Real;
use gradus_tensor::kernels::update::{Update, lerp};
use serde::{Deserialize, Serialize};

/// NAdam: a step along the mean of the gradient that the next gradient will find.
///
/// ```text
/// g ← −g                      if maximize
/// g ← g + λ·θ                 λ = weight_decay; decoupled instead:  θ ← θ·(1 − lr·λ)
/// μₜ = β₁·(1 − ½·0.96^(t·ψ))  ψ = momentum_decay
/// Π ← Π·μₜ                    starts at 1
/// m ← m + (1 − β₁)·(g − m)
/// v ← β₂·v + (1 − β₂)·g²
/// d ← √(v/(1 − β₂ᵗ)) + ε
/// θ ← θ − lr·(1 − μₜ)/(1 − Π) · g/d − lr·μₜ₊₁/(1 − Π·μₜ₊₁) · m/d
/// ```
///
/// # Units      `lr` per step
/// # Numerics   μ, Π and the bias correction in f64
/// # Errors     `lr`, `eps`, `weight_decay`, `momentum_decay` < 0; a beta outside `[0, 1)`
/// # PyTorch    `torch.optim.NAdam`; differences: infinite and NaN options are refused
/// # Source     Dozat 2016, Algorithm 2, <https://openreview.net/forum?id=OM0jvwB8jIp57ZJjtNEZ>
/// # Example
/// ```
/// use gradus_autodiff::Parameter;
/// use gradus_optim::{NAdam, NAdamOptions, Optimizer};
/// let p = Parameter::new([1.0]);
/// let options = NAdamOptions { lr: 0.01, momentum_decay: 0.0, ..Default::default() };
/// let mut opt = NAdam::from_parameters([p.clone()], options)?;
/// p.set_grad(Some([0.3].into()));
/// opt.step()?; // μ = 0.45: (1 − 0.45)/0.55 + 0.1·0.45/(1 − 0.45²) steps of length lr
/// assert!((p.item() - (1.0 - 0.01 * (1.0 + 0.045 / (1.0 - 0.45 * 0.45)))).abs() < 1e-8);
/// # Ok::<(), gradus_optim::OptimError>(())
/// ```
pub type NAdam = Optim<NAdamOptions>;

/// The options of [`NAdam`]; the defaults are PyTorch's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NAdamOptions {
    /// Learning rate.
    pub lr: f64,
    /// `β₁`, `β₂`: how much of the mean of gradients and of squares is left after a step.
    pub betas: (f64, f64),
    /// `ε`: keeps the denominator off 0.
    pub eps: f64,
    /// `λ`: pulls every parameter to 0.
    pub weight_decay: f64,
    /// `ψ`: how fast the momentum grows from `β₁/2` to `β₁`.
    pub momentum_decay: f64,
    /// Decay the parameter itself, not through the gradient.
    pub decoupled_weight_decay: bool,
    /// Climb instead of descend.
    pub maximize: bool,
}

impl Default for NAdamOptions {
    fn default() -> Self {
        NAdamOptions {
            lr: 2e-3,
            betas: (0.9, 0.999),
            eps: 1e-8,
            weight_decay: 0.0,
            momentum_decay: 4e-3,
            decoupled_weight_decay: false,
            maximize: false,
        }
    }
}

/// The constants of one step.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct NAdamStep {
    sign: f64,
    /// `λ`, if it acts through the gradient.
    coupled: f64,
    /// `1 − lr·λ`, if it acts on the parameter.
    shrink: f64,
    betas: (f64, f64),
    /// `lr·(1 − μₜ)/(1 − Π)` and `lr·μₜ₊₁/(1 − Π·μₜ₊₁)`, both times `√(1 − β₂ᵗ)`.
    of_gradient: f64,
    of_mean: f64,
    /// `ε·√(1 − β₂ᵗ)`
    eps: f64,
}

impl Update for NAdamStep {
    type State<R: Real> = [R; 2];
    #[inline(always)]
    fn f<R: Real>(self, x: R, g: R, [m, v]: &mut [R; 2]) -> R {
        let (b1, b2) = self.betas;
        let g = R::of(self.sign) * g;
        let g = R::select(self.coupled != 0.0, R::of(self.coupled).mul_add(x, g), g);
        let x = x * R::of(self.shrink);
        *m = lerp(*m, g, 1.0 - b1);
        *v = (R::of(1.0 - b2) * g).mul_add(g, *v * R::of(b2));
        let by = R::of(self.of_gradient).mul_add(g, R::of(self.of_mean) * *m);
        x - by / (v.sqrt() + R::of(self.eps))
    }
}

/// How fast the momentum's schedule runs: a constant of the paper.
const SCHEDULE: f64 = 0.96;

impl Rule for NAdamOptions {
    const NAME: &'static str = "NAdam";
    const SLOTS: &'static [&'static str] = &["exp_avg", "exp_avg_sq"];
    const SCALARS: &'static [&'static str] = &["mu_product"];

    fn check(&self) -> Result<(), OptimError> {
        adam_in_range("NAdam", (self.lr, self.eps), self.betas, self.weight_decay)?;
        let psi = self.momentum_decay;
        in_range("NAdam", "momentum_decay", psi, psi >= 0.0, "momentum_decay ≥ 0")
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
    fn initial_scalar(&self, _i: usize) -> f64 {
        1.0
    }
    fn advance(jobs: Jobs<'_, Self>) {
        jobs.by_element();
    }
}

impl ElementRule for NAdamOptions {
    type Step = NAdamStep;

    fn step(&self, at: Progress<'_>) -> NAdamStep {
        let (b1, b2) = self.betas;
        let t = at.t as f64;
        let mu = |t: f64| b1 * (1.0 - 0.5 * SCHEDULE.powf(t * self.momentum_decay));
        let (now, next) = (mu(t), mu(t + 1.0));
        at.scalars[0] *= now;
        let product = at.scalars[0];
        let root = (1.0 - b2.powf(t)).sqrt();
        let decay = |on: bool| if on { self.weight_decay } else { 0.0 };
        NAdamStep {
            sign: if self.maximize { -1.0 } else { 1.0 },
            coupled: decay(!self.decoupled_weight_decay),
            shrink: 1.0 - self.lr * decay(self.decoupled_weight_decay),
            betas: self.betas,
            of_gradient: self.lr * (1.0 - now) / (1.0 - product) * root,
            of_mean: self.lr * next / (1.0 - product * next) * root,
            eps: self.eps * root,
        }
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<NAdamOptions> {
    let plain = NAdamOptions { lr: 0.01, ..Default::default() };
    vec![
        NAdamOptions { weight_decay: 0.5, maximize: true, ..plain.clone() },
        NAdamOptions { weight_decay: 0.5, decoupled_weight_decay: true, ..plain.clone() },
        NAdamOptions { betas: (0.3, 0.5), eps: 0.01, momentum_decay: 0.1, ..plain.clone() },
        plain,
    ]
}
