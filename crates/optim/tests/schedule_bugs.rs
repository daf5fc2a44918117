//! Bugs that other frameworks had in their schedules, by the numbers of the catalogue. The values are
//! PyTorch's: the rate used before each step.
#![allow(clippy::unwrap_used, reason = "a test")]

use gradus_autodiff::Parameter;
use gradus_optim::*;

fn optimizer(lr: f64) -> Sgd {
    let options = SgdOptions { lr, momentum: 0.9, ..Default::default() };
    Sgd::from_parameters([Parameter::new([1.0])], options).unwrap()
}

/// The rate before each of `n` steps.
fn used<S: Schedule>(lr: f64, schedule: S, n: usize) -> Vec<f64> {
    let mut opt = optimizer(lr);
    let mut sched = Scheduler::new(&mut opt, schedule).unwrap();
    let each = |i| {
        if i > 0 {
            opt.step().unwrap();
            sched.step(&mut opt);
        }
        opt.lrs()[0]
    };
    (0..n).map(each).collect()
}

#[track_caller]
fn close(got: &[f64], want: &[f64]) {
    assert_eq!(got.len(), want.len());
    assert!(got.iter().zip(want).all(|(a, b)| (a - b).abs() < 6e-11), "{got:?} {want:?}");
}

#[test]
fn b21_warm_restarts_of_one_epoch() {
    let options = CosineAnnealingWarmRestartsOptions { t_0: 1, t_mult: 2, eta_min: 0.0 };
    let want = [0.5, 0.5, 0.25, 0.5, 0.426_776_695_3, 0.25, 0.073_223_304_7, 0.5, 0.480_969_883_1];
    close(&used(0.5, options, 9), &want);
    let options = CosineAnnealingWarmRestartsOptions { t_0: 3, t_mult: 1, eta_min: 0.0 };
    close(&used(0.1, options, 8), &[0.1, 0.075, 0.025, 0.1, 0.075, 0.025, 0.1, 0.075]);
}

/// The rate used before each step of a plateau schedule.
fn plateau(options: ReduceLrOnPlateauOptions, metrics: &[f64]) -> Vec<f64> {
    let mut opt = optimizer(0.1);
    let mut sched = ReduceLrOnPlateau::new(&mut opt, options).unwrap();
    let each = |m: &f64| {
        let lr = opt.lrs()[0];
        opt.step().unwrap();
        sched.step(*m, &mut opt);
        lr
    };
    metrics.iter().map(each).collect()
}

#[test]
fn b22_patience_and_cooldown_of_a_plateau() {
    let base = ReduceLrOnPlateauOptions::default;
    let (a, b, c, d) = (0.1, 0.01, 0.001, 0.0001);
    let patient = ReduceLrOnPlateauOptions { patience: 2, ..base() };
    close(&plateau(patient.clone(), &[1.0; 12]), &[a, a, a, a, b, b, b, c, c, c, d, d]);
    let cool = ReduceLrOnPlateauOptions { cooldown: 1, ..patient };
    close(&plateau(cool, &[1.0; 12]), &[a, a, a, a, b, b, b, b, c, c, c, c]);
    let one = ReduceLrOnPlateauOptions { patience: 1, factor: 0.5, ..base() };
    close(&plateau(one.clone(), &[1.0; 7]), &[a, a, a, 0.05, 0.05, 0.025, 0.025]);
    let none = ReduceLrOnPlateauOptions { patience: 0, factor: 0.5, ..base() };
    close(&plateau(none, &[1.0; 5]), &[a, a, 0.05, 0.025, 0.0125]);
    let tiny = [1.0, 1.0 - 5e-5, 1.0 - 9e-5, 1.0 - 9.5e-5, 1.0, 1.0];
    close(&plateau(one.clone(), &tiny), &[a, a, a, 0.05, 0.05, 0.025]);
    close(&plateau(one.clone(), &[f64::NAN; 5]), &[a, a, 0.05, 0.05, 0.025]);
    let max = ReduceLrOnPlateauOptions { mode: PlateauMode::Max, ..one };
    close(&plateau(max, &[1.0, 2.0, 2.0, 2.0, 1.0, 3.0]), &[a, a, a, a, 0.05, 0.05]);
    assert!(
        ReduceLrOnPlateau::new(
            &mut optimizer(0.1),
            ReduceLrOnPlateauOptions { factor: 1.0, ..base() }
        )
        .is_err()
    );
}

#[test]
fn b22_a_plateau_does_not_judge_the_same_model_twice() {
    let mut opt = optimizer(0.1);
    let options = ReduceLrOnPlateauOptions { patience: 0, factor: 0.5, ..Default::default() };
    let mut sched = ReduceLrOnPlateau::new(&mut opt, options).unwrap();
    opt.step().unwrap();
    sched.step(1.0, &mut opt);
    let _ = opt.skip(SkipReason::NonFinite(vec![]));
    sched.step(1.0, &mut opt);
    assert_eq!((opt.lrs(), sched.last_epoch()), (vec![0.1], 1));
    opt.step().unwrap();
    sched.step(1.0, &mut opt);
    assert_eq!(opt.lrs(), [0.05]);
}

fn warm_up_and_cosine() -> SequentialLrOptions {
    let line = LinearLrOptions { start_factor: 0.1, total_iters: 3, ..Default::default() };
    SequentialLrOptions::new(line).then(3, CosineAnnealingLrOptions { t_max: 5, eta_min: 0.0 })
}

#[test]
fn b23_a_sequence_begins_with_its_first_child_and_goes_on_where_it_stood() {
    let want = [
        0.01,
        0.04,
        0.07,
        0.1,
        0.090_450_849_7,
        0.065_450_849_7,
        0.034_549_150_3,
        0.009_549_150_3,
        0.0,
        0.009_549_150_3,
    ];
    close(&used(0.1, warm_up_and_cosine(), 10), &want);
    // #72874: the initial rate is that of the first child, whatever the others would write.
    let one = ConstantLrOptions { factor: 0.1, total_iters: 2 };
    let exp = ExponentialLrOptions { gamma: 0.9 };
    let sequence = SequentialLrOptions::new(exp.clone()).then(2, one);
    close(&used(0.1, sequence, 4), &[0.1, 0.09, 0.01, 0.01]);
    // #185898: PyTorch leaves the first child out.
    let zero = SequentialLrOptions::new(exp.clone()).then(0, exp.clone());
    let text = SequentialLr::new(&mut optimizer(0.1), zero).unwrap_err().to_string();
    assert!(text.contains("milestones = 0 is out of range: ≥ 1 and not falling"), "{text}");
    // Of two that begin at once the second acts.
    let at_once = SequentialLrOptions::new(exp.clone())
        .then(2, ExponentialLrOptions { gamma: 7.0 })
        .then(2, exp.clone());
    close(&used(0.1, at_once, 4), &[0.1, 0.09, 0.1, 0.09]);
    let falling = SequentialLrOptions::new(exp.clone()).then(5, exp.clone()).then(3, exp);
    assert!(SequentialLr::new(&mut optimizer(0.1), falling).is_err());
}

#[test]
fn b23_b25_a_composed_schedule_resumes_at_every_step() {
    let decay = ExponentialLrOptions { gamma: 0.9 };
    let chain = ChainedSchedulerOptions::new(decay.clone()).and(warm_up_and_cosine());
    let all = SequentialLrOptions::new(warm_up_and_cosine())
        .then(6, chain)
        .then(9, OneCycleLrOptions::new(0.3, 10));
    for at in 0..14 {
        let mut opt = optimizer(0.1);
        let mut sched = SequentialLr::new(&mut opt, all.clone()).unwrap();
        let advance = |opt: &mut Sgd, sched: &mut SequentialLr, n: usize| -> Vec<f64> {
            let each = |_| {
                opt.step().unwrap();
                sched.step(opt);
                opt.lrs()[0]
            };
            (0..n).map(each).collect()
        };
        advance(&mut opt, &mut sched, at);
        let bytes = [opt.state_dict(), sched.state_dict()].map(|s| s.to_bytes().unwrap());
        let straight = advance(&mut opt, &mut sched, 20);
        let mut opt = optimizer(0.1);
        // The options come from the saved state; those given here only name the kinds.
        let mut sched = SequentialLr::new(&mut opt, all.clone()).unwrap();
        let [of_opt, of_sched] = bytes.map(|b| StateDict::from_bytes(&b).unwrap());
        opt.load_state_dict(&of_opt).unwrap();
        sched.load_state_dict(&of_sched).unwrap();
        assert_eq!(advance(&mut opt, &mut sched, 20), straight, "{at}");
    }
    // A child of another kind is refused.
    let mut opt = optimizer(0.1);
    let other = SequentialLrOptions::new(decay.clone()).then(6, decay.clone()).then(9, decay);
    let mut sched = SequentialLr::new(&mut opt, other).unwrap();
    let saved = SequentialLr::new(&mut optimizer(0.1), all).unwrap().state_dict();
    let text = sched.load_state_dict(&saved).unwrap_err().to_string();
    assert!(text.contains("an inner scheduler is SequentialLR, not ExponentialLR"), "{text}");
}

#[test]
fn b24_one_cycle_stays_at_its_end() {
    let options = OneCycleLrOptions::new(0.01, 10);
    let want = [
        4e-4,
        0.0052,
        0.01,
        0.009_504_846_3,
        0.008_117_456_5,
        0.006_112_620_2,
        0.003_887_419_8,
        0.001_882_583_5,
        4.951_937e-4,
        4e-8,
        4e-8,
        4e-8,
    ];
    close(&used(0.1, options.clone(), 12), &want);
    // PyTorch's way out of its curve, and its error.
    let leave = OneCycleLrOptions { past_end: PastEnd::Leave, ..options };
    let got = used(0.1, leave.clone(), 11);
    assert!(got[10] > 1e-4, "{got:?}");
    let linear = OneCycleLrOptions { anneal_strategy: Anneal::Linear, ..leave.clone() };
    assert!(used(0.1, linear, 11)[10] < 0.0);
    let panic = std::panic::catch_unwind(|| used(0.1, leave, 12)).unwrap_err();
    let text = panic.downcast_ref::<String>().unwrap();
    assert_eq!(text, "OneCycleLR: step 11 breaks the rule: at most total_steps = 10");
}

#[test]
fn b26_segments_without_length_are_finite() {
    let zero = LinearLrOptions { start_factor: 0.5, end_factor: 1.0, total_iters: 0 };
    assert_eq!(used(0.1, zero.clone(), 3), [0.05; 3]);
    let decay = ExponentialLrOptions { gamma: 0.5 };
    let at_two = SequentialLrOptions::new(decay.clone()).then(2, zero);
    close(&used(0.1, at_two, 4), &[0.1, 0.05, 0.05, 0.05]);
    let warm = WarmupLrOptions { warmup_steps: 0, start_factor: 0.0 };
    assert_eq!(used(0.1, warm, 3), [0.1; 3]);
    let poly = PolynomialLrOptions { total_iters: 0, power: 1.0 };
    assert_eq!(used(0.1, poly, 3), [0.1; 3]);
    let constant = ConstantLrOptions { factor: 0.0, total_iters: 2 };
    assert_eq!(used(0.1, constant, 4), [0.0, 0.0, 0.1, 0.1]);
    let flat = WarmupStableDecayLrOptions { min_factor: 0.5, ..Default::default() };
    assert_eq!(used(0.1, flat, 3), [0.05; 3]);
    let step = MultiStepLrOptions { milestones: vec![2, 2, 5], gamma: 3.0 };
    close(&used(13.0, step, 7)[..3], &[13.0, 13.0, 117.0]);
}

#[test]
fn b27_noam_rises_to_its_peak_at_the_warm_up() {
    let options = NoamLrOptions { d_model: 16, warmup_steps: 4 };
    let want = [0.031_25, 0.0625, 0.093_75, 0.125, 0.111_803_398_9, 0.102_062_072_6];
    close(&used(1.0, options.clone(), 6), &want);
    close(&used(2.0, options, 1), &[0.0625]);
}

#[test]
fn b27_a_warm_up_with_a_cosine_does_not_rebound() {
    let warm = WarmupLrOptions { warmup_steps: 5, start_factor: 0.0 };
    let cosine = CosineAnnealingLrOptions { t_max: 15, eta_min: 0.0 };
    let lrs = used(0.1, SequentialLrOptions::new(warm).then(5, cosine), 21);
    let peak = 5;
    assert_eq!((lrs[0], lrs[peak]), (0.0, 0.1));
    assert!(lrs[..=peak].windows(2).all(|w| w[0] < w[1]), "{lrs:?}");
    assert!(lrs[peak..].windows(2).all(|w| w[0] > w[1]), "{lrs:?}");
    assert!(lrs[20].abs() < 1e-15);
}

#[test]
fn momenta_need_an_optimizer_that_has_them() {
    let options = AdagradOptions { lr: 0.1, ..Default::default() };
    let mut opt = Adagrad::from_parameters([Parameter::new([1.0])], options).unwrap();
    let options = OneCycleLrOptions::new(0.1, 10);
    let error = OneCycleLr::new(&mut opt, options.clone()).unwrap_err();
    assert_eq!(error, OptimError::NoMomentum("OneCycleLR"));
    assert!(error.to_string().contains("cycle_momentum"), "{error}");
    assert_eq!((opt.lrs(), opt.initial_lrs()), (vec![0.1], vec![None]), "nothing was changed");
    let options = OneCycleLrOptions { cycle_momentum: false, ..options };
    OneCycleLr::new(&mut opt, options).unwrap();
    assert!((opt.lrs()[0] - 0.1 / 25.0).abs() < 1e-15);
}
