//! Every optimizer of the catalog, with each of its option sets.

use super::{for_each_rule, for_each_whole};
use crate::group::Rows;
use crate::{Optim, OptimError, Optimizer, Rule, StateDict, StepOutcome};
use gradus_autodiff::{Parameter, Tensor};
use gradus_tensor::{Array, DType, Meta, Shape, copies, threads};

/// Builds an optimizer of a whole model.
pub(super) type Build = Box<dyn Fn(Vec<(String, Parameter)>) -> Box<dyn Optimizer>>;

/// What the common tests do with one option set.
pub(super) trait Visit {
    fn case<R: Rule>(&mut self, name: &str, options: R);
}

/// A test of the catalog is a struct with nothing in it.
macro_rules! over_catalog {
    ($test:ident($name:ident, $options:ident) $body:block) => {
        #[test]
        fn $test() {
            struct Each;
            impl Visit for Each {
                fn case<R: Rule>(&mut self, $name: &str, $options: R) $body
            }
            for_each_rule(&mut Each);
        }
    };
}

mod resume;

const FLOATS: [DType; 4] = [DType::F32, DType::F64, DType::F16, DType::Bf16];

/// Numbers that every type holds exactly, without a pattern; `seed` says which.
fn numbers(n: usize, seed: usize) -> Vec<f64> {
    (0..n).map(|i| ((i * 37 + seed * 29 + i * i * seed) % 101) as f64 / 64.0 - 0.78125).collect()
}

/// One axis, or two if the rule wants them.
fn shape<R: Rule>(options: &R, n: usize, dtype: DType) -> Shape {
    let flat = Shape::from([n]);
    let meta = Meta::new(flat.clone(), dtype);
    if options.accepts(&meta).is_ok() { flat } else { [n, 1].into() }
}

fn parameters<R: Rule>(options: &R, sizes: &[usize], dtype: DType) -> Vec<(String, Parameter)> {
    let new = |(i, &n): (usize, &usize)| {
        let shape = shape(options, n, dtype);
        (format!("p{i}"), Parameter::new(Array::from_f64(shape, dtype, &numbers(n, i))))
    };
    sizes.iter().enumerate().map(new).collect()
}

fn set_grads(parameters: &[(String, Parameter)], step: usize) {
    for (i, (_, p)) in parameters.iter().enumerate() {
        let grad = Array::from_f64(p.shape(), p.dtype(), &numbers(p.numel(), 7 * step + i + 3));
        p.set_grad(Some(grad.into()));
    }
}

fn train<R: Rule>(opt: &mut Optim<R>, from: usize, to: usize) {
    for step in from..to {
        set_grads(&opt.named_parameters(), step);
        assert!(take_step(opt).is_applied());
    }
}

/// A step; all rows of every gradient count.
fn take_step<R: Rule>(opt: &mut Optim<R>) -> StepOutcome {
    name_rows(opt);
    opt.step().unwrap()
}

fn name_rows<R: Rule>(opt: &mut Optim<R>) {
    for m in opt.members_mut().filter(|_| R::BY_ROWS) {
        m.rows = Some(Rows { index: (0..m.parameter.shape()[0]).collect(), values: None });
    }
}

fn values(parameters: &[(String, Parameter)]) -> Vec<Vec<f64>> {
    parameters.iter().map(|(_, p)| p.to_vec()).collect()
}

over_catalog! { one_step_changes_every_parameter(name, options) {
    for dtype in FLOATS {
        let params = parameters(&options, &[1, 3, 70, 0], dtype);
        let before = values(&params);
        let mut opt = Optim::new(params.clone(), options.clone()).unwrap();
        set_grads(&params, 0);
        let outcome = take_step(&mut opt);
        assert_eq!(outcome, StepOutcome::Applied { updated: 4, no_grad: vec![] });
        for (old, new) in before[..3].iter().zip(values(&params)) {
            let same = old.iter().zip(&new).filter(|(a, b)| a == b).count();
            assert!(same <= old.len() / 4, "{name} {dtype}: {same} of {} are unchanged", old.len());
        }
    }
} }

over_catalog! { no_gradient_is_not_a_gradient_of_zeros(name, options) {
    let params = parameters(&options, &[5, 5], DType::F64);
    let mut opt = Optim::new(params.clone(), options.clone()).unwrap();
    let outcome = take_step(&mut opt);
    let none = vec!["p0".to_owned(), "p1".to_owned()];
    assert_eq!(outcome, StepOutcome::Applied { updated: 0, no_grad: none });
    train(&mut opt, 0, 2);
    opt.zero_grad();
    let (before, state) = (values(&params), opt.parameter_state("p0"));
    let zeros = Array::zeros(params[1].1.shape(), DType::F64);
    params[1].1.set_grad(Some(zeros.into()));
    let outcome = take_step(&mut opt);
    assert_eq!(outcome, StepOutcome::Applied { updated: 1, no_grad: vec!["p0".to_owned()] });
    assert_eq!(values(&params)[0], before[0], "{name}");
    assert_eq!(opt.parameter_state("p0"), state, "{name}");
    assert_eq!(opt.state_dict().value("state.p1.step").unwrap().as_u64(), Some(3), "{name}");
} }

over_catalog! { resuming_is_equal_bit_for_bit(name, options) {
    for dtype in FLOATS {
        let start = || {
            let params = parameters(&options, &[3, 70], dtype);
            (params.clone(), Optim::new(params, options.clone()).unwrap())
        };
        let (straight, mut opt) = start();
        train(&mut opt, 0, 10);
        let (first, mut opt) = start();
        train(&mut opt, 0, 5);
        let bytes = opt.state_dict().to_bytes().unwrap();
        let (second, mut opt) = start();
        for ((_, old), (_, new)) in first.iter().zip(&second) {
            new.set(old.array()).unwrap();
        }
        opt.load_state_dict(&StateDict::from_bytes(&bytes).unwrap()).unwrap();
        assert_eq!(opt.state_dict().to_bytes().unwrap(), bytes, "{name} {dtype}");
        train(&mut opt, 5, 10);
        assert_eq!(values(&second), values(&straight), "{name} {dtype}");
        assert_eq!(opt.steps(), [10, 0]);
    }
} }

over_catalog! { a_parameter_that_joins_late_takes_its_own_first_step(name, options) {
    let (fresh, late) = (parameters(&options, &[7], DType::F64), parameters(&options, &[7], DType::F64));
    let mut opt = Optim::new(fresh.clone(), options.clone()).unwrap();
    train(&mut opt, 0, 3);
    let ones = || Array::ones(shape(&options, 2, DType::F64), DType::F64);
    let other = Parameter::new(ones());
    let group = [("other".to_owned(), other.clone())];
    let mut opt = Optim::new(group, options.clone()).unwrap();
    opt.add_group(late.clone(), options.clone()).unwrap();
    for step in 0..9 {
        opt.zero_grad();
        other.set_grad(Some(ones().into()));
        if step >= 6 {
            set_grads(&late, step - 6);
        }
        take_step(&mut opt);
    }
    assert_eq!(values(&late), values(&fresh), "{name}");
} }

over_catalog! { threads_do_not_change_a_bit(name, options) {
    let most = threads::num_threads();
    for dtype in FLOATS {
        let run = |count: usize| {
            threads::set_num_threads(count);
            let params = parameters(&options, &[40_000, 3, 1, 70_001], dtype);
            let mut opt = Optim::new(params.clone(), options.clone()).unwrap();
            train(&mut opt, 0, 2);
            (values(&params), opt.state_dict())
        };
        let one = run(1);
        for count in [2, 4] {
            assert!(run(count) == one, "{name} {dtype}: {count} threads");
        }
    }
    threads::set_num_threads(most);
} }

over_catalog! { a_step_is_in_place(name, options) {
    for dtype in FLOATS {
        let params = parameters(&options, &[20_000, 3], dtype);
        let mut opt = Optim::new(params, options.clone()).unwrap();
        train(&mut opt, 0, 2);
        let before = copies();
        train(&mut opt, 2, 4);
        assert_eq!(copies(), before, "{name} {dtype}");
    }
} }

over_catalog! { half_parameters_have_state_and_masters_in_f32(name, options) {
    for dtype in [DType::F16, DType::Bf16] {
        let half = parameters(&options, &[70], dtype);
        let start: Vec<f64> = half[0].1.to_vec();
        let wide = vec![("p0".to_owned(), Parameter::new(Array::from_f64(half[0].1.shape(), DType::F32, &start)))];
        let mut opt = Optim::new(half.clone(), options.clone()).unwrap();
        let mut reference = Optim::new(wide.clone(), options.clone()).unwrap();
        for step in 0..20 {
            set_grads(&half, step);
            let grad = half[0].1.grad().unwrap().into_array().cast(DType::F32);
            wide[0].1.set_grad(Some(grad.into()));
            take_step(&mut opt);
            take_step(&mut reference);
        }
        let state = opt.state_dict();
        let master = state.array("state.p0.master").unwrap();
        assert_eq!(*master, wide[0].1.array(), "{name} {dtype}: the master is the f32 run");
        assert_eq!(half[0].1.array(), master.clone().cast(dtype), "{name} {dtype}");
        for slot in R::SLOTS {
            let slot = state.array(&format!("state.p0.{slot}"));
            assert!(slot.is_none_or(|a| a.dtype() == DType::F32), "{name} {dtype}");
        }
        // A value set by hand starts a new master.
        let shape = half[0].1.shape();
        half[0].1.set(Array::full(shape, 40.0, dtype)).unwrap();
        wide[0].1.set(Array::full(shape, 40.0, DType::F32)).unwrap();
        half[0].1.set_grad(Some(Array::ones(shape, dtype).into()));
        wide[0].1.set_grad(Some(Array::ones(shape, DType::F32).into()));
        take_step(&mut opt);
            take_step(&mut reference);
        assert_eq!(*opt.state_dict().array("state.p0.master").unwrap(), wide[0].1.array());
    }
} }

over_catalog! { f32_follows_f64(name, options) {
    let run = |dtype| {
        let params = parameters(&options, &[70], dtype);
        train(&mut Optim::new(params.clone(), options.clone()).unwrap(), 0, 20);
        values(&params).remove(0)
    };
    for (a, b) in run(DType::F32).into_iter().zip(run(DType::F64)) {
        assert!((a - b).abs() < 2e-5, "{name}: {a} {b}");
    }
} }

over_catalog! { a_scaled_gradient_is_refused_and_can_be_unscaled(name, options) {
    let run = |scale: f64, dtype| {
        let params = parameters(&options, &[5], dtype);
        let mut opt = Optim::new(params.clone(), options.clone()).unwrap();
        let grad: Vec<f64> = numbers(5, 3).iter().map(|g| g * scale).collect();
        params[0].1.set_grad(Some(Array::from_f64(params[0].1.shape(), dtype, &grad).into()));
        if scale != 1.0 {
            params[0].1.set_grad_scaled(true);
            let before = values(&params);
            name_rows(&mut opt);
            assert_eq!(opt.step(), Err(OptimError::ScaledGradient(vec!["p0".to_owned()])));
            assert_eq!((values(&params), opt.steps()), (before, [0, 0]), "{name}");
        }
        name_rows(&mut opt);
        opt.step_scaled(1.0 / scale).unwrap();
        values(&params)
    };
    for dtype in FLOATS {
        assert_eq!(run(1024.0, dtype), run(1.0, dtype), "{name} {dtype}");
    }
} }

over_catalog! { impossible_rates_are_refused(name, options) {
    for lr in [-1e-9, f64::NAN, f64::INFINITY] {
        let mut bad = options.clone();
        bad.set_lr(lr);
        let error = Optim::new(parameters(&options, &[1], DType::F32), bad).err().unwrap();
        let text = error.to_string();
        assert!(text.contains(R::NAME) && text.contains("lr = "), "{name}: {text}");
    }
} }

over_catalog! { a_change_of_dtype_is_followed(name, options) {
    let params = parameters(&options, &[5], DType::F32);
    let mut opt = Optim::new(params.clone(), options).unwrap();
    train(&mut opt, 0, 1);
    for dtype in [DType::F64, DType::F16, DType::F32] {
        params[0].1.set_dtype(dtype);
        train(&mut opt, 1, 2);
        assert_eq!(params[0].1.dtype(), dtype);
        let has_master = opt.state_dict().get("state.p0.master").is_some();
        assert_eq!(has_master, dtype.is_half(), "{name} {dtype}");
    }
} }

/// `Σ 2·(x[i+1] − x[i]²)² + (x[i] − 1)²`: curved, and parameters depend on each other.
fn curved_loss(parameters: &[(String, Parameter)]) -> Tensor {
    let all: Vec<Tensor> = parameters.iter().map(|(_, p)| p.reshape(&[-1])).collect();
    let x = Tensor::cat(&all.iter().collect::<Vec<_>>(), 0);
    let n = x.numel() - 1;
    let (this, next) = (x.narrow(0, 0, n), x.narrow(0, 1, n));
    (&next - &this * &this).square().sum() * 2.0 + (&x - 1.0).square().sum()
}

fn whole_parameters(dtype: DType) -> Vec<(String, Parameter)> {
    let new = |(i, n): (usize, usize)| {
        (format!("p{i}"), Parameter::new(Array::from_f64([n], dtype, &numbers(n, i))))
    };
    [3, 2].into_iter().enumerate().map(new).collect()
}

/// Steps with a closure; the losses where they began.
fn minimize(opt: &mut dyn Optimizer, steps: usize) -> Vec<f64> {
    let parameters = opt.named_parameters();
    let mut step = || opt.step_with(&mut || curved_loss(&parameters)).unwrap().loss;
    (0..steps).map(|_| step()).collect()
}

#[test]
fn whole_model_optimizers_lower_the_loss() {
    for_each_whole(&mut |name, build| {
        for dtype in [DType::F32, DType::F64] {
            let mut opt = build(whole_parameters(dtype));
            let losses = minimize(opt.as_mut(), 20);
            let (first, last) = (losses[0], losses[19]);
            assert!(last < 0.7 * first, "{name} {dtype}: {first} -> {last}");
            assert_eq!(opt.steps(), [20, 0], "{name}");
        }
    });
}

#[test]
fn whole_model_optimizers_resume_bit_for_bit() {
    for_each_whole(&mut |name, build| {
        for dtype in FLOATS {
            let straight = whole_parameters(dtype);
            minimize(build(straight.clone()).as_mut(), 7);
            let first = whole_parameters(dtype);
            let mut opt = build(first.clone());
            minimize(opt.as_mut(), 3);
            let bytes = opt.state_dict().to_bytes().unwrap();
            let second = whole_parameters(dtype);
            let mut opt = build(second.clone());
            for ((_, old), (_, new)) in first.iter().zip(&second) {
                new.set(old.array()).unwrap();
            }
            opt.load_state_dict(&StateDict::from_bytes(&bytes).unwrap()).unwrap();
            assert_eq!(opt.state_dict().to_bytes().unwrap(), bytes, "{name} {dtype}");
            minimize(opt.as_mut(), 4);
            assert_eq!(values(&second), values(&straight), "{name} {dtype}");
            assert_eq!(opt.steps(), [7, 0], "{name} {dtype}");
        }
    });
}

#[test]
fn a_state_that_does_not_fit_changes_no_whole_model_optimizer() {
    for_each_whole(&mut |name, build| {
        let mut opt = build(whole_parameters(DType::F64));
        minimize(opt.as_mut(), 3);
        let before = opt.state_dict();
        let keys: Vec<String> = before.keys().map(str::to_owned).collect();
        for key in keys {
            let mut less = before.clone();
            less.remove(&key);
            assert!(key == "state.d" || opt.load_state_dict(&less).is_err(), "{name} {key}");
            let mut other = before.clone();
            other.insert(key.clone(), Array::zeros([77], DType::F32));
            assert!(opt.load_state_dict(&other).is_err(), "{name} {key}");
            assert_eq!(opt.state_dict(), before, "{name} {key}");
        }
        let mut more = before.clone();
        more.insert("another", serde_json::json!(1));
        assert!(opt.load_state_dict(&more).unwrap_err().to_string().contains("another"), "{name}");
    });
}

#[test]
fn closures_are_asked_for_and_graphs_are_not_used_twice() {
    for_each_whole(&mut |name, build| {
        let parameters = whole_parameters(DType::F64);
        let mut opt = build(parameters.clone());
        let before = values(&parameters);
        if !["lookahead"].contains(&name) {
            assert!(matches!(opt.step(), Err(OptimError::NeedsClosure(_))), "{name}");
            assert!(matches!(opt.step_scaled(0.5), Err(OptimError::NeedsClosure(_))), "{name}");
        }
        let loss = curved_loss(&parameters);
        let untracked = opt.step_with(&mut || loss.detach());
        assert!(matches!(untracked, Err(OptimError::Closure(_))), "{name}");
        assert_eq!(values(&parameters), before, "{name}");
        loss.backward();
        let used = opt.step_with(&mut || loss.clone());
        assert!(matches!(used, Err(OptimError::Closure(_))), "{name}");
        assert_eq!((values(&parameters), opt.steps()), (before, [0, 0]), "{name}");
    });
}
