//! Gradient clipping against PyTorch's rules and other frameworks' bugs.
#![allow(clippy::unwrap_used, reason = "a test")]

use gradus_autodiff::{Parameter, Tensor};
use gradus_optim::{
    AdaptiveClipOptions, ClipOptions, OptimError, PerGroup, Sgd, SgdOptions, clip_grad_adaptive,
    clip_grad_adaptive_with, clip_grad_norm, clip_grad_norm_per_group,
    clip_grad_norm_per_group_with, clip_grad_norm_with, clip_grad_value, clip_grads_with_norm,
    get_total_norm, get_total_norm_with,
};
use gradus_tensor::{Array, DType, copies, threads};

fn with_grads<A: Into<Array>>(grads: impl IntoIterator<Item = A>) -> Vec<Parameter> {
    let with = |g: A| {
        let g: Array = g.into();
        let p = Parameter::new(g.zeros_like());
        p.set_grad(Some(g.into()));
        p
    };
    grads.into_iter().map(with).collect()
}

fn grads(parameters: &[Parameter]) -> Vec<Vec<f64>> {
    parameters.iter().map(|p| p.grad().map_or_else(Vec::new, |g| g.to_vec())).collect()
}

#[track_caller]
fn near(got: f64, want: f64) {
    assert!((got - want).abs() <= 1e-12 * want.abs(), "{got} {want}");
}

#[test]
fn b54_b55_the_norm_is_that_of_all_gradients_together() {
    let p = with_grads([[3.0, 0.0], [0.0, 4.0]]);
    assert_eq!(clip_grad_norm(&p, 1.0), Ok(5.0));
    let factor = 1.0 / (5.0 + 1e-6);
    assert_eq!(grads(&p), [[3.0 * factor, 0.0], [0.0, 4.0 * factor]]);
    let p = with_grads([[6.0, 8.0]]);
    assert_eq!(clip_grad_norm(&p, 1.0), Ok(10.0));
    near(grads(&p)[0][0], 6.0 / (10.0 + 1e-6));
}

#[test]
fn gradients_within_the_norm_are_not_touched_and_at_it_shrink_a_little() {
    let p = with_grads([[3.0, 4.0]]);
    assert_eq!(clip_grad_norm(&p, 5.1), Ok(5.0));
    assert_eq!(grads(&p), [[3.0, 4.0]]);
    assert_eq!(clip_grad_norm(&p, f64::INFINITY), Ok(5.0));
    assert_eq!(grads(&p), [[3.0, 4.0]]);
    assert_eq!(clip_grad_norm(&p, 5.0), Ok(5.0));
    assert_eq!(grads(&p), [[3.0 * (5.0 / (5.0 + 1e-6)), 4.0 * (5.0 / (5.0 + 1e-6))]]);
    assert_eq!(clip_grad_norm(&p, 0.0).map(|n| n > 4.9), Ok(true));
    assert_eq!(grads(&p), [[0.0, 0.0]]);
}

#[test]
fn every_order_is_a_norm_of_norms() {
    let tensors = || [Tensor::from([1.0, -2.0, 0.0]), Tensor::from([0.0]), Tensor::from([-4.0])];
    let norm = |p: f64| get_total_norm(&tensors(), p);
    assert_eq!(norm(1.0), 7.0);
    near(norm(2.0), 21.0_f64.sqrt());
    near(norm(3.0), 73.0_f64.cbrt());
    near(norm(0.5), (1.0 + 2.0_f64.sqrt() + 2.0).powi(2));
    assert_eq!(norm(0.0), 2.0, "tensors that are not zero");
    assert_eq!(norm(f64::INFINITY), 4.0);
    assert_eq!(norm(f64::NEG_INFINITY), 0.0);
    assert_eq!(norm(-1.0), 0.0, "one over the infinity of 1/0");
    let full = [Tensor::from([2.0, -4.0]), Tensor::from([4.0])];
    near(get_total_norm(&full, -1.0), 1.0);
    assert_eq!(get_total_norm(&full, f64::NEG_INFINITY), 2.0);
}

#[test]
fn b56_nothing_overflows() {
    let p = with_grads([vec![1e20_f32; 100]]);
    near(clip_grad_norm(&p, 1.0).unwrap(), f64::from(1e20_f32) * 10.0);
    assert!(grads(&p)[0].iter().all(|g| (g - 0.1).abs() < 1e-8));
    let p = with_grads([vec![1e200; 100]]);
    near(clip_grad_norm(&p, 1.0).unwrap(), 1e201);
    assert!(grads(&p)[0].iter().all(|g| (g - 0.1).abs() < 1e-15));
    let tiny = Tensor::from([3e-200, 4e-200]);
    near(get_total_norm([&tiny], 2.0), 5e-200);
    let want = 4e200 * (1.0 + 0.75_f64.powf(7.5)).powf(1.0 / 7.5);
    near(get_total_norm([&Tensor::from([3e200, 4e200])], 7.5), want);
    near(get_total_norm([&Tensor::from([1e-200, 1e-200])], -2.0), 1e-200 / 2.0_f64.sqrt());
    // 100,000 elements of 300 in f16: the norm in f16 is infinite, and PyTorch zeroes the gradients.
    let p = with_grads([Array::full([100_000], 300.0, DType::F16)]);
    near(clip_grad_norm(&p, 100_000.0).unwrap(), 300.0 * 1e5_f64.sqrt());
    assert!(grads(&p)[0].iter().all(|&g| g == 300.0));
    clip_grad_norm(&p, 300.0).unwrap();
    assert!(grads(&p)[0].iter().all(|g| (g - 300.0 / 1e5_f64.sqrt()).abs() < 1e-3));
    // A factor below the normal f32.
    let p = with_grads([[1e30_f32, 1e30]]);
    clip_grad_norm(&p, 1e-10).unwrap();
    assert!(grads(&p)[0].iter().all(|g| (g / (1e-10 / 2.0_f64.sqrt()) - 1.0).abs() < 1e-6));
}

#[test]
fn b56_gradients_that_are_not_finite_become_pytorchs() {
    let p = with_grads([[1.0, f64::INFINITY], [2.0, 3.0]]);
    assert_eq!(clip_grad_norm(&p, 1.0), Ok(f64::INFINITY));
    let g = grads(&p).concat();
    assert!(g[0] == 0.0 && g[1].is_nan() && g[2] == 0.0 && g[3] == 0.0, "{g:?}");
    let p = with_grads([[1.0, f64::NAN], [2.0, 3.0]]);
    assert!(clip_grad_norm(&p, 1.0).unwrap().is_nan());
    assert!(grads(&p).concat().iter().all(|g| g.is_nan()));
    let strict = ClipOptions { error_if_nonfinite: true, ..Default::default() };
    let p = with_grads([[1.0, f64::INFINITY], [2.0, 3.0]]);
    let error = OptimError::NonFiniteNorm { norm: f64::INFINITY, norm_type: 2.0 };
    assert_eq!(clip_grad_norm_with(&p, 1.0, strict), Err(error.clone()));
    assert_eq!(grads(&p).concat(), [1.0, f64::INFINITY, 2.0, 3.0]);
    let tensors: Vec<Tensor> = p.iter().filter_map(|p| p.grad()).collect();
    assert_eq!(get_total_norm_with(&tensors, strict), Err(error));
}

#[test]
fn b56_zeros_missing_and_empty_gradients_are_fine() {
    let p = with_grads([[0.0, 0.0]]);
    assert_eq!(clip_grad_norm(&p, 1.0), Ok(0.0));
    assert_eq!(grads(&p), [[0.0, 0.0]]);
    assert_eq!(clip_grad_norm(&[], 1.0), Ok(0.0));
    let mut p = with_grads([vec![3.0], vec![]]);
    p.push(Parameter::new([1.0]));
    for order in [2.0, 0.0, -1.0, f64::INFINITY, f64::NEG_INFINITY] {
        let options = ClipOptions { norm_type: order, ..Default::default() };
        let want = if order == 0.0 { 1.0 } else { 3.0 };
        assert_eq!(clip_grad_norm_with(&p, 10.0, options), Ok(want), "{order}");
    }
    assert!(p[2].grad().is_none());
}

#[test]
fn b56_impossible_limits_are_errors() {
    let p = with_grads([[3.0, 4.0]]);
    for bad in [-1.0, f64::NAN] {
        for text in [
            clip_grad_norm(&p, bad).unwrap_err().to_string(),
            clip_grads_with_norm(&p, bad, 5.0).unwrap_err().to_string(),
            clip_grad_value(&p, bad).unwrap_err().to_string(),
        ] {
            assert!(text.contains("is out of range: a number ≥ 0"), "{text}");
        }
    }
    assert_eq!(grads(&p), [[3.0, 4.0]]);
}

#[test]
fn scaled_gradients_are_refused() {
    let p = with_grads([[3.0], [4.0]]);
    p[1].set_grad_scaled(true);
    let error = OptimError::ScaledGradient(vec!["parameter 1".to_owned()]);
    assert_eq!(clip_grad_norm(&p, 1.0), Err(error.clone()));
    assert_eq!(clip_grads_with_norm(&p, 1.0, 5.0), Err(error.clone()));
    assert_eq!(clip_grad_value(&p, 1.0), Err(error));
    assert_eq!(grads(&p), [[3.0], [4.0]]);
}

#[test]
fn a_known_norm_and_single_values() {
    let p = with_grads([[3.0, -4.0]]);
    clip_grads_with_norm(&p, 1.0, 4.0).unwrap();
    assert_eq!(grads(&p), [[3.0 * (1.0 / (4.0 + 1e-6)), -4.0 * (1.0 / (4.0 + 1e-6))]]);
    for dtype in [DType::F64, DType::F32, DType::F16, DType::Bf16] {
        let values = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.25, -2.0];
        let p = with_grads([Array::from_f64([5], dtype, &values)]);
        clip_grad_value(&p, 0.5).unwrap();
        let g = grads(&p).remove(0);
        assert!(g[0].is_nan() && g[1..] == [0.5, -0.5, 0.25, -0.5], "{dtype} {g:?}");
        assert_eq!(p[0].grad().unwrap().dtype(), dtype);
    }
}

#[test]
fn named_parameters_and_mixed_types_work() {
    let named = [
        ("a".to_owned(), with_grads([[3.0_f32]]).remove(0)),
        ("b".to_owned(), with_grads([[4.0_f64]]).remove(0)),
    ];
    assert_eq!(clip_grad_norm(named.iter().map(|(_, p)| p), 1.0), Ok(5.0));
    near(named[1].1.grad().unwrap().item(), 4.0 / (5.0 + 1e-6));
}

#[test]
fn long_gradients_have_the_same_bits_for_any_number_of_threads_and_stay_in_place() {
    let most = threads::num_threads();
    let run = |count| {
        threads::set_num_threads(count);
        let long: Vec<f32> = (0..300_001).map(|i| (i % 977) as f32 * 0.01 - 4.0).collect();
        let p = with_grads([long, vec![1.0, 2.0]]);
        let norm = clip_grad_norm(&p, 1.0).unwrap();
        assert!((get_total_norm(&[p[0].grad().unwrap()], 2.0) - 1.0).abs() < 1e-4);
        let before = copies();
        clip_grad_norm(&p, 0.5).unwrap();
        clip_grad_value(&p, 1e-4).unwrap();
        assert_eq!(copies(), before);
        (norm.to_bits(), grads(&p))
    };
    let one = run(1);
    assert!(run(2) == one && run(4) == one);
    let exact: f64 = (0..300_001).map(|i| f64::from((i % 977) as f32 * 0.01 - 4.0).powi(2)).sum();
    near(f64::from_bits(one.0), (exact + 5.0).sqrt());
    threads::set_num_threads(most);
}

#[test]
fn groups_are_clipped_each_by_its_own_norm() {
    let p = with_grads([[3.0, 4.0], [0.3, 0.4], [0.0, 7.0]]);
    let named = |i: usize| (i.to_string(), p[i].clone());
    let mut opt = Sgd::new([named(0), named(1)], SgdOptions::default()).unwrap();
    opt.add_group([named(2)], SgdOptions::default()).unwrap();
    let norms = clip_grad_norm_per_group(&opt, [1.0, 10.0]).unwrap();
    near(norms[0], (25.0_f64 + 0.25).sqrt());
    assert_eq!(norms[1], 7.0);
    let factor = 1.0 / (norms[0] + 1e-6);
    assert_eq!(grads(&p)[..2], [[3.0 * factor, 4.0 * factor], [0.3 * factor, 0.4 * factor]]);
    assert_eq!(grads(&p)[2], [0.0, 7.0]);
    let before = grads(&p);
    for bad in [PerGroup::from(-1.0), PerGroup::from([1.0]), PerGroup::from([1.0, f64::NAN])] {
        assert!(clip_grad_norm_per_group(&opt, bad).is_err());
    }
    p[2].set_grad_scaled(true);
    let scaled = clip_grad_norm_per_group(&opt, 1.0).unwrap_err();
    assert_eq!(scaled, OptimError::ScaledGradient(vec!["parameter 2".to_owned()]));
    assert_eq!(grads(&p), before);
    p[2].set_grad_scaled(false);
    let largest = ClipOptions { norm_type: f64::INFINITY, ..Default::default() };
    assert_eq!(clip_grad_norm_per_group_with(&opt, f64::INFINITY, largest).unwrap()[1], 7.0);
}

#[test]
fn adaptive_clipping_is_relative_to_the_weights_of_each_unit() {
    // timm's adaptive_clip_grad with clip_factor 0.1, eps 1e-3.
    for dtype in [DType::F64, DType::F32, DType::F16, DType::Bf16] {
        let p = Parameter::new(Array::from_f64([3, 2], dtype, &[3.0, 4.0, 0.0, 0.0, 6.0, 8.0]));
        let g = [1.0, 0.0, 0.0, 1.0, 0.5, 0.5];
        p.set_grad(Some(Array::from_f64([3, 2], dtype, &g).into()));
        assert_eq!(clip_grad_adaptive([&p], 0.1), Ok(2));
        let want = [0.5, 0.0, 0.0, 1e-4, 0.5, 0.5];
        let got = p.grad().unwrap();
        assert_eq!(got.dtype(), dtype);
        for (a, b) in got.to_vec::<f64>().into_iter().zip(want) {
            assert!((a - b).abs() <= 0.004 * b, "{dtype}: {a} {b}");
        }
    }
    // Biases and scalars are one unit; convolutions have one for each output channel.
    let b = Parameter::new([3.0, 4.0]);
    b.set_grad(Some([30.0, 40.0].into()));
    assert_eq!(clip_grad_adaptive([&b], 0.1), Ok(1));
    assert_eq!(b.grad().unwrap().to_vec::<f64>(), [0.3, 0.4]);
    let conv = Parameter::new(Array::ones([2, 2, 1, 1], DType::F64));
    let g = Array::from_f64([2, 2, 1, 1], DType::F64, &[1.0, 1.0, 0.001, 0.001]);
    conv.set_grad(Some(g.into()));
    assert_eq!(clip_grad_adaptive([&conv], 0.01), Ok(1));
    // No overflow, and infinities as with the norm of all.
    let huge = Parameter::new([1e200, 1e200]);
    huge.set_grad(Some([3e200, 4e200].into()));
    assert_eq!(clip_grad_adaptive([&huge], 1.0), Ok(1));
    near(get_total_norm([&huge.grad().unwrap()], 2.0), 2.0_f64.sqrt() * 1e200);
    let inf = Parameter::new([1.0, 1.0]);
    inf.set_grad(Some([f64::INFINITY, 1.0].into()));
    clip_grad_adaptive([&inf], 0.1).unwrap();
    let g = inf.grad().unwrap().to_vec::<f64>();
    assert!(g[0].is_nan() && g[1] == 0.0);
    inf.set_grad(Some([f64::NAN, 1.0].into()));
    assert_eq!(clip_grad_adaptive([&inf], 0.1), Ok(0));
    // Nothing to do, and what is refused.
    let none = Parameter::new([1.0]);
    let empty = with_grads([Array::zeros([0, 3], DType::F32)]).remove(0);
    assert_eq!(clip_grad_adaptive([&none, &empty], 0.1), Ok(0));
    for bad in [-1.0, f64::NAN, f64::INFINITY] {
        assert!(clip_grad_adaptive([&b], bad).is_err());
        let options = AdaptiveClipOptions { eps: bad, ..Default::default() };
        assert!(clip_grad_adaptive_with([&b], options).is_err());
    }
    b.set_grad_scaled(true);
    assert!(matches!(clip_grad_adaptive([&b], 0.1), Err(OptimError::ScaledGradient(_))));
}
