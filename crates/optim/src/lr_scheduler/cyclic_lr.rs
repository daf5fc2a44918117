//! Up and down between two rates, again and again, with the momentum the other way round.

use super::{At, PerGroup, Schedule, Scheduler};
use crate::OptimError;
use crate::error::in_range;
use crate::load::{from_json, to_json};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fmt;
use std::sync::Arc;

/// Goes up and down between `base_lr` and `max_lr`; the momentum goes down and up.
///
/// ```text
/// n = up + down        c = ⌊1 + e/n⌋        x = 1 + e/n − c        r = up/n
/// h = x/r  up to x = r, then  (x − 1)/(r − 1)                      from 0 to 1 and back
/// lr = base + (max − base)·h·f              momentum = max − (max − base)·h·f
/// f = 1, ½^(c − 1) or γ^e, by `mode`; or `scale_fn` of c or of e
/// ```
/// It overwrites a rate that was set by hand.
///
/// # Units      `step_size_up`, `step_size_down` in steps: call it after each
/// # Errors     no step up or down; `cycle_momentum` with an optimizer that has no momentum
/// # PyTorch    `torch.optim.lr_scheduler.CyclicLR`
/// # Source     Smith 2017, <https://arxiv.org/abs/1506.01186>
/// # Example
/// ```
/// use gradus_autodiff::Parameter;
/// use gradus_optim::{CyclicLr, CyclicLrOptions, LrScheduler, Optimizer, Sgd, SgdOptions};
/// let options = SgdOptions { lr: 1.0, momentum: 0.9, ..Default::default() };
/// let mut opt = Sgd::from_parameters([Parameter::new([0.0])], options)?;
/// let cycle = CyclicLrOptions { step_size_up: 2, ..CyclicLrOptions::new(0.5, 1.0) };
/// let mut sched = CyclicLr::new(&mut opt, cycle)?;
/// for want in [(0.5, 0.9), (0.75, 0.85), (1.0, 0.8), (0.75, 0.85), (0.5, 0.9)] {
///     assert!((opt.lrs()[0] - want.0).abs() < 1e-12);
///     assert!((opt.momentums()[0].unwrap() - want.1).abs() < 1e-12);
///     opt.step()?;
///     sched.step(&mut opt);
/// }
/// # Ok::<(), gradus_optim::OptimError>(())
/// ```
pub type CyclicLr = Scheduler<CyclicLrOptions>;

/// The options of [`CyclicLr`]; [`CyclicLrOptions::new`] has PyTorch's defaults.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CyclicLrOptions {
    /// The lowest rate.
    pub base_lr: PerGroup,
    /// The highest.
    pub max_lr: PerGroup,
    /// Steps from the lowest to the highest.
    pub step_size_up: u64,
    /// Steps back; `None`: as many.
    pub step_size_down: Option<u64>,
    /// How the height changes from cycle to cycle.
    pub mode: CyclicMode,
    /// `γ` of [`CyclicMode::ExpRange`].
    pub gamma: f64,
    /// In place of `mode`: the height from the number of the cycle or of the step. Not saved.
    #[serde(skip)]
    pub scale_fn: Option<ScaleFn>,
    /// What `scale_fn` is given.
    pub scale_mode: ScaleMode,
    /// Does the momentum (or first beta) move too?
    pub cycle_momentum: bool,
    /// The momentum at the highest rate.
    pub base_momentum: PerGroup,
    /// The momentum at the lowest rate.
    pub max_momentum: PerGroup,
}

/// How the height of a [`CyclicLr`] changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum CyclicMode {
    /// Not at all.
    #[default]
    Triangular,
    /// Halved from cycle to cycle.
    Triangular2,
    /// Times γ each step.
    ExpRange,
}

/// What the function of a [`CyclicLr`] is given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ScaleMode {
    /// The number of the cycle; 1 is the first.
    #[default]
    Cycle,
    /// The number of the step.
    Iterations,
}

/// A function of a number.
#[derive(Clone)]
pub struct ScaleFn(Arc<dyn Fn(f64) -> f64 + Send + Sync>);

impl ScaleFn {
    /// From a closure.
    pub fn new(f: impl Fn(f64) -> f64 + Send + Sync + 'static) -> Self {
        ScaleFn(Arc::new(f))
    }
}

impl fmt::Debug for ScaleFn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a function")
    }
}

impl CyclicLrOptions {
    /// Between these rates, 2000 steps up and 2000 down, momentum between 0.9 and 0.8.
    pub fn new(base_lr: impl Into<PerGroup>, max_lr: impl Into<PerGroup>) -> Self {
        CyclicLrOptions {
            base_lr: base_lr.into(),
            max_lr: max_lr.into(),
            step_size_up: 2000,
            step_size_down: None,
            mode: CyclicMode::default(),
            gamma: 1.0,
            scale_fn: None,
            scale_mode: ScaleMode::default(),
            cycle_momentum: true,
            base_momentum: 0.8.into(),
            max_momentum: 0.9.into(),
        }
    }
    /// `h·f` of a height: 0 at the bottom.
    fn scaled(&self, at: At, height: f64) -> f64 {
        let up = self.step_size_up as f64;
        let total = up + self.step_size_down.unwrap_or(self.step_size_up) as f64;
        let ratio = up / total;
        let cycle = (1.0 + at.position / total).floor();
        let x = 1.0 + at.position / total - cycle;
        let h = if x <= ratio { x / ratio } else { (x - 1.0) / (ratio - 1.0) };
        let f = match (&self.scale_fn, self.scale_mode, self.mode) {
            (Some(f), ScaleMode::Cycle, _) => f.0(cycle),
            (Some(f), ScaleMode::Iterations, _) => f.0(at.position),
            (None, _, CyclicMode::Triangular) => 1.0,
            (None, _, CyclicMode::Triangular2) => 1.0 / 2.0_f64.powf(cycle - 1.0),
            (None, _, CyclicMode::ExpRange) => self.gamma.powf(at.position),
        };
        height * h * f
    }
}

impl Schedule for CyclicLrOptions {
    const NAME: &'static str = "CyclicLR";

    fn check(&self, groups: usize) -> Result<(), OptimError> {
        let per_group = [
            ("base_lr", &self.base_lr),
            ("max_lr", &self.max_lr),
            ("base_momentum", &self.base_momentum),
            ("max_momentum", &self.max_momentum),
        ];
        for (option, values) in per_group {
            values.check(Self::NAME, option, groups, |_| true, "a finite number")?;
        }
        in_range(Self::NAME, "gamma", self.gamma, true, "a finite number")?;
        let up = self.step_size_up as f64;
        in_range(Self::NAME, "step_size_up", up, up > 0.0, "step_size_up ≥ 1")?;
        let down = self.step_size_down.unwrap_or(1) as f64;
        in_range(Self::NAME, "step_size_down", down, down > 0.0, "step_size_down ≥ 1")
    }
    fn start(&self, group: usize, _lr: f64) -> f64 {
        self.base_lr.get(group)
    }
    fn rate(&self, at: At) -> f64 {
        // PyTorch's construction reads the initial rate, which an earlier schedule may have set.
        let base = if at.initial { at.base } else { self.base_lr.get(at.group) };
        base + self.scaled(at, self.max_lr.get(at.group) - base)
    }
    fn momentum(&self, at: At) -> Option<f64> {
        let (base, max) = (self.base_momentum.get(at.group), self.max_momentum.get(at.group));
        self.cycle_momentum.then(|| max - self.scaled(at, max - base))
    }
    fn save(&self) -> Value {
        to_json(self)
    }
    fn load(&self, saved: &Value) -> Result<Self, OptimError> {
        let new: Self = from_json("options", saved)?;
        Ok(CyclicLrOptions { scale_fn: self.scale_fn.clone(), ..new })
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<CyclicLrOptions> {
    let base = || CyclicLrOptions { step_size_up: 7, ..CyclicLrOptions::new(0.01, 0.1) };
    vec![
        base(),
        CyclicLrOptions {
            step_size_down: Some(9),
            ..CyclicLrOptions::new([0.01, 0.02], [0.1, 0.05])
        },
        CyclicLrOptions { mode: CyclicMode::Triangular2, ..base() },
        CyclicLrOptions { mode: CyclicMode::ExpRange, gamma: 0.98, ..base() },
        CyclicLrOptions { scale_fn: Some(ScaleFn::new(|c| 0.7_f64.powf(c))), ..base() },
        CyclicLrOptions { cycle_momentum: false, ..base() },
    ]
}
