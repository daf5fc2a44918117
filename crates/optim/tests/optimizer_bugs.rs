//! Bugs that other frameworks had in their optimizers, by the numbers of the catalogue. The values are
//! PyTorch's, in f64.
#![allow(clippy::unwrap_used, reason = "a test")]

use gradus_autodiff::{Parameter, Tensor};
use gradus_optim::{
    Adam, AdamOptions, AdamW, AdamWOptions, NonFinite, OptimError, Optimizer, Sgd, SgdOptions,
    SkipReason, StepOutcome,
};
use gradus_tensor::{Array, DType, bf16, f16};

const GRADS: [Option<f64>; 5] = [Some(0.1), Some(-0.2), Some(0.3), Some(0.0), Some(0.5)];

fn one(v: f64) -> (Parameter, [(String, Parameter); 1]) {
    let p = Parameter::new([v]);
    (p.clone(), [("p".to_owned(), p)])
}

fn run(opt: &mut dyn Optimizer, p: &Parameter, grads: &[Option<f64>]) -> Vec<f64> {
    let step = |g: &Option<f64>| {
        p.set_grad(g.map(|g| Tensor::from([g])));
        opt.step().unwrap();
        p.item()
    };
    grads.iter().map(step).collect()
}

#[track_caller]
fn close(got: &[f64], want: &[f64]) {
    assert_eq!(got.len(), want.len());
    assert!(got.iter().zip(want).all(|(a, b)| (a - b).abs() < 6e-11), "{got:?} {want:?}");
}

#[track_caller]
fn adam(options: AdamOptions, want: &[f64]) {
    let (p, params) = one(1.0);
    let mut opt = Adam::new(params, AdamOptions { lr: 0.01, ..options }).unwrap();
    close(&run(&mut opt, &p, &GRADS), want);
}

#[track_caller]
fn sgd(options: SgdOptions, grads: &[Option<f64>], want: &[f64]) {
    let (p, params) = one(1.0);
    let mut opt = Sgd::new(params, SgdOptions { lr: 0.1, ..options }).unwrap();
    close(&run(&mut opt, &p, grads), want);
}

const ADAM: [f64; 5] =
    [0.990_000_001, 0.993_661_036_0, 0.990_228_625_4, 0.987_417_003_5, 0.981_624_955_2];

#[test]
fn b01_b02_b03_adam_counts_from_one_corrects_and_remembers() {
    adam(AdamOptions::default(), &ADAM);
}

#[test]
fn b04_eps_is_outside_the_bias_correction() {
    let want =
        [0.990_909_090_9, 0.994_352_385_8, 0.991_071_793_5, 0.988_402_828_5, 0.982_810_890_6];
    adam(AdamOptions { eps: 0.01, ..Default::default() }, &want);
}

#[test]
fn b05_coupled_decay_uses_the_present_gradient() {
    let want =
        [0.990_000_000_2, 0.980_702_883_1, 0.971_184_842_7, 0.961_657_664_7, 0.951_994_718_8];
    adam(AdamOptions { weight_decay: 0.5, ..Default::default() }, &want);
}

#[test]
fn b06_decoupled_decay_comes_first_and_follows_the_rate() {
    let want = [0.985_000_001, 0.983_736_036, 0.975_384_945_2, 0.967_696_398_6, 0.957_065_868_3];
    let options =
        AdamOptions { weight_decay: 0.5, decoupled_weight_decay: true, ..Default::default() };
    adam(options, &want);
    let (p, params) = one(1.0);
    let options = AdamWOptions { lr: 0.01, weight_decay: 0.5, ..Default::default() };
    let mut opt = AdamW::new(params, options).unwrap();
    close(&run(&mut opt, &p, &GRADS), &want);
    // With a zero gradient and no history only the decay acts, at the rate of the schedule.
    let (p, params) = one(1.0);
    let options = AdamWOptions { lr: 0.01, weight_decay: 0.5, ..Default::default() };
    let mut opt = AdamW::new(params, options).unwrap();
    opt.set_lr(0, 0.2);
    close(&run(&mut opt, &p, &[Some(0.0)]), &[0.9]);
}

#[test]
fn b07_the_step_counter_advances_once_a_step() {
    let (a, b) = (Parameter::new([1.0]), Parameter::new([1.0]));
    let options = AdamOptions { lr: 0.01, ..Default::default() };
    let mut opt = Adam::from_parameters([a.clone(), b.clone()], options).unwrap();
    for (g, want) in GRADS.iter().zip(ADAM) {
        [&a, &b].into_iter().for_each(|p| p.set_grad(g.map(|g| Tensor::from([g]))));
        opt.step().unwrap();
        close(&[a.item(), b.item()], &[want, want]);
    }
}

#[test]
fn b08_a_late_parameter_has_its_own_bias_correction() {
    let (p, params) = one(1.0);
    let mut opt = Adam::new(params, AdamOptions { lr: 0.01, ..Default::default() }).unwrap();
    run(&mut opt, &p, &[None; 99]);
    close(&run(&mut opt, &p, &[Some(1.0)]), &[1.0 - 0.009_999_999_9]);
}

#[test]
fn b09_none_is_not_zero() {
    let decay = || SgdOptions { weight_decay: 0.1, ..Default::default() };
    sgd(decay(), &[None; 3], &[1.0; 3]);
    sgd(decay(), &[Some(0.0); 3], &[0.99, 0.9801, 0.970_299]);
    let momentum = || SgdOptions { momentum: 0.9, ..Default::default() };
    sgd(momentum(), &[Some(1.0), None, None], &[0.9, 0.9, 0.9]);
    sgd(momentum(), &[Some(1.0), Some(0.0), Some(0.0)], &[0.9, 0.81, 0.729]);
}

#[test]
fn b10_the_first_velocity_is_the_gradient() {
    let momentum = || SgdOptions { momentum: 0.9, ..Default::default() };
    sgd(momentum(), &GRADS, &[0.99, 1.001, 0.9809, 0.962_81, 0.896_529]);
    let want = [0.99, 0.991, 0.9769, 0.964_21, 0.927_789];
    sgd(SgdOptions { dampening: 0.5, ..momentum() }, &GRADS, &want);
    let want = [0.981, 1.0109, 0.962_81, 0.946_529, 0.836_876_1];
    sgd(SgdOptions { nesterov: true, ..momentum() }, &GRADS, &want);
    let want = [0.98, 0.9722, 0.925_458, 0.874_135_62, 0.769_204_121_8];
    sgd(SgdOptions { weight_decay: 0.1, ..momentum() }, &GRADS, &want);
}

#[test]
fn b12_amsgrad_compares_uncorrected_squares() {
    let want = [0.990_000_001, 0.993_661_036, 0.990_228_625_4, 0.987_418_409_6, 0.981_626_361_4];
    adam(AdamOptions { amsgrad: true, ..Default::default() }, &want);
}

#[test]
fn all_options_of_adam_together() {
    let p = Parameter::new([1.0, -2.0]);
    let options = AdamOptions {
        lr: 0.01,
        betas: (0.3, 0.5),
        eps: 0.01,
        weight_decay: 0.5,
        amsgrad: true,
        maximize: true,
        ..Default::default()
    };
    let mut opt = Adam::from_parameters([p.clone()], options).unwrap();
    for g in GRADS.into_iter().flatten() {
        p.set_grad(Some([g, -3.0 * g].into()));
        opt.step().unwrap();
    }
    let got = p.to_vec::<f64>();
    for (a, b) in got.into_iter().zip([0.964_789_941_216_800_6, -1.970_641_805_823_560_2]) {
        assert!((a - b).abs() < 1e-14, "{a} {b}");
    }
}

#[test]
fn b14_a_step_changes_no_gradient_and_records_nothing() {
    let (p, params) = one(1.0);
    let options = SgdOptions { weight_decay: 0.5, momentum: 0.9, ..Default::default() };
    let mut opt = Sgd::new(params, options).unwrap();
    let loss = (p.tensor() * p.tensor()).sum();
    loss.backward();
    opt.step().unwrap();
    let g = p.grad().unwrap();
    assert_eq!((g.item(), g.requires_grad()), (2.0, false));
    assert!(p.tensor().is_leaf());
}

#[test]
fn b15_half_parameters_neither_vanish_nor_explode() {
    for dtype in [DType::F16, DType::Bf16] {
        for (g, moves) in [(0.0, 0.0), (1e-4, 1.0), (1e-7, 1.0)] {
            let p = Parameter::new(Array::from_f64([1], dtype, &[1.0]));
            let options = AdamOptions { lr: 0.125, ..Default::default() };
            let mut opt = Adam::from_parameters([p.clone()], options).unwrap();
            p.set_grad(Some(Array::from_f64([1], dtype, &[g]).into()));
            opt.step().unwrap();
            let want = 1.0 - 0.125 * moves;
            assert!((p.item() - want).abs() < 0.02, "{dtype} {g}: {}", p.item());
        }
        // Steps far below the resolution of the type add up in the master.
        let p = Parameter::new(Array::from_f64([1], dtype, &[1.0]));
        let options = SgdOptions { lr: 1e-5, ..Default::default() };
        let mut opt = Sgd::from_parameters([p.clone()], options).unwrap();
        for _ in 0..10_000 {
            p.set_grad(Some(Array::ones([1], dtype).into()));
            opt.step().unwrap();
        }
        assert!((p.item() - 0.9).abs() < 4e-3, "{dtype}: {}", p.item());
    }
    assert_eq!(
        (f16::from_f64(1.0 - 1e-5).to_f64(), bf16::from_f64(1.0 - 1e-5).to_f64()),
        (1.0, 1.0)
    );
}

#[test]
fn b15_a_huge_rate_does_not_overflow_the_momentum_of_a_half_parameter() {
    let p = Parameter::new(Array::from_f64([1], DType::F16, &[0.0]));
    let options = SgdOptions { lr: 1e10, momentum: 0.9, ..Default::default() };
    let mut opt = Sgd::from_parameters([p.clone()], options).unwrap();
    p.set_grad(Some(Array::from_f64([1], DType::F16, &[1e-7]).into()));
    opt.step().unwrap();
    let state = opt.state_dict();
    assert!(state.array("state.0.momentum_buffer").unwrap().all_finite());
    assert!((state.array("state.0.master").unwrap().item() + 1192.0).abs() < 1.0);
}

#[test]
fn b16_what_pytorch_refuses_is_an_error() {
    fn text<T>(result: Result<T, OptimError>) -> String {
        result.err().map_or_else(String::new, |e| format!("{e:?}"))
    }
    let adam = |options| text(Adam::new(one(1.0).1, options));
    let base = AdamOptions::default;
    let bad = adam(AdamOptions { betas: (0.9, 1.0), ..base() });
    assert_eq!(bad, "Adam: betas.1 = 1 is out of range: 0 ≤ betas.1 < 1");
    for (options, option) in [
        (AdamOptions { betas: (-0.1, 0.9), ..base() }, "betas.0"),
        (AdamOptions { betas: (f64::NAN, 0.9), ..base() }, "betas.0"),
        (AdamOptions { eps: -1e-9, ..base() }, "eps"),
        (AdamOptions { weight_decay: -1.0, ..base() }, "weight_decay"),
        (AdamOptions { lr: -1.0, ..base() }, "lr"),
    ] {
        assert!(adam(options.clone()).contains(option), "{options:?}");
        let options = AdamWOptions {
            lr: options.lr,
            betas: options.betas,
            eps: options.eps,
            weight_decay: options.weight_decay,
            ..Default::default()
        };
        assert!(text(AdamW::new(one(1.0).1, options)).starts_with("AdamW: "));
    }
    let sgd = |options| text(Sgd::new(one(1.0).1, options));
    let base = SgdOptions::default;
    assert!(sgd(SgdOptions { momentum: -0.1, ..base() }).contains("momentum ≥ 0"));
    assert!(sgd(SgdOptions { weight_decay: -0.1, ..base() }).contains("weight_decay ≥ 0"));
    assert!(sgd(SgdOptions { dampening: f64::NAN, ..base() }).contains("dampening"));
    assert!(sgd(SgdOptions { nesterov: true, ..base() }).contains("momentum > 0 with nesterov"));
    let nesterov = SgdOptions { nesterov: true, momentum: 0.9, dampening: 0.1, ..base() };
    assert!(sgd(nesterov).contains("0 with nesterov"));
    // What PyTorch takes: no rate, no decay, all of the old mean, a dampening beyond 1.
    let odd = AdamOptions { lr: 0.0, betas: (0.0, 0.0), eps: 0.0, ..AdamOptions::default() };
    assert_eq!(adam(odd), "");
    assert_eq!(sgd(SgdOptions { momentum: 2.0, dampening: 3.0, ..base() }), "");
    let mut opt = Sgd::new(one(1.0).1, base()).unwrap();
    assert!(text(opt.set_options(0, SgdOptions { lr: -1.0, ..base() })).contains("lr"));
    assert_eq!(opt.options(0).lr, 1e-3);
}

#[test]
fn b17_a_tied_weight_is_listed_once() {
    let (p, _) = one(1.0);
    let twice = [("a".to_owned(), p.clone()), ("b".to_owned(), p.clone())];
    let error = Sgd::new(twice, SgdOptions::default()).err().unwrap();
    assert_eq!(error, OptimError::SharedParameter("a".to_owned(), "b".to_owned()));
    let mut opt = Sgd::new([("a".to_owned(), p.clone())], SgdOptions::default()).unwrap();
    let again = opt.add_group([("b".to_owned(), p)], SgdOptions::default());
    assert_eq!(again, Err(OptimError::SharedParameter("a".to_owned(), "b".to_owned())));
    let same_name = opt.add_group([("a".to_owned(), Parameter::new([1.0]))], SgdOptions::default());
    assert_eq!(same_name, Err(OptimError::DuplicateName("a".to_owned())));
    assert_eq!(opt.param_groups().len(), 1);
    let empty = Sgd::from_parameters([], SgdOptions::default());
    assert_eq!(empty.err(), Some(OptimError::NoParameters));
    assert_eq!(opt.add_group([], SgdOptions::default()), Ok(()));
}

#[test]
fn gradients_that_are_not_finite_follow_the_policy() {
    let (p, params) = one(1.0);
    let mut opt = Adam::new(params, AdamOptions::default()).unwrap();
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        p.set_grad(Some([bad].into()));
        opt.non_finite = NonFinite::Refuse;
        assert_eq!(opt.step(), Err(OptimError::NonFiniteGradient(vec!["p".to_owned()])));
        opt.non_finite = NonFinite::Skip;
        let why = SkipReason::NonFinite(vec!["p".to_owned()]);
        assert_eq!(opt.step(), Ok(StepOutcome::Skipped(why)));
        assert_eq!(p.item(), 1.0);
    }
    assert_eq!(opt.steps(), [0, 3]);
    opt.non_finite = NonFinite::Ignore;
    assert!(opt.step().unwrap().is_applied());
    assert!(p.item().is_nan());
}

#[test]
fn frozen_parameters_and_zeroed_gradients() {
    let (p, params) = one(1.0);
    let mut opt = Sgd::new(params, SgdOptions { lr: 0.1, ..Default::default() }).unwrap();
    p.set_requires_grad(false);
    let other = Parameter::new([2.0]);
    (p.tensor() * other.tensor()).sum().backward();
    let outcome = opt.step().unwrap();
    assert_eq!(outcome, StepOutcome::Applied { updated: 0, no_grad: vec!["p".to_owned()] });
    p.set_grad(Some([f64::NAN].into()));
    opt.zero_grad_in_place();
    assert_eq!(p.grad().unwrap().item(), 0.0);
    opt.zero_grad();
    assert!(p.grad().is_none());
}

#[test]
fn a_step_does_not_change_a_graph_recorded_before_it() {
    let (p, params) = one(3.0);
    let mut opt = Sgd::new(params, SgdOptions { lr: 1.0, ..Default::default() }).unwrap();
    let loss = (p.tensor() * p.tensor()).sum();
    p.set_grad(Some([6.0].into()));
    opt.step().unwrap();
    assert_eq!(p.item(), -3.0);
    opt.zero_grad();
    loss.backward();
    assert_eq!(p.grad().unwrap().item(), 6.0);
}

#[test]
fn a_gradient_that_is_a_view_or_of_another_type_is_taken_as_it_is() {
    for dtype in [DType::F16, DType::F32, DType::F64] {
        let p = Parameter::new(Array::from_f64([2, 2], dtype, &[0.0; 4]));
        let options = SgdOptions { lr: 1.0, ..Default::default() };
        let mut opt = Sgd::from_parameters([p.clone()], options).unwrap();
        let grad = Array::from([[1.0_f32, 2.0], [3.0, 4.0]]).transpose(0, 1);
        p.set_grad(Some(grad.into()));
        opt.step().unwrap();
        assert_eq!(p.to_vec::<f64>(), [-1.0, -3.0, -2.0, -4.0], "{dtype}");
        assert_eq!(p.dtype(), dtype);
    }
}
