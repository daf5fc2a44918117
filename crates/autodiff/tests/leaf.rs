//! Values and places: who sees an update, what is copied, what waits.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use gradus_autodiff::{
    Autocast, Buffer, Op, OpError, Parameter, Save, Saved, Sweep, Tensor, no_grad,
};
use gradus_tensor::{Array, DType, Meta, copies};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;

fn leaf(v: &[f64]) -> Tensor {
    Tensor::from(v.to_vec()).requires_grad_()
}
fn values(t: &Tensor) -> Vec<f64> {
    t.to_vec()
}
fn copied(f: impl FnOnce()) -> u64 {
    let before = copies();
    f();
    copies() - before
}
fn address(t: &Tensor) -> usize {
    t.array().elements::<f64>().as_ptr() as usize
}

#[test]
fn an_in_place_method_rebinds_and_reuses() {
    let (x, one) = (leaf(&[1.0, 2.0, 3.0, 4.0, 5.0]), Tensor::from([1.0; 5]));
    let mut y = -&x;
    let old = address(&y);
    assert_eq!(copied(|| y.add_(&one)), 0);
    assert_eq!((values(&y), address(&y)), (vec![0.0, -1.0, -2.0, -3.0, -4.0], old));
    let mut z = y.clone();
    z.mul_(&x); // `y` and the rule hold the old buffer
    assert_eq!((values(&y)[1], values(&z)[1]), (-1.0, -2.0));
    z.sum().backward();
    assert_eq!(values(&x.grad().unwrap())[..2], [-1.0, -3.0], "d/dx x(1 − x) = 1 − 2x");
}

#[test]
fn a_refused_update_leaves_the_handle_as_it_was() {
    let mut y = leaf(&[1.0, 2.0]) * 3.0;
    let error = catch_unwind(AssertUnwindSafe(|| y.add_(Tensor::from([1.0, 2.0, 3.0]))));
    assert!(error.is_err());
    assert_eq!(values(&y), [3.0, 6.0]);
    let mut small = Tensor::from([1_i64, 2]);
    let error = catch_unwind(AssertUnwindSafe(|| small.add_(1.5)));
    let message = *error.unwrap_err().downcast::<String>().unwrap();
    assert!(message.contains("cannot be stored in the dtype of the first operand"), "{message}");
    let error = catch_unwind(AssertUnwindSafe(|| small.div_(2)));
    let message = *error.unwrap_err().downcast::<String>().unwrap();
    assert!(message.contains("an in-place result keeps shape and dtype"), "{message}");
    assert_eq!(small.to_vec::<i64>(), [1, 2]);
}

#[test]
fn all_handles_of_a_leaf_see_an_update() {
    let p = Parameter::new([1.0, 2.0]);
    let (mut handle, loss) = (p.tensor().clone(), (&p * &p).sum());
    let outside = catch_unwind(AssertUnwindSafe(|| handle.mul_(2.0))).unwrap_err();
    let outside = *outside.downcast::<String>().unwrap();
    assert!(outside.contains("a leaf is updated inside no_grad only"), "{outside}");
    no_grad(|| handle.mul_(2.0));
    assert_eq!(values(&p), [2.0, 4.0]);
    loss.backward(); // recorded before the update: it kept the old value
    assert_eq!(values(&p.grad().unwrap()), [2.0, 4.0]);
    drop(loss);

    let version = p.array().version();
    assert_eq!(version, p.array().version());
    assert_eq!(copied(|| p.update(|x| x.elements_mut::<f64>()[0] = 5.0)), 0, "truly in place");
    assert_ne!(version, p.array().version());
    let held = p.array();
    assert_eq!(copied(|| p.update(|x| x.elements_mut::<f64>()[0] = 6.0)), 1);
    assert_eq!(held.to_vec::<f64>(), [5.0, 4.0]);
    let misfit = p.set(Array::from([0.0])).unwrap_err().to_string();
    assert_eq!(misfit, "a value float64[1] does not fit the leaf float64[2]");
}

#[test]
fn a_leaf_changes_its_dtype_for_all_handles() {
    let (p, b) = (Parameter::new([1.5_f32, 2.5]), Buffer::new([1_i64]));
    let handle = p.tensor().clone();
    (&p * &p).sum().backward();
    p.set_dtype(DType::F64);
    assert_eq!((handle.dtype(), p.grad().unwrap().dtype()), (DType::F64, DType::F64));
    assert!(!b.requires_grad());
    b.update(|n| n.elements_mut::<i64>()[0] += 1);
    assert_eq!(b.item(), 2.0);
}

#[test]
fn readers_wait_for_an_update() {
    let p = Parameter::new([0.0]);
    thread::scope(|s| {
        s.spawn(|| (0..1000).for_each(|_| p.update(|x| x.elements_mut::<f64>()[0] += 1.0)));
        s.spawn(|| (0..1000).for_each(|_| assert_eq!(p.array().numel(), 1)));
        s.spawn(|| (0..100).for_each(|_| (&p * 2.0).sum().backward()));
    });
    assert_eq!((values(&p), values(&p.grad().unwrap())), (vec![1000.0], vec![200.0]));
}

#[test]
fn reading_a_leaf_inside_its_own_update_is_an_error_and_no_dead_lock() {
    let p = Parameter::new([1.0]);
    let read = catch_unwind(AssertUnwindSafe(|| p.update(|_| drop(p.array())))).unwrap_err();
    let message = read.downcast_ref::<&str>().expect("a text");
    assert!(message.contains("read inside its own update"), "{message}");
    assert_eq!(values(&p), [1.0], "the value is back");
}

#[test]
fn gradients_carry_the_mark_of_a_scaler() {
    let p = Parameter::new([1.0]);
    (&p * 3.0).sum().backward();
    assert!(!p.grad_is_scaled());
    p.set_grad_scaled(true);
    assert!(p.update_grad(|g| g.elements_mut::<f64>()[0] *= 2.0));
    assert!(p.grad_is_scaled(), "an update keeps the mark");
    assert_eq!(values(&p.grad().unwrap()), [6.0]);
    p.set_grad(None);
    assert!(!p.grad_is_scaled() && !p.update_grad(|_| ()));
}

/// An op without derivative.
struct Parity;

impl Op for Parity {
    const NAME: &'static str = "parity";
    const AUTOCAST: Autocast = Autocast::Input;
    const DIFFERENTIABLE: bool = false;
    type In<T> = T;
    type Out<T> = T;
    fn infer(&self, x: &Meta) -> Result<Meta, OpError> {
        Ok(x.clone())
    }
    fn forward(&self, x: Array, _: &mut Save<'_>) -> Array {
        x
    }
    fn vjp(&self, _: &Saved<'_>, _: Tensor) -> Tensor {
        unreachable!("refused by apply")
    }
}

#[test]
fn an_op_without_derivative_refuses_a_tracked_input() {
    let x = leaf(&[1.5]);
    let error = Tensor::try_apply(Parity, &x).unwrap_err().to_string();
    assert!(error.contains("parity: float64[1]") && error.contains("no derivative"), "{error}");
    assert!(Tensor::try_apply(Parity, &x.detach()).is_ok());
    assert!(no_grad(|| Tensor::try_apply(Parity, &x)).is_ok());
    let (y, at) = x.max_dim(0, false);
    assert!(y.requires_grad() && !at.requires_grad(), "positions are constants");
}

#[test]
fn frozen_parameters_get_no_gradient() {
    let (p, q) = (Parameter::new([2.0]), Parameter::new([3.0]));
    p.set_requires_grad(false);
    (&p * &q).sum().backward();
    assert!(p.grad().is_none());
    assert_eq!(values(&q.grad().unwrap()), [2.0]);
}

#[test]
fn the_gradient_has_shape_and_dtype_of_its_input() {
    let x = Tensor::from([[1.0_f32], [2.0]]).requires_grad_();
    let w = Tensor::from([1.0_f64, 2.0, 3.0]).requires_grad_();
    let y = &x * &w;
    assert_eq!(y.meta(), Meta::new([2, 3], DType::F64));
    y.sum().try_backward(None, Sweep::default()).unwrap();
    assert_eq!(x.grad().unwrap().meta(), x.meta());
    assert_eq!(w.grad().unwrap().meta(), w.meta());
    assert_eq!(values(&x.grad().unwrap()), [6.0, 6.0]);
}

#[test]
fn tensors_cross_threads() {
    fn sync<T: Send + Sync>() {}
    sync::<Tensor>();
    sync::<Parameter>();
    sync::<Buffer>();
}
