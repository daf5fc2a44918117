//! Gelu at the values of the bug catalogue, in the tails, and in every type.

use gradus_autodiff::{GeluApproximate, Tensor};
use gradus_tensor::{Array, DType};

const FORMS: [GeluApproximate; 2] = [GeluApproximate::None, GeluApproximate::Tanh];

/// `gelu x` and its derivative.
fn both(x: &[f64], dtype: DType, approximate: GeluApproximate) -> (Vec<f64>, Vec<f64>) {
    let x = Tensor::new(Array::new([x.len()], x).cast(dtype)).requires_grad_();
    let y = x.gelu_with(approximate);
    y.sum().backward();
    (y.to_vec(), x.grad().expect("x was used").to_vec())
}

#[test]
fn b53_forward_and_backward_are_one_formula() {
    let values = [(-0.15865525, -0.08331547), (-0.15880801, -0.08296408)];
    for (approximate, (y, slope)) in FORMS.into_iter().zip(values) {
        for dtype in [DType::F32, DType::F64] {
            let (got, gradient) = both(&[-1.0, 0.0, 1.0], dtype, approximate);
            assert!((got[0] - y).abs() < 1e-7 && (gradient[0] - slope).abs() < 1e-7, "{got:?}");
            assert_eq!((got[1], gradient[1]), (0.0, 0.5), "{approximate:?} {dtype}");
            assert!((gradient[2] - 1.0 + slope).abs() < 1e-6, "{gradient:?}");
        }
    }
}

#[test]
fn the_negative_tail_does_not_cancel() {
    // −10·Φ(−10) and its derivative, by mpmath.
    let (y, slope) = both(&[-10.0], DType::F64, GeluApproximate::None);
    assert!((y[0] / -7.619853024160527e-23 - 1.0).abs() < 2e-15, "{y:?}");
    assert!((slope[0] / -7.618400096464814e-22 - 1.0).abs() < 5e-15, "{slope:?}");
    let (y, slope) = both(&[-10.0], DType::F32, GeluApproximate::None);
    assert!((y[0] / -7.619853024160527e-23 - 1.0).abs() < 1e-6, "{y:?}");
    assert!((slope[0] / -7.618400096464814e-22 - 1.0).abs() < 1e-5, "{slope:?}");
    // x·sigmoid(2·√(2/π)·(x + 0.044715·x³)) at −6.
    let (y, _) = both(&[-6.0], DType::F64, GeluApproximate::Tanh);
    assert!((y[0] / TANH_AT_MINUS_6 - 1.0).abs() < 1e-14, "{y:?}");
}

const TANH_AT_MINUS_6: f64 = -8.439_646_700_762_297e-11;

#[test]
fn far_out_gelu_is_0_or_x_and_its_derivative_0_or_1() {
    for approximate in FORMS {
        for (dtype, far) in [(DType::F32, 1e20), (DType::F64, 1e150), (DType::F16, 6e4)] {
            let (y, slope) = both(&[-far, far, -50.0, 50.0], dtype, approximate);
            let far = Array::from([far]).cast(dtype).to_vec::<f64>()[0];
            assert_eq!(y, [0.0, far, 0.0, 50.0], "{approximate:?} {dtype}");
            assert_eq!(slope, [0.0, 1.0, 0.0, 1.0], "{approximate:?} {dtype}");
        }
        let (y, slope) = both(&[f64::NAN, f64::NEG_INFINITY], DType::F32, approximate);
        assert!(y.iter().all(|v| v.is_nan()) && slope[0].is_nan(), "as PyTorch");
    }
}

#[test]
fn integers_are_refused() {
    let error = Tensor::from([1_i64]).try_gelu_with(GeluApproximate::None);
    assert!(error.expect_err("no integers").to_string().contains("floating point"));
}
