//! AdamW: Adam with a weight decay that does not pass through the moments.

use super::adam::{AdamOptions, AdamStep};
use crate::{ElementRule, Jobs, Optim, OptimError, Progress, Rule};
use serde::{Deserialize, Serialize};

/// Adam with decoupled weight decay.
///
/// ```text
/// θ ← θ·(1 − lr·λ)            λ = weight_decay
/// then a step of Adam without weight decay
/// ```
/// The decay follows the scheduled rate, and comes before the moments' step.
///
/// # Units      `lr` per step: about how far a parameter moves in one
/// # Numerics   as [`crate::Adam`]
/// # Errors     `lr`, `eps`, `weight_decay` < 0; a beta outside `[0, 1)`
/// # PyTorch    `torch.optim.AdamW`; differences: infinite and NaN options are refused
/// # Source     Loshchilov & Hutter 2019, Algorithm 2, <https://arxiv.org/abs/1711.05101>
/// # Example
/// ```
/// use gradus_autodiff::Parameter;
/// use gradus_optim::{AdamW, AdamWOptions, Optimizer};
/// let p = Parameter::new([1.0]);
/// let options = AdamWOptions { lr: 0.01, weight_decay: 0.5, ..Default::default() };
/// let mut opt = AdamW::from_parameters([p.clone()], options)?;
/// p.set_grad(Some([0.1].into()));
/// opt.step()?;
/// assert!((p.item() - (1.0 - 0.005 - 0.01)).abs() < 1e-8);
/// # Ok::<(), gradus_optim::OptimError>(())
/// ```
pub type AdamW = Optim<AdamWOptions>;

/// The options of [`AdamW`]; the defaults are PyTorch's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AdamWOptions {
    /// Learning rate.
    pub lr: f64,
    /// `β₁`, `β₂`: how much of the mean of gradients and of squares is left after a step.
    pub betas: (f64, f64),
    /// `ε`: keeps the denominator off 0.
    pub eps: f64,
    /// `λ`: pulls every parameter to 0.
    pub weight_decay: f64,
    /// Divide by the largest mean of squares so far.
    pub amsgrad: bool,
    /// Climb instead of descend.
    pub maximize: bool,
}

impl Default for AdamWOptions {
    fn default() -> Self {
        AdamWOptions {
            lr: 1e-3,
            betas: (0.9, 0.999),
            eps: 1e-8,
            weight_decay: 1e-2,
            amsgrad: false,
            maximize: false,
        }
    }
}

impl AdamWOptions {
    fn as_adam(&self) -> AdamOptions {
        AdamOptions {
            lr: self.lr,
            betas: self.betas,
            eps: self.eps,
            weight_decay: self.weight_decay,
            amsgrad: self.amsgrad,
            maximize: self.maximize,
            decoupled_weight_decay: true,
        }
    }
}

impl Rule for AdamWOptions {
    const NAME: &'static str = "AdamW";
    const SLOTS: &'static [&'static str] = AdamOptions::SLOTS;

    fn check(&self) -> Result<(), OptimError> {
        self.as_adam().check_as("AdamW")
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
    fn uses(&self, slot: usize) -> bool {
        self.as_adam().uses(slot)
    }
    fn advance(jobs: Jobs<'_, Self>) {
        jobs.by_element();
    }
}

impl ElementRule for AdamWOptions {
    type Step = AdamStep;

    fn step(&self, at: Progress<'_>) -> AdamStep {
        self.as_adam().step(at)
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<AdamWOptions> {
    let plain = AdamWOptions { lr: 0.01, weight_decay: 0.5, ..Default::default() };
    vec![AdamWOptions { amsgrad: true, maximize: true, ..plain.clone() }, plain]
}
