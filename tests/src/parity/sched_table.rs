//! PyTorch's schedules and what they are called here: a line each.

use super::attrs::Attrs;
use super::miss::{Miss, failed, unsupported};
use gradus_optim::{
    CosineAnnealingLrOptions, Optimizer, Schedule, Scheduler, StateDict, StepLrOptions,
};
use serde_json::Value;

type Start = fn(&mut dyn Optimizer, &mut Attrs) -> Result<Box<dyn AnySchedule>, Miss>;

/// A schedule of any kind, from its arguments.
const SCHEDULES: &[(&str, Start)] = &[
    ("CosineAnnealingLR", |opt, a| {
        let (t_max, eta_min) = (a.need_size("T_max")? as u64, a.float("eta_min", 0.0)?);
        start(opt, a, CosineAnnealingLrOptions { t_max, eta_min })
    }),
    ("StepLR", |opt, a| {
        let (step_size, gamma) = (a.need_size("step_size")? as u64, a.float("gamma", 0.1)?);
        start(opt, a, StepLrOptions { step_size, gamma })
    }),
];

/// What every schedule can do.
pub(super) trait AnySchedule {
    /// One step; `drive` is the epoch or the metric it is given.
    fn step(&mut self, opt: &mut dyn Optimizer, drive: Option<f64>) -> Result<(), Miss>;
    fn save(&self) -> StateDict;
    fn load(&mut self, state: &StateDict) -> Result<(), Miss>;
}

impl<S: Schedule> AnySchedule for Scheduler<S> {
    fn step(&mut self, opt: &mut dyn Optimizer, drive: Option<f64>) -> Result<(), Miss> {
        match drive {
            None => Scheduler::step(self, opt),
            Some(epoch) if epoch >= 0.0 && epoch.fract() == 0.0 => self.step_to(opt, epoch as u64),
            Some(epoch) if epoch < 0.0 => return Err(Miss::Refused("no negative epochs".into())),
            Some(epoch) => return unsupported(format!("no epoch {epoch} of {}", S::NAME)),
        }
        Ok(())
    }
    fn save(&self) -> StateDict {
        self.state_dict()
    }
    fn load(&mut self, state: &StateDict) -> Result<(), Miss> {
        Ok(self.load_state_dict(state)?)
    }
}

/// The schedule that PyTorch describes as `{type, args}`.
pub(super) fn schedule(
    spec: &Value,
    opt: &mut dyn Optimizer,
) -> Result<Box<dyn AnySchedule>, Miss> {
    let Some(name) = spec["type"].as_str() else {
        return failed("the scheduler has no type");
    };
    let Some((_, start)) = SCHEDULES.iter().find(|(n, _)| *n == name) else {
        return unsupported(format!("no scheduler \"{name}\""));
    };
    if !spec["schedulers"].is_null() {
        return unsupported(format!("no inner schedulers of {name}"));
    }
    let mut attrs = Attrs::new(name, &spec["args"]);
    let new = start(opt, &mut attrs)?;
    attrs.done()?;
    Ok(new)
}

/// At the beginning, or after the epoch `last_epoch` of an earlier run.
fn start<S: Schedule + 'static>(
    opt: &mut dyn Optimizer,
    attrs: &mut Attrs,
    options: S,
) -> Result<Box<dyn AnySchedule>, Miss> {
    let scheduler = match u64::try_from(attrs.int_or("last_epoch", -1)?) {
        Ok(last_epoch) => Scheduler::resume(opt, options, last_epoch)?,
        Err(_) => Scheduler::new(opt, options)?,
    };
    Ok(Box::new(scheduler))
}
