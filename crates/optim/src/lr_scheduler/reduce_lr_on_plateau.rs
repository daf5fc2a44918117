//! A smaller rate whenever a metric has stopped getting better.

use super::PerGroup;
use super::scheduler::{check_name, only_skipped, read};
use crate::OptimError;
use crate::error::in_range;
use crate::load::to_json;
use crate::{Optimizer, StateDict};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// PyTorch's name.
const NAME: &str = "ReduceLROnPlateau";

/// Multiplies the rate by `factor` when a metric has not got better for more than `patience` epochs.
///
/// ```text
/// better:  min, rel: m < best·(1 − threshold)         max, rel: m > best·(1 + threshold)
///          min, abs: m < best − threshold             max, abs: m > best + threshold
/// bad epochs + 1 if not better, NaN is not; during the cool-down they stay 0
/// bad epochs > patience:  lr ← max(lr·factor, min_lr), if that is more than eps less
/// ```
/// If every step of the optimizer since the last call was skipped, nothing happens: the metric is that
/// of the same model.
///
/// # Units      `patience`, `cooldown` in epochs, or whatever is between two calls
/// # Errors     `factor` ≥ 1
/// # PyTorch    `torch.optim.lr_scheduler.ReduceLROnPlateau`
/// # Example
/// ```
/// use gradus_autodiff::Parameter;
/// use gradus_optim::{Optimizer, ReduceLrOnPlateau, ReduceLrOnPlateauOptions, Sgd, SgdOptions};
/// let options = SgdOptions { lr: 0.1, ..Default::default() };
/// let mut opt = Sgd::from_parameters([Parameter::new([0.0])], options)?;
/// let plateau = ReduceLrOnPlateauOptions { patience: 1, factor: 0.5, ..Default::default() };
/// let mut sched = ReduceLrOnPlateau::new(&mut opt, plateau)?;
/// let mut lrs = vec![];
/// for metric in [1.0, 0.9, 0.9, 0.9, 0.8] {
///     opt.step()?;
///     sched.step(metric, &mut opt);
///     lrs.push(opt.lrs()[0]);
/// }
/// assert_eq!(lrs, [0.1, 0.1, 0.1, 0.05, 0.05]);
/// # Ok::<(), gradus_optim::OptimError>(())
/// ```
/// It has no `step` without a metric, and is no [`crate::LrScheduler`]:
/// ```compile_fail
/// # use gradus_optim::*;
/// fn step(sched: &mut ReduceLrOnPlateau, opt: &mut dyn Optimizer) { sched.step(opt) }
/// ```
/// ```
/// # use gradus_optim::*;
/// fn step(sched: &mut ReduceLrOnPlateau, opt: &mut dyn Optimizer) { sched.step(0.5, opt) }
/// ```
#[derive(Clone, Debug)]
pub struct ReduceLrOnPlateau {
    options: ReduceLrOnPlateauOptions,
    best: f64,
    bad_epochs: u64,
    cooldown_left: u64,
    last_epoch: u64,
    last_lr: Vec<f64>,
    /// The optimizer's counts of steps at the last call.
    seen: [u64; 2],
}

/// The options of [`ReduceLrOnPlateau`]; the defaults are PyTorch's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReduceLrOnPlateauOptions {
    /// Is the metric to fall or to rise?
    pub mode: PlateauMode,
    /// What the rate is multiplied by.
    pub factor: f64,
    /// How many epochs in a row may be bad.
    pub patience: u64,
    /// By how much a metric must be better.
    pub threshold: f64,
    /// Is that a part of the best one, or a number?
    pub threshold_mode: ThresholdMode,
    /// How many epochs after a change are not judged.
    pub cooldown: u64,
    /// No rate is made smaller than this.
    pub min_lr: PerGroup,
    /// A change by no more than this is not made.
    pub eps: f64,
}

/// Which metrics are better.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PlateauMode {
    /// Smaller ones, such as a loss.
    #[default]
    Min,
    /// Larger ones, such as an accuracy.
    Max,
}

/// How [`ReduceLrOnPlateauOptions::threshold`] is meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ThresholdMode {
    /// As a part of the best metric.
    #[default]
    Rel,
    /// As a number.
    Abs,
}

impl Default for ReduceLrOnPlateauOptions {
    fn default() -> Self {
        ReduceLrOnPlateauOptions {
            mode: PlateauMode::Min,
            factor: 0.1,
            patience: 10,
            threshold: 1e-4,
            threshold_mode: ThresholdMode::Rel,
            cooldown: 0,
            min_lr: 0.0.into(),
            eps: 1e-8,
        }
    }
}

impl ReduceLrOnPlateauOptions {
    fn check(&self, groups: usize) -> Result<(), OptimError> {
        in_range(NAME, "factor", self.factor, self.factor < 1.0, "factor < 1")?;
        in_range(NAME, "threshold", self.threshold, true, "a finite number")?;
        in_range(NAME, "eps", self.eps, true, "a finite number")?;
        self.min_lr.check(NAME, "min_lr", groups, |_| true, "a finite number")
    }
    fn worst(&self) -> f64 {
        match self.mode {
            PlateauMode::Min => f64::INFINITY,
            PlateauMode::Max => f64::NEG_INFINITY,
        }
    }
    fn is_better(&self, metric: f64, best: f64) -> bool {
        let threshold = self.threshold;
        match (self.mode, self.threshold_mode) {
            (PlateauMode::Min, ThresholdMode::Rel) => metric < best * (1.0 - threshold),
            (PlateauMode::Min, ThresholdMode::Abs) => metric < best - threshold,
            (PlateauMode::Max, ThresholdMode::Rel) => metric > best * (threshold + 1.0),
            (PlateauMode::Max, ThresholdMode::Abs) => metric > best + threshold,
        }
    }
}

impl ReduceLrOnPlateau {
    /// For the rates the optimizer has now; it changes none yet.
    ///
    /// # Errors
    /// If an option is out of range.
    pub fn new(
        opt: &mut dyn Optimizer,
        options: ReduceLrOnPlateauOptions,
    ) -> Result<Self, OptimError> {
        let last_lr = opt.lrs();
        options.check(last_lr.len())?;
        let (best, seen) = (options.worst(), opt.steps());
        let (bad_epochs, cooldown_left, last_epoch) = (0, 0, 0);
        Ok(ReduceLrOnPlateau {
            options,
            best,
            bad_epochs,
            cooldown_left,
            last_epoch,
            last_lr,
            seen,
        })
    }
    /// Judges a metric, and makes the rates smaller if it is time; call it after the optimizer's steps.
    pub fn step(&mut self, metric: f64, opt: &mut dyn Optimizer) {
        if only_skipped(&mut self.seen, opt) {
            return;
        }
        self.last_epoch += 1;
        if self.options.is_better(metric, self.best) {
            (self.best, self.bad_epochs) = (metric, 0);
        } else {
            self.bad_epochs += 1;
        }
        if self.cooldown_left > 0 {
            self.cooldown_left -= 1;
            self.bad_epochs = 0;
        }
        if self.bad_epochs > self.options.patience {
            self.reduce(opt);
            (self.cooldown_left, self.bad_epochs) = (self.options.cooldown, 0);
        }
        self.last_lr = opt.lrs();
    }
    fn reduce(&self, opt: &mut dyn Optimizer) {
        for (group, lr) in opt.lrs().into_iter().enumerate() {
            let new = (lr * self.options.factor).max(self.options.min_lr.get(group));
            if lr - new > self.options.eps {
                opt.set_lr(group, new);
            }
        }
    }
    /// The options.
    pub fn options(&self) -> &ReduceLrOnPlateauOptions {
        &self.options
    }
    /// The best metric so far; infinite before the first.
    pub fn best(&self) -> f64 {
        self.best
    }
    /// How many metrics were judged.
    pub fn last_epoch(&self) -> u64 {
        self.last_epoch
    }
    /// The rates after the last step.
    pub fn get_last_lr(&self) -> &[f64] {
        &self.last_lr
    }
    /// Everything that the next step depends on, except the rates: the optimizer saves those.
    pub fn state_dict(&self) -> StateDict {
        let mut dict = StateDict::default();
        dict.insert("scheduler", Value::from(NAME));
        dict.insert("options", to_json(&self.options));
        // JSON has no infinity.
        let best =
            if self.best.is_finite() { json!(self.best) } else { self.best.to_string().into() };
        dict.insert("best", best);
        dict.insert("num_bad_epochs", json!(self.bad_epochs));
        dict.insert("cooldown_counter", json!(self.cooldown_left));
        dict.insert("last_epoch", json!(self.last_epoch));
        dict.insert("last_lr", json!(self.last_lr));
        dict.insert("seen", json!(self.seen));
        dict
    }
    /// Back to such a state, all or nothing; the options become the saved ones, as in PyTorch.
    ///
    /// # Errors
    /// If it is not the state of such a scheduler, or of another number of groups.
    pub fn load_state_dict(&mut self, state: &StateDict) -> Result<(), OptimError> {
        check_name(state, NAME)?;
        let options: ReduceLrOnPlateauOptions = read(state, "options")?;
        options.check(self.last_lr.len())?;
        let best: Value = read(state, "best")?;
        let best = match best.as_str() {
            Some("inf") => Some(f64::INFINITY),
            Some("-inf") => Some(f64::NEG_INFINITY),
            _ => best.as_f64(),
        };
        let best = best.ok_or_else(|| OptimError::Malformed("best is no number".to_owned()))?;
        let last_lr: Vec<f64> = read(state, "last_lr")?;
        if last_lr.len() != self.last_lr.len() {
            return Err(OptimError::Malformed(format!("last_lr of {} groups", last_lr.len())));
        }
        let (bad_epochs, cooldown_left) =
            (read(state, "num_bad_epochs")?, read(state, "cooldown_counter")?);
        let (last_epoch, seen) = (read(state, "last_epoch")?, read(state, "seen")?);
        *self = ReduceLrOnPlateau {
            options,
            best,
            bad_epochs,
            cooldown_left,
            last_epoch,
            last_lr,
            seen,
        };
        Ok(())
    }
}
