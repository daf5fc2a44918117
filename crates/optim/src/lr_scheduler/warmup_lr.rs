//! A warm-up that may begin at 0.

use super::{At, Schedule, Scheduler};
use crate::OptimError;
use crate::error::in_range;
use crate::load::{from_json, to_json};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Multiplies the rate by a factor that rises along a line from `start_factor`, which may be 0, to 1.
///
/// ```text
/// lr = base·(s + (1 − s)·min(e, n)/n)                        s = start_factor, n = warmup_steps
/// computed as  lr ← lr·s at epoch 0,  then by the ratio of two factors; from a factor of 0 on anew
/// ```
/// The factor reaches 1 at epoch n. So it can be chained with schedules that multiply, and a rate that
/// was set by hand is kept.
///
/// # Units      `warmup_steps` in steps, or whatever is between two calls
/// # Errors     `start_factor` outside 0 ..= 1
/// # PyTorch    none; `LinearLR` cannot begin at 0. `get_constant_schedule_with_warmup` of Transformers
/// # Example
/// ```
/// use gradus_autodiff::Parameter;
/// use gradus_optim::{LrScheduler, Optimizer, Sgd, SgdOptions, WarmupLr, WarmupLrOptions};
/// let options = SgdOptions { lr: 1.0, ..Default::default() };
/// let mut opt = Sgd::from_parameters([Parameter::new([0.0])], options)?;
/// let mut sched = WarmupLr::new(&mut opt, WarmupLrOptions { warmup_steps: 4, start_factor: 0.0 })?;
/// let mut lrs = vec![];
/// for _ in 0..6 {
///     lrs.push(opt.lrs()[0]);
///     opt.step()?;
///     sched.step(&mut opt);
/// }
/// assert_eq!(lrs, [0.0, 0.25, 0.5, 0.75, 1.0, 1.0]);
/// # Ok::<(), gradus_optim::OptimError>(())
/// ```
pub type WarmupLr = Scheduler<WarmupLrOptions>;

/// The options of [`WarmupLr`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WarmupLrOptions {
    /// `n`: the first step at the full rate.
    pub warmup_steps: u64,
    /// `s`: the factor of step 0.
    pub start_factor: f64,
}

impl WarmupLrOptions {
    fn factor(&self, epoch: f64) -> f64 {
        let n = self.warmup_steps as f64;
        let way = if n == 0.0 { 1.0 } else { epoch.min(n) / n };
        self.start_factor + (1.0 - self.start_factor) * way
    }
}

impl Schedule for WarmupLrOptions {
    const NAME: &'static str = "WarmupLR";

    fn check(&self, _groups: usize) -> Result<(), OptimError> {
        let s = self.start_factor;
        in_range(Self::NAME, "start_factor", s, (0.0..=1.0).contains(&s), "0 ≤ start_factor ≤ 1")
    }
    fn rate(&self, at: At) -> f64 {
        if at.epoch == 0 {
            return at.lr * self.factor(0.0);
        }
        if at.initial || at.epoch > self.warmup_steps {
            return at.lr;
        }
        let (before, now) = (self.factor((at.epoch - 1) as f64), self.factor(at.epoch as f64));
        if before == 0.0 { at.base * now } else { at.lr * (now / before) }
    }
    fn closed_form(&self, epoch: f64, base: f64) -> Option<f64> {
        Some(base * self.factor(epoch))
    }
    fn save(&self) -> Value {
        to_json(self)
    }
    fn load(&self, saved: &Value) -> Result<Self, OptimError> {
        from_json("options", saved)
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<WarmupLrOptions> {
    let of = |warmup_steps, start_factor| WarmupLrOptions { warmup_steps, start_factor };
    vec![of(10, 0.0), of(7, 0.1), of(0, 0.5), of(1, 0.0)]
}
