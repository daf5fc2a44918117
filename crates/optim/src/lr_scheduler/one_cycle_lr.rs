//! One rise and one long fall of the rate, with the momentum the other way round.

use super::{Anneal, At, PerGroup, Schedule, Scheduler};
use crate::OptimError;
use crate::error::in_range;
use crate::load::{from_json, to_json};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Rises to `max_lr`, falls far below the first rate; the momentum falls and rises.
///
/// ```text
/// first = max_lr/div_factor        last = first/final_div_factor        n = total_steps, p = pct_start
/// lr       first → max_lr until p·n − 1,  → last until n − 1
/// momentum max_momentum → base_momentum,  → max_momentum
/// three_phase: lr goes back to first until 2·p·n − 2, and to last after it
/// ```
/// It overwrites the initial rates of the groups, and a rate that was set by hand.
///
/// # Units      `total_steps` in steps: call it after each
/// # Numerics   past the last step the rate stays (PyTorch leaves the curve for one step, and raises at
/// the next one): see [`PastEnd`]
/// # Errors     `total_steps` = 0, `pct_start` outside 0 ..= 1 or 1/`total_steps`; `cycle_momentum` with
/// an optimizer that has no momentum
/// # PyTorch    `torch.optim.lr_scheduler.OneCycleLR`; `epochs·steps_per_epoch` is `total_steps`
/// # Source     Smith & Topin 2018, <https://arxiv.org/abs/1708.07120>
/// # Example
/// ```
/// use gradus_autodiff::Parameter;
/// use gradus_optim::{LrScheduler, OneCycleLr, OneCycleLrOptions, Optimizer, Sgd, SgdOptions};
/// let options = SgdOptions { lr: 1.0, momentum: 0.9, ..Default::default() };
/// let mut opt = Sgd::from_parameters([Parameter::new([0.0])], options)?;
/// let mut sched = OneCycleLr::new(&mut opt, OneCycleLrOptions::new(1.0, 10))?;
/// let mut lrs = vec![];
/// for _ in 0..12 {
///     lrs.push(opt.lrs()[0]);
///     opt.step()?;
///     sched.step(&mut opt);
/// }
/// assert!((lrs[0] - 0.04).abs() < 1e-15 && lrs[1] == 0.52 && lrs[2] == 1.0);
/// assert!((lrs[9] - 4e-6).abs() < 1e-15 && lrs[10] == lrs[9] && lrs[11] == lrs[9]);
/// # Ok::<(), gradus_optim::OptimError>(())
/// ```
pub type OneCycleLr = Scheduler<OneCycleLrOptions>;

/// The options of [`OneCycleLr`]; [`OneCycleLrOptions::new`] has PyTorch's defaults.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OneCycleLrOptions {
    /// The highest rate.
    pub max_lr: PerGroup,
    /// `n`: how many steps the curve has.
    pub total_steps: u64,
    /// `p`: which part of them the rate rises.
    pub pct_start: f64,
    /// Along which curve.
    pub anneal_strategy: Anneal,
    /// Does the momentum (or first beta) move too?
    pub cycle_momentum: bool,
    /// The momentum at the highest rate.
    pub base_momentum: PerGroup,
    /// The momentum at both ends.
    pub max_momentum: PerGroup,
    /// How many times less than the highest the first rate is.
    pub div_factor: f64,
    /// How many times less than the first the last rate is.
    pub final_div_factor: f64,
    /// Fall to the first rate, then to the last.
    pub three_phase: bool,
    /// What a step past the last one does.
    pub past_end: PastEnd,
}

/// What [`OneCycleLr`] does past its last step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum PastEnd {
    /// The rate stays.
    #[default]
    Stay,
    /// As PyTorch: step `total_steps` leaves the curve (a cosine rises again, a line falls below 0), and
    /// the next one panics.
    Leave,
}

impl OneCycleLrOptions {
    /// To this rate in so many steps.
    pub fn new(max_lr: impl Into<PerGroup>, total_steps: u64) -> Self {
        OneCycleLrOptions {
            max_lr: max_lr.into(),
            total_steps,
            pct_start: 0.3,
            anneal_strategy: Anneal::Cos,
            cycle_momentum: true,
            base_momentum: 0.85.into(),
            max_momentum: 0.95.into(),
            div_factor: 25.0,
            final_div_factor: 1e4,
            three_phase: false,
            past_end: PastEnd::Stay,
        }
    }
    /// The value at a step, of something that has `low` at first, `high` at the top, `end` at the end.
    fn value(&self, at: At, low: f64, high: f64, end: f64) -> f64 {
        let (n, p) = (self.total_steps as f64, self.pct_start);
        let step = match self.past_end {
            PastEnd::Stay => at.position.min(n - 1.0),
            PastEnd::Leave => at.position,
        };
        let top = p * n - 1.0;
        let (start, until, from, to) = match () {
            () if step <= top => (0.0, top, low, high),
            () if !self.three_phase => (top, n - 1.0, high, end),
            () if step <= 2.0 * p * n - 2.0 => (top, 2.0 * p * n - 2.0, high, low),
            () => (2.0 * p * n - 2.0, n - 1.0, low, end),
        };
        self.anneal_strategy.between(from, to, (step - start) / (until - start))
    }
}

impl Schedule for OneCycleLrOptions {
    const NAME: &'static str = "OneCycleLR";

    fn check(&self, groups: usize) -> Result<(), OptimError> {
        let (n, p) = (self.total_steps as f64, self.pct_start);
        in_range(Self::NAME, "total_steps", n, n > 0.0, "total_steps ≥ 1")?;
        in_range(Self::NAME, "pct_start", p, (0.0..=1.0).contains(&p), "0 ≤ pct_start ≤ 1")?;
        let rises = p * n != 1.0;
        in_range(Self::NAME, "pct_start", p, rises, "not 1/total_steps: the rise has no step")?;
        let per_group = [
            ("max_lr", &self.max_lr),
            ("base_momentum", &self.base_momentum),
            ("max_momentum", &self.max_momentum),
        ];
        for (option, values) in per_group {
            values.check(Self::NAME, option, groups, |_| true, "a finite number")?;
        }
        let (div, last) = (self.div_factor, self.final_div_factor);
        in_range(Self::NAME, "div_factor", div, div != 0.0, "not 0")?;
        in_range(Self::NAME, "final_div_factor", last, last != 0.0, "not 0")
    }
    fn rebase(&self, group: usize, _base: f64) -> f64 {
        self.max_lr.get(group) / self.div_factor
    }
    #[track_caller]
    fn rate(&self, at: At) -> f64 {
        assert!(
            self.past_end == PastEnd::Stay || at.epoch <= self.total_steps,
            "OneCycleLR: step {} breaks the rule: at most total_steps = {}",
            at.epoch,
            self.total_steps
        );
        let (first, max) = (self.rebase(at.group, 0.0), self.max_lr.get(at.group));
        self.value(at, first, max, first / self.final_div_factor)
    }
    fn momentum(&self, at: At) -> Option<f64> {
        let (base, max) = (self.base_momentum.get(at.group), self.max_momentum.get(at.group));
        self.cycle_momentum.then(|| self.value(at, max, base, max))
    }
    fn save(&self) -> Value {
        to_json(self)
    }
    fn load(&self, saved: &Value) -> Result<Self, OptimError> {
        from_json("options", saved)
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<OneCycleLrOptions> {
    let base = || OneCycleLrOptions::new(0.1, 61);
    vec![
        base(),
        OneCycleLrOptions { pct_start: 0.5, ..OneCycleLrOptions::new([0.1, 0.3], 20) },
        OneCycleLrOptions { anneal_strategy: Anneal::Linear, three_phase: true, ..base() },
        OneCycleLrOptions { div_factor: 5.0, final_div_factor: 20.0, ..base() },
        OneCycleLrOptions { pct_start: 0.0, cycle_momentum: false, ..base() },
    ]
}
