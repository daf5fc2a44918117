//! Several schedules, one after the other.

use super::{At, BoxedSchedule, Schedule, Scheduler};
use crate::OptimError;
use crate::error::in_range;
use crate::load::from_json;
use serde_json::{Value, json};

/// Follows several schedules, one after the other.
///
/// ```text
/// schedule i acts from epoch mᵢ up to mᵢ₊₁, and counts from 0
/// at epoch mᵢ the rate is its rate of epoch 0, from the initial rate where it has a closed form
/// ```
/// Of two schedules that begin at the same epoch the second acts. It takes the options of the schedules
/// and builds them: they cannot act on the optimizer before their time. Momenta are those of the schedule
/// that acts.
///
/// # Units      milestones in epochs, or whatever is between two calls
/// # Errors     milestones that fall, or are 0; what an inner schedule refuses
/// # PyTorch    `torch.optim.lr_scheduler.SequentialLR`
/// # Example
/// A warm-up, then a cosine:
/// ```
/// use gradus_autodiff::Parameter;
/// use gradus_optim::{CosineAnnealingLrOptions, LinearLrOptions, LrScheduler, Optimizer};
/// use gradus_optim::{SequentialLr, SequentialLrOptions, Sgd, SgdOptions};
/// let options = SgdOptions { lr: 0.1, ..Default::default() };
/// let mut opt = Sgd::from_parameters([Parameter::new([0.0])], options)?;
/// let warm_up = LinearLrOptions { start_factor: 0.1, total_iters: 3, ..Default::default() };
/// let cosine = CosineAnnealingLrOptions { t_max: 5, eta_min: 0.0 };
/// let mut sched = SequentialLr::new(&mut opt, SequentialLrOptions::new(warm_up).then(3, cosine))?;
/// for want in [0.01, 0.04, 0.07, 0.1, 0.0905, 0.0655, 0.0345, 0.0095, 0.0] {
///     assert!((opt.lrs()[0] - want).abs() < 1e-4);
///     opt.step()?;
///     sched.step(&mut opt);
/// }
/// # Ok::<(), gradus_optim::OptimError>(())
/// ```
pub type SequentialLr = Scheduler<SequentialLrOptions>;

/// The options of [`SequentialLr`]: schedules with the epochs they begin at.
#[derive(Clone, Debug)]
pub struct SequentialLrOptions {
    schedules: Vec<BoxedSchedule>,
    milestones: Vec<u64>,
}

impl SequentialLrOptions {
    /// Begin with this schedule.
    pub fn new(first: impl Into<BoxedSchedule>) -> Self {
        SequentialLrOptions { schedules: vec![first.into()], milestones: Vec::new() }
    }
    /// From epoch `milestone` on, follow this schedule.
    #[must_use]
    pub fn then(mut self, milestone: u64, next: impl Into<BoxedSchedule>) -> Self {
        self.schedules.push(next.into());
        self.milestones.push(milestone);
        self
    }
    /// Which schedule acts at an epoch, and when it began.
    fn acting(&self, epoch: f64) -> (usize, f64) {
        let i = self.milestones.iter().filter(|m| **m as f64 <= epoch).count();
        (i, if i == 0 { 0.0 } else { self.milestones[i - 1] as f64 })
    }
    /// The initial rate that schedule `i` sees: what the ones up to it have made of the group's.
    fn base(&self, i: usize, group: usize, base: f64) -> f64 {
        self.schedules[..=i].iter().fold(base, |base, s| s.rebase(group, base))
    }
    /// The schedule that acts, and where it stands.
    fn inner(&self, at: At) -> (&BoxedSchedule, At) {
        let (i, began) = self.acting(at.position);
        let position = at.position - began;
        let calls = at.calls.saturating_sub(began as u64);
        let base = self.base(i, at.group, at.base);
        (&self.schedules[i], At { epoch: position as u64, position, calls, base, ..at })
    }
}

impl Schedule for SequentialLrOptions {
    const NAME: &'static str = "SequentialLR";

    fn check(&self, groups: usize) -> Result<(), OptimError> {
        let mut before = 1;
        for &m in &self.milestones {
            in_range(Self::NAME, "milestones", m as f64, m >= before, "≥ 1 and not falling")?;
            before = m;
        }
        self.schedules.iter().try_for_each(|s| s.check(groups))
    }
    fn start(&self, group: usize, lr: f64) -> f64 {
        self.schedules[0].start(group, lr)
    }
    fn rebase(&self, group: usize, base: f64) -> f64 {
        self.base(self.schedules.len() - 1, group, base)
    }
    fn rate(&self, at: At) -> f64 {
        let (schedule, inner) = self.inner(at);
        if at.initial {
            // Back to the initial rate, whatever the rate is now.
            return schedule.rate(At { lr: self.rebase(at.group, at.base), ..inner });
        }
        let begins = inner.position == 0.0 && at.position > 0.0;
        let anew = begins.then(|| schedule.closed_form(0.0, inner.base)).flatten();
        anew.unwrap_or_else(|| schedule.rate(inner))
    }
    fn momentum(&self, at: At) -> Option<f64> {
        let (schedule, inner) = self.inner(at);
        let waiting = || self.schedules.iter().rev().find_map(|s| s.momentum(first(at)));
        if at.initial {
            schedule.momentum(inner).or_else(waiting)
        } else {
            schedule.momentum(inner)
        }
    }
    fn save(&self) -> Value {
        let schedules: Vec<Value> = self.schedules.iter().map(BoxedSchedule::save).collect();
        json!({ "milestones": self.milestones, "schedules": schedules })
    }
    fn load(&self, saved: &Value) -> Result<Self, OptimError> {
        let milestones: Vec<u64> = from_json("milestones", &saved["milestones"])?;
        let schedules = load_all(&self.schedules, &saved["schedules"])?;
        if milestones.len() + 1 != schedules.len() {
            return Err(OptimError::Malformed(format!("{} milestones", milestones.len())));
        }
        Ok(SequentialLrOptions { schedules, milestones })
    }
}

/// The beginning of a schedule whose time has not come.
fn first(at: At) -> At {
    At { epoch: 0, position: 0.0, calls: 0, ..at }
}

/// Every schedule of a list with its saved options.
pub(super) fn load_all(
    schedules: &[BoxedSchedule],
    saved: &Value,
) -> Result<Vec<BoxedSchedule>, OptimError> {
    let saved: Vec<Value> = from_json("schedules", saved)?;
    if saved.len() != schedules.len() {
        let text = format!("{} inner schedulers, not {}", saved.len(), schedules.len());
        return Err(OptimError::Malformed(text));
    }
    schedules.iter().zip(&saved).map(|(s, saved)| s.load(saved)).collect()
}

#[cfg(test)]
pub(super) fn cases() -> Vec<SequentialLrOptions> {
    use super::*;
    let decay = ExponentialLrOptions { gamma: 0.9 };
    let line = LinearLrOptions { start_factor: 0.1, total_iters: 8, ..Default::default() };
    let cosine = CosineAnnealingLrOptions { t_max: 52, eta_min: 0.0 };
    let swa =
        SwaLrOptions { swa_lr: 0.05.into(), anneal_epochs: 5, anneal_strategy: Anneal::Linear };
    vec![
        SequentialLrOptions::new(ConstantLrOptions::default()).then(10, decay.clone()),
        SequentialLrOptions::new(line).then(8, cosine).then(20, swa),
        SequentialLrOptions::new(LambdaLrOptions::new(|e| 1.0 / (1.0 + e as f64)))
            .then(3, OneCycleLrOptions::new(0.3, 20)),
        SequentialLrOptions::new(CyclicLrOptions::new(0.1, 0.2))
            .then(2, SequentialLrOptions::new(decay).then(3, PolynomialLrOptions::default())),
    ]
}
