//! What every scheduler shares: construction, steps, state.

use super::{At, Schedule};
use crate::error::{Mismatch, OptimError};
use crate::load::from_json;
use crate::{Entry, Optimizer, Plot, Sgd, SgdOptions, StateDict};
use gradus_autodiff::Parameter;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// Any scheduler that needs no metric. Object safe.
///
/// [`crate::ReduceLrOnPlateau`] is none: it cannot be stepped without one.
pub trait LrScheduler {
    /// Writes the next rate of every group; call it after the optimizer's step.
    ///
    /// If every step of the optimizer since the last call was skipped, it stays where it is.
    fn step(&mut self, opt: &mut dyn Optimizer);
    /// Goes to any epoch, by the closed form if there is one. A fraction counts where the formula has a
    /// use for it.
    ///
    /// # Panics
    /// If `epoch` is negative, infinite or NaN.
    ///
    /// # PyTorch
    /// `scheduler.step(epoch)`
    fn step_to(&mut self, opt: &mut dyn Optimizer, epoch: f64);
    /// The epoch whose rates were written last; 0 after construction.
    fn last_epoch(&self) -> u64;
    /// The rate every group began with.
    fn base_lrs(&self) -> &[f64];
    /// The rates that were written last.
    fn get_last_lr(&self) -> &[f64];
    /// Everything that the next step depends on, except rates and momenta: the optimizer saves those.
    fn state_dict(&self) -> StateDict;
    /// Back to such a state, all or nothing; the options become the saved ones, as in PyTorch. The
    /// optimizer is not touched.
    ///
    /// # Errors
    /// If it is the state of another schedule, or of another number of groups.
    fn load_state_dict(&mut self, state: &StateDict) -> Result<(), OptimError>;
}

/// A [`Schedule`] at some epoch.
///
/// It holds no optimizer: [`LrScheduler::step`] writes the learning rates of the one it is given. The
/// rates of epoch 0 are written on construction.
#[derive(Clone, Debug)]
pub struct Scheduler<S> {
    schedule: S,
    /// The epoch; with a fraction if [`LrScheduler::step_to`] was given one.
    position: f64,
    calls: u64,
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
    /// If an option is out of range, or the schedule moves momenta and the optimizer has none.
    pub fn new(opt: &mut dyn Optimizer, schedule: S) -> Result<Self, OptimError> {
        let lrs = opt.lrs();
        schedule.check(lrs.len())?;
        let known = opt.initial_lrs().into_iter().zip(lrs).enumerate();
        let base = |(i, (known, lr)): (usize, (Option<f64>, f64))| {
            known.unwrap_or_else(|| schedule.start(i, lr))
        };
        let base_lrs: Vec<f64> = known.map(base).collect();
        let mut new = Self::at(opt, schedule, base_lrs, 0)?;
        for (i, &base) in new.base_lrs.iter().enumerate() {
            opt.set_initial_lr(i, new.schedule.rebase(i, base));
        }
        new.write(opt, true, S::rate);
        Ok(new)
    }
    /// Goes on after epoch `last_epoch` of an earlier run, whose initial rates the optimizer has.
    ///
    /// [`LrScheduler::load_state_dict`] goes on from a saved state instead, to the bit.
    ///
    /// # Errors
    /// As [`Scheduler::new`], and if a group has no initial rate.
    ///
    /// # PyTorch
    /// The argument `last_epoch` of every scheduler.
    pub fn resume(
        opt: &mut dyn Optimizer,
        schedule: S,
        last_epoch: u64,
    ) -> Result<Self, OptimError> {
        let initial = opt.initial_lrs();
        schedule.check(initial.len())?;
        let initial = initial.into_iter().enumerate();
        let base_lrs = initial.map(|(i, lr)| lr.ok_or(OptimError::NoInitialLr(i)));
        let base_lrs = base_lrs.collect::<Result<Vec<_>, _>>()?;
        let mut new = Self::at(opt, schedule, base_lrs, last_epoch + 1)?;
        new.write(opt, true, S::rate);
        Ok(new)
    }
    /// Before its first step; the optimizer is not touched.
    fn at(
        opt: &mut dyn Optimizer,
        schedule: S,
        base_lrs: Vec<f64>,
        epoch: u64,
    ) -> Result<Self, OptimError> {
        let (position, last_lr, seen) = (epoch as f64, opt.lrs(), opt.steps());
        let new = Scheduler { schedule, position, calls: 0, base_lrs, last_lr, seen };
        let moves =
            |(i, &lr): (usize, &f64)| new.schedule.momentum(new.here(i, lr, true)).is_some();
        let momenta = opt.momentums();
        let moved = opt.lrs().iter().enumerate().map(moves).collect::<Vec<_>>();
        if moved.iter().zip(&momenta).any(|(moved, momentum)| *moved && momentum.is_none()) {
            return Err(OptimError::NoMomentum(S::NAME));
        }
        Ok(new)
    }
    fn here(&self, group: usize, lr: f64, initial: bool) -> At {
        let (position, calls, base) = (self.position, self.calls, self.base_lrs[group]);
        At { group, epoch: position as u64, position, calls, lr, base, initial }
    }
    fn write(&mut self, opt: &mut dyn Optimizer, initial: bool, rate: impl Fn(&S, At) -> f64) {
        for (group, lr) in opt.lrs().into_iter().enumerate() {
            if group == self.base_lrs.len() {
                // A group that joined after construction begins now.
                self.base_lrs.push(opt.initial_lrs()[group].unwrap_or(lr));
            }
            let at = self.here(group, lr, initial);
            opt.set_lr(group, rate(&self.schedule, at));
            if let Some(momentum) = self.schedule.momentum(at) {
                opt.set_momentum(group, momentum);
            }
        }
        self.last_lr = opt.lrs();
    }
    /// The options.
    pub fn schedule(&self) -> &S {
        &self.schedule
    }
}

impl<S: Schedule> LrScheduler for Scheduler<S> {
    fn step(&mut self, opt: &mut dyn Optimizer) {
        if only_skipped(&mut self.seen, opt) {
            return;
        }
        self.position += 1.0;
        self.calls += 1;
        self.write(opt, false, S::rate);
    }
    fn step_to(&mut self, opt: &mut dyn Optimizer, epoch: f64) {
        assert!(epoch >= 0.0 && epoch.is_finite(), "step_to: the epoch {epoch} is no time");
        self.seen = opt.steps();
        self.position = epoch;
        self.calls += 1;
        self.write(opt, false, |schedule, at| {
            schedule.closed_form(at.position, at.base).unwrap_or_else(|| schedule.rate(at))
        });
    }
    fn last_epoch(&self) -> u64 {
        self.position as u64
    }
    fn base_lrs(&self) -> &[f64] {
        &self.base_lrs
    }
    fn get_last_lr(&self) -> &[f64] {
        &self.last_lr
    }
    fn state_dict(&self) -> StateDict {
        let mut dict = StateDict::default();
        dict.insert("scheduler", Value::from(S::NAME));
        dict.insert("options", self.schedule.save());
        dict.insert("last_epoch", json!(self.position));
        dict.insert("calls", json!(self.calls));
        dict.insert("base_lrs", json!(self.base_lrs));
        dict.insert("last_lr", json!(self.last_lr));
        dict.insert("seen", json!(self.seen));
        dict
    }
    fn load_state_dict(&mut self, state: &StateDict) -> Result<(), OptimError> {
        check_name(state, S::NAME)?;
        let base_lrs: Vec<f64> = read(state, "base_lrs")?;
        let (last_lr, calls, seen) =
            (read(state, "last_lr")?, read(state, "calls")?, read(state, "seen")?);
        let position: f64 = read(state, "last_epoch")?;
        if !(position >= 0.0 && position.is_finite()) {
            return Err(OptimError::Malformed(format!("last_epoch is {position}")));
        }
        let mut mismatch = Mismatch::default();
        let (saved, now) = (base_lrs.len(), self.base_lrs.len());
        if saved != now {
            mismatch.different.push(format!("base_lrs of {saved} groups, not {now}"));
        }
        mismatch.check()?;
        let schedule = self.schedule.load(value(state, "options")?)?;
        schedule.check(now)?;
        *self = Scheduler { schedule, position, calls, base_lrs, last_lr, seen };
        Ok(())
    }
}

/// See [`Schedule::plot`].
pub(super) fn plot(schedule: impl Schedule, lr: f64, steps: u64) -> Result<Plot, OptimError> {
    let options = SgdOptions { lr, momentum: 0.9, ..Default::default() };
    let mut opt = Sgd::from_parameters([Parameter::new([0.0])], options)?;
    let name = name_of(&schedule);
    let mut sched = Scheduler::new(&mut opt, schedule)?;
    let mut points = Vec::new();
    for step in 0..steps {
        points.push((step as f64, opt.lrs()[0]));
        sched.step(&mut opt);
    }
    Ok(Plot::new(name, "step", "learning rate").line("learning rate", points))
}

fn name_of<S: Schedule>(_: &S) -> &'static str {
    S::NAME
}

/// Was every step of the optimizer since the last call skipped?
pub(super) fn only_skipped(seen: &mut [u64; 2], opt: &dyn Optimizer) -> bool {
    let [applied, skipped] = opt.steps();
    let only_skipped = applied == seen[0] && skipped > seen[1];
    *seen = [applied, skipped];
    only_skipped
}

fn value<'a>(state: &'a StateDict, key: &str) -> Result<&'a Value, OptimError> {
    match state.get(key) {
        Some(Entry::Value(value)) => Ok(value),
        Some(Entry::Array(_)) => Err(OptimError::Malformed(format!("{key} is an array"))),
        None => Err(OptimError::Malformed(format!("{key} is missing"))),
    }
}

/// An entry of a saved scheduler.
pub(super) fn read<T: DeserializeOwned>(state: &StateDict, key: &str) -> Result<T, OptimError> {
    from_json(key, value(state, key)?)
}

/// Is it the state of such a scheduler?
pub(super) fn check_name(state: &StateDict, name: &str) -> Result<(), OptimError> {
    let saved: String = read(state, "scheduler")?;
    if saved == name {
        return Ok(());
    }
    let text = format!("scheduler is {saved}, not {name}");
    Mismatch { different: vec![text], ..Default::default() }.check()
}
