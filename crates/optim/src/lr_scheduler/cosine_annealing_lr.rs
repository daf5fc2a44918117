//! Half a cosine from the first rate down to the last, and up again.

use super::{At, Schedule, Scheduler};
use crate::OptimError;
use crate::error::in_range;
use crate::load::{from_json, to_json};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::f64::consts::PI;

/// Follows a cosine from the initial rate to `eta_min` in `t_max` epochs.
///
/// ```text
/// lr = η + (base − η)·(1 + cos(π·e/T))/2                   η = eta_min, T = t_max, e = epoch
/// computed as  lr ← η + (lr − η)·(1 + cos(π·e/T))/(1 + cos(π·(e − 1)/T))
/// ```
/// After `T` epochs it does not stop: the rate rises again, and is back at `base` after `2·T`. At
/// epoch `T + 1` the fraction is 0/0, and the rise is added to the rate instead.
///
/// # Units      `t_max` in epochs, or whatever is between two calls
/// # Numerics   recursive and closed form differ by less than 1e-12 over 1000 epochs
/// # Errors     `t_max` = 0 (PyTorch divides by it at the first step)
/// # PyTorch    `torch.optim.lr_scheduler.CosineAnnealingLR`, where η is 0 unless given
/// # Source     Loshchilov & Hutter 2017, Equation 5, <https://arxiv.org/abs/1608.03983>
/// # Example
/// ```
/// use gradus_autodiff::Parameter;
/// use gradus_optim::{CosineAnnealingLr, CosineAnnealingLrOptions, LrScheduler};
/// use gradus_optim::{Optimizer, Sgd, SgdOptions};
/// let options = SgdOptions { lr: 1.0, ..Default::default() };
/// let mut opt = Sgd::from_parameters([Parameter::new([0.0])], options)?;
/// let cosine = CosineAnnealingLrOptions { t_max: 2, eta_min: 0.1 };
/// let mut sched = CosineAnnealingLr::new(&mut opt, cosine)?;
/// for want in [1.0, 0.55, 0.1, 0.55, 1.0] {
///     assert!((opt.lrs()[0] - want).abs() < 1e-12);
///     opt.step()?;
///     sched.step(&mut opt);
/// }
/// # Ok::<(), gradus_optim::OptimError>(())
/// ```
pub type CosineAnnealingLr = Scheduler<CosineAnnealingLrOptions>;

/// The options of [`CosineAnnealingLr`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CosineAnnealingLrOptions {
    /// `T`: epochs from the first rate to the last.
    pub t_max: u64,
    /// `η`: the last rate.
    pub eta_min: f64,
}

impl CosineAnnealingLrOptions {
    /// `1 + cos(π·e/T)`
    fn height(&self, epoch: f64) -> f64 {
        1.0 + (PI * epoch / self.t_max as f64).cos()
    }
}

impl Schedule for CosineAnnealingLrOptions {
    const NAME: &'static str = "CosineAnnealingLR";

    fn check(&self, _groups: usize) -> Result<(), OptimError> {
        let t = self.t_max;
        in_range("CosineAnnealingLR", "t_max", t as f64, t > 0, "t_max ≥ 1")?;
        in_range("CosineAnnealingLR", "eta_min", self.eta_min, true, "a finite number")
    }
    fn rate(&self, at: At) -> f64 {
        let (e, t, eta) = (at.epoch, self.t_max, self.eta_min);
        if at.initial || e == 0 {
            return at.lr;
        }
        if (e - 1 + t).is_multiple_of(2 * t) {
            let rise = 1.0 - (PI / t as f64).cos();
            return at.lr + (at.base - eta) * rise / 2.0;
        }
        self.height(e as f64) / self.height((e - 1) as f64) * (at.lr - eta) + eta
    }
    fn closed_form(&self, epoch: f64, base: f64) -> Option<f64> {
        Some(self.eta_min + (base - self.eta_min) * self.height(epoch) / 2.0)
    }
    fn save(&self) -> Value {
        to_json(self)
    }
    fn load(&self, saved: &Value) -> Result<Self, OptimError> {
        from_json("options", saved)
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<CosineAnnealingLrOptions> {
    vec![
        CosineAnnealingLrOptions { t_max: 10, eta_min: 0.0 },
        CosineAnnealingLrOptions { t_max: 7, eta_min: 0.01 },
        CosineAnnealingLrOptions { t_max: 1, eta_min: 0.01 },
    ]
}
