//! Decay by a factor every epoch.

use super::{At, Schedule, Scheduler};
use crate::OptimError;
use crate::error::in_range;
use crate::load::{from_json, to_json};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Multiplies the rate by `gamma` every epoch.
///
/// ```text
/// lr ← lr·γ            (lr = base·γ^epoch)
/// ```
/// # PyTorch    `torch.optim.lr_scheduler.ExponentialLR`
/// # Example
/// ```
/// use gradus_autodiff::Parameter;
/// use gradus_optim::{ExponentialLr, ExponentialLrOptions, LrScheduler};
/// use gradus_optim::{Optimizer, Sgd, SgdOptions};
/// let options = SgdOptions { lr: 1.0, ..Default::default() };
/// let mut opt = Sgd::from_parameters([Parameter::new([0.0])], options)?;
/// let mut sched = ExponentialLr::new(&mut opt, ExponentialLrOptions { gamma: 0.5 })?;
/// let mut lrs = vec![];
/// for _ in 0..4 {
///     lrs.push(opt.lrs()[0]);
///     opt.step()?;
///     sched.step(&mut opt);
/// }
/// assert_eq!(lrs, [1.0, 0.5, 0.25, 0.125]);
/// # Ok::<(), gradus_optim::OptimError>(())
/// ```
pub type ExponentialLr = Scheduler<ExponentialLrOptions>;

/// The options of [`ExponentialLr`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExponentialLrOptions {
    /// `γ`: what the rate is multiplied by.
    pub gamma: f64,
}

impl Schedule for ExponentialLrOptions {
    const NAME: &'static str = "ExponentialLR";

    fn check(&self, _groups: usize) -> Result<(), OptimError> {
        in_range("ExponentialLR", "gamma", self.gamma, true, "a finite number")
    }
    fn rate(&self, at: At) -> f64 {
        if at.initial { at.lr } else { at.lr * self.gamma }
    }
    fn closed_form(&self, epoch: f64, base: f64) -> Option<f64> {
        Some(base * self.gamma.powf(epoch))
    }
    fn save(&self) -> Value {
        to_json(self)
    }
    fn load(&self, saved: &Value) -> Result<Self, OptimError> {
        from_json("options", saved)
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<ExponentialLrOptions> {
    vec![ExponentialLrOptions { gamma: 0.9 }, ExponentialLrOptions { gamma: 1.0 }]
}
