//! The tape: long, swept twice, pruned, and gone when nobody holds it.

use gradus_autodiff::{
    Autocast, GraphError, Op, OpError, Save, Saved, Sweep, Tensor, enable_grad, grad,
    grad_allow_unused, no_grad, try_grad,
};
use gradus_tensor::{Array, Meta};
use std::thread;

fn leaf(v: &[f64]) -> Tensor {
    Tensor::from(v.to_vec()).requires_grad_()
}
fn values(t: &Tensor) -> Vec<f64> {
    t.to_vec()
}

#[test]
fn b45_a_million_ops_run_backward_and_are_dropped_on_a_small_stack() {
    let work = || {
        let x = leaf(&[1.0]);
        let y = (0..1_000_000).fold(x.clone(), |y, _| -y);
        y.backward();
        assert_eq!(values(&x.grad().unwrap()), [1.0]);
        let z = (0..1_000_000).fold(y, |z, _| -z);
        assert_eq!(values(&grad(&[&z], &[&x], Sweep::default())[0]), [1.0]);
        drop(z);
    };
    thread::Builder::new().stack_size(512 << 10).spawn(work).unwrap().join().unwrap();
}

#[test]
fn a_wide_graph_is_swept_in_order() {
    let x = leaf(&[2.0]);
    let parts: Vec<Tensor> = (0..1000).map(|i| &x * f64::from(i)).collect();
    let all: Vec<&Tensor> = parts.iter().collect();
    Tensor::cat(&all, 0).sum().backward();
    assert_eq!(values(&x.grad().unwrap()), [499_500.0]);
}

#[test]
fn gradients_add_up_in_leaves() {
    let x = leaf(&[2.0, 3.0]);
    (&x * &x).sum().backward();
    (&x * &x).backward_with(&x.detach());
    assert_eq!(values(&x.grad().unwrap()), [4.0 + 8.0, 6.0 + 18.0]);
    x.zero_grad();
    assert!(x.grad().is_none());
    assert!(!no_grad(|| &x * &x).requires_grad());
    assert!(no_grad(|| enable_grad(|| &x * &x)).requires_grad());
    assert!(!(&x * &x).detach().requires_grad());
}

#[test]
fn b44_a_result_that_is_used_twice_is_swept_once() {
    let a = leaf(&[1.0]);
    let b = &a + &a;
    (&b + &b).backward();
    assert_eq!(values(&a.grad().unwrap()), [4.0]);
}

#[test]
fn a_sweep_that_cannot_start_says_why() {
    let x = leaf(&[2.0, 3.0]);
    let error = |r: Result<(), GraphError>| r.unwrap_err().to_string();
    let untracked = error(x.detach().sum().try_backward(None, Sweep::default()));
    assert!(untracked.contains("does not depend on a tensor that requires"), "{untracked}");
    let many = error((&x * 2.0).try_backward(None, Sweep::default()));
    assert!(many.contains("float64[2] is not one number"), "{many}");
    let start = Tensor::from([1.0]);
    let misfit = error((&x * 2.0).try_backward(Some(&start), Sweep::default()));
    assert!(misfit.contains("float64[1] does not fit the result float64[2]"), "{misfit}");
}

#[test]
fn freed_values_are_named_with_their_line() {
    let x = leaf(&[1.0, 2.0]);
    let line = line!() + 1;
    let y = x.exp();
    let z = (&y + 1.0).sum();
    z.backward();
    let error = z.try_backward(None, Sweep::default()).unwrap_err();
    let GraphError::Freed { op: "exp", at } = &error else { panic!("{error}") };
    assert_eq!((at.file(), at.line()), (file!(), line));
    assert!(error.to_string().contains(&format!("exp saved at {}:{line}", file!())), "{error}");
    assert_eq!(values(&x.grad().unwrap()), values(&y), "a failed sweep leaves gradients alone");

    let w = (&x + 1.0).sum(); // these rules save nothing
    w.backward();
    w.backward();
    let kept = x.exp().sum();
    kept.try_backward(None, Sweep::RETAIN).unwrap();
    kept.backward();
}

#[test]
fn any_order_of_derivative() {
    let x = leaf(&[0.5]);
    let mut y = x.tanh();
    for _ in 0..3 {
        y = grad(&[&y], &[&x], Sweep::CREATE).remove(0);
    }
    let t = 0.5_f64.tanh();
    let third = -2.0 * (1.0 - t * t) * (1.0 - 3.0 * t * t);
    assert!((values(&y)[0] - third).abs() < 1e-14);
    assert!(x.grad().is_none(), "grad() leaves .grad alone");
}

#[test]
fn grad_visits_only_what_leads_to_its_inputs() {
    let (a, b) = (leaf(&[2.0]), leaf(&[3.0]));
    let mut h = &a * &b;
    h.retain_grad();
    let unrelated = b.exp();
    let y = (&h * &h + &unrelated).sum();
    let got = grad_allow_unused(&[&y], &[], &[&h, &a, &leaf(&[1.0])], Sweep::RETAIN).unwrap();
    assert_eq!(values(got[0].as_ref().unwrap()), [12.0]);
    assert_eq!(values(got[1].as_ref().unwrap()), [36.0]);
    assert!(got[2].is_none());
    unrelated.sum().backward(); // its values were not freed: nobody went there
    grad(&[&y], &[&a], Sweep::default());
    assert_eq!(values(&h.grad().unwrap()), [24.0], "retained gradients add up, too");
    let unused = try_grad(&[&(&a * 2.0)], &[], &[&a, &b], Sweep::default()).unwrap_err();
    assert!(unused.to_string().contains("no output depends on input 1 float64[1]"), "{unused}");
}

#[test]
fn grad_of_several_outputs_starts_from_what_it_is_given() {
    let x = leaf(&[1.0, 2.0]);
    let (y, z) = (&x * 3.0, &x * &x);
    let (u, v) = (Tensor::from([1.0, 10.0]), Tensor::from([0.5, 0.5]));
    let g = try_grad(&[&y, &z], &[&u, &v], &[&x], Sweep::default()).unwrap();
    assert_eq!(values(&g[0]), [3.0 + 1.0, 30.0 + 2.0]);
}

/// `a·b` whose rule panics if it is asked for a gradient that nobody needs.
struct Frugal;

impl Op for Frugal {
    const NAME: &'static str = "frugal";
    const AUTOCAST: Autocast = Autocast::Low;
    type In<T> = [T; 2];
    type Out<T> = T;
    fn infer(&self, [a, _]: [&Meta; 2]) -> Result<Meta, OpError> {
        Ok(a.clone())
    }
    fn forward(&self, [a, b]: [Array; 2], save: &mut Save<'_>) -> Array {
        if save.need(1) {
            save.input(0, &a);
        }
        if save.need(0) {
            save.input(1, &b);
        }
        (Tensor::new(a) * Tensor::new(b)).array()
    }
    fn vjp(&self, saved: &Saved<'_>, g: Tensor) -> [Option<Tensor>; 2] {
        // What forward has not saved panics when it is read.
        [1, 0].map(|other| saved.need(1 - other).then(|| &g * saved.input(other as u32)))
    }
}

#[test]
fn the_gradient_of_the_first_layers_input_is_never_computed() {
    let (data, w) = (Tensor::from([1.0, 2.0]), leaf(&[3.0, 4.0]));
    let h = Tensor::apply(Frugal, [&data, &w]);
    Tensor::apply(Frugal, [&h, &w]).sum().backward();
    assert_eq!(values(&w.grad().unwrap()), [2.0 * 3.0, 2.0 * 2.0 * 4.0]);
    let frozen = w.detach();
    let x = leaf(&[1.0, 1.0]);
    Tensor::apply(Frugal, [&x, &frozen]).sum().backward();
    assert_eq!(values(&x.grad().unwrap()), [3.0, 4.0]);
}

/// Asks for both gradients, whatever is needed.
struct Greedy;

impl Op for Greedy {
    const NAME: &'static str = "greedy";
    const AUTOCAST: Autocast = Autocast::Low;
    type In<T> = [T; 2];
    type Out<T> = T;
    fn infer(&self, [a, _]: [&Meta; 2]) -> Result<Meta, OpError> {
        Ok(a.clone())
    }
    fn forward(&self, [a, b]: [Array; 2], save: &mut Save<'_>) -> Array {
        Frugal.forward([a, b], save)
    }
    fn vjp(&self, saved: &Saved<'_>, g: Tensor) -> [Option<Tensor>; 2] {
        [Some(&g * saved.input(1)), Some(g * saved.input(0))]
    }
}

#[test]
#[should_panic(expected = "reads only what forward saved")]
fn the_test_above_has_teeth() {
    let (data, w) = (Tensor::from([1.0, 2.0]), leaf(&[3.0, 4.0]));
    Tensor::apply(Greedy, [&data, &w]).sum().backward();
}
