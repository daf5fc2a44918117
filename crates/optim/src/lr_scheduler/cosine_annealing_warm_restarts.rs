//! Cosine annealing that starts again, each time for longer.

use super::{At, Schedule, Scheduler};
use crate::OptimError;
use crate::error::in_range;
use crate::load::{from_json, to_json};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::f64::consts::PI;

/// Follows a cosine from the initial rate to `eta_min`, and starts again.
///
/// ```text
/// lr = η + (base − η)·(1 + cos(π·c/T))/2          c = epochs since the restart, T = length of the cycle
/// T = T₀, T₀·m, T₀·m², …                         T₀ = t_0, m = t_mult, η = eta_min
/// ```
/// It overwrites a rate that was set by hand. [`crate::LrScheduler::step_to`] takes fractions of an
/// epoch: `sched.step_to(&mut opt, epoch + batch / batches)`.
///
/// # Units      `t_0` in epochs, or whatever is between two calls
/// # Errors     `t_0` = 0, `t_mult` = 0
/// # PyTorch    `torch.optim.lr_scheduler.CosineAnnealingWarmRestarts`, where m is 1 and η is 0 unless given
/// # Source     Loshchilov & Hutter 2017, Equation 5, <https://arxiv.org/abs/1608.03983>
/// # Example
/// ```
/// use gradus_autodiff::Parameter;
/// use gradus_optim::{CosineAnnealingWarmRestarts, CosineAnnealingWarmRestartsOptions};
/// use gradus_optim::{LrScheduler, Optimizer, Sgd, SgdOptions};
/// let options = SgdOptions { lr: 1.0, ..Default::default() };
/// let mut opt = Sgd::from_parameters([Parameter::new([0.0])], options)?;
/// let restarts = CosineAnnealingWarmRestartsOptions { t_0: 2, t_mult: 2, eta_min: 0.0 };
/// let mut sched = CosineAnnealingWarmRestarts::new(&mut opt, restarts)?;
/// for want in [1.0, 0.5, 1.0, 0.8536, 0.5, 0.1464, 1.0] {
///     assert!((opt.lrs()[0] - want).abs() < 1e-4);
///     opt.step()?;
///     sched.step(&mut opt);
/// }
/// # Ok::<(), gradus_optim::OptimError>(())
/// ```
pub type CosineAnnealingWarmRestarts = Scheduler<CosineAnnealingWarmRestartsOptions>;

/// The options of [`CosineAnnealingWarmRestarts`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CosineAnnealingWarmRestartsOptions {
    /// `T₀`: epochs of the first cycle.
    pub t_0: u64,
    /// `m`: how many times as long as the one before each cycle is.
    pub t_mult: u64,
    /// `η`: the last rate of a cycle.
    pub eta_min: f64,
}

impl CosineAnnealingWarmRestartsOptions {
    /// Epochs since the last restart, and the length of the cycle.
    fn cycle(&self, position: f64) -> (f64, f64) {
        let mut length = self.t_0 as f64;
        if self.t_mult == 1 {
            return (position % length, length);
        }
        let mut since = position;
        while since >= length {
            since -= length;
            length *= self.t_mult as f64;
        }
        (since, length)
    }
}

impl Schedule for CosineAnnealingWarmRestartsOptions {
    const NAME: &'static str = "CosineAnnealingWarmRestarts";

    fn check(&self, _groups: usize) -> Result<(), OptimError> {
        let (t_0, t_mult) = (self.t_0, self.t_mult);
        in_range(Self::NAME, "t_0", t_0 as f64, t_0 > 0, "t_0 ≥ 1")?;
        in_range(Self::NAME, "t_mult", t_mult as f64, t_mult > 0, "t_mult ≥ 1")?;
        in_range(Self::NAME, "eta_min", self.eta_min, true, "a finite number")
    }
    fn rate(&self, at: At) -> f64 {
        let (since, length) = self.cycle(at.position);
        self.eta_min + (at.base - self.eta_min) * (1.0 + (PI * since / length).cos()) / 2.0
    }
    fn save(&self) -> Value {
        to_json(self)
    }
    fn load(&self, saved: &Value) -> Result<Self, OptimError> {
        from_json("options", saved)
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<CosineAnnealingWarmRestartsOptions> {
    let of = |t_0, t_mult, eta_min| CosineAnnealingWarmRestartsOptions { t_0, t_mult, eta_min };
    vec![of(10, 1, 0.0), of(3, 2, 0.02), of(1, 1, 0.0)]
}
