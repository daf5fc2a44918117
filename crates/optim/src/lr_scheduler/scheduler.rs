//! What every schedule shares: construction, steps, state.

use crate::error::{Mismatch, OptimError};
use crate::load::from_json;
use crate::{Entry, Optimizer, StateDict};
use serde_json::{Value, json};

/// The arithmetic of a schedule, implemented by its options.
pub trait Schedule {
    /// PyTorch's name of the scheduler.
    const NAME: &'static str;
    /// Are all options in range?
    ///
    /// # Errors
    /// [`OptimError::Option`], naming the option, its value and what is allowed.
    fn check(&self) -> Result<(), OptimError>;
    /// The rate at an epoch, from the one before: a rate set by hand is kept where the formula allows.
    fn rate(&self, at: At) -> f64;
    /// The rate at an epoch from the first rate alone, if there is such a formula.
    fn closed_form(&self, epoch: u64, base: f64) -> Option<f64> {
        let _ = (epoch, base);
        None
    }
    /// The options as JSON; `Null` if they cannot be saved (closures).
    fn save(&self) -> Value;
    /// Takes saved options over.
    ///
    /// # Errors
    /// If they are not those of such a schedule.
    fn load(&mut self, saved: &Value) -> Result<(), OptimError>;
}

/// Where a schedule stands, for one group.
#[derive(Clone, Copy, Debug)]
pub struct At {
    /// The number of the group.
    pub group: usize,
    /// The epoch (or step) whose rate is asked for; 0 is the first.
    pub epoch: u64,
    /// The rate the group has.
    pub lr: f64,
    /// The rate the group began with.
    pub base: f64,
    /// Is this the step that construction takes?
    pub initial: bool,
}

/// A [`Schedule`] at some epoch.
///
/// It holds no optimizer: [`Scheduler::step`] writes the learning rates of the one it is given. The
/// rates of epoch 0 are written on construction. Call it after the optimizer's step; if every step of
/// the optimizer since the last call was skipped, it stays where it is.
#[derive(Clone, Debug)]
pub struct Scheduler<S> {
    schedule: S,
    last_epoch: u64,
    base_lrs: Vec<f64>,
    last_lr: Vec<f64>,
    /// The optimizer's counts of steps at the last call.
    seen: [u64; 2],
}

impl<S: Schedule> Scheduler<S> {
    /// From the rates the optimizer has now; they become its initial rates, unless an earlier schedule
    /// has set those.
    ///
    /// # Errors
    /// If an option is out of range.
    pub fn new(opt: &mut dyn Optimizer, schedule: S) -> Result<Self, OptimError> {
        schedule.check()?;
        for (group, lr) in opt.lrs().into_iter().enumerate() {
            if opt.initial_lrs()[group].is_none() {
                opt.set_initial_lr(group, lr);
            }
        }
        Self::start(opt, schedule, 0)
    }
    /// Goes on after epoch `last_epoch` of an earlier run, whose initial rates the optimizer has.
    ///
    /// [`Scheduler::load_state_dict`] goes on from a saved state instead, to the bit.
    ///
    /// # Errors
    /// If an option is out of range, or a group has no initial rate.
    ///
    /// # PyTorch
    /// The argument `last_epoch` of every scheduler.
    pub fn resume(
        opt: &mut dyn Optimizer,
        schedule: S,
        last_epoch: u64,
    ) -> Result<Self, OptimError> {
        schedule.check()?;
        Self::start(opt, schedule, last_epoch + 1)
    }
    fn start(opt: &mut dyn Optimizer, schedule: S, epoch: u64) -> Result<Self, OptimError> {
        let initial = opt.initial_lrs().into_iter().enumerate();
        let base_lrs = initial.map(|(i, lr)| lr.ok_or(OptimError::NoInitialLr(i)));
        let base_lrs = base_lrs.collect::<Result<Vec<_>, _>>()?;
        let (last_lr, seen) = (Vec::new(), opt.steps());
        let mut new = Scheduler { schedule, last_epoch: epoch, base_lrs, last_lr, seen };
        new.write(opt, |schedule, at| schedule.rate(At { initial: true, ..at }));
        Ok(new)
    }
    /// Writes the next rate of every group, unless every step of the optimizer since the last call was
    /// skipped.
    pub fn step(&mut self, opt: &mut dyn Optimizer) {
        let [applied, skipped] = opt.steps();
        let only_skipped = applied == self.seen[0] && skipped > self.seen[1];
        self.seen = [applied, skipped];
        if only_skipped {
            return;
        }
        self.last_epoch += 1;
        self.write(opt, S::rate);
    }
    /// Goes to any epoch, by the closed form if there is one.
    ///
    /// # PyTorch
    /// `scheduler.step(epoch)`
    pub fn step_to(&mut self, opt: &mut dyn Optimizer, epoch: u64) {
        self.seen = opt.steps();
        self.last_epoch = epoch;
        self.write(opt, |schedule, at| {
            schedule.closed_form(at.epoch, at.base).unwrap_or_else(|| schedule.rate(at))
        });
    }
    fn write(&mut self, opt: &mut dyn Optimizer, rate: impl Fn(&S, At) -> f64) {
        let lrs = opt.lrs();
        for (group, &lr) in lrs.iter().enumerate() {
            if group == self.base_lrs.len() {
                // A group that joined after construction begins now.
                self.base_lrs.push(opt.initial_lrs()[group].unwrap_or(lr));
            }
            let (epoch, base) = (self.last_epoch, self.base_lrs[group]);
            let at = At { group, epoch, lr, base, initial: false };
            opt.set_lr(group, rate(&self.schedule, at));
        }
        self.last_lr = opt.lrs();
    }
    /// The options.
    pub fn schedule(&self) -> &S {
        &self.schedule
    }
    /// The epoch whose rates were written last; 0 after construction.
    pub fn last_epoch(&self) -> u64 {
        self.last_epoch
    }
    /// The rate every group began with.
    pub fn base_lrs(&self) -> &[f64] {
        &self.base_lrs
    }
    /// The rates that were written last.
    pub fn get_last_lr(&self) -> &[f64] {
        &self.last_lr
    }
    /// Everything that the next step depends on, except the rates: the optimizer saves those.
    pub fn state_dict(&self) -> StateDict {
        let mut dict = StateDict::default();
        dict.insert("scheduler", Value::from(S::NAME));
        dict.insert("options", self.schedule.save());
        dict.insert("last_epoch", json!(self.last_epoch));
        dict.insert("base_lrs", json!(self.base_lrs));
        dict.insert("last_lr", json!(self.last_lr));
        dict.insert("seen", json!(self.seen));
        dict
    }
    /// Back to such a state, all or nothing; the options become the saved ones, as in PyTorch. The
    /// optimizer is not touched.
    ///
    /// # Errors
    /// If it is the state of another schedule, or of another number of groups.
    pub fn load_state_dict(&mut self, state: &StateDict) -> Result<(), OptimError> {
        let get = |key: &str| match state.get(key) {
            Some(Entry::Value(value)) => Ok(value),
            Some(Entry::Array(_)) => Err(OptimError::Malformed(format!("{key} is an array"))),
            None => Err(OptimError::Malformed(format!("{key} is missing"))),
        };
        let name: String = from_json("scheduler", get("scheduler")?)?;
        let base_lrs: Vec<f64> = from_json("base_lrs", get("base_lrs")?)?;
        let last_lr = from_json("last_lr", get("last_lr")?)?;
        let last_epoch = from_json("last_epoch", get("last_epoch")?)?;
        let seen = from_json("seen", get("seen")?)?;
        let mut mismatch = Mismatch::default();
        if name != S::NAME {
            mismatch.different.push(format!("scheduler is {name}, not {}", S::NAME));
        }
        let (saved, now) = (base_lrs.len(), self.base_lrs.len());
        if saved != now {
            mismatch.different.push(format!("base_lrs of {saved} groups, not {now}"));
        }
        mismatch.check()?;
        self.schedule.load(get("options")?)?;
        (self.base_lrs, self.last_lr) = (base_lrs, last_lr);
        (self.last_epoch, self.seen) = (last_epoch, seen);
        Ok(())
    }
}
