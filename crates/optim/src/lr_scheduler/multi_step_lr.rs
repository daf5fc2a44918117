//! Decay by a factor at given epochs.

use super::{At, Schedule, Scheduler};
use crate::OptimError;
use crate::error::in_range;
use crate::load::{from_json, to_json};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Multiplies the rate by `gamma` at every milestone; twice at one that is listed twice.
///
/// ```text
/// lr ← lr·γ^(how often e is a milestone)          (lr = base·γ^(milestones ≤ e))
/// ```
/// # Units      `milestones` in epochs, or whatever is between two calls; in any order
/// # PyTorch    `torch.optim.lr_scheduler.MultiStepLR`, where γ is 0.1 unless given
/// # Example
/// ```
/// use gradus_autodiff::Parameter;
/// use gradus_optim::{LrScheduler, MultiStepLr, MultiStepLrOptions, Optimizer, Sgd, SgdOptions};
/// let options = SgdOptions { lr: 1.0, ..Default::default() };
/// let mut opt = Sgd::from_parameters([Parameter::new([0.0])], options)?;
/// let steps = MultiStepLrOptions { milestones: vec![1, 3], gamma: 0.5 };
/// let mut sched = MultiStepLr::new(&mut opt, steps)?;
/// let mut lrs = vec![];
/// for _ in 0..5 {
///     lrs.push(opt.lrs()[0]);
///     opt.step()?;
///     sched.step(&mut opt);
/// }
/// assert_eq!(lrs, [1.0, 0.5, 0.5, 0.25, 0.25]);
/// # Ok::<(), gradus_optim::OptimError>(())
/// ```
pub type MultiStepLr = Scheduler<MultiStepLrOptions>;

/// The options of [`MultiStepLr`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MultiStepLrOptions {
    /// The epochs at which the rate changes.
    pub milestones: Vec<u64>,
    /// `γ`: what the rate is multiplied by.
    pub gamma: f64,
}

impl MultiStepLrOptions {
    fn power(&self, counts: impl Fn(u64) -> bool) -> f64 {
        self.gamma.powf(self.milestones.iter().filter(|m| counts(**m)).count() as f64)
    }
}

impl Schedule for MultiStepLrOptions {
    const NAME: &'static str = "MultiStepLR";

    fn check(&self, _groups: usize) -> Result<(), OptimError> {
        in_range("MultiStepLR", "gamma", self.gamma, true, "a finite number")
    }
    fn rate(&self, at: At) -> f64 {
        at.lr * self.power(|m| m == at.epoch)
    }
    fn closed_form(&self, epoch: f64, base: f64) -> Option<f64> {
        Some(base * self.power(|m| m as f64 <= epoch))
    }
    fn save(&self) -> Value {
        to_json(self)
    }
    fn load(&self, saved: &Value) -> Result<Self, OptimError> {
        from_json("options", saved)
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<MultiStepLrOptions> {
    let of =
        |milestones: &[u64], gamma| MultiStepLrOptions { milestones: milestones.into(), gamma };
    vec![of(&[5, 17, 40], 0.3), of(&[40, 5, 5, 17], 0.1), of(&[0, 3], 0.5), of(&[], 0.1)]
}
