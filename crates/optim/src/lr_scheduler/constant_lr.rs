//! A smaller rate for the first epochs.

use super::{At, Schedule, Scheduler};
use crate::OptimError;
use crate::error::in_range;
use crate::load::{from_json, to_json};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Multiplies the rate by `factor` until epoch `total_iters`.
///
/// ```text
/// lr ← lr·f    at epoch 0                 lr ← lr/f    at epoch n        f = factor, n = total_iters
/// ```
/// # Units      `total_iters` in epochs, or whatever is between two calls
/// # Numerics   with f = 0 the rate is the initial one from epoch n on (PyTorch divides by 0)
/// # Errors     `factor` outside 0 ..= 1
/// # PyTorch    `torch.optim.lr_scheduler.ConstantLR`
/// # Example
/// ```
/// use gradus_autodiff::Parameter;
/// use gradus_optim::{ConstantLr, ConstantLrOptions, LrScheduler, Optimizer, Sgd, SgdOptions};
/// let options = SgdOptions { lr: 1.0, ..Default::default() };
/// let mut opt = Sgd::from_parameters([Parameter::new([0.0])], options)?;
/// let constant = ConstantLrOptions { factor: 0.5, total_iters: 2 };
/// let mut sched = ConstantLr::new(&mut opt, constant)?;
/// let mut lrs = vec![];
/// for _ in 0..4 {
///     lrs.push(opt.lrs()[0]);
///     opt.step()?;
///     sched.step(&mut opt);
/// }
/// assert_eq!(lrs, [0.5, 0.5, 1.0, 1.0]);
/// # Ok::<(), gradus_optim::OptimError>(())
/// ```
pub type ConstantLr = Scheduler<ConstantLrOptions>;

/// The options of [`ConstantLr`]; the defaults are PyTorch's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConstantLrOptions {
    /// `f`: what the first rates are multiplied by.
    pub factor: f64,
    /// `n`: how many epochs have such a rate.
    pub total_iters: u64,
}

impl Default for ConstantLrOptions {
    fn default() -> Self {
        ConstantLrOptions { factor: 1.0 / 3.0, total_iters: 5 }
    }
}

impl Schedule for ConstantLrOptions {
    const NAME: &'static str = "ConstantLR";

    fn check(&self, _groups: usize) -> Result<(), OptimError> {
        let f = self.factor;
        in_range("ConstantLR", "factor", f, (0.0..=1.0).contains(&f), "0 ≤ factor ≤ 1")
    }
    fn rate(&self, at: At) -> f64 {
        if at.epoch == 0 {
            return at.lr * self.factor;
        }
        match at.epoch == self.total_iters {
            true if self.factor == 0.0 => at.base,
            true => at.lr * (1.0 / self.factor),
            false => at.lr,
        }
    }
    fn closed_form(&self, epoch: f64, base: f64) -> Option<f64> {
        let over = if epoch >= self.total_iters as f64 { 1.0 } else { 0.0 };
        Some(base * (self.factor + over * (1.0 - self.factor)))
    }
    fn save(&self) -> Value {
        to_json(self)
    }
    fn load(&self, saved: &Value) -> Result<Self, OptimError> {
        from_json("options", saved)
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<ConstantLrOptions> {
    vec![
        ConstantLrOptions::default(),
        ConstantLrOptions { factor: 0.25, total_iters: 9 },
        ConstantLrOptions { factor: 0.0, total_iters: 3 },
    ]
}
