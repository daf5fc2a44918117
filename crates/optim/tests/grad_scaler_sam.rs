//! SAM under a gradient scaler: two scaled sweeps, one step; an overflow in either skips it.
#![allow(clippy::unwrap_used, reason = "a test")]

mod refused;

use gradus_autodiff::{Parameter, Tensor};
use gradus_optim::{
    Adam, AdamOptions, ClimbOutcome, GradScaler, GradScalerOptions, OptimError, Optimizer, Sam,
    SamOptions, ScalerError, Sgd, SgdOptions, SkipReason, SparseAdam, SparseAdamOptions,
    StepOutcome, clip_grad_norm,
};
use gradus_tensor::{Array, DType};
use refused::refused;

/// Makes the gradients of the test smaller than 1e-8: no f16.
const TINY: f64 = 1.0 / (1_u64 << 32) as f64;
const START: [f64; 3] = [0.75, -1.5, 2.0];
const STEPS: usize = 12;
/// The steps whose first, second, or both sweeps overflow.
const PLANTED: [(usize, [bool; 2]); 3] =
    [(2, [true, false]), (5, [false, true]), (8, [true, true])];

fn planted(step: usize) -> [bool; 2] {
    PLANTED.iter().find(|(at, _)| *at == step).map_or([false; 2], |(_, sweeps)| *sweeps)
}

fn weights(dtype: DType) -> Parameter {
    Parameter::new(Array::from(START).cast(dtype))
}

fn sam<O: Optimizer>(base: O, rho: f64, adaptive: bool) -> Sam<O> {
    Sam::new(base, SamOptions { rho, adaptive }).unwrap()
}

fn sgd(p: &Parameter, lr: f64) -> Sgd {
    Sgd::from_parameters([p.clone()], SgdOptions { lr, momentum: 0.5, ..Default::default() })
        .unwrap()
}

/// `Σ(w² - cᵢ)²·TINY`, computed in f32; another c in each step. With `infinite` its gradient is too.
fn loss(w: &Parameter, step: usize, infinite: bool) -> Tensor {
    let w = w.to_dtype(DType::F32);
    let c = Tensor::from([1.0_f32, 2.0, 0.5 + step as f32 / 8.0]);
    let loss = (w.square() - c).square().sum() * TINY;
    if infinite { loss + (w * f64::INFINITY).sum() } else { loss }
}

/// The master weights of an f16 parameter, or the parameter.
fn exact(opt: &dyn Optimizer, p: &Parameter) -> Vec<f64> {
    let state = opt.state_dict();
    state.array("state.0.master").map_or_else(|| p.to_vec(), |master| master.to_vec())
}

/// The weights after each step, without a scaler: a step with an overflow is left out.
fn plain<O: Optimizer>(
    w: &Parameter,
    opt: &mut O,
    step_of: fn(&mut O, usize, &Parameter),
) -> Vec<Vec<f64>> {
    let each = |step| {
        if planted(step) == [false; 2] {
            step_of(opt, step, w);
        }
        w.to_vec()
    };
    (0..STEPS).map(each).collect()
}

fn sam_step<O: Optimizer>(opt: &mut Sam<O>, step: usize, w: &Parameter) {
    opt.step_with(&mut || loss(w, step, false)).unwrap();
}

/// The weights after each step, with a scaler.
fn scaled<O: Optimizer>(w: &Parameter, opt: &mut Sam<O>, scaler: &mut GradScaler) -> Vec<Vec<f64>> {
    let mut all = Vec::new();
    for step in 0..STEPS {
        let [first, second] = planted(step);
        let before = (w.to_vec::<f64>(), exact(opt, w));
        let mut sweep = 0;
        let report = scaler.step_with(opt, &mut || {
            sweep += 1;
            loss(w, step, if sweep == 1 { first } else { second })
        });
        scaler.update().unwrap();
        let report = report.unwrap();
        assert_eq!(report.evaluations, if first { 1 } else { 2 });
        assert_eq!(report.outcome.is_applied(), !first && !second, "{step}: {report:?}");
        if first || second {
            let names = SkipReason::NonFinite(vec!["0".to_owned()]);
            assert_eq!(report.outcome, StepOutcome::Skipped(names));
            assert_eq!((w.to_vec(), exact(opt, w)), before, "the weights are those before");
        }
        all.push(exact(opt, w));
    }
    all
}

#[test]
fn f16_weights_under_a_scaler_go_the_way_of_unscaled_f32_weights() {
    for adaptive in [false, true] {
        let lr = 0.01 / TINY;
        let w = weights(DType::F32);
        let want = plain(&w, &mut sam(sgd(&w, lr), 0.25, adaptive), sam_step);
        let w = weights(DType::F32);
        let without_sam = plain(&w, &mut sgd(&w, lr), |opt, step, w| {
            opt.step_with(&mut || loss(w, step, false)).unwrap();
        });

        let w = weights(DType::F16);
        let mut opt = sam(sgd(&w, lr), 0.25, adaptive);
        let options = GradScalerOptions { init_scale: 65536.0 * 4096.0, ..Default::default() };
        let mut scaler = GradScaler::new(options).unwrap();
        let got = scaled(&w, &mut opt, &mut scaler);
        let apart = |a: &[Vec<f64>], b: &[Vec<f64>]| {
            let each = a.iter().flatten().zip(b.iter().flatten());
            each.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
        };
        let (near, far) = (apart(&got, &want), apart(&got, &without_sam));
        // An f16 of 2 is rounded by 5e-4.
        assert!(near < 1e-3 && far > 0.05, "adaptive {adaptive}: {near:e}, {far:e}");
        assert_eq!((opt.steps(), scaler.get_scale()), ([9, 3], 65536.0 * 512.0));

        // Without a scaler every gradient is 0, and nothing moves.
        let w = weights(DType::F16);
        let lost = plain(&w, &mut sam(sgd(&w, lr), 0.25, adaptive), sam_step);
        assert_eq!(lost.last().unwrap(), &START);
    }
}

#[test]
fn f32_weights_have_the_bits_of_the_run_without_a_scaler() {
    let adam = |w: &Parameter| {
        Adam::from_parameters([w.clone()], AdamOptions { lr: 0.1, ..Default::default() }).unwrap()
    };
    for adaptive in [false, true] {
        let w = weights(DType::F32);
        let want = plain(&w, &mut sam(adam(&w), 0.25, adaptive), sam_step);
        let w = weights(DType::F32);
        let mut opt = sam(adam(&w), 0.25, adaptive);
        assert_eq!(scaled(&w, &mut opt, &mut GradScaler::default()), want);
        let t = opt.parameter_state("0").unwrap().array("step").unwrap().item();
        assert_eq!(t, 9.0, "a skipped step does not count");
    }
}

/// One scaled sweep of a loss with the gradient `g`.
fn backward(scaler: &mut GradScaler, p: &Parameter, g: f32) {
    scaler.scale(&(p.to_dtype(DType::F32) * g).sum()).backward();
}

fn pair() -> (Parameter, Sam<Sgd>, GradScaler) {
    let p = Parameter::new(Array::from([1.0]).cast(DType::F16));
    let options = SgdOptions { lr: 1.0, ..Default::default() };
    let base = Sgd::from_parameters([p.clone()], options).unwrap();
    let scaler = GradScaler::new(GradScalerOptions { init_scale: 8.0, ..Default::default() });
    (p, sam(base, 0.5, false), scaler.unwrap())
}

#[test]
fn by_hand_each_half_says_what_it_did() {
    let (p, mut opt, mut scaler) = pair();
    backward(&mut scaler, &p, 3.0);
    assert_eq!(scaler.climb(&mut opt), Ok(ClimbOutcome::Climbed { norm: 3.0 }));
    assert_eq!(p.item(), 1.5);
    opt.zero_grad();
    // The second gradient may be clipped, and come in two parts.
    backward(&mut scaler, &p, 1.5);
    backward(&mut scaler, &p, 0.5);
    scaler.unscale(&mut opt).unwrap();
    assert_eq!(clip_grad_norm([&p], 0.25), Ok(2.0));
    assert!(scaler.step(&mut opt).unwrap().is_applied());
    scaler.update().unwrap();
    assert!((p.item() - 0.75).abs() < 1e-3, "from 1, not from 1.5: {}", p.item());

    let names = SkipReason::NonFinite(vec!["0".to_owned()]);
    for has_second_sweep in [false, true] {
        let before = (p.item(), scaler.get_scale());
        opt.zero_grad();
        backward(&mut scaler, &p, f32::NAN);
        assert_eq!(scaler.climb(&mut opt), Ok(ClimbOutcome::Skipped(names.clone())));
        if has_second_sweep {
            opt.zero_grad();
            backward(&mut scaler, &p, 1.0);
        }
        assert_eq!(scaler.step(&mut opt), Ok(StepOutcome::Skipped(names.clone())));
        scaler.update().unwrap();
        assert_eq!((p.item(), scaler.get_scale()), (before.0, before.1 / 2.0));
    }
    assert_eq!(opt.steps(), [1, 2]);
}

#[test]
fn an_overflow_of_the_second_sweep_goes_back_and_other_optimizers_step() {
    let (p, mut opt, mut scaler) = pair();
    let q = Parameter::new([1.0_f32]);
    let mut other =
        Sgd::from_parameters([q.clone()], SgdOptions { lr: 1.0, ..Default::default() }).unwrap();
    backward(&mut scaler, &q, 2.0);
    backward(&mut scaler, &p, 3.0);
    assert!(matches!(scaler.climb(&mut opt), Ok(ClimbOutcome::Climbed { .. })));
    opt.zero_grad();
    backward(&mut scaler, &p, f32::INFINITY);
    assert!(scaler.step(&mut other).unwrap().is_applied());
    assert!(!scaler.step(&mut opt).unwrap().is_applied());
    scaler.update().unwrap();
    assert_eq!((p.item(), q.item(), scaler.get_scale()), (1.0, -1.0, 4.0));
}

#[test]
fn calls_in_the_wrong_order_are_errors() {
    let (p, mut opt, mut scaler) = pair();
    assert_eq!(refused(scaler.climb(&mut opt)), ScalerError::NotStarted("climb"));
    let none = ScalerError::NoGradients(vec!["0".to_owned()]);
    let _ = scaler.scale(&Tensor::from([1.0]));
    assert_eq!(refused(scaler.climb(&mut opt)), none);
    p.set_grad(Some(Array::ones([1], DType::F16).into()));
    let plain = ScalerError::NotScaled(vec!["0".to_owned()]);
    assert_eq!(refused(scaler.climb(&mut opt)), plain);

    opt.zero_grad();
    backward(&mut scaler, &p, 3.0);
    assert!(matches!(opt.climb(), Err(OptimError::ScaledGradient(_))), "it is still scaled");
    scaler.unscale(&mut opt).unwrap();
    assert_eq!(scaler.climb(&mut opt), Ok(ClimbOutcome::Climbed { norm: 3.0 }));
    // The gradient of the first sweep is no gradient for the step.
    assert_eq!(refused(scaler.step(&mut opt)), plain);
    assert_eq!(refused(scaler.update()), ScalerError::UpdateAfterClimb);
    opt.zero_grad();
    assert_eq!(refused(scaler.step(&mut opt)), none);
    backward(&mut scaler, &p, 1.0);
    assert!(scaler.step(&mut opt).unwrap().is_applied());
    assert_eq!(refused(scaler.climb(&mut opt)), ScalerError::ClimbAfterStep);
    scaler.update().unwrap();
    assert_eq!((p.item(), opt.steps()), (0.0, [1, 0]));
    // A second sweep that was forgotten is seen even if the first one was unscaled.
    opt.zero_grad();
    backward(&mut scaler, &p, 1.0);
    scaler.climb(&mut opt).unwrap();
    opt.zero_grad();
    scaler.unscale(&mut opt).unwrap();
    assert_eq!(refused(scaler.step(&mut opt)), none);
}

#[test]
fn without_a_scale_it_is_sam_alone() {
    let (p, mut opt, _) = pair();
    let off = GradScalerOptions { enabled: false, ..Default::default() };
    let mut scaler = GradScaler::new(off).unwrap();
    backward(&mut scaler, &p, 3.0);
    assert_eq!(scaler.climb(&mut opt), Ok(ClimbOutcome::Climbed { norm: 3.0 }));
    assert!(scaler.step(&mut opt).unwrap().is_applied());
    assert_eq!(p.item(), -2.0);
    let report = scaler.step_with(&mut opt, &mut || p.to_dtype(DType::F32).sum()).unwrap();
    assert_eq!((report.loss, report.evaluations, p.item()), (-2.0, 2, -3.0));
}

/// Rows that are named once, before a step with a closure, serve both of its sweeps.
#[test]
fn rows_last_for_both_sweeps() {
    let start = [[1.0_f32, -2.0], [3.0, 4.0], [0.5, -0.5]];
    let (index, options) =
        (Array::from([2_i64, 0]), SparseAdamOptions { lr: 0.25, ..Default::default() });
    let build = || {
        let p = Parameter::new(start);
        let base = SparseAdam::from_parameters([p.clone()], options.clone()).unwrap();
        (p, sam(base, 0.5, false))
    };
    let loss = |p: &Parameter| (p.index_select(0, &Tensor::from([0_i64, 2, 2])).square()).sum();

    let (by_hand, mut opt) = build();
    loss(&by_hand).backward();
    opt.climb().unwrap();
    opt.zero_grad();
    loss(&by_hand).backward();
    opt.base_mut().set_rows("0", &index).unwrap();
    opt.step().unwrap();

    let (p, mut opt) = build();
    opt.base_mut().set_rows("0", &index).unwrap();
    let report = opt.step_with(&mut || loss(&p)).unwrap();
    assert_eq!((report.loss, report.evaluations), (6.0, 2));
    assert_eq!(p.to_vec::<f32>(), by_hand.to_vec::<f32>());
    assert_eq!(p.to_vec::<f32>()[2..4], start[1]);
    assert_ne!(p.to_vec::<f32>()[..2], start[0]);
    let forgotten = opt.step_with(&mut || loss(&p)).unwrap_err();
    assert!(forgotten.to_string().contains("set_rows"), "{forgotten}");

    let (p, mut opt) = build();
    let mut scaler = GradScaler::default();
    opt.base_mut().set_rows("0", &index).unwrap();
    scaler.step_with(&mut opt, &mut || loss(&p)).unwrap();
    assert_eq!(p.to_vec::<f32>(), by_hand.to_vec::<f32>());
}
