//! Values of the bug catalogue and special points of the optimizers beside SGD and Adam.
#![allow(clippy::unwrap_used, reason = "a test")]

use gradus_autodiff::{Parameter, Tensor};
use gradus_optim::*;
use gradus_tensor::{Array, DType};

const GRADS: [f64; 5] = [0.1, -0.2, 0.3, 0.0, 0.5];

fn run<R: Rule>(options: R, grads: &[f64]) -> Vec<f64> {
    let p = Parameter::new([1.0]);
    let mut opt = Optim::from_parameters([p.clone()], options).unwrap();
    let step = |g: &f64| {
        p.set_grad(Some(Tensor::from([*g])));
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

#[test]
fn b11_rmsprop_has_eps_outside_the_root_and_starts_at_zero() {
    let options = RmsPropOptions { lr: 0.01, ..Default::default() };
    let want = [0.900_000_1, 0.989_532_356_1, 0.909_181_928_2, 0.909_181_928_2, 0.828_769_368];
    close(&run(options.clone(), &GRADS), &want);
    let want = [0.899_496_319_5, 0.898_666_918_5, 0.817_454_49, 0.744_363_304_4, 0.597_660_093_4];
    close(&run(RmsPropOptions { centered: true, momentum: 0.9, ..options }, &GRADS), &want);
}

#[test]
fn b13_adagrad_decays_its_rate_by_the_step() {
    let options = AdagradOptions { lr: 0.1, ..Default::default() };
    let want =
        [0.900_000_000_1, 0.989_442_719_2, 0.909_264_346_6, 0.909_264_346_6, 0.829_200_269_7];
    close(&run(options.clone(), &GRADS), &want);
    let want =
        [0.900_000_000_1, 0.981_311_562_9, 0.914_496_252_4, 0.914_496_252_4, 0.857_307_626_1];
    close(&run(AdagradOptions { lr_decay: 0.1, ..options }, &GRADS), &want);
}

#[test]
fn adagrads_state_is_there_before_the_first_gradient() {
    let p = Parameter::new([1.0, 2.0]);
    let options = AdagradOptions { initial_accumulator_value: 0.5, ..Default::default() };
    let opt = Adagrad::from_parameters([p], options).unwrap();
    let state = opt.parameter_state("0").unwrap();
    assert_eq!(state.array("sum").unwrap().to_vec::<f64>(), [0.5, 0.5]);
    assert_eq!(state.array("step").unwrap().item(), 0.0);
}

#[test]
fn rprop_waits_where_the_sign_turns_and_reads_its_rate_once() {
    let p = Parameter::new([0.0]);
    let options = RpropOptions { lr: 1.0, ..Default::default() };
    let mut opt = Rprop::from_parameters([p.clone()], options).unwrap();
    let mut step = |g: f64| {
        p.set_grad(Some(Tensor::from([g])));
        opt.step().unwrap();
        opt.set_lr(0, 77.0); // nothing, as in PyTorch
        p.item()
    };
    let got = [1.0, 1.0, -1.0, -1.0, f64::NAN].map(&mut step);
    assert!((got[1] - -2.2).abs() < 1e-15 && got[2] == got[1], "{got:?}");
    assert!((got[3] - (got[2] + 0.6)).abs() < 1e-15, "{got:?}");
    assert!(got[4].is_nan(), "{got:?}");
}

#[test]
fn signs_of_zero_and_nan_are_pytorchs() {
    let p = Parameter::new([1.0, 1.0]);
    let mut opt =
        Lion::from_parameters([p.clone()], LionOptions { lr: 0.5, ..Default::default() }).unwrap();
    p.set_grad(Some(Tensor::from([0.0, f64::NAN])));
    opt.step().unwrap();
    assert_eq!(p.to_vec::<f64>()[0], 1.0);
    assert!(p.to_vec::<f64>()[1].is_nan());
}

#[test]
fn a_sparse_step_touches_its_rows_only_and_needs_them() {
    let p = Parameter::new([[1.0, 1.0], [2.0, 2.0], [3.0, 3.0]]);
    let named = [("e".to_owned(), p.clone())];
    let options = SparseAdamOptions { lr: 0.5, ..Default::default() };
    let mut opt = SparseAdam::new(named, options).unwrap();
    let grad = Tensor::from([[9.0, 9.0], [1.0, -1.0], [9.0, 9.0]]);
    p.set_grad(Some(grad.clone()));
    assert_eq!(opt.step(), Err(OptimError::NoRows(vec!["e".to_owned()])));
    opt.set_rows("e", &Array::from([-2_i64, 1])).unwrap();
    assert_eq!(opt.step().unwrap(), StepOutcome::Applied { updated: 1, no_grad: vec![] });
    let got = p.to_vec::<f64>();
    assert_eq!([got[0], got[1], got[4], got[5]], [1.0, 1.0, 3.0, 3.0]);
    assert!((got[2] - 1.5).abs() < 1e-6 && (got[3] - 2.5).abs() < 1e-6, "{got:?}");
    assert_eq!(p.grad().unwrap().to_vec::<f64>(), grad.to_vec::<f64>(), "the gradient stays");
    // The rows were those of one step.
    assert!(matches!(opt.step(), Err(OptimError::NoRows(_))));
    opt.set_rows("e", &Array::zeros([0], DType::I64)).unwrap();
    let before = p.to_vec::<f64>();
    opt.step().unwrap();
    assert_eq!(p.to_vec::<f64>(), before);
    assert_eq!(opt.parameter_state("e").unwrap().array("step").unwrap().item(), 2.0);
    let none = opt.set_rows("x", &Array::from([0_i64]));
    assert_eq!(none, Err(OptimError::UnknownParameter("x".to_owned())));
}

#[test]
#[should_panic(expected = "row 3 of e")]
fn a_row_that_is_not_there_panics() {
    let named = [("e".to_owned(), Parameter::new([[1.0], [2.0], [3.0]]))];
    let mut opt = SparseAdam::new(named, SparseAdamOptions::default()).unwrap();
    let _ = opt.set_rows("e", &Array::from([3_i64]));
}

#[test]
fn the_norm_of_a_trust_ratio_does_not_overflow() {
    let p = Parameter::new([1e200, 1e200]);
    let mut opt =
        Lamb::from_parameters([p.clone()], LambOptions { lr: 0.5, ..Default::default() }).unwrap();
    p.set_grad(Some(Tensor::from([1.0, 1.0])));
    opt.step().unwrap();
    let got = p.to_vec::<f64>();
    assert!((got[0] / 1e200 - 0.5).abs() < 1e-6, "{got:?}");
}

#[test]
fn muon_turns_a_tall_matrix_as_its_transpose() {
    let wide = [[1.0, -2.0, 0.5], [0.25, 3.0, -1.0]];
    let tall = [[1.0, 0.25], [-2.0, 3.0], [0.5, -1.0]];
    let run = |grad: Array, shape: [usize; 2]| {
        let p = Parameter::new(Array::zeros(shape, DType::F64));
        // √max(1, A/B) differs between the two; this mode does not.
        let adjust_lr_fn = Some(AdjustLr::MatchRmsAdamw);
        let options = MuonOptions { lr: 1.0, adjust_lr_fn, ..Default::default() };
        let mut opt = Muon::from_parameters([p.clone()], options).unwrap();
        p.set_grad(Some(grad.into()));
        opt.step().unwrap();
        p.array()
    };
    let (a, b) = (run(wide.into(), [2, 3]), run(tall.into(), [3, 2]).transpose(0, 1));
    assert!(a.to_vec::<f64>().iter().zip(b.to_vec::<f64>()).all(|(a, b)| (a - b).abs() < 1e-14));
}

#[test]
fn sam_goes_back_when_a_step_is_skipped() {
    let p = Parameter::new([3.0]);
    let sgd = Sgd::from_parameters([p.clone()], SgdOptions { lr: 0.1, ..Default::default() });
    let mut opt = Sam::new(sgd.unwrap(), SamOptions { rho: 0.5, adaptive: false }).unwrap();
    p.set_grad(Some(Tensor::from([2.0])));
    assert_eq!(opt.climb().unwrap(), 2.0);
    assert!((p.item() - 3.5).abs() < 1e-12);
    assert_eq!(opt.climb().unwrap(), 2.0, "from θ again");
    assert!((p.item() - 3.5).abs() < 1e-12);
    let reason = SkipReason::NonFinite(vec!["0".to_owned()]);
    assert!(!opt.skip(reason).is_applied());
    assert_eq!((p.item(), opt.steps()), (3.0, [0, 1]));
    opt.climb().unwrap();
    p.set_grad(Some(Tensor::from([1.0])));
    opt.step().unwrap();
    assert!((p.item() - 2.9).abs() < 1e-15);
    p.set_grad_scaled(true);
    assert!(matches!(opt.climb(), Err(OptimError::ScaledGradient(_))));
}

#[test]
fn an_average_is_undone_to_the_bit_and_can_be_kept() {
    for dtype in [DType::F32, DType::F16] {
        let p = Parameter::new(Array::from_f64([2], dtype, &[1.0, -2.0]));
        let options = AdamWScheduleFreeOptions { lr: 0.125, ..Default::default() };
        let mut opt = AdamWScheduleFree::from_parameters([p.clone()], options).unwrap();
        for _ in 0..7 {
            opt.step_with(&mut || p.tensor().square().sum()).unwrap();
        }
        let trained = p.array();
        let state = opt.state_dict();
        let averaged = opt.averaged();
        let x = p.array();
        assert_ne!(x, trained);
        drop(averaged);
        assert_eq!((p.array(), opt.state_dict()), (trained, state));
        opt.averaged().keep();
        assert_eq!(p.array(), x);
    }
}

#[test]
fn wrappers_go_around_each_other_and_around_boxes() {
    let p = Parameter::new([0.0]);
    let sgd = Sgd::from_parameters([p.clone()], SgdOptions { lr: 1.0, ..Default::default() });
    let boxed: Box<dyn Optimizer> = Box::new(sgd.unwrap());
    let sam = Sam::new(boxed, SamOptions { rho: 0.0, adaptive: false }).unwrap();
    let mut opt = Lookahead::new(sam, LookaheadOptions { k: 2, alpha: 0.25 }).unwrap();
    for want in [-1.0, -0.5, -1.5, -1.0] {
        let report = opt.step_with(&mut || p.tensor().sum()).unwrap();
        assert_eq!((p.item(), report.evaluations), (want, 2));
    }
    let state = opt.state_dict();
    assert_eq!(state.value("optimizer").unwrap(), "SGD");
    opt.set_lr(0, 0.5);
    opt.load_state_dict_with(&state, LrPolicy::KeepCurrent).unwrap();
    assert_eq!((opt.lrs(), opt.steps()), (vec![0.5], [4, 0]));
}
