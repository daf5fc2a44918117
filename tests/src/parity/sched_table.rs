//! PyTorch's schedules and what they are called here: a few lines each.

use super::attrs::{Attrs, number};
use super::miss::{Miss, failed, unsupported};
use gradus_optim::*;
use serde_json::Value;

type Make = fn(&mut Attrs, Inner) -> Result<Box<dyn Made>, Miss>;

/// The schedules that a schedule is made of.
type Inner = Vec<BoxedSchedule>;

/// A schedule of any kind, from its arguments.
const SCHEDULES: &[(&str, Make)] = &[
    ("ChainedScheduler", |_, inner| {
        let mut inner = inner.into_iter();
        let Some(first) = inner.next() else { return Err(Miss::Refused("none to chain".into())) };
        made(inner.fold(ChainedSchedulerOptions::new(first), ChainedSchedulerOptions::and))
    }),
    ("ConstantLR", |a, _| {
        let factor = a.float("factor", 1.0 / 3.0)?;
        made(ConstantLrOptions { factor, total_iters: a.count("total_iters", 5)? })
    }),
    ("CosineAnnealingLR", |a, _| {
        let (t_max, eta_min) = (a.need_size("T_max")? as u64, a.float("eta_min", 0.0)?);
        made(CosineAnnealingLrOptions { t_max, eta_min })
    }),
    ("CosineAnnealingWarmRestarts", |a, _| {
        let (t_0, t_mult) = (a.need_size("T_0")? as u64, a.count("T_mult", 1)?);
        let eta_min = a.float("eta_min", 0.0)?;
        made(CosineAnnealingWarmRestartsOptions { t_0, t_mult, eta_min })
    }),
    ("CyclicLR", |a, _| made(cyclic(a)?)),
    ("ExponentialLR", |a, _| {
        made(ExponentialLrOptions { gamma: a.need_scalar("gamma")?.to_f64() })
    }),
    ("LambdaLR", |a, _| {
        let mut functions = functions(a)?;
        match functions.len() {
            1 => {
                let f = functions.remove(0);
                made(LambdaLrOptions::new(move |e| f(e as f64)))
            }
            _ => made(LambdaLrOptions::each(functions.into_iter().map(counting).collect())),
        }
    }),
    ("LinearLR", |a, _| {
        let start_factor = a.float("start_factor", 1.0 / 3.0)?;
        let end_factor = a.float("end_factor", 1.0)?;
        made(LinearLrOptions { start_factor, end_factor, total_iters: a.count("total_iters", 5)? })
    }),
    ("MultiStepLR", |a, _| {
        let milestones = a.counts("milestones")?;
        made(MultiStepLrOptions { milestones, gamma: a.float("gamma", 0.1)? })
    }),
    ("MultiplicativeLR", |a, _| {
        let mut functions = functions(a)?;
        match functions.len() {
            1 => {
                let f = functions.remove(0);
                made(MultiplicativeLrOptions::new(move |e| f(e as f64)))
            }
            _ => made(MultiplicativeLrOptions::each(functions.into_iter().map(counting).collect())),
        }
    }),
    ("NoamLR", |a, _| {
        let (d_model, warmup_steps) = (a.count("d_model", 1)?, a.count("warmup_steps", 1)?);
        made(NoamLrOptions { d_model, warmup_steps })
    }),
    ("OneCycleLR", |a, _| made(one_cycle(a)?)),
    ("PolynomialLR", |a, _| {
        let power = a.float("power", 1.0)?;
        made(PolynomialLrOptions { total_iters: a.count("total_iters", 5)?, power })
    }),
    ("SequentialLR", |a, inner| made(sequential(a, inner)?)),
    ("StepLR", |a, _| {
        let (step_size, gamma) = (a.need_size("step_size")? as u64, a.float("gamma", 0.1)?);
        made(StepLrOptions { step_size, gamma })
    }),
    ("SWALR", |a, _| {
        let swa_lr = a.need_per_group("swa_lr")?;
        let (anneal_epochs, anneal_strategy) = (a.count("anneal_epochs", 10)?, anneal(a)?);
        made(SwaLrOptions { swa_lr, anneal_epochs, anneal_strategy })
    }),
    ("WarmupLR", |a, _| {
        let start_factor = a.float("start_factor", 0.0)?;
        made(WarmupLrOptions { warmup_steps: a.count("warmup_steps", 0)?, start_factor })
    }),
    ("WarmupStableDecayLR", |a, _| made(warmup_stable_decay(a)?)),
];

fn made(options: impl Schedule) -> Result<Box<dyn Made>, Miss> {
    Ok(Box::new(options))
}

type Function = Box<dyn Fn(f64) -> f64 + Send + Sync>;

fn counting(f: Function) -> Box<dyn Fn(u64) -> f64 + Send + Sync> {
    Box::new(move |e| f(e as f64))
}

/// A function of the manifest's `lambdas`.
fn function(spec: &Value) -> Result<Function, Miss> {
    let get = |key: &str| {
        let v = number(&spec[key]);
        v.ok_or_else(|| Miss::Failed(format!("the function {spec} has no {key}")))
    };
    Ok(match spec["kind"].as_str().unwrap_or("?") {
        "pow" => {
            let base = get("base")?;
            Box::new(move |e| base.powf(e))
        }
        "inv" => {
            let k = get("k")?;
            Box::new(move |e| 1.0 / (1.0 + k * e))
        }
        "warmup" => {
            let n = get("n")?;
            Box::new(move |e| ((e + 1.0) / n).min(1.0))
        }
        "const" => {
            let value = get("value")?;
            Box::new(move |_| value)
        }
        "floordiv" => {
            let (base, n) = (get("base")?, get("n")?);
            Box::new(move |e| base.powf((e / n).floor()))
        }
        "noam" => {
            let warm = get("warm")?;
            Box::new(move |e| (e + 1.0).powf(-0.5).min((e + 1.0) * warm.powf(-1.5)))
        }
        "mod" => {
            let (n, a, b) = (get("n")?, get("a")?, get("b")?);
            Box::new(move |e| if e % n == 0.0 { a } else { b })
        }
        other => return unsupported(format!("no function \"{other}\"")),
    })
}

/// One function, or one for each group.
fn functions(a: &mut Attrs) -> Result<Vec<Function>, Miss> {
    match a.json("lr_lambda") {
        Some(Value::Array(all)) => all.iter().map(function).collect(),
        Some(one) => Ok(vec![function(&one)?]),
        None => failed("the schedule has no lr_lambda"),
    }
}

fn anneal(a: &mut Attrs) -> Result<Anneal, Miss> {
    match a.text("anneal_strategy")?.as_deref() {
        None | Some("cos") => Ok(Anneal::Cos),
        Some("linear") => Ok(Anneal::Linear),
        Some(other) => Err(Miss::Refused(format!("no anneal_strategy {other}"))),
    }
}

fn cyclic(a: &mut Attrs) -> Result<CyclicLrOptions, Miss> {
    let base = CyclicLrOptions::new(a.need_per_group("base_lr")?, a.need_per_group("max_lr")?);
    let mode = match a.text("mode")?.as_deref() {
        None | Some("triangular") => CyclicMode::Triangular,
        Some("triangular2") => CyclicMode::Triangular2,
        Some("exp_range") => CyclicMode::ExpRange,
        Some(other) => return Err(Miss::Refused(format!("no mode {other}"))),
    };
    let scale_mode = match a.text("scale_mode")?.as_deref() {
        None | Some("cycle") => ScaleMode::Cycle,
        Some("iterations") => ScaleMode::Iterations,
        Some(other) => return unsupported(format!("no scale_mode {other}")),
    };
    let scale_fn = a.json("scale_fn").map(|spec| function(&spec)).transpose()?;
    Ok(CyclicLrOptions {
        step_size_up: a.count("step_size_up", base.step_size_up)?,
        step_size_down: a.optional_count("step_size_down")?,
        mode,
        gamma: a.float("gamma", base.gamma)?,
        scale_fn: scale_fn.map(ScaleFn::new),
        scale_mode,
        cycle_momentum: a.flag("cycle_momentum", base.cycle_momentum)?,
        base_momentum: a.per_group("base_momentum", base.base_momentum)?,
        max_momentum: a.per_group("max_momentum", base.max_momentum)?,
        base_lr: base.base_lr,
        max_lr: base.max_lr,
    })
}

fn warmup_stable_decay(a: &mut Attrs) -> Result<WarmupStableDecayLrOptions, Miss> {
    let decay = match a.text("decay")?.as_deref() {
        Some("linear") => Decay::Linear,
        Some("sqrt") => Decay::Sqrt,
        Some("cos") => Decay::Cos,
        other => return unsupported(format!("no decay {other:?}")),
    };
    Ok(WarmupStableDecayLrOptions {
        warmup_steps: a.count("warmup_steps", 0)?,
        stable_steps: a.count("stable_steps", 0)?,
        decay_steps: a.count("decay_steps", 0)?,
        min_factor: a.float("min_factor", 0.0)?,
        decay,
    })
}

/// Past its end it does what PyTorch's does.
fn one_cycle(a: &mut Attrs) -> Result<OneCycleLrOptions, Miss> {
    let (epochs, each) = (a.optional_count("epochs")?, a.optional_count("steps_per_epoch")?);
    let total = a.optional_count("total_steps")?.or(epochs.zip(each).map(|(n, m)| n * m));
    let Some(total) = total else { return Err(Miss::Refused("no total_steps".into())) };
    let base = OneCycleLrOptions::new(a.need_per_group("max_lr")?, total);
    Ok(OneCycleLrOptions {
        pct_start: a.float("pct_start", base.pct_start)?,
        anneal_strategy: anneal(a)?,
        cycle_momentum: a.flag("cycle_momentum", base.cycle_momentum)?,
        base_momentum: a.per_group("base_momentum", base.base_momentum)?,
        max_momentum: a.per_group("max_momentum", base.max_momentum)?,
        div_factor: a.float("div_factor", base.div_factor)?,
        final_div_factor: a.float("final_div_factor", base.final_div_factor)?,
        three_phase: a.flag("three_phase", base.three_phase)?,
        past_end: PastEnd::Leave,
        ..OneCycleLrOptions::new(base.max_lr, total)
    })
}

/// A milestone of 0 leaves the schedules before it out, which is what PyTorch does with it.
fn sequential(a: &mut Attrs, inner: Inner) -> Result<SequentialLrOptions, Miss> {
    let milestones = a.counts("milestones")?;
    if milestones.len() + 1 != inner.len() {
        return Err(Miss::Refused(format!("{} milestones", milestones.len())));
    }
    let skipped = milestones.iter().filter(|m| **m == 0).count();
    let mut inner = inner.into_iter().skip(skipped);
    let Some(first) = inner.next() else { return Err(Miss::Refused("no schedule".into())) };
    let pairs = milestones.into_iter().skip(skipped).zip(inner);
    Ok(pairs.fold(SequentialLrOptions::new(first), |all, (m, next)| all.then(m, next)))
}

/// A scheduler without its first step: alone, or inside another.
trait Made {
    fn start(
        self: Box<Self>,
        opt: &mut dyn Optimizer,
        last_epoch: Option<u64>,
    ) -> Result<Box<dyn AnySchedule>, Miss>;
    fn boxed(self: Box<Self>) -> BoxedSchedule;
}

impl<S: Schedule> Made for S {
    /// At the beginning, or after the epoch `last_epoch` of an earlier run.
    fn start(
        self: Box<Self>,
        opt: &mut dyn Optimizer,
        last_epoch: Option<u64>,
    ) -> Result<Box<dyn AnySchedule>, Miss> {
        Ok(Box::new(match last_epoch {
            Some(last_epoch) => Scheduler::resume(opt, *self, last_epoch)?,
            None => Scheduler::new(opt, *self)?,
        }))
    }
    fn boxed(self: Box<Self>) -> BoxedSchedule {
        (*self).into()
    }
}

/// What every scheduler can do.
pub(super) trait AnySchedule {
    /// One step; `drive` is the epoch or the metric it is given.
    fn step(&mut self, opt: &mut dyn Optimizer, drive: Option<f64>) -> Result<(), Miss>;
    fn save(&self) -> StateDict;
    fn load(&mut self, state: &StateDict) -> Result<(), Miss>;
}

impl<S: Schedule> AnySchedule for Scheduler<S> {
    fn step(&mut self, opt: &mut dyn Optimizer, drive: Option<f64>) -> Result<(), Miss> {
        match drive {
            None => LrScheduler::step(self, opt),
            Some(epoch) if epoch < 0.0 => return Err(Miss::Refused("no negative epochs".into())),
            Some(epoch) => self.step_to(opt, epoch),
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

impl AnySchedule for ReduceLrOnPlateau {
    fn step(&mut self, opt: &mut dyn Optimizer, drive: Option<f64>) -> Result<(), Miss> {
        let metric = drive.ok_or_else(|| Miss::Refused("no metric".into()))?;
        self.step(metric, opt);
        Ok(())
    }
    fn save(&self) -> StateDict {
        self.state_dict()
    }
    fn load(&mut self, state: &StateDict) -> Result<(), Miss> {
        Ok(self.load_state_dict(state)?)
    }
}

/// The scheduler that PyTorch describes as `{type, args[, schedulers]}`.
pub(super) fn schedule(
    spec: &Value,
    opt: &mut dyn Optimizer,
) -> Result<Box<dyn AnySchedule>, Miss> {
    if spec["type"] == "ReduceLROnPlateau" {
        let mut a = Attrs::new("ReduceLROnPlateau", &spec["args"]);
        let options = plateau(&mut a)?;
        a.done()?;
        return Ok(Box::new(ReduceLrOnPlateau::new(opt, options)?));
    }
    let (made, last_epoch) = make(spec)?;
    made.start(opt, last_epoch)
}

/// A schedule, and the epoch it goes on after.
fn make(spec: &Value) -> Result<(Box<dyn Made>, Option<u64>), Miss> {
    let Some(name) = spec["type"].as_str() else {
        return failed("the scheduler has no type");
    };
    let Some((_, make_one)) = SCHEDULES.iter().find(|(n, _)| *n == name) else {
        return unsupported(format!("no scheduler \"{name}\""));
    };
    let mut inner = Vec::new();
    for spec in spec["schedulers"].as_array().into_iter().flatten() {
        if spec["type"] == "ReduceLROnPlateau" {
            return Err(Miss::Refused("it cannot be stepped without a metric".into()));
        }
        match make(spec)? {
            (made, None) => inner.push(made.boxed()),
            (_, Some(_)) => return unsupported(format!("no last_epoch inside {name}")),
        }
    }
    let mut attrs = Attrs::new(name, &spec["args"]);
    let last_epoch = u64::try_from(attrs.int_or("last_epoch", -1)?).ok();
    let made = make_one(&mut attrs, inner)?;
    attrs.done()?;
    Ok((made, last_epoch))
}

fn plateau(a: &mut Attrs) -> Result<ReduceLrOnPlateauOptions, Miss> {
    let base = ReduceLrOnPlateauOptions::default();
    let mode = match a.text("mode")?.as_deref() {
        None | Some("min") => PlateauMode::Min,
        Some("max") => PlateauMode::Max,
        Some(other) => return Err(Miss::Refused(format!("no mode {other}"))),
    };
    let threshold_mode = match a.text("threshold_mode")?.as_deref() {
        None | Some("rel") => ThresholdMode::Rel,
        Some("abs") => ThresholdMode::Abs,
        Some(other) => return Err(Miss::Refused(format!("no threshold_mode {other}"))),
    };
    Ok(ReduceLrOnPlateauOptions {
        mode,
        factor: a.float("factor", base.factor)?,
        patience: a.count("patience", base.patience)?,
        threshold: a.float("threshold", base.threshold)?,
        threshold_mode,
        cooldown: a.count("cooldown", base.cooldown)?,
        min_lr: a.per_group("min_lr", base.min_lr)?,
        eps: a.float("eps", base.eps)?,
    })
}
