//! Schedules: PyTorch's values, and how they act on an optimizer.
#![allow(clippy::unwrap_used, reason = "a test")]

use gradus_autodiff::Parameter;
use gradus_optim::{
    CosineAnnealingLr, CosineAnnealingLrOptions, LambdaLr, LambdaLrOptions, LrScheduler, NonFinite,
    OneCycleLr, OneCycleLrOptions, OptimError, Optimizer, PerGroup, Schedule, Sgd, SgdOptions,
    StateDict, StepLr, StepLrOptions,
};

fn optimizer(lr: f64) -> Sgd {
    let options = SgdOptions { lr, ..Default::default() };
    Sgd::from_parameters([Parameter::new([1.0])], options).unwrap()
}

/// The rate used by each of `n` steps.
fn used(opt: &mut Sgd, n: usize, mut step: impl FnMut(&mut Sgd)) -> Vec<f64> {
    let each = |_| {
        let lr = opt.lrs()[0];
        opt.step().unwrap();
        step(opt);
        lr
    };
    (0..n).map(each).collect()
}

#[track_caller]
fn close(got: &[f64], want: &[f64]) {
    assert_eq!(got.len(), want.len());
    assert!(got.iter().zip(want).all(|(a, b)| (a - b).abs() < 6e-11), "{got:?} {want:?}");
}

#[test]
fn step_lr_follows_pytorch() {
    let mut opt = optimizer(0.1);
    let mut sched = StepLr::new(&mut opt, StepLrOptions { step_size: 3, gamma: 0.5 }).unwrap();
    let got = used(&mut opt, 8, |opt| sched.step(opt));
    close(&got, &[0.1, 0.1, 0.1, 0.05, 0.05, 0.05, 0.025, 0.025]);
}

#[test]
fn b20_cosine_rises_again_instead_of_jumping() {
    let mut opt = optimizer(0.1);
    let cosine = CosineAnnealingLrOptions { t_max: 4, eta_min: 0.01 };
    let mut sched = CosineAnnealingLr::new(&mut opt, cosine).unwrap();
    let got = used(&mut opt, 9, |opt| sched.step(opt));
    let (a, b) = (0.086_819_805_2, 0.023_180_194_8);
    close(&got, &[0.1, a, 0.055, b, 0.01, b, 0.055, a, 0.1]);

    let mut opt = optimizer(0.5);
    let cosine = CosineAnnealingLrOptions { t_max: 5, eta_min: 0.0 };
    let mut sched = CosineAnnealingLr::new(&mut opt, cosine).unwrap();
    let got = used(&mut opt, 12, |opt| sched.step(opt));
    let down = [0.5, 0.452_254_248_6, 0.327_254_248_6, 0.172_745_751_4, 0.047_745_751_4];
    close(&got[..5], &down);
    assert_eq!(got[5], 0.0, "exactly");
    close(&got[6..], &[down[4], down[3], down[2], down[1], down[0], down[1]]);
}

#[test]
fn a_rate_set_by_hand_is_kept() {
    let mut opt = optimizer(0.1);
    let mut sched = StepLr::new(&mut opt, StepLrOptions { step_size: 2, gamma: 0.5 }).unwrap();
    let _ = used(&mut opt, 1, |opt| sched.step(opt));
    opt.set_lr(0, 8.0);
    let got = used(&mut opt, 3, |opt| sched.step(opt));
    assert_eq!(got, [8.0, 4.0, 4.0]);
    let cosine = CosineAnnealingLrOptions { t_max: 4, eta_min: 0.0 };
    let mut opt = optimizer(0.1);
    let mut sched = CosineAnnealingLr::new(&mut opt, cosine).unwrap();
    sched.step(&mut opt);
    let normal = opt.lrs()[0];
    opt.set_lr(0, 2.0 * normal);
    sched.step(&mut opt);
    close(&opt.lrs(), &[0.1]);
}

#[test]
fn a_second_schedule_starts_from_the_first_ones_initial_rates() {
    let mut opt = optimizer(0.1);
    let options = StepLrOptions { step_size: 1, gamma: 0.5 };
    let mut first = StepLr::new(&mut opt, options.clone()).unwrap();
    first.step(&mut opt);
    let second = StepLr::new(&mut opt, options.clone()).unwrap();
    assert_eq!((second.base_lrs(), opt.lrs()), (&[0.1][..], vec![0.05]));
    // `last_epoch` of PyTorch: the construction takes the next step.
    let third = StepLr::resume(&mut opt, options.clone(), 1).unwrap();
    assert_eq!((third.last_epoch(), opt.lrs()), (2, vec![0.025]));
    let error = StepLr::resume(&mut optimizer(0.1), options, 1).unwrap_err();
    assert_eq!(error, OptimError::NoInitialLr(0));
    let cosine = CosineAnnealingLrOptions { t_max: 4, eta_min: 0.0 };
    CosineAnnealingLr::resume(&mut opt, cosine, 1).unwrap();
    assert_eq!(opt.lrs(), [0.025], "PyTorch's leaves the rate on construction");
}

#[test]
fn going_to_an_epoch_uses_the_closed_form() {
    let mut opt = optimizer(0.1);
    let mut sched = StepLr::new(&mut opt, StepLrOptions { step_size: 2, gamma: 0.5 }).unwrap();
    opt.set_lr(0, 7.0);
    sched.step_to(&mut opt, 5.0);
    assert_eq!((opt.lrs(), sched.last_epoch()), (vec![0.025], 5));
}

#[test]
fn a_group_that_joins_later_is_scheduled_from_its_own_rate() {
    let mut opt = optimizer(0.1);
    let mut sched = StepLr::new(&mut opt, StepLrOptions { step_size: 2, gamma: 0.5 }).unwrap();
    sched.step(&mut opt);
    let options = SgdOptions { lr: 3.0, ..Default::default() };
    opt.add_group([("b".to_owned(), Parameter::new([1.0]))], options).unwrap();
    sched.step(&mut opt);
    assert_eq!((opt.lrs(), sched.base_lrs()), (vec![0.05, 1.5], &[0.1, 3.0][..]));
}

#[test]
fn b57_a_skipped_step_leaves_the_schedule() {
    let p = Parameter::new([1.0]);
    let options = SgdOptions { lr: 0.1, ..Default::default() };
    let mut opt = Sgd::from_parameters([p.clone()], options).unwrap();
    opt.non_finite = NonFinite::Skip;
    let mut sched = StepLr::new(&mut opt, StepLrOptions { step_size: 1, gamma: 0.5 }).unwrap();
    p.set_grad(Some([f64::INFINITY].into()));
    assert!(!opt.step().unwrap().is_applied());
    sched.step(&mut opt);
    assert_eq!(opt.lrs(), [0.1]);
    p.set_grad(Some([1.0].into()));
    assert!(opt.step().unwrap().is_applied());
    sched.step(&mut opt);
    assert_eq!(opt.lrs(), [0.05]);
}

#[test]
fn impossible_options_are_refused() {
    let mut opt = optimizer(0.1);
    let zero = StepLrOptions { step_size: 0, gamma: 0.5 };
    let text = StepLr::new(&mut opt, zero).unwrap_err().to_string();
    assert_eq!(text, "StepLR: step_size = 0 is out of range: step_size ≥ 1");
    let nan = StepLrOptions { step_size: 1, gamma: f64::NAN };
    assert!(StepLr::new(&mut opt, nan).is_err());
    let zero = CosineAnnealingLrOptions { t_max: 0, eta_min: 0.0 };
    assert!(CosineAnnealingLr::new(&mut opt, zero).is_err());
    assert_eq!(opt.initial_lrs(), [None], "nothing was changed");
}

#[test]
fn a_saved_schedule_with_impossible_options_is_refused() {
    let mut opt = optimizer(0.1);
    let mut sched = StepLr::new(&mut opt, StepLrOptions { step_size: 1, gamma: 0.5 }).unwrap();
    let before = sched.state_dict();
    for (key, text) in [
        ("options", r#"{"step_size": 0, "gamma": 0.5}"#),
        ("options", r#"{"gamma": 0.5}"#),
        ("last_epoch", "-1"),
        ("seen", "[1]"),
        ("base_lrs", "[0.1, 0.2]"),
    ] {
        let mut state: StateDict = before.clone();
        state.insert(key, text.parse::<gradus_optim::Value>().unwrap());
        assert!(sched.load_state_dict(&state).is_err(), "{key} {text}");
        assert_eq!(sched.state_dict(), before, "{key} {text}");
    }
}

#[test]
fn every_schedule_has_a_plot() {
    let cosine = CosineAnnealingLrOptions { t_max: 10, eta_min: 0.0 };
    let plot = cosine.plot(0.1, 21).unwrap();
    let points = plot.points(0);
    assert_eq!((points.len(), points[0], points[20]), (21, (0.0, 0.1), (20.0, points[20].1)));
    assert!(points[10].1.abs() < 1e-15 && (points[20].1 - 0.1).abs() < 1e-12);
    assert!(plot.svg().contains("CosineAnnealingLR") && plot.to_string().contains("learning rate"));
    let cycle = OneCycleLrOptions::new(0.3, 30).plot(0.1, 30).unwrap();
    assert!(cycle.points(0).iter().any(|p| (p.1 - 0.3).abs() < 1e-12));
    assert!(StepLrOptions { step_size: 0, gamma: 0.5 }.plot(0.1, 3).is_err());
}

#[test]
fn options_may_differ_from_group_to_group() {
    let mut opt = optimizer(0.1);
    let group = [("b".to_owned(), Parameter::new([1.0]))];
    opt.add_group(group, SgdOptions { lr: 0.2, ..Default::default() }).unwrap();
    let each: Vec<Box<dyn Fn(u64) -> f64 + Send + Sync>> =
        vec![Box::new(|_| 0.5), Box::new(|e| 1.0 / (1.0 + e as f64))];
    let mut sched = LambdaLr::new(&mut opt, LambdaLrOptions::each(each)).unwrap();
    opt.step().unwrap();
    sched.step(&mut opt);
    assert_eq!(opt.lrs(), [0.05, 0.1]);
    for bad in [PerGroup::from([0.1]), PerGroup::from([0.1, 0.2, 0.3])] {
        let error = OneCycleLr::new(&mut opt, OneCycleLrOptions::new(bad, 10)).unwrap_err();
        assert!(error.to_string().contains("one number, or one for each group"), "{error}");
    }
    let three = LambdaLrOptions::each((0..3).map(|_| Box::new(|_| 1.0) as _).collect());
    assert!(LambdaLr::new(&mut opt, three).is_err());
}
