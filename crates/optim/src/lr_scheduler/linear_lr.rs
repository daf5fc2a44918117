//! A straight line from one factor to another.

use super::{At, Schedule, Scheduler};
use crate::OptimError;
use crate::error::in_range;
use crate::load::{from_json, to_json};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Multiplies the rate by a factor that goes from `start_factor` to `end_factor` along a line: the usual
/// warm-up.
///
/// ```text
/// lr = base·(s + (t − s)·min(e, n)/n)           s = start_factor, t = end_factor, n = total_iters
/// computed as  lr ← lr·s at epoch 0,  then  lr ← lr·(1 + (t − s)/(n·s + (e − 1)·(t − s)))
/// ```
/// A warm-up from 0 is not possible this way: see [`crate::WarmupLr`].
///
/// # Units      `total_iters` in epochs, or whatever is between two calls
/// # Numerics   with n = 0 the factor stays at s
/// # Errors     `start_factor` outside 0 < s ≤ 1, `end_factor` outside 0 ..= 1
/// # PyTorch    `torch.optim.lr_scheduler.LinearLR`
/// # Example
/// ```
/// use gradus_autodiff::Parameter;
/// use gradus_optim::{LinearLr, LinearLrOptions, LrScheduler, Optimizer, Sgd, SgdOptions};
/// let options = SgdOptions { lr: 1.0, ..Default::default() };
/// let mut opt = Sgd::from_parameters([Parameter::new([0.0])], options)?;
/// let line = LinearLrOptions { start_factor: 0.25, total_iters: 3, ..Default::default() };
/// let mut sched = LinearLr::new(&mut opt, line)?;
/// let mut lrs = vec![];
/// for _ in 0..5 {
///     lrs.push(opt.lrs()[0]);
///     opt.step()?;
///     sched.step(&mut opt);
/// }
/// assert_eq!(lrs, [0.25, 0.5, 0.75, 1.0, 1.0]);
/// # Ok::<(), gradus_optim::OptimError>(())
/// ```
pub type LinearLr = Scheduler<LinearLrOptions>;

/// The options of [`LinearLr`]; the defaults are PyTorch's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LinearLrOptions {
    /// `s`: the factor of epoch 0.
    pub start_factor: f64,
    /// `t`: the factor from epoch n on.
    pub end_factor: f64,
    /// `n`: epochs from the first factor to the last.
    pub total_iters: u64,
}

impl Default for LinearLrOptions {
    fn default() -> Self {
        LinearLrOptions { start_factor: 1.0 / 3.0, end_factor: 1.0, total_iters: 5 }
    }
}

impl Schedule for LinearLrOptions {
    const NAME: &'static str = "LinearLR";

    fn check(&self, _groups: usize) -> Result<(), OptimError> {
        let (s, t) = (self.start_factor, self.end_factor);
        let start = s > 0.0 && s <= 1.0;
        in_range("LinearLR", "start_factor", s, start, "0 < start_factor ≤ 1")?;
        in_range("LinearLR", "end_factor", t, (0.0..=1.0).contains(&t), "0 ≤ end_factor ≤ 1")
    }
    fn rate(&self, at: At) -> f64 {
        if at.epoch == 0 {
            return at.lr * self.start_factor;
        }
        if at.initial || at.epoch > self.total_iters {
            return at.lr;
        }
        let by = self.end_factor - self.start_factor;
        let before = self.total_iters as f64 * self.start_factor + (at.epoch - 1) as f64 * by;
        at.lr * (1.0 + by / before)
    }
    fn closed_form(&self, epoch: f64, base: f64) -> Option<f64> {
        let n = self.total_iters as f64;
        let way = if n == 0.0 { 0.0 } else { epoch.min(n) };
        let by = self.end_factor - self.start_factor;
        Some(base * (self.start_factor + by * way / n.max(1.0)))
    }
    fn save(&self) -> Value {
        to_json(self)
    }
    fn load(&self, saved: &Value) -> Result<Self, OptimError> {
        from_json("options", saved)
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<LinearLrOptions> {
    vec![
        LinearLrOptions::default(),
        LinearLrOptions { start_factor: 0.1, end_factor: 1.0, total_iters: 13 },
        LinearLrOptions { start_factor: 1.0, end_factor: 0.0, total_iters: 30 },
        LinearLrOptions { total_iters: 0, ..Default::default() },
    ]
}
