//! L-BFGS makes PyTorch's decisions, and so do its counts.
#![allow(clippy::unwrap_used, reason = "a test")]

use gradus_autodiff::{Parameter, Tensor};
use gradus_optim::{Lbfgs, LbfgsOptions, LineSearch, Optimizer};

fn rosenbrock(p: &Parameter) -> Tensor {
    let (x, y) = (p.select(0, 0), p.select(0, 1));
    (&y - &x * &x).square() * 100.0 + (&x - 1.0).square()
}

fn wolfe() -> LbfgsOptions {
    LbfgsOptions { line_search_fn: Some(LineSearch::StrongWolfe), ..Default::default() }
}

fn start(options: LbfgsOptions) -> (Parameter, Lbfgs) {
    let p = Parameter::new([-1.2, 1.0]);
    (p.clone(), Lbfgs::from_parameters([p], options).unwrap())
}

#[test]
fn b19_rosenbrock_takes_pytorchs_44_evaluations() {
    let (p, mut opt) = start(wolfe());
    let losses = [24.2, 0.423_482_302_438_028_8, 4.221_457_511_263_308e-10];
    for (want, evaluations) in losses.into_iter().zip([25, 44, 45]) {
        let report = opt.step_with(&mut || rosenbrock(&p)).unwrap();
        assert!((report.loss - want).abs() < 1e-12 + 1e-6 * want.min(1e-3), "{}", report.loss);
        assert_eq!(opt.evaluations(), evaluations);
    }
    let x = p.to_vec::<f64>();
    assert!((x[0] - 0.999_981_421_079_136_6).abs() < 1e-9, "{x:?}");
}

#[test]
fn without_tolerances_rosenbrock_reaches_1e_20_within_49_evaluations() {
    let (p, mut opt) =
        start(LbfgsOptions { tolerance_grad: 0.0, tolerance_change: 0.0, ..wolfe() });
    for _ in 0..2 {
        opt.step_with(&mut || rosenbrock(&p)).unwrap();
    }
    let loss = rosenbrock(&p).item();
    assert!(loss < 1e-20 && opt.evaluations() <= 49, "{loss} after {}", opt.evaluations());
}

#[test]
fn b19_a_first_step_that_has_converged_is_followed_by_others() {
    let p = Parameter::new([1.0, 1.0]);
    let mut opt = Lbfgs::from_parameters([p.clone()], wolfe()).unwrap();
    for n in 1..=3 {
        let report = opt.step_with(&mut || rosenbrock(&p)).unwrap();
        assert_eq!((report.loss, report.evaluations), (0.0, 1));
        assert_eq!((opt.evaluations(), opt.iterations()), (n, 0));
    }
    p.set([0.9, 0.8].into()).unwrap();
    opt.step_with(&mut || rosenbrock(&p)).unwrap();
    assert!(opt.iterations() > 0 && rosenbrock(&p).item() < 1e-6);
}

#[test]
fn b19_max_eval_is_respected() {
    for line_search_fn in [None, Some(LineSearch::StrongWolfe)] {
        for most in [1, 2, 5] {
            let (p, mut opt) = start(LbfgsOptions {
                lr: 1e-3,
                max_eval: Some(most),
                line_search_fn,
                ..Default::default()
            });
            let report = opt.step_with(&mut || rosenbrock(&p)).unwrap();
            // A line search that has begun makes one evaluation, as in PyTorch.
            assert!(report.evaluations <= most + 1, "{line_search_fn:?} {most}: {report:?}");
        }
    }
}

#[test]
fn a_closure_that_fails_leaves_everything_as_it_was() {
    let (p, mut opt) = start(wolfe());
    opt.step_with(&mut || rosenbrock(&p)).unwrap();
    let (before, state) = (p.array(), opt.state_dict());
    let mut calls = 0;
    let failed = opt.step_with(&mut || {
        calls += 1;
        if calls < 3 { rosenbrock(&p) } else { rosenbrock(&p).detach() }
    });
    assert!(failed.is_err());
    assert_eq!((p.array(), opt.state_dict()), (before, state));
}
