//! Exact values and derivatives at special points, as PyTorch 2.15 gives them; bugs of other
//! libraries by their number in the catalogue.

use gradus_autodiff::{Sweep, Tensor, grad};
use gradus_tensor::{Array, DType};
use std::f64::consts::LN_2;

const INF: f64 = f64::INFINITY;
const NAN: f64 = f64::NAN;

/// Equal numbers, NaN where NaN is due; finite ones to 1e-12 relative.
#[track_caller]
fn same(what: &str, got: &[f64], want: &[f64]) {
    let close = |g: f64, w: f64| {
        g == w || (g.is_nan() && w.is_nan()) || (g - w).abs() <= 1e-12 * w.abs().min(f64::MAX)
    };
    let fits = got.len() == want.len() && got.iter().zip(want).all(|(&g, &w)| close(g, w));
    assert!(fits, "{what}: {got:?}, not {want:?}");
}

/// `f(x)` and the derivative of its sum.
#[track_caller]
fn one(f: impl Fn(&Tensor) -> Tensor, x: &[f64], y: &[f64], dx: &[f64]) {
    let x = Tensor::from(x).requires_grad_();
    let result = f(&x);
    same("value", &result.to_vec::<f64>(), y);
    result.sum().backward();
    same("derivative", &x.grad().expect("a gradient").to_vec::<f64>(), dx);
}

/// `f(a, b)` and the derivatives of its sum.
#[track_caller]
fn two(f: impl Fn(&Tensor, &Tensor) -> Tensor, [a, b, y, da, db]: [&[f64]; 5]) {
    let (a, b) = (Tensor::from(a).requires_grad_(), Tensor::from(b).requires_grad_());
    let result = f(&a, &b);
    same("value", &result.to_vec::<f64>(), y);
    result.sum().backward();
    same("left derivative", &a.grad().expect("a gradient").to_vec::<f64>(), da);
    same("right derivative", &b.grad().expect("a gradient").to_vec::<f64>(), db);
}

#[test]
fn b44_a_tensor_used_twice_gets_both_gradients() {
    let a = Tensor::from(1.0).requires_grad_();
    let b = &a + &a;
    let c = &b + &b;
    c.backward();
    assert_eq!(a.grad().unwrap().item(), 4.0);

    let (a, b) = (Tensor::from(-4.0).requires_grad_(), Tensor::from(2.0).requires_grad_());
    let c = &a + &b;
    let d = &a * &b + b.pow(3);
    let c = &c + &c + 1;
    let c = &c + (1 + &c - &a);
    let d = &d + &d * 2 + (&b + &a).relu();
    let d = &d + 3 * &d + (&b - &a).relu();
    let e = &c - &d;
    let f = e.pow(2);
    let g = &f / 2.0;
    let g = &g + 10.0 / &f;
    g.backward();
    same("value", &[g.item()], &[24.704_081_632_653_06]);
    same("da", &[a.grad().unwrap().item()], &[138.833_819_241_982_52]);
    same("db", &[b.grad().unwrap().item()], &[645.577_259_475_218_6]);
}

#[test]
fn b46_gradients_have_the_shape_of_their_input() {
    type Op = fn(&Tensor, &Tensor) -> Tensor;
    let ops: [Op; 4] = [
        |a, b| a.pow(b),
        |a, b| a.maximum(b),
        |a, b| a.minimum(b),
        |a, b| Tensor::where_(&a.gt(b), a, b),
    ];
    let shapes: [[&[usize]; 2]; 5] = [
        [&[2, 3], &[3]],
        [&[2, 1], &[1, 3]],
        [&[], &[2, 3]],
        [&[4, 1, 3], &[2, 1]],
        [&[0, 3], &[1]],
    ];
    for [left, right] in shapes {
        for op in ops {
            let a = Tensor::new(Array::full(left, 1.5, DType::F64)).requires_grad_();
            let b = Tensor::new(Array::full(right, 2.0, DType::F64)).requires_grad_();
            op(&a, &b).sum().backward();
            assert_eq!(a.grad().unwrap().shape(), a.shape());
            assert_eq!(b.grad().unwrap().shape(), b.shape());
        }
    }
}

#[test]
fn b47_ties_and_kinks() {
    let (half, two_) = (&[0.5][..], &[2.0][..]);
    two(|a, b| a.maximum(b), [two_, two_, two_, half, half]);
    two(|a, b| a.minimum(b), [two_, two_, two_, half, half]);
    two(|a, b| a.minimum(b), [&[1.0, 3.0], &[2.0, 1.0], &[1.0, 1.0], &[1.0, 0.0], &[0.0, 1.0]]);
    one(Tensor::abs, &[0.0, -1.0, -0.0], &[0.0, 1.0, 0.0], &[0.0, -1.0, 0.0]);
    one(Tensor::relu, &[0.0, -1.0, 2.0], &[0.0, 0.0, 2.0], &[0.0, 0.0, 1.0]);
    one(Tensor::sqrt, &[0.0, 4.0], &[0.0, 2.0], &[INF, 0.25]);
    // f64: e⁻⁹⁰; in f32 the derivative is 0, as is the value.
    one(Tensor::sigmoid, &[90.0, -800.0], &[1.0, 0.0], &[0.0, 0.0]);
    let x = Tensor::from([-90.0_f32, 0.0]).requires_grad_();
    x.sigmoid().sum().backward();
    let d = x.grad().unwrap().to_vec::<f32>();
    assert!(d[0] < 1e-37 && d[1] == 0.25, "{d:?}");
    one(|x| x.clamp(-1, 1), &[-1.0, 0.0, 1.0, 2.0], &[-1.0, 0.0, 1.0, 1.0], &[0.0, 1.0, 0.0, 0.0]);
    one(|x| x.amax(&[0], false), &[1.0, 3.0, 3.0], &[3.0], &[0.0, 0.5, 0.5]);
    one(Tensor::max, &[1.0, 3.0, 3.0], &[3.0], &[0.0, 0.5, 0.5]);
    one(Tensor::min, &[1.0, 1.0, 3.0], &[1.0], &[0.5, 0.5, 0.0]);
    one(|x| x.max_dim(0, false).0, &[1.0, 3.0, 3.0], &[3.0], &[0.0, 1.0, 0.0]);
    one(|x| x.min_dim(0, false).0, &[3.0, 1.0, 1.0], &[1.0], &[0.0, 1.0, 0.0]);
    one(|x| x.amin(&[0], false), &[3.0, 1.0, 1.0], &[1.0], &[0.0, 0.5, 0.5]);
}

#[test]
fn b48_pow_with_one_side_untracked() {
    let (a, b) = (Tensor::from([2.0, 7.0]), Tensor::from([4.0, 2.0]));
    let base = a.clone().requires_grad_();
    base.pow(&b).sum().backward();
    same("base", &base.grad().unwrap().to_vec::<f64>(), &[32.0, 14.0]);
    let exponent = b.clone().requires_grad_();
    a.pow(&exponent).sum().backward();
    let want = [16.0 * LN_2, 49.0 * 7.0_f64.ln()]; // 11.0903549, 95.3496017
    same("exponent", &exponent.grad().unwrap().to_vec::<f64>(), &want);
    let negative = Tensor::from([-2.0, -7.0]).requires_grad_();
    negative.pow(&b).sum().backward();
    same("negative", &negative.grad().unwrap().to_vec::<f64>(), &[-32.0, -14.0]);
}

#[test]
fn b48_pow_at_zero_and_at_negative_bases() {
    let base = [0.0, 0.0, 0.0, 0.0, 2.0, -2.0, -2.0, INF, NAN, 1.0, 0.0];
    let exponent = [0.0, 1.0, 2.0, 0.5, 3.0, 2.0, 0.5, 0.0, 0.0, NAN, -1.0];
    let y = [1.0, 0.0, 0.0, 0.0, 8.0, 4.0, NAN, 1.0, 1.0, 1.0, INF];
    let da = [0.0, 1.0, 0.0, INF, 12.0, -4.0, NAN, 0.0, 0.0, NAN, -INF];
    let db = [0.0, 0.0, 0.0, 0.0, 8.0 * LN_2, NAN, NAN, INF, NAN, 0.0, -INF];
    two(|a, b| a.pow(b), [&base, &exponent, &y, &da, &db]);

    let x = [0.0, -2.0, 3.0, NAN, INF];
    one(|x| x.pow(0), &x, &[1.0; 5], &[0.0; 5]);
    one(|x| x.pow(1), &x, &x, &[1.0; 5]);
    one(|x| x.pow(2), &x, &[0.0, 4.0, 9.0, NAN, INF], &[0.0, -4.0, 6.0, NAN, INF]);
    one(|x| x.pow(3), &x, &[0.0, -8.0, 27.0, NAN, INF], &[0.0, 12.0, 27.0, NAN, INF]);
    let (r, h) = (3.0_f64.sqrt(), 0.5 / 3.0_f64.sqrt());
    one(|x| x.pow(0.5), &x, &[0.0, NAN, r, NAN, INF], &[INF, NAN, h, NAN, 0.0]);
    let (third, ninth) = (1.0 / 3.0, -1.0 / 9.0);
    one(|x| x.pow(-1), &x, &[INF, -0.5, third, NAN, 0.0], &[-INF, -0.25, ninth, NAN, 0.0]);
    one(|x| x.pow(-2), &x, &[INF, 0.25, 1.0 / 9.0, NAN, 0.0], &[-INF, 0.25, -2.0 / 27.0, NAN, 0.0]);
    one(|x| x.pow(NAN), &x, &[NAN; 5], &[NAN; 5]);

    let x = [0.0, 1.0, -1.0, 0.5];
    one(|x| x.rpow(0), &x, &[1.0, 0.0, INF, 0.0], &[0.0, 0.0, -INF, 0.0]);
    one(|x| x.rpow(1), &x, &[1.0; 4], &[0.0; 4]);
    one(|x| x.rpow(-2), &x, &[1.0, -2.0, -0.5, NAN], &[NAN; 4]);
    let s = 2.0_f64.sqrt();
    one(|x| x.rpow(2), &x, &[1.0, 2.0, 0.5, s], &[LN_2, 2.0 * LN_2, 0.5 * LN_2, s * LN_2]);
}

#[test]
fn b48_products_beside_zeros() {
    one(Tensor::prod, &[2.0, 0.0, 3.0], &[0.0], &[0.0, 6.0, 0.0]);
    one(Tensor::prod, &[0.0, 0.0, 3.0], &[0.0], &[0.0; 3]);
    one(Tensor::prod, &[1.0, 2.0, 3.0], &[6.0], &[6.0, 3.0, 2.0]);
    one(Tensor::prod, &[], &[1.0], &[]);
    // The second derivative ∂²(xyz)/∂x∂y = z, with y = 0.
    let x = Tensor::from([2.0, 0.0, 3.0]).requires_grad_();
    let first = x.prod();
    let d = grad(&[&first], &[&x], Sweep::CREATE);
    let second = grad(&[&d[0].select(0, 0)], &[&x], Sweep::default());
    same("second", &second[0].to_vec::<f64>(), &[0.0, 3.0, 0.0]);
}

#[test]
fn b51_positions_of_extremes() {
    let x = Tensor::from([84.0, 16.0, 0.04, 85.0, 16.0, 85.0]);
    assert_eq!(x.argmax().to_vec::<i64>(), [3]);
    assert_eq!(x.argmin().to_vec::<i64>(), [2]);
    let nan = Tensor::from([1.0, NAN, 3.0, NAN]);
    assert_eq!((nan.argmax().item(), nan.argmin().item()), (1.0, 1.0));
    assert!(nan.max().item().is_nan() && nan.min().item().is_nan());
    one(Tensor::max, &[1.0, NAN, 3.0, NAN], &[NAN], &[0.0, 0.5, 0.0, 0.5]);
    one(|x| x.amax(&[0], false), &[NAN, 3.0], &[NAN], &[NAN, NAN]);
    let table = Tensor::from([[1.0, 2.0], [3.0, 0.0]]);
    assert_eq!(table.argmax().item(), 2.0);
    assert_eq!(table.argmax_dim(0, true).shape(), &[1, 2]);
    assert_eq!(table.argmax_dim(1, false).to_vec::<i64>(), [1, 0]);
    assert_eq!(Tensor::from(1.0).argmax_dim(-1, false).item(), 0.0);
    assert!(Tensor::from([true]).try_argmax().is_err());
    assert_eq!(Tensor::new(Array::zeros([2, 0], DType::F32)).argmax_dim(0, false).shape(), &[0]);
}

#[test]
fn b51_casts_give_the_gradient_back_in_the_dtype_of_the_input() {
    let x = Tensor::from([0.5_f32, 2.0]).requires_grad_();
    (x.to_dtype(DType::F64).log() + x.pow(Tensor::from([2.0, 2.0]))).sum().backward();
    let d = x.grad().unwrap();
    assert_eq!(d.dtype(), DType::F32);
    same("derivative", &d.to_vec::<f64>(), &[3.0, 4.5]);
}

#[test]
fn b52_integers_and_bools_are_no_leaves_and_carry_no_gradient() {
    let x = Tensor::from([1.0, 3.0]).requires_grad_();
    for constant in [x.gt(2), x.eq(&x), x.isnan(), x.isinf(), x.isfinite(), x.logical_not()] {
        assert_eq!((constant.dtype(), constant.requires_grad()), (DType::Bool, false));
    }
    assert!(!x.argmax().requires_grad() && !x.argmin_dim(0, true).requires_grad());
    assert!(x.floor().requires_grad(), "floor has a derivative: 0");
    let n = Tensor::from([1_i64, 2]);
    let y = (&n * &x).sum();
    y.backward();
    same("derivative", &x.grad().unwrap().to_vec::<f64>(), &[1.0, 2.0]);
    assert!(n.grad().is_none());
}

#[test]
fn nan_and_infinity_pass_as_in_pytorch() {
    let x = [-1.0, 0.0, 4.0, NAN, INF];
    one(Tensor::sqrt, &x, &[NAN, 0.0, 2.0, NAN, INF], &[NAN, INF, 0.25, NAN, 0.0]);
    one(Tensor::rsqrt, &x, &[NAN, INF, 0.5, NAN, 0.0], &[NAN, -INF, -0.0625, NAN, 0.0]);
    one(Tensor::reciprocal, &x, &[-1.0, INF, 0.25, NAN, 0.0], &[-1.0, -INF, -0.0625, NAN, 0.0]);
    one(Tensor::log, &x, &[NAN, -INF, 4.0_f64.ln(), NAN, INF], &[-1.0, INF, 0.25, NAN, 0.0]);
    one(Tensor::log1p, &x, &[-INF, 0.0, 5.0_f64.ln(), NAN, INF], &[INF, 1.0, 0.2, NAN, 0.0]);
    let e = 4.0_f64.exp();
    let m = (-1.0_f64).exp();
    one(Tensor::expm1, &x, &[m - 1.0, 0.0, e - 1.0, NAN, INF], &[m, 1.0, e, NAN, INF]);
    one(Tensor::relu, &x, &[0.0, 0.0, 4.0, NAN, INF], &[0.0, 0.0, 1.0, 1.0, 1.0]);
    one(Tensor::abs, &x, &[1.0, 0.0, 4.0, NAN, INF], &[-1.0, 0.0, 1.0, 0.0, 1.0]);
    one(Tensor::sign, &x, &[-1.0, 0.0, 1.0, 0.0, 1.0], &[0.0; 5]);
    one(Tensor::floor, &x, &x, &[0.0; 5]);
    let derivative = [2.0 / std::f64::consts::PI.sqrt(), 0.0, 0.0, NAN];
    one(Tensor::erf, &[0.0, INF, -INF, NAN], &[0.0, 1.0, -1.0, NAN], &derivative);
    one(Tensor::sigmoid, &[NAN, INF, -INF], &[NAN, 1.0, 0.0], &[NAN, 0.0, 0.0]);
    let a = [1.0, NAN, 1.0, NAN, INF];
    let b = [2.0, 1.0, NAN, NAN, INF];
    let (da, db) = ([0.0, 1.0, 1.0, 1.0, 0.5], [1.0, 1.0, 1.0, 1.0, 0.5]);
    two(|a, b| a.maximum(b), [&a, &b, &[2.0, NAN, NAN, NAN, INF], &da, &db]);
}

#[test]
fn clamp_has_derivative_one_strictly_between_its_bounds() {
    let x = [-INF, -1.0, 0.0, 1.0, NAN, INF];
    one(|x| x.clamp(-1, 1), &x, &[-1.0, -1.0, 0.0, 1.0, NAN, 1.0], &[0.0, 0.0, 1.0, 0.0, 0.0, 0.0]);
    one(|x| x.clamp_min(0), &x, &[0.0, 0.0, 0.0, 1.0, NAN, INF], &[0.0, 0.0, 0.0, 1.0, 0.0, 1.0]);
    one(|x| x.clamp_max(0), &x, &[-INF, -1.0, 0.0, 0.0, NAN, 0.0], &[1.0, 1.0, 0.0, 0.0, 0.0, 0.0]);
    one(|x| x.clamp(1, -1), &[0.0, 2.0, NAN], &[-1.0, -1.0, NAN], &[0.0; 3]);
    one(|x| x.clamp(NAN, 1), &[0.0, 2.0], &[NAN, NAN], &[0.0; 2]);
    let integers = Tensor::from([1_i64, 2]);
    assert_eq!(integers.clamp(0, 1).dtype(), DType::I64);
    let y = integers.clamp(0, 1.5);
    assert_eq!((y.dtype(), y.to_vec::<f64>()), (DType::F32, vec![1.0, 1.5]));
}

#[test]
fn variance_without_degrees_of_freedom() {
    one(Tensor::var, &[1.0], &[NAN], &[NAN]);
    one(|x| x.var_dims(&[], 0, false), &[1.0], &[0.0], &[0.0]);
    one(Tensor::std, &[1.0, 1.0, 1.0], &[0.0], &[0.0; 3]);
    one(|x| x.var_dims(&[], 3, false), &[1.0, 2.0, 4.0], &[INF], &[INF; 3]);
    one(|x| x.std_dims(&[], 5, false), &[1.0, 2.0, 4.0], &[INF], &[NAN; 3]);
    one(Tensor::var, &[], &[NAN], &[]);
    one(Tensor::mean, &[], &[NAN], &[]);
    one(|x| x.var_dims(&[0], 1, false), &[INF, 2.0], &[NAN], &[NAN, -INF]);
    let third = 1.0 / 3.0;
    let d = [-4.0 * third, -third, 5.0 * third];
    one(Tensor::var, &[1.0, 2.0, 4.0], &[7.0 * third], &d);
}

#[test]
fn variance_far_from_zero_does_not_cancel() {
    let x: Vec<f32> = (0..1000).map(|i| 1e6 + (i % 4) as f32).collect();
    let var = Tensor::from(x).var().item();
    assert!((var - 1.251_251_251_251_251).abs() < 1e-6, "{var}");
}

#[test]
fn halves_are_reduced_in_f32() {
    let ones = Tensor::new(Array::full([70_000], 1.0, DType::F16)).requires_grad_();
    let mean = ones.mean();
    assert_eq!((mean.dtype(), mean.item()), (DType::F16, 1.0));
    mean.backward();
    let d = ones.grad().unwrap().to_vec::<f64>()[0];
    assert!((d * 70_000.0 - 1.0).abs() < 2e-3, "{d}");
    let spread = Tensor::from([-300.0, 300.0, -300.0, 300.0]).to_dtype(DType::F16);
    assert_eq!(spread.std_dims(&[], 0, false).item(), 300.0);
}

#[test]
fn integers_are_refused_where_pytorch_refuses_them() {
    let n = Tensor::from([1_i64, 2]);
    let b = Tensor::from([true, false]);
    assert!(n.try_mean_dims(&[], false).is_err() && n.try_var_dims(&[], 1, false).is_err());
    assert!(n.try_log_softmax(0).is_err() && b.try_relu().is_err() && b.try_abs().is_err());
    assert!(n.try_pow(-1).is_err() && b.try_pow(&b).is_err() && b.try_floor().is_err());
    assert_eq!(n.pow(2).to_vec::<i64>(), [1, 4]);
    assert_eq!((b.pow(2).dtype(), b.square().dtype()), (DType::I64, DType::I64));
    assert_eq!(n.pow(2.5).dtype(), DType::F32);
    assert_eq!(Tensor::from([3_i64]).pow(50).to_vec::<i64>(), [6_048_575_297_968_530_377]);
    let powers = Tensor::from([2_i64, -1, 1]).pow(Tensor::from([-1_i64, -1, -3]));
    assert_eq!(powers.to_vec::<i64>(), [0, -1, 1]);
    assert_eq!(
        (n.reciprocal().dtype(), n.logsumexp(&[0], false).dtype()),
        (DType::F32, DType::F32)
    );
    assert_eq!((b.cumsum(0).dtype(), b.prod().dtype()), (DType::I64, DType::I64));
    assert!(b.max().item() == 1.0 && b.max().dtype() == DType::Bool);
    let empty = Tensor::new(Array::zeros([2, 0], DType::F32));
    assert!(empty.try_max().is_err() && empty.try_argmax().is_err());
    assert!(empty.try_amax(&[1], false).is_err());
    assert_eq!(empty.amax(&[0], false).shape(), &[0]);
}

#[test]
fn comparisons_promote_as_pytorch() {
    let n = Tensor::from([1_i64, 2]);
    assert_eq!(n.gt(1.5).to_vec::<bool>(), [false, true]);
    assert!(Tensor::from([16_777_217_i64]).eq(16_777_217.0).to_vec::<bool>()[0]);
    assert!(!Tensor::from([16_777_217_i64]).gt(16_777_216.0).to_vec::<bool>()[0]);
    assert!(Tensor::from([0.1_f32]).eq(0.1).to_vec::<bool>()[0]);
    let nan = Tensor::from([NAN]);
    let truth = |t: Tensor| t.to_vec::<bool>()[0];
    assert!(truth(nan.ne(&nan)) && !truth(nan.eq(&nan)) && !truth(nan.ge(0)) && !truth(nan.lt(0)));
    let odd = Tensor::from([NAN, INF, -INF, 1.0, 0.0]);
    assert_eq!(odd.isnan().to_vec::<bool>(), [true, false, false, false, false]);
    assert_eq!(odd.isinf().to_vec::<bool>(), [false, true, true, false, false]);
    assert_eq!(odd.isfinite().to_vec::<bool>(), [false, false, false, true, true]);
    assert_eq!(odd.logical_not().to_vec::<bool>(), [false, false, false, false, true]);
}

#[test]
fn where_takes_numbers_on_either_side() {
    let c = Tensor::from([true, false]);
    let x = Tensor::from([1_i64, 2]);
    let y = Tensor::where_(&c, &x, 2.5);
    assert_eq!((y.dtype(), y.to_vec::<f64>()), (DType::F32, vec![1.0, 2.5]));
    assert_eq!(Tensor::where_(&c, 7, &x).dtype(), DType::I64);
    assert_eq!(Tensor::where_(&c, 1, 2.5).dtype(), DType::F32);
    assert_eq!(Tensor::where_(&c, true, 2).dtype(), DType::I64);
    assert_eq!(Tensor::where_(&c, 0.1, Tensor::from(2.0)).to_vec::<f64>(), [0.1, 2.0]);
    assert!(Tensor::try_where_(&x, &x, &x).is_err());
    // The derivative behind the side that is not taken: 0·∞, as in PyTorch.
    one(|x| Tensor::where_(&x.gt(0), x.sqrt(), 0), &[-1.0, 4.0], &[0.0, 2.0], &[NAN, 0.25]);
}

#[test]
fn logsumexp_and_log_softmax_beside_infinities() {
    let lse = |x: &Tensor| x.logsumexp(&[0], false);
    one(lse, &[-INF, 1.0], &[1.0], &[0.0, 1.0]);
    one(lse, &[INF, 1.0], &[INF], &[NAN, 0.0]);
    one(lse, &[NAN, 1.0], &[NAN], &[NAN, NAN]);
    one(lse, &[], &[-INF], &[]);
    // PyTorch gives NaN: a difference on purpose.
    one(lse, &[-INF, -INF], &[-INF], &[0.0, 0.0]);
    let log_softmax = |x: &Tensor| x.log_softmax(0);
    one(log_softmax, &[-INF, 1.0], &[-INF, 0.0], &[1.0, -1.0]);
    one(log_softmax, &[-INF, -INF], &[NAN, NAN], &[NAN, NAN]);
    one(log_softmax, &[1e4, 0.0], &[0.0, -1e4], &[-1.0, 1.0]);
}

#[test]
fn in_place_forms_rebind_their_handle_only() {
    let mut x = Tensor::from([-4.0, 4.0]);
    let before = x.clone();
    x.abs_();
    x.sqrt_();
    x.clamp_(0, 1.5);
    x.sigmoid_();
    x.relu_();
    same("value", &x.to_vec::<f64>(), &[1.0 / (1.0 + (-1.5_f64).exp()); 2]);
    same("the other handle", &before.to_vec::<f64>(), &[-4.0, 4.0]);
    let leaf = Tensor::from([-1.0, 2.0]).requires_grad_();
    let mut y = &leaf * 3.0;
    y.relu_();
    y.sum().backward();
    same("derivative", &leaf.grad().unwrap().to_vec::<f64>(), &[0.0, 3.0]);
}
