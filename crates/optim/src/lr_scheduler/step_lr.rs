//! Decay by a factor every so many epochs.

use super::{At, Schedule, Scheduler};
use crate::OptimError;
use crate::error::in_range;
use crate::load::{from_json, to_json};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Multiplies the rate by `gamma` every `step_size` epochs.
///
/// ```text
/// lr ← lr·γ    at epochs s, 2s, 3s, …            (lr = base·γ^⌊epoch/s⌋)
/// ```
/// # Units      `step_size` in epochs, or whatever is between two calls
/// # Errors     `step_size` = 0 (PyTorch divides by it at the first step)
/// # PyTorch    `torch.optim.lr_scheduler.StepLR`, where γ is 0.1 unless given
/// # Example
/// ```
/// use gradus_autodiff::Parameter;
/// use gradus_optim::{LrScheduler, Optimizer, Sgd, SgdOptions, StepLr, StepLrOptions};
/// let options = SgdOptions { lr: 1.0, ..Default::default() };
/// let mut opt = Sgd::from_parameters([Parameter::new([0.0])], options)?;
/// let mut sched = StepLr::new(&mut opt, StepLrOptions { step_size: 2, gamma: 0.5 })?;
/// let mut lrs = vec![];
/// for _ in 0..5 {
///     lrs.push(opt.lrs()[0]);
///     opt.step()?;
///     sched.step(&mut opt);
/// }
/// assert_eq!(lrs, [1.0, 1.0, 0.5, 0.5, 0.25]);
/// # Ok::<(), gradus_optim::OptimError>(())
/// ```
pub type StepLr = Scheduler<StepLrOptions>;

/// The options of [`StepLr`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepLrOptions {
    /// `s`: epochs between two changes.
    pub step_size: u64,
    /// `γ`: what the rate is multiplied by.
    pub gamma: f64,
}

impl Schedule for StepLrOptions {
    const NAME: &'static str = "StepLR";

    fn check(&self, _groups: usize) -> Result<(), OptimError> {
        let s = self.step_size;
        in_range("StepLR", "step_size", s as f64, s > 0, "step_size ≥ 1")?;
        in_range("StepLR", "gamma", self.gamma, true, "a finite number")
    }
    fn rate(&self, at: At) -> f64 {
        let changes = at.epoch > 0 && at.epoch.is_multiple_of(self.step_size);
        if changes { at.lr * self.gamma } else { at.lr }
    }
    fn closed_form(&self, epoch: f64, base: f64) -> Option<f64> {
        Some(base * self.gamma.powf((epoch / self.step_size as f64).floor()))
    }
    fn save(&self) -> Value {
        to_json(self)
    }
    fn load(&self, saved: &Value) -> Result<Self, OptimError> {
        from_json("options", saved)
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<StepLrOptions> {
    vec![StepLrOptions { step_size: 3, gamma: 0.5 }, StepLrOptions { step_size: 1, gamma: 1.1 }]
}
