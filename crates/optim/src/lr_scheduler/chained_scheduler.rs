//! Several schedules at once.

use super::sequential_lr::load_all;
use super::{At, BoxedSchedule, Schedule, Scheduler};
use crate::OptimError;
use serde_json::{Value, json};

/// Lets several schedules act, one on the result of the other.
///
/// ```text
/// lr ← sₙ(… s₂(s₁(lr)))
/// ```
/// Schedules that multiply (a warm-up, a decay) multiply; one that computes its rate from the initial
/// one overwrites those before it. It takes the options of the schedules and builds them.
///
/// # Errors     what an inner schedule refuses
/// # PyTorch    `torch.optim.lr_scheduler.ChainedScheduler`
/// # Example
/// ```
/// use gradus_autodiff::Parameter;
/// use gradus_optim::{ChainedScheduler, ChainedSchedulerOptions, ConstantLrOptions};
/// use gradus_optim::{ExponentialLrOptions, LrScheduler, Optimizer, Sgd, SgdOptions};
/// let options = SgdOptions { lr: 1.0, ..Default::default() };
/// let mut opt = Sgd::from_parameters([Parameter::new([0.0])], options)?;
/// let slow_start = ConstantLrOptions { factor: 0.5, total_iters: 2 };
/// let both = ChainedSchedulerOptions::new(slow_start).and(ExponentialLrOptions { gamma: 0.5 });
/// let mut sched = ChainedScheduler::new(&mut opt, both)?;
/// let mut lrs = vec![];
/// for _ in 0..4 {
///     lrs.push(opt.lrs()[0]);
///     opt.step()?;
///     sched.step(&mut opt);
/// }
/// assert_eq!(lrs, [0.5, 0.25, 0.25, 0.125]);
/// # Ok::<(), gradus_optim::OptimError>(())
/// ```
pub type ChainedScheduler = Scheduler<ChainedSchedulerOptions>;

/// The options of [`ChainedScheduler`]: schedules in the order they act in.
#[derive(Clone, Debug)]
pub struct ChainedSchedulerOptions(Vec<BoxedSchedule>);

impl ChainedSchedulerOptions {
    /// This schedule first.
    pub fn new(first: impl Into<BoxedSchedule>) -> Self {
        ChainedSchedulerOptions(vec![first.into()])
    }
    /// And this one on its result.
    #[must_use]
    pub fn and(mut self, next: impl Into<BoxedSchedule>) -> Self {
        self.0.push(next.into());
        self
    }
    /// Every schedule, with the initial rate that the ones up to it have made of the group's.
    fn with_bases(
        &self,
        group: usize,
        mut base: f64,
    ) -> impl Iterator<Item = (&BoxedSchedule, f64)> {
        self.0.iter().map(move |s| {
            base = s.rebase(group, base);
            (s, base)
        })
    }
}

impl Schedule for ChainedSchedulerOptions {
    const NAME: &'static str = "ChainedScheduler";

    fn check(&self, groups: usize) -> Result<(), OptimError> {
        self.0.iter().try_for_each(|s| s.check(groups))
    }
    fn start(&self, group: usize, lr: f64) -> f64 {
        self.0[0].start(group, lr)
    }
    fn rebase(&self, group: usize, base: f64) -> f64 {
        self.0.iter().fold(base, |base, s| s.rebase(group, base))
    }
    fn rate(&self, at: At) -> f64 {
        let act = |lr, (s, base): (&BoxedSchedule, f64)| s.rate(At { lr, base, ..at });
        self.with_bases(at.group, at.base).fold(at.lr, act)
    }
    fn momentum(&self, at: At) -> Option<f64> {
        self.0.iter().rev().find_map(|s| s.momentum(at))
    }
    fn save(&self) -> Value {
        json!(self.0.iter().map(BoxedSchedule::save).collect::<Vec<_>>())
    }
    fn load(&self, saved: &Value) -> Result<Self, OptimError> {
        load_all(&self.0, saved).map(ChainedSchedulerOptions)
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<ChainedSchedulerOptions> {
    use super::*;
    let decay = ExponentialLrOptions { gamma: 0.9 };
    let steps = StepLrOptions { step_size: 9, gamma: 0.1 };
    let warm_up = WarmupLrOptions { warmup_steps: 5, start_factor: 0.0 };
    vec![
        ChainedSchedulerOptions::new(ConstantLrOptions::default()).and(decay.clone()),
        ChainedSchedulerOptions::new(warm_up)
            .and(steps)
            .and(CosineAnnealingLrOptions { t_max: 40, eta_min: 0.0 }),
        ChainedSchedulerOptions::new(SequentialLrOptions::new(decay.clone()).then(4, decay)),
    ]
}
