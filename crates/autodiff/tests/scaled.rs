//! Gradients of a scaled loss are marked, and do not mix with others.
#![allow(clippy::unwrap_used, reason = "a test")]

use gradus_autodiff::{GraphError, Parameter, Sweep, Tensor, grad};
use gradus_tensor::{Array, DType};

fn scaled(p: &Parameter) -> (f64, bool) {
    (p.grad().unwrap().item(), p.grad_is_scaled())
}

#[test]
fn the_gradients_of_a_scaled_loss_are_marked() {
    let (a, b, c) = (Parameter::new([2.0]), Parameter::new([3.0]), Parameter::new([4.0]));
    let loss = (a.tensor() * b.tensor()).sum();
    loss.scale(8.0).backward();
    c.square().sum().backward();
    assert_eq!((scaled(&a), scaled(&b), scaled(&c)), ((24.0, true), (16.0, true), (8.0, false)));
    // A second scaled loss adds to the first.
    a.square().sum().scale(8.0).backward();
    assert_eq!(scaled(&a), (56.0, true));
    a.zero_grad();
    a.square().sum().backward();
    assert_eq!(scaled(&a), (4.0, false), "a new gradient has a mark of its own");
}

#[test]
fn the_mark_is_that_of_the_path_not_of_the_root() {
    let (a, b) = (Parameter::new([2.0]), Parameter::new([3.0]));
    let both = a.square().sum().scale(4.0) + b.square().sum().scale(4.0);
    (both * 0.5).backward();
    assert_eq!((scaled(&a), scaled(&b)), ((8.0, true), (12.0, true)));
}

#[test]
fn scaled_and_unscaled_gradients_do_not_mix() {
    let mixed = |e: &GraphError| matches!(e, GraphError::MixedScales(_));
    let (a, b) = (Parameter::new([2.0]), Parameter::new([3.0]));
    // In a leaf, from two sweeps: nothing is added.
    a.square().sum().backward();
    let loss = (a.tensor() * b.tensor()).sum().scale(4.0);
    let error = loss.try_backward(None, Sweep::RETAIN).unwrap_err();
    assert!(mixed(&error), "{error}");
    assert!(error.to_string().contains("multiplied by the scale"), "{error}");
    assert_eq!((scaled(&a), b.grad().is_none()), ((4.0, false), true), "all or none");
    a.zero_grad();
    loss.backward();
    assert_eq!(scaled(&a), (12.0, true));
    // In a leaf, in one sweep.
    a.zero_grad();
    let half = a.square().sum().scale(4.0) + a.square().sum();
    assert!(mixed(&half.try_backward(None, Sweep::default()).unwrap_err()));
    // In a result, in one sweep.
    let h = a.square().sum();
    let half = h.scale(4.0) + &h;
    assert!(mixed(&half.try_backward(None, Sweep::default()).unwrap_err()));
    assert!(a.grad().is_none());
    // In a result that keeps its gradient.
    let mut h = a.square();
    h.retain_grad();
    h.sum().try_backward(None, Sweep::RETAIN).unwrap();
    a.zero_grad();
    assert!(mixed(&h.sum().scale(2.0).try_backward(None, Sweep::RETAIN).unwrap_err()));
}

#[test]
fn zeros_take_either_mark() {
    let p = Parameter::new([2.0]);
    p.set_grad(Some([0.0].into()));
    p.square().sum().scale(8.0).backward();
    assert_eq!(scaled(&p), (32.0, true));
    p.set_grad(Some([0.0].into()));
    p.set_grad_scaled(true);
    p.square().sum().backward();
    assert_eq!(scaled(&p), (4.0, false));
}

#[test]
fn a_half_loss_is_scaled_in_f32() {
    let p = Parameter::new(Array::from_f64([1], DType::F16, &[2.0]));
    let y = p.square().sum().scale(65536.0);
    assert_eq!((y.dtype(), y.item()), (DType::F32, 262_144.0));
    let y = p.square().sum().scale(1024.0);
    y.backward();
    assert_eq!((p.grad().unwrap().dtype(), scaled(&p)), (DType::F16, (4096.0, true)));
    assert!(Tensor::from([1_i64]).try_scale(2.0).is_err());
}

#[test]
fn returned_gradients_are_scaled() {
    let x = Tensor::from([3.0]).requires_grad_();
    let g = grad(&[&x.square().sum().scale(2.0)], &[&x], Sweep::CREATE).remove(0);
    assert_eq!(g.item(), 12.0);
    assert_eq!(grad(&[&g], &[&x], Sweep::default())[0].item(), 4.0);
    assert!(x.grad().is_none());
}
