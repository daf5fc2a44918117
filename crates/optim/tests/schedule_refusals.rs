//! What PyTorch's schedulers refuse is refused on construction, and the message says which option, its
//! value, what is allowed; the ends of each range are accepted. The optimizer is not touched.
#![allow(clippy::unwrap_used, reason = "a test")]

use gradus_autodiff::Parameter;
use gradus_optim::*;

/// Two groups: values may be given for each.
fn optimizer() -> Sgd {
    let options = SgdOptions { lr: 0.1, momentum: 0.9, ..Default::default() };
    let mut opt = Sgd::from_parameters([Parameter::new([0.0])], options.clone()).unwrap();
    opt.add_group([("second".to_owned(), Parameter::new([0.0]))], options).unwrap();
    opt
}

/// `what` is `option = value`.
#[track_caller]
fn refused<S: Schedule>(schedule: S, what: &str) {
    let mut opt = optimizer();
    let text = Scheduler::new(&mut opt, schedule).err().unwrap().to_string();
    assert!(text.starts_with(&format!("{}: {what} is out of range: ", S::NAME)), "{text}");
    assert_eq!((opt.lrs(), opt.initial_lrs()), (vec![0.1, 0.1], vec![None, None]));
}

#[track_caller]
fn accepted<S: Schedule>(schedule: S) {
    Scheduler::new(&mut optimizer(), schedule).unwrap();
}

#[test]
fn b16_schedules_that_scale_the_rate_refuse_what_pytorchs_do() {
    for factor in [-0.1, 1.1] {
        refused(ConstantLrOptions { factor, total_iters: 5 }, &format!("factor = {factor}"));
    }
    accepted(ConstantLrOptions { factor: 1.0, total_iters: 0 });
    let line = LinearLrOptions::default;
    for start_factor in [0.0, -0.1, 1.1] {
        let what = format!("start_factor = {start_factor}");
        refused(LinearLrOptions { start_factor, ..line() }, &what);
    }
    for end_factor in [-0.1, 1.1] {
        let what = format!("end_factor = {end_factor}");
        refused(LinearLrOptions { end_factor, ..line() }, &what);
    }
    accepted(LinearLrOptions { start_factor: 1.0, end_factor: 0.0, ..line() });
    refused(ExponentialLrOptions { gamma: f64::NAN }, "gamma = NaN");
    accepted(ExponentialLrOptions { gamma: -2.0 });
    refused(MultiStepLrOptions { milestones: vec![1], gamma: f64::INFINITY }, "gamma = inf");
    accepted(MultiStepLrOptions { milestones: vec![], gamma: 0.1 });
    refused(PolynomialLrOptions { total_iters: 5, power: -1.0 }, "power = -1");
    refused(WarmupLrOptions { warmup_steps: 3, start_factor: 1.5 }, "start_factor = 1.5");
    refused(NoamLrOptions { d_model: 0, warmup_steps: 4 }, "d_model = 0");
    refused(NoamLrOptions { d_model: 16, warmup_steps: 0 }, "warmup_steps = 0");
    let decay = WarmupStableDecayLrOptions {
        warmup_steps: 1,
        stable_steps: 1,
        decay_steps: 1,
        min_factor: -0.5,
        decay: Decay::Cos,
    };
    refused(decay, "min_factor = -0.5");
    let three: Vec<Box<dyn Fn(u64) -> f64 + Send + Sync>> =
        vec![Box::new(|_| 1.0), Box::new(|_| 1.0), Box::new(|_| 1.0)];
    refused(MultiplicativeLrOptions::each(three), "lr_lambda = 3");
}

#[test]
fn b16_schedules_with_a_period_refuse_what_pytorchs_do() {
    refused(StepLrOptions { step_size: 0, gamma: 0.1 }, "step_size = 0");
    refused(CosineAnnealingLrOptions { t_max: 0, eta_min: 0.0 }, "t_max = 0");
    refused(CosineAnnealingLrOptions { t_max: 1, eta_min: f64::NAN }, "eta_min = NaN");
    let restarts = CosineAnnealingWarmRestartsOptions { t_0: 2, t_mult: 1, eta_min: 0.0 };
    refused(CosineAnnealingWarmRestartsOptions { t_0: 0, ..restarts.clone() }, "t_0 = 0");
    refused(CosineAnnealingWarmRestartsOptions { t_mult: 0, ..restarts.clone() }, "t_mult = 0");
    accepted(restarts);
    let cycle = || CyclicLrOptions::new(0.01, 0.1);
    refused(CyclicLrOptions { step_size_up: 0, ..cycle() }, "step_size_up = 0");
    refused(CyclicLrOptions { step_size_down: Some(0), ..cycle() }, "step_size_down = 0");
    accepted(cycle());
    let one = || OneCycleLrOptions::new(0.1, 10);
    refused(OneCycleLrOptions::new(0.1, 0), "total_steps = 0");
    for pct_start in [-0.1, 1.1, 0.1] {
        let what = format!("pct_start = {pct_start}");
        refused(OneCycleLrOptions { pct_start, ..one() }, &what);
    }
    refused(OneCycleLrOptions { div_factor: 0.0, ..one() }, "div_factor = 0");
    accepted(OneCycleLrOptions { pct_start: 1.0, ..one() });
}

#[test]
fn b16_values_are_as_many_as_groups_everywhere() {
    let three = [0.1, 0.2, 0.3];
    let text = |result: Result<(), OptimError>| result.unwrap_err().to_string();
    let anneal_strategy = Anneal::Cos;
    let swa = SwaLrOptions { swa_lr: three.into(), anneal_epochs: 3, anneal_strategy };
    let mut opt = optimizer();
    for error in [
        text(SwaLr::new(&mut opt, swa).map(drop)),
        text(CyclicLr::new(&mut opt, CyclicLrOptions::new(three, 0.5)).map(drop)),
        text(OneCycleLr::new(&mut opt, OneCycleLrOptions::new(three, 5)).map(drop)),
    ] {
        assert!(error.contains("= 3 is out of range"), "{error}");
    }
    let plateau = |options| text(ReduceLrOnPlateau::new(&mut optimizer(), options).map(drop));
    let base = ReduceLrOnPlateauOptions::default;
    let rising = plateau(ReduceLrOnPlateauOptions { factor: 1.0, ..base() });
    assert!(rising.contains("factor = 1 is out of range: factor < 1"), "{rising}");
    let floors = plateau(ReduceLrOnPlateauOptions { min_lr: three.into(), ..base() });
    assert!(floors.contains("min_lr = 3 is out of range"), "{floors}");
    assert_eq!(opt.initial_lrs(), [None, None]);
}

#[test]
fn b16_a_composed_schedule_refuses_what_its_children_do() {
    let bad = StepLrOptions { step_size: 0, gamma: 0.1 };
    let good = ExponentialLrOptions { gamma: 0.9 };
    for error in [
        SequentialLr::new(
            &mut optimizer(),
            SequentialLrOptions::new(good.clone()).then(2, bad.clone()),
        )
        .map(drop),
        ChainedScheduler::new(&mut optimizer(), ChainedSchedulerOptions::new(good).and(bad))
            .map(drop),
    ] {
        let text = error.unwrap_err().to_string();
        assert_eq!(text, "StepLR: step_size = 0 is out of range: step_size ≥ 1");
    }
}
