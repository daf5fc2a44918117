//! The gradient scaler: PyTorch's arithmetic, the order of the calls, half types.
#![allow(clippy::unwrap_used, reason = "a test")]

mod refused;

use gradus_autodiff::{GraphError, Parameter, Sweep, Tensor};
use gradus_optim::{
    Adam, AdamOptions, GradScaler, GradScalerOptions, LrScheduler, OptimError, Optimizer,
    ScalerError, Sgd, SgdOptions, SkipReason, StateDict, StepLr, StepLrOptions, StepOutcome, Value,
    clip_grad_norm,
};
use gradus_tensor::{Array, DType};
use refused::refused;

fn scaler(init_scale: f64, growth_interval: u64) -> GradScaler {
    let options = GradScalerOptions { init_scale, growth_interval, ..Default::default() };
    GradScaler::new(options).unwrap()
}

fn sgd(lr: f64) -> (Parameter, Sgd) {
    let p = Parameter::new([0.0_f32]);
    let named = [("p".to_owned(), p.clone())];
    (p, Sgd::new(named, SgdOptions { lr, ..Default::default() }).unwrap())
}

/// A sweep that gives `p` the gradient `g` times the scale.
fn backward(scaler: &mut GradScaler, p: &Parameter, g: f32) {
    scaler.scale(&(p.tensor() * g).sum()).backward();
}

#[test]
fn b57_the_scale_that_was_used_is_divided_out_and_skips_move_nothing() {
    let (p, mut opt) = sgd(1.0);
    let q = Parameter::new([0.0_f32]);
    let mut adam = Adam::new([("q".to_owned(), q.clone())], AdamOptions::default()).unwrap();
    let mut sched = StepLr::new(&mut opt, StepLrOptions { step_size: 1, gamma: 1.0 }).unwrap();
    let mut scaler = scaler(8.0, 2);
    let (mut applied, mut used) = (vec![], vec![]);
    for g in [1.0, 1.0, 1.0, f32::INFINITY, 1.0, 1.0, 1.0] {
        opt.zero_grad();
        adam.zero_grad();
        let before = p.item();
        used.push(scaler.get_scale());
        backward(&mut scaler, &p, g);
        backward(&mut scaler, &q, g);
        let outcome = scaler.step(&mut opt).unwrap();
        let _ = scaler.step(&mut adam).unwrap();
        scaler.update().unwrap();
        sched.step(&mut opt);
        applied.push(before - p.item());
        let names = SkipReason::NonFinite(vec!["p".to_owned()]);
        let skipped = outcome == StepOutcome::Skipped(names);
        assert_eq!(skipped, g.is_infinite(), "{outcome:?}");
    }
    assert_eq!(applied, [1.0, 1.0, 1.0, 0.0, 1.0, 1.0, 1.0]);
    assert_eq!(used, [8.0, 8.0, 16.0, 16.0, 8.0, 8.0, 16.0]);
    assert_eq!((scaler.get_scale(), scaler.growth_tracker()), (16.0, 1));
    let step = adam.parameter_state("q").unwrap().array("step").unwrap().item();
    assert_eq!((step, opt.steps(), sched.last_epoch()), (6.0, [6, 1], 6));
}

#[test]
fn calls_in_the_wrong_order_are_errors_and_change_nothing() {
    let (p, mut opt) = sgd(1.0);
    let mut scaler = GradScaler::default();
    assert_eq!(refused(scaler.step(&mut opt)), ScalerError::NotStarted("step"));
    assert_eq!(refused(scaler.unscale(&mut opt)), ScalerError::NotStarted("unscale"));
    assert_eq!(refused(scaler.update()), ScalerError::NotStarted("update"));
    assert_eq!(refused(scaler.update_to(2.0)), ScalerError::NotStarted("update_to"));
    backward(&mut scaler, &p, 3.0);
    assert_eq!(refused(scaler.update()), ScalerError::NothingToUpdate);
    scaler.unscale(&mut opt).unwrap();
    assert_eq!((p.grad().unwrap().item(), p.grad_is_scaled()), (3.0, false));
    assert_eq!(refused(scaler.unscale(&mut opt)), ScalerError::UnscaledTwice);
    assert_eq!(p.grad().unwrap().item(), 3.0);
    scaler.step(&mut opt).unwrap();
    assert_eq!(refused(scaler.step(&mut opt)), ScalerError::SteppedTwice);
    assert_eq!(refused(scaler.unscale(&mut opt)), ScalerError::UnscaledAfterStep);
    assert_eq!(p.item(), -3.0);
    scaler.update().unwrap();
    assert_eq!(refused(scaler.update()), ScalerError::NothingToUpdate);
    opt.zero_grad();
    let names = ScalerError::NoGradients(vec!["p".to_owned()]);
    assert_eq!(refused(scaler.step(&mut opt)), names);
    assert_eq!(opt.steps(), [1, 0]);
}

#[test]
fn a_gradient_that_no_scaled_loss_has_made_is_refused() {
    let (p, mut opt) = sgd(1.0);
    let mut scaler = GradScaler::default();
    let loss = (p.tensor() * 3.0).sum();
    let _ = scaler.scale(&loss);
    loss.backward(); // not the scaled one
    let error = ScalerError::NotScaled(vec!["p".to_owned()]);
    assert_eq!(refused(scaler.step(&mut opt)), error);
    assert_eq!(refused(scaler.unscale(&mut opt)), error);
    assert_eq!((p.item(), p.grad().unwrap().item()), (0.0, 3.0));
    // Zeros that a layer without a part in the loss has are fine.
    let q = Parameter::new([1.0_f32]);
    opt.add_group([("q".to_owned(), q.clone())], SgdOptions::default()).unwrap();
    q.set_grad(Some([2.0_f32].into()));
    opt.zero_grad_in_place();
    backward(&mut scaler, &p, 3.0);
    assert!(scaler.step(&mut opt).unwrap().is_applied());
    assert_eq!((p.item(), q.item()), (-3.0, 1.0));
}

#[test]
fn clipping_and_a_bare_step_refuse_what_is_scaled() {
    let (p, mut opt) = sgd(1.0);
    let mut scaler = GradScaler::default();
    backward(&mut scaler, &p, 3.0);
    assert!(matches!(opt.step(), Err(OptimError::ScaledGradient(names)) if names == ["p"]));
    assert!(matches!(clip_grad_norm([&p], 1.0), Err(OptimError::ScaledGradient(_))));
    scaler.unscale(&mut opt).unwrap();
    assert_eq!(clip_grad_norm([&p], 1.0), Ok(3.0));
    scaler.step(&mut opt).unwrap();
    scaler.update().unwrap();
    assert!((p.item() + 1.0).abs() < 1e-6);
    // A scaled sweep on top of an unscaled gradient.
    let loss = scaler.scale(&(p.tensor() * 2.0).sum());
    let error = loss.try_backward(None, Sweep::default()).unwrap_err();
    assert!(matches!(error, GraphError::MixedScales(_)));
}

#[test]
fn losses_accumulate_and_several_optimizers_share_an_update() {
    let ((p, mut a), (q, mut b)) = (sgd(1.0), sgd(1.0));
    let mut scaler = scaler(4.0, 2000);
    for g in [1.0, 2.0] {
        backward(&mut scaler, &p, g);
        backward(&mut scaler, &q, g);
    }
    q.update_grad(|g| *g = Array::from([f32::NAN]));
    assert!(scaler.step(&mut a).unwrap().is_applied());
    assert!(!scaler.step(&mut b).unwrap().is_applied());
    scaler.update().unwrap();
    assert_eq!((p.item(), q.item(), scaler.get_scale()), (-3.0, 0.0, 2.0));
    // Optimizers may move between the calls.
    a.zero_grad();
    b.zero_grad();
    backward(&mut scaler, &p, 1.0);
    backward(&mut scaler, &q, 1.0);
    scaler.unscale(&mut a).unwrap();
    let mut moved = Box::new(a);
    assert_eq!(refused(scaler.unscale(moved.as_mut())), ScalerError::UnscaledTwice);
    assert!(scaler.step(moved.as_mut()).unwrap().is_applied());
    assert!(scaler.step(&mut b).unwrap().is_applied());
    scaler.update().unwrap();
    assert_eq!((p.item(), q.item()), (-4.0, -1.0));
}

#[test]
fn the_scale_is_a_number_of_f32_and_grows_only_to_finite_ones() {
    let (p, mut opt) = sgd(0.0);
    let run = |scaler: &mut GradScaler, opt: &mut Sgd, g: f32| {
        opt.zero_grad();
        backward(scaler, &p, g);
        let _ = scaler.step(opt).unwrap();
        scaler.update().unwrap();
    };
    let mut large = scaler(2.0_f64.powi(127), 1);
    run(&mut large, &mut opt, 1.0);
    assert_eq!((large.get_scale(), large.growth_tracker()), (2.0_f64.powi(127), 0));
    let factors = GradScalerOptions {
        init_scale: 0.1,
        growth_factor: 1.1,
        backoff_factor: 0.3,
        growth_interval: 1,
        ..Default::default()
    };
    let mut odd = GradScaler::new(factors).unwrap();
    assert_eq!(odd.get_scale(), 0.1);
    run(&mut odd, &mut opt, 1.0);
    let want = (f64::from(0.1_f32) * 1.1) as f32;
    assert_eq!(odd.get_scale(), f64::from(want));
    run(&mut odd, &mut opt, f32::NAN);
    assert_eq!(odd.get_scale(), f64::from((f64::from(want) * 0.3) as f32));
    // Without a floor it reaches 0, as PyTorch's does.
    for _ in 0..200 {
        run(&mut odd, &mut opt, f32::NAN);
    }
    assert_eq!(odd.get_scale(), 0.0);
}

#[test]
fn b57_a_floor_and_an_error_after_too_many_skips() {
    let (p, mut opt) = sgd(1.0);
    let options = GradScalerOptions {
        init_scale: 8.0,
        min_scale: 3.0,
        max_skipped: Some(4),
        ..Default::default()
    };
    let mut scaler = GradScaler::new(options).unwrap();
    let mut scales = vec![];
    for _ in 0..3 {
        opt.zero_grad();
        backward(&mut scaler, &p, f32::INFINITY);
        let _ = scaler.step(&mut opt).unwrap();
        scaler.update().unwrap();
        scales.push(scaler.get_scale());
    }
    assert_eq!(scales, [4.0, 3.0, 3.0]);
    let saved = scaler.state_dict();
    opt.zero_grad();
    backward(&mut scaler, &p, f32::INFINITY);
    let _ = scaler.step(&mut opt).unwrap();
    let error = refused(scaler.update());
    let names = vec!["p".to_owned()];
    assert_eq!(error, ScalerError::TooManySkips { skipped: 4, scale: 3.0, names });
    let text = error.to_string();
    assert!(text.contains("4 steps in a row") && text.contains("of p are"), "{text}");
    // The count survives a restart, and a good step ends it.
    let again = GradScalerOptions { max_skipped: Some(4), min_scale: 3.0, ..Default::default() };
    let mut scaler = GradScaler::new(again).unwrap();
    scaler.load_state_dict(&saved).unwrap();
    opt.zero_grad();
    backward(&mut scaler, &p, f32::INFINITY);
    let _ = scaler.step(&mut opt).unwrap();
    assert!(scaler.update().is_err());
    scaler.update_to(8.0).unwrap();
    for (g, ok) in [(1.0, true), (f32::INFINITY, true), (1.0, true)] {
        opt.zero_grad();
        backward(&mut scaler, &p, g);
        let _ = scaler.step(&mut opt).unwrap();
        assert_eq!(scaler.update().is_ok(), ok);
    }
}

#[test]
fn half_gradients_are_unscaled_in_f32() {
    for dtype in [DType::F16, DType::Bf16] {
        for unscale in [false, true] {
            let p = Parameter::new(Array::ones([2], dtype));
            let options = SgdOptions { lr: 1e6, ..Default::default() };
            let mut opt = Sgd::from_parameters([p.clone()], options).unwrap();
            let mut scaler = scaler(65536.0, 2000);
            // 2⁻²⁷ is no f16; 2⁻²⁷·65536 is.
            let tiny = 2.0_f64.powi(-27);
            let loss = (p.to_dtype(DType::F32) * tiny).sum();
            scaler.scale(&loss).backward();
            assert_eq!(p.grad().unwrap().dtype(), dtype);
            if unscale {
                scaler.unscale(&mut opt).unwrap();
                let grad = p.grad().unwrap();
                assert_eq!((grad.dtype(), grad.to_vec::<f64>()[0]), (DType::F32, tiny));
                let norm = clip_grad_norm([&p], 1.0).unwrap();
                assert!((norm / (tiny * 2.0_f64.sqrt()) - 1.0).abs() < 1e-12);
            }
            assert!(scaler.step(&mut opt).unwrap().is_applied());
            let master = opt.state_dict().array("state.0.master").unwrap().to_vec::<f64>();
            let want = f64::from((1.0 - 1e6 * tiny) as f32);
            assert!(master.iter().all(|m| (m - want).abs() < 1e-7), "{dtype} {master:?}");
        }
    }
}

#[test]
fn a_scaler_that_is_not_enabled_does_nothing() {
    let (p, mut opt) = sgd(1.0);
    let options = GradScalerOptions { enabled: false, growth_factor: 0.0, ..Default::default() };
    let mut scaler = GradScaler::new(options).unwrap();
    backward(&mut scaler, &p, 3.0);
    assert!(!p.grad_is_scaled());
    scaler.unscale(&mut opt).unwrap();
    scaler.step(&mut opt).unwrap();
    scaler.step(&mut opt).unwrap();
    scaler.update().unwrap();
    scaler.update_to(-1.0).unwrap();
    assert_eq!((p.item(), scaler.get_scale()), (-6.0, 1.0));
    assert!(scaler.state_dict().is_empty() && !scaler.is_enabled());
    scaler.load_state_dict(&StateDict::default()).unwrap();
}

#[test]
fn impossible_options_and_states_are_refused() {
    let base = GradScalerOptions::default;
    for (bad, part) in [
        (GradScalerOptions { growth_factor: 1.0, ..base() }, "growth_factor = 1 "),
        (GradScalerOptions { backoff_factor: 1.0, ..base() }, "backoff_factor = 1 "),
        (GradScalerOptions { backoff_factor: 0.0, ..base() }, "backoff_factor = 0 "),
        (GradScalerOptions { init_scale: 0.0, ..base() }, "init_scale = 0 "),
        (GradScalerOptions { init_scale: 1e39, ..base() }, "init_scale = "),
        (GradScalerOptions { init_scale: f64::NAN, ..base() }, "init_scale = NaN"),
        (GradScalerOptions { min_scale: -1.0, ..base() }, "min_scale = -1 "),
        (GradScalerOptions { max_skipped: Some(0), ..base() }, "max_skipped = 0 "),
    ] {
        let text = GradScaler::new(bad).unwrap_err().to_string();
        assert!(text.starts_with("GradScaler: ") && text.contains(part), "{text}");
    }
    let mut scaler = GradScaler::default();
    let _ = scaler.scale(&Tensor::from([1.0]));
    assert!(scaler.update_to(0.0).is_err() && scaler.update_to(f64::INFINITY).is_err());
    assert_eq!(refused(scaler.load_state_dict(&StateDict::default())), ScalerError::EmptyState);
    let before = scaler.state_dict();
    let keys: Vec<&str> = before.keys().collect();
    let want = ["_growth_tracker", "backoff_factor", "growth_factor", "growth_interval", "scale"];
    assert_eq!(keys, want);
    for (key, text) in [
        ("scale", "-1"),
        ("scale", "\"x\""),
        ("growth_factor", "1"),
        ("backoff_factor", "2"),
        ("growth_interval", "-3"),
        ("_growth_tracker", "1.5"),
    ] {
        let mut state = before.clone();
        state.insert(key, text.parse::<Value>().unwrap());
        assert!(scaler.load_state_dict(&state).is_err(), "{key} {text}");
        state.remove(key);
        assert!(scaler.load_state_dict(&state).is_err(), "{key}");
        assert_eq!(scaler.state_dict(), before);
    }
}

#[test]
fn a_saved_scaler_goes_on_to_the_bit() {
    let gs = [1.0, f32::NAN, 1.0, 1.0, 1.0, f32::INFINITY, 1.0, 1.0, 1.0, 1.0];
    let run = |scaler: &mut GradScaler, gs: &[f32]| {
        let (p, mut opt) = sgd(1.0);
        let each = |g: &f32| {
            opt.zero_grad();
            backward(scaler, &p, *g);
            let _ = scaler.step(&mut opt).unwrap();
            scaler.update().unwrap();
            (scaler.get_scale(), scaler.growth_tracker())
        };
        gs.iter().map(each).collect::<Vec<_>>()
    };
    let mut straight = scaler(12.0, 3);
    let want = run(&mut straight, &gs);
    for at in 0..=gs.len() {
        let mut first = scaler(12.0, 3);
        run(&mut first, &gs[..at]);
        let bytes = first.state_dict().to_bytes().unwrap();
        let mut second = GradScaler::default();
        second.load_state_dict(&StateDict::from_bytes(&bytes).unwrap()).unwrap();
        assert_eq!(run(&mut second, &gs[at..]), want[at..], "{at}");
    }
}
