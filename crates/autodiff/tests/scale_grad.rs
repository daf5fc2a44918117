//! A gradient that is still to be multiplied reads as one that was.
#![allow(clippy::unwrap_used, reason = "a test")]

use gradus_autodiff::{Parameter, Tensor};
use gradus_tensor::{Array, DType, bf16, copies};

const FACTOR: f64 = 0.3;

fn f32s(v: &[f32]) -> Array {
    Array::from(v.to_vec())
}

/// A parameter of two f32 with the gradient `[3, 5]`.
fn parameter() -> Parameter {
    let p = Parameter::new(f32s(&[1.0, 1.0]));
    p.set_grad(Some(Tensor::new(f32s(&[3.0, 5.0]))));
    p
}

fn grad(p: &Parameter) -> Vec<f32> {
    p.grad().unwrap().to_vec()
}

/// What multiplying at once gives.
fn scaled(v: [f32; 2]) -> Vec<f32> {
    v.map(|v| v * FACTOR as f32).to_vec()
}

#[test]
fn multiplying_waits_for_a_reader() {
    let p = parameter();
    assert!(p.scale_grad(FACTOR));
    let (stored, factor) = p.grad_parts().unwrap();
    assert_eq!((stored.to_vec::<f32>(), factor), (vec![3.0, 5.0], FACTOR));
    assert_eq!(grad(&p), scaled([3.0, 5.0]));
    assert_eq!(grad(&p), scaled([3.0, 5.0]), "reading changes nothing");
    assert!(!Parameter::new([1.0]).scale_grad(FACTOR), "no gradient");
}

#[test]
fn a_second_factor_comes_after_the_first() {
    let p = parameter();
    p.scale_grad(FACTOR);
    p.scale_grad(0.7);
    let want: Vec<f32> = scaled([3.0, 5.0]).into_iter().map(|v| v * 0.7).collect();
    assert_eq!(grad(&p), want, "rounded twice, as by two passes");
}

#[test]
fn an_update_sees_the_product_in_place() {
    let p = parameter();
    p.scale_grad(FACTOR);
    let before = copies();
    assert!(p.update_grad(|g| {
        assert_eq!(g.elements::<f32>(), scaled([3.0, 5.0]));
        g.elements_mut::<f32>()[0] = 7.0;
    }));
    assert_eq!(copies(), before);
    assert_eq!((grad(&p)[0], p.grad_parts().unwrap().1), (7.0, 1.0));
    p.scale_grad(0.5);
    assert!(p.update_grad_parts(|g, factor| {
        assert_eq!((g.elements::<f32>()[0], factor), (7.0, 0.5));
        g.elements_mut::<f32>()[0] = 1.0;
    }));
    assert_eq!(grad(&p)[0], 1.0, "whoever gets the parts multiplies");
}

#[test]
fn a_sweep_adds_to_the_product() {
    let p = parameter();
    p.scale_grad(FACTOR);
    (&p * 2.0).sum().backward();
    assert_eq!(grad(&p), scaled([3.0, 5.0]).into_iter().map(|v| v + 2.0).collect::<Vec<_>>());
    // A scaled loss adds to zeros only, and these are none before they are multiplied.
    p.update_grad(|g| g.elements_mut::<f32>().fill(f32::MIN_POSITIVE));
    p.scale_grad(1e-30);
    p.sum().scale(8.0).backward();
    assert_eq!((grad(&p), p.grad_is_scaled()), (vec![8.0, 8.0], true));
}

#[test]
fn a_new_gradient_or_dtype_has_no_factor() {
    let p = parameter();
    p.scale_grad(FACTOR);
    p.set_grad(Some(Tensor::new(f32s(&[3.0, 5.0]))));
    assert_eq!(grad(&p), [3.0, 5.0]);
    p.scale_grad(FACTOR);
    p.zero_grad();
    p.sum().backward();
    assert_eq!(grad(&p), [1.0, 1.0]);
    p.scale_grad(FACTOR);
    p.set_dtype(DType::F64);
    let want = f64::from(FACTOR as f32);
    assert_eq!(
        (p.grad().unwrap().to_vec::<f64>(), p.grad_parts().unwrap().1),
        (vec![want; 2], 1.0)
    );
}

#[test]
fn what_would_round_otherwise_is_multiplied_at_once() {
    // A half type would be rounded by a reader in f32, or not at all.
    let p = Parameter::new(Array::from(vec![bf16::ONE; 2]));
    p.sum().backward();
    p.scale_grad(FACTOR);
    assert_eq!(p.grad_parts().unwrap().1, 1.0);
    assert_eq!(p.grad().unwrap().to_vec::<f64>(), [f64::from(bf16::from_f64(FACTOR)); 2]);
    // Of a factor below the normal f32 no digit is lost.
    let p = parameter();
    p.update_grad(|g| g.elements_mut::<f32>().fill(1e30));
    let tiny = 1.234_567_89e-42;
    p.scale_grad(tiny);
    assert_eq!(p.grad_parts().unwrap().1, 1.0);
    assert_eq!(grad(&p)[0], (f64::from(1e30f32) * tiny) as f32);
    // A factor above 1 may overflow, which must be seen at once.
    p.update_grad(|g| g.elements_mut::<f32>().fill(1e30));
    p.scale_grad(1e30);
    assert!(p.grad_parts().unwrap().0.to_vec::<f32>()[0].is_infinite());
    p.update_grad(|g| g.elements_mut::<f32>().fill(1e30));
    // 0, inf and NaN give what they give.
    for (factor, want) in [(0.0, 0.0), (f64::INFINITY, f32::INFINITY), (f64::NAN, f32::NAN)] {
        p.scale_grad(factor);
        assert_eq!(grad(&p)[0].to_bits() << 1, want.to_bits() << 1, "{factor}");
        p.update_grad(|g| g.elements_mut::<f32>().fill(1e30));
    }
}
