//! What PyTorch's constructors refuse is refused, and the message says which option, its value, what is
//! allowed; what they accept is accepted.
#![allow(clippy::unwrap_used, reason = "a test")]

use gradus_autodiff::Parameter;
use gradus_optim::*;
use gradus_tensor::{Array, DType};

fn matrix() -> [(String, Parameter); 1] {
    [("w".to_owned(), Parameter::new(Array::zeros([2, 2], DType::F32)))]
}

/// The defaults with one option replaced: by JSON, as a file of settings would.
fn with<R: Rule + Default>(option: &str, value: Value) -> Result<(), OptimError> {
    let mut all = serde_json::to_value(R::default()).unwrap();
    let place = all.pointer_mut(&format!("/{}", option.replace('.', "/"))).unwrap();
    *place = value;
    Optim::new(matrix(), serde_json::from_value::<R>(all).unwrap()).map(drop)
}

#[track_caller]
fn refused<R: Rule + Default>(option: &str, values: &[f64]) {
    for &value in values {
        let text = with::<R>(option, value.into()).unwrap_err().to_string();
        let says = format!("{}: {option} = {value} is out of range: ", R::NAME);
        assert!(text.starts_with(&says) && text.len() > says.len(), "{text}");
    }
}

#[track_caller]
fn accepted<R: Rule + Default>(option: &str, values: &[f64]) {
    for &value in values {
        with::<R>(option, value.into()).unwrap();
    }
}

/// Most optimizers have a rate and a decay; many have two betas.
fn rate_and_decay<R: Rule + Default>() {
    refused::<R>("lr", &[-1e-9]);
    refused::<R>("weight_decay", &[-0.1]);
    accepted::<R>("lr", &[0.0, 1e9]);
    accepted::<R>("weight_decay", &[0.0, 2.0]);
}

fn betas<R: Rule + Default>() {
    for beta in ["betas.0", "betas.1"] {
        refused::<R>(beta, &[-0.1, 1.0, 1.5]);
        accepted::<R>(beta, &[0.5, 0.999_999]);
    }
    refused::<R>("eps", &[-1e-9]);
}

#[test]
fn b16_every_constructor_refuses_what_pytorchs_does() {
    rate_and_decay::<AdadeltaOptions>();
    refused::<AdadeltaOptions>("rho", &[-0.1, 1.1]);
    accepted::<AdadeltaOptions>("rho", &[0.0, 1.0]);
    refused::<AdadeltaOptions>("eps", &[-1e-9]);
    rate_and_decay::<AdafactorOptions>();
    refused::<AdafactorOptions>("beta2_decay", &[0.1]);
    refused::<AdafactorOptions>("eps.0", &[-0.1]);
    refused::<AdafactorOptions>("eps.1", &[-0.1]);
    refused::<AdafactorOptions>("d", &[0.99]);
    rate_and_decay::<AdagradOptions>();
    for option in ["lr_decay", "initial_accumulator_value", "eps"] {
        refused::<AdagradOptions>(option, &[-1e-9]);
        accepted::<AdagradOptions>(option, &[0.0, 3.0]);
    }
    rate_and_decay::<AdamOptions>();
    betas::<AdamOptions>();
    rate_and_decay::<AdamWOptions>();
    betas::<AdamWOptions>();
    rate_and_decay::<AdamaxOptions>();
    betas::<AdamaxOptions>();
    rate_and_decay::<AdamWScheduleFreeOptions>();
    betas::<AdamWScheduleFreeOptions>();
    refused::<AdamWScheduleFreeOptions>("betas.0", &[0.0]);
    rate_and_decay::<AsgdOptions>();
    refused::<AsgdOptions>("lambd", &[-0.1]);
    refused::<AsgdOptions>("alpha", &[-0.1]);
    accepted::<AsgdOptions>("t0", &[-3.0, 0.5]);
    rate_and_decay::<LambOptions>();
    betas::<LambOptions>();
    rate_and_decay::<LionOptions>();
    refused::<LionOptions>("betas.1", &[-0.1, 1.0]);
    rate_and_decay::<MuonOptions>();
    refused::<MuonOptions>("momentum", &[-0.1]);
    rate_and_decay::<NAdamOptions>();
    betas::<NAdamOptions>();
    refused::<NAdamOptions>("momentum_decay", &[-0.1]);
    rate_and_decay::<RAdamOptions>();
    betas::<RAdamOptions>();
    rate_and_decay::<RmsPropOptions>();
    for option in ["alpha", "eps", "momentum"] {
        refused::<RmsPropOptions>(option, &[-0.1]);
        accepted::<RmsPropOptions>(option, &[0.0, 1.5]);
    }
    refused::<RpropOptions>("lr", &[-0.1]);
    refused::<RpropOptions>("etas.0", &[0.0, 1.0, 1.2]);
    refused::<RpropOptions>("etas.1", &[1.0, 0.5]);
    rate_and_decay::<SgdOptions>();
    refused::<SgdOptions>("momentum", &[-0.1]);
    refused::<SparseAdamOptions>("lr", &[0.0, -1.0]);
    refused::<SparseAdamOptions>("eps", &[0.0, -1.0]);
    refused::<SparseAdamOptions>("betas.1", &[-0.1, 1.0]);
}

#[test]
fn muon_takes_hundred_iterations_as_an_error_and_matrices_only() {
    let text = with::<MuonOptions>("ns_steps", 100.into()).unwrap_err().to_string();
    assert_eq!(text, "Muon: ns_steps = 100 is out of range: ns_steps < 100");
    let bias = [("b".to_owned(), Parameter::new([1.0_f32, 2.0]))];
    let text = Muon::new(bias, MuonOptions::default()).err().unwrap().to_string();
    assert_eq!(text, "Muon: parameter b float32[2] does not fit: it must have two axes");
}

#[test]
fn whole_model_optimizers_refuse_too() {
    let lbfgs = |options| Lbfgs::new(matrix(), options).err().unwrap().to_string();
    let base = LbfgsOptions::default;
    let text = lbfgs(LbfgsOptions { lr: -1.0, ..base() });
    assert_eq!(text, "LBFGS: lr = -1 is out of range: lr ≥ 0");
    assert!(lbfgs(LbfgsOptions { history_size: 0, ..base() }).contains("history_size = 0"));
    let newton = NewtonOptions { damping: -1.0, ..Default::default() };
    let text = Newton::new(matrix(), newton).err().unwrap().to_string();
    assert_eq!(text, "Newton: damping = -1 is out of range: damping ≥ 0");
    let sgd = || Sgd::new(matrix(), SgdOptions::default()).unwrap();
    let sam = SamOptions { rho: -0.1, adaptive: false };
    assert!(Sam::new(sgd(), sam).err().unwrap().to_string().contains("rho = -0.1"));
    for (k, alpha, what) in [(0, 0.5, "k = 0"), (5, 1.5, "alpha = 1.5"), (5, -0.1, "alpha = -0.1")]
    {
        let error = Lookahead::new(sgd(), LookaheadOptions { k, alpha }).err().unwrap();
        assert!(error.to_string().contains(what), "{error}");
    }
    let none: [(String, Parameter); 0] = [];
    assert_eq!(Lbfgs::new(none, base()).err(), Some(OptimError::NoParameters));
}

#[test]
fn b17_a_parameter_under_two_names_is_refused_everywhere() {
    let p = Parameter::new([1.0]);
    let tied = || ["a", "b"].map(|name| (name.to_owned(), p.clone()));
    let shared = Some(OptimError::SharedParameter("a".into(), "b".into()));
    assert_eq!(Lion::new(tied(), LionOptions::default()).err(), shared);
    assert_eq!(Lbfgs::new(tied(), LbfgsOptions::default()).err(), shared);
    assert_eq!(Newton::new(tied(), NewtonOptions::default()).err(), shared);
    let mut opt = RmsProp::new([tied()[0].clone()], RmsPropOptions::default()).unwrap();
    assert_eq!(opt.add_group([tied()[1].clone()], RmsPropOptions::default()).err(), shared);
}

#[test]
fn groups_by_pattern_leave_no_parameter_and_no_pattern_over() {
    let named = || ["fc.weight", "fc.bias"].map(|n| (n.to_owned(), Parameter::new([1.0])));
    let lr = |lr| SgdOptions { lr, ..Default::default() };
    let opt = Sgd::by_pattern(named(), [("*.bias", lr(0.2)), ("*", lr(0.1))]).unwrap();
    assert_eq!(opt.lrs(), [0.2, 0.1]);
    let error = |patterns: &[&'static str]| {
        Sgd::by_pattern(named(), patterns.iter().map(|p| (*p, lr(0.1)))).err().unwrap()
    };
    assert_eq!(error(&["*.bias"]), OptimError::NoPattern("fc.weight".into()));
    assert_eq!(error(&["*.bais", "*"]), OptimError::IdlePattern("*.bais".into()));
    assert_eq!(error(&[]), OptimError::NoPattern("fc.weight".into()));
}

#[test]
fn a_scaler_refuses_optimizers_that_look_at_the_loss_elsewhere() {
    let p = Parameter::new([[1.0_f32, 2.0], [3.0, 4.0]]);
    let named = || [("w".to_owned(), p.clone())];
    let lbfgs = || Lbfgs::new(named(), LbfgsOptions::default()).unwrap();
    let newton = Newton::new(named(), NewtonOptions::default()).unwrap();
    let around = Lookahead::new(lbfgs(), LookaheadOptions::default()).unwrap();
    let all: [Box<dyn Optimizer>; 3] = [Box::new(lbfgs()), Box::new(newton), Box::new(around)];
    let mut scaler = GradScaler::default();
    scaler.scale(&p.square().sum()).backward();
    let why = |error: OptimError| {
        let text = error.to_string();
        assert!(text.starts_with("this optimizer cannot be used with a scaler: it "), "{text}");
    };
    for mut opt in all {
        why(scaler.unscale(opt.as_mut()).unwrap_err());
        why(scaler.step(opt.as_mut()).unwrap_err());
        assert_eq!(opt.steps(), [0, 0]);
    }
    let mut sam = Sam::new(lbfgs(), SamOptions::default()).unwrap();
    why(scaler.climb(&mut sam).unwrap_err());
    why(scaler.step_with(&mut sam, &mut || p.square().sum()).unwrap_err());
    assert_eq!(p.to_vec::<f64>(), [1.0, 2.0, 3.0, 4.0]);
    assert!(p.grad_is_scaled(), "and the gradient is as it was");
}
