//! A power of the way that is left.

use super::{At, Schedule, Scheduler};
use crate::OptimError;
use crate::error::in_range;
use crate::load::{from_json, to_json};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Falls to 0 in `total_iters` epochs, as a power of the way that is left.
///
/// ```text
/// lr = base·(1 − min(e, n)/n)^p                               n = total_iters, p = power
/// computed as  lr ← lr·((1 − e/n)/(1 − (e − 1)/n))^p
/// ```
/// # Units      `total_iters` in epochs, or whatever is between two calls
/// # Errors     `power` < 0 (PyTorch divides by 0 at epoch n)
/// # PyTorch    `torch.optim.lr_scheduler.PolynomialLR`
/// # Example
/// ```
/// use gradus_autodiff::Parameter;
/// use gradus_optim::{LrScheduler, Optimizer, PolynomialLr, PolynomialLrOptions, Sgd, SgdOptions};
/// let options = SgdOptions { lr: 1.0, ..Default::default() };
/// let mut opt = Sgd::from_parameters([Parameter::new([0.0])], options)?;
/// let square = PolynomialLrOptions { total_iters: 4, power: 2.0 };
/// let mut sched = PolynomialLr::new(&mut opt, square)?;
/// let mut lrs = vec![];
/// for _ in 0..6 {
///     lrs.push(opt.lrs()[0]);
///     opt.step()?;
///     sched.step(&mut opt);
/// }
/// assert_eq!(lrs, [1.0, 0.5625, 0.25, 0.0625, 0.0, 0.0]);
/// # Ok::<(), gradus_optim::OptimError>(())
/// ```
pub type PolynomialLr = Scheduler<PolynomialLrOptions>;

/// The options of [`PolynomialLr`]; the defaults are PyTorch's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PolynomialLrOptions {
    /// `n`: epochs until the rate is 0.
    pub total_iters: u64,
    /// `p`: 1 is a straight line.
    pub power: f64,
}

impl Default for PolynomialLrOptions {
    fn default() -> Self {
        PolynomialLrOptions { total_iters: 5, power: 1.0 }
    }
}

impl Schedule for PolynomialLrOptions {
    const NAME: &'static str = "PolynomialLR";

    fn check(&self, _groups: usize) -> Result<(), OptimError> {
        in_range("PolynomialLR", "power", self.power, self.power >= 0.0, "power ≥ 0")
    }
    fn rate(&self, at: At) -> f64 {
        if at.initial || at.epoch == 0 || at.epoch > self.total_iters {
            return at.lr;
        }
        let n = self.total_iters as f64;
        let left = |epoch: u64| 1.0 - epoch as f64 / n;
        at.lr * (left(at.epoch) / left(at.epoch - 1)).powf(self.power)
    }
    fn closed_form(&self, epoch: f64, base: f64) -> Option<f64> {
        let n = self.total_iters as f64;
        let gone = if n == 0.0 { 0.0 } else { epoch.min(n) / n };
        Some(base * (1.0 - gone).powf(self.power))
    }
    fn save(&self) -> Value {
        to_json(self)
    }
    fn load(&self, saved: &Value) -> Result<Self, OptimError> {
        from_json("options", saved)
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<PolynomialLrOptions> {
    vec![
        PolynomialLrOptions::default(),
        PolynomialLrOptions { total_iters: 30, power: 2.0 },
        PolynomialLrOptions { total_iters: 0, power: 0.5 },
    ]
}
