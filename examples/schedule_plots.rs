//! The pictures of the chapter on schedules, one file for each schedule.
//!
//! `cargo run --release --example schedule_plots` writes them; `-- --help` lists the options.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "an example talks to its reader")]

use gradus::optim::{CyclicMode, Decay, OptimError, Plot, Schedule};
use gradus::prelude::*;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const HELP: &str = "\
Draw every learning-rate schedule as an SVG file.

usage: schedule_plots [options]

  --out FOLDER   where the files go (default docs/images/schedules)
  --quick        nothing is left out: drawing takes less than a second
  --help         this text

The last line is `N pictures in FOLDER`.";

/// The rate of the optimizer before the schedule acts.
const LR: f64 = 0.1;
/// Steps (or epochs) of a picture.
const STEPS: u64 = 100;

/// A file name, and what is on the picture.
type Picture = (&'static str, Plot);

/// The rates of one schedule.
fn curve(schedule: impl Schedule) -> Result<Vec<(f64, f64)>, OptimError> {
    Ok(schedule.plot(LR, STEPS)?.points(0).to_vec())
}

fn picture(title: &str) -> Plot {
    Plot::new(title, "step", "learning rate")
}

/// One schedule, one line.
fn single(file: &'static str, schedule: impl Schedule) -> Result<Picture, OptimError> {
    Ok((file, schedule.plot(LR, STEPS)?))
}

/// Schedules that multiply what they find.
fn decays() -> Result<Vec<Picture>, OptimError> {
    let power = |power| PolynomialLrOptions { total_iters: 80, power };
    Ok(vec![
        single("step_lr", StepLrOptions { step_size: 30, gamma: 0.3 })?,
        single("multi_step_lr", MultiStepLrOptions { milestones: vec![50, 75, 90], gamma: 0.3 })?,
        single("exponential_lr", ExponentialLrOptions { gamma: 0.97 })?,
        single("constant_lr", ConstantLrOptions { factor: 0.25, total_iters: 20 })?,
        single(
            "linear_lr",
            LinearLrOptions { start_factor: 0.1, total_iters: 20, end_factor: 1.0 },
        )?,
        single("warmup_lr", WarmupLrOptions { warmup_steps: 20, start_factor: 0.0 })?,
        single("lambda_lr", LambdaLrOptions::new(|e| 1.0 / (1.0 + 0.1 * e as f64)))?,
        single(
            "multiplicative_lr",
            MultiplicativeLrOptions::new(|e| 1.0 - 0.5 / (e as f64 + 1.0)),
        )?,
        (
            "polynomial_lr",
            picture("PolynomialLR")
                .line("power 0.5", curve(power(0.5))?)
                .line("power 1", curve(power(1.0))?)
                .line("power 2", curve(power(2.0))?),
        ),
    ])
}

/// Schedules that compute the rate from the step.
fn curves() -> Result<Vec<Picture>, OptimError> {
    let cyclic = |mode, gamma| CyclicLrOptions {
        step_size_up: 15,
        mode,
        gamma,
        ..CyclicLrOptions::new(0.01, LR)
    };
    let one_cycle = OneCycleLrOptions::new(LR, STEPS);
    let three = OneCycleLrOptions {
        anneal_strategy: Anneal::Linear,
        three_phase: true,
        ..one_cycle.clone()
    };
    let stable = |decay| WarmupStableDecayLrOptions {
        warmup_steps: 10,
        stable_steps: 50,
        decay_steps: 30,
        min_factor: 0.05,
        decay,
    };
    let restarts = CosineAnnealingWarmRestartsOptions { t_0: 14, t_mult: 2, eta_min: 0.0 };
    Ok(vec![
        single("cosine_annealing_lr", CosineAnnealingLrOptions { t_max: 60, eta_min: 0.005 })?,
        single("cosine_annealing_warm_restarts", restarts)?,
        (
            "cyclic_lr",
            picture("CyclicLR")
                .line("triangular", curve(cyclic(CyclicMode::Triangular, 1.0))?)
                .line("triangular2", curve(cyclic(CyclicMode::Triangular2, 1.0))?)
                .line("exp_range, γ 0.98", curve(cyclic(CyclicMode::ExpRange, 0.98))?),
        ),
        (
            "one_cycle_lr",
            picture("OneCycleLR")
                .line("cosine", curve(one_cycle)?)
                .line("linear, three phases", curve(three)?),
        ),
        single("noam_lr", NoamLrOptions { d_model: 64, warmup_steps: 20 })?,
        (
            "warmup_stable_decay_lr",
            picture("WarmupStableDecayLR")
                .line("linear", curve(stable(Decay::Linear))?)
                .line("1 − √t", curve(stable(Decay::Sqrt))?)
                .line("cosine", curve(stable(Decay::Cos))?),
        ),
    ])
}

/// Schedules made of others, and the one that is told a metric.
fn compositions() -> Result<Vec<Picture>, OptimError> {
    let warm_up = || WarmupLrOptions { warmup_steps: 15, start_factor: 0.0 };
    let cosine = CosineAnnealingLrOptions { t_max: 85, eta_min: 0.0 };
    let sequence = SequentialLrOptions::new(warm_up()).then(15, cosine);
    let chain = ChainedSchedulerOptions::new(warm_up()).and(ExponentialLrOptions { gamma: 0.97 });
    let swa = SwaLrOptions { swa_lr: 0.02.into(), anneal_epochs: 20, anneal_strategy: Anneal::Cos };
    Ok(vec![
        single("sequential_lr", sequence)?,
        single("chained_scheduler", chain)?,
        single("swa_lr", swa)?,
        ("reduce_lr_on_plateau", plateau()?),
    ])
}

/// A loss that falls until step 30, and the rate that follows it.
fn plateau() -> Result<Plot, OptimError> {
    let options = SgdOptions { lr: LR, ..Default::default() };
    let mut opt = Sgd::from_parameters([Parameter::new([0.0])], options)?;
    let options = ReduceLrOnPlateauOptions { factor: 0.5, patience: 10, ..Default::default() };
    let mut sched = ReduceLrOnPlateau::new(&mut opt, options)?;
    let (mut lrs, mut metrics) = (Vec::new(), Vec::new());
    for step in 0..STEPS {
        let metric = LR * 0.95_f64.powf(step.min(30) as f64);
        lrs.push((step as f64, opt.lrs()[0]));
        metrics.push((step as f64, metric));
        sched.step(metric, &mut opt);
    }
    Ok(picture("ReduceLROnPlateau").line("learning rate", lrs).line("metric", metrics))
}

fn run(folder: &Path) -> gradus::Result<()> {
    std::fs::create_dir_all(folder).map_err(gradus::Error::Io)?;
    let pictures = [decays()?, curves()?, compositions()?].concat();
    for (name, plot) in &pictures {
        let file = folder.join(format!("{name}.svg"));
        std::fs::write(file, plot.svg()).map_err(gradus::Error::Io)?;
    }
    println!("{} pictures in {}", pictures.len(), folder.display());
    Ok(())
}

fn parse() -> Result<Option<PathBuf>, lexopt::Error> {
    use lexopt::prelude::*;
    let mut folder = PathBuf::from("docs/images/schedules");
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("out") => folder = parser.value()?.into(),
            Long("quick") => {}
            Long("help") | Short('h') => return Ok(None),
            other => return Err(other.unexpected()),
        }
    }
    Ok(Some(folder))
}

fn main() -> ExitCode {
    gradus_examples::start("schedule_plots", HELP, parse(), |folder| run(folder))
}
