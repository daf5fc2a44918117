//! Values of other libraries' bugs (bug catalogue B41).

use super::*;
use gradus_tensor::Array;

#[test]
fn b41_eps_stands_under_the_root() {
    let x = [
        -0.68642,
        -2.707_319_999,
        2.225_479_999,
        -1.029_72,
        -0.89002,
        1.17978,
        0.06338,
        1.52848,
        -0.35972,
        0.67608,
    ];
    // The first are what PyTorch gives; ε beside the root would give -0.4651590443, -1.8346411582.
    let want = [-0.486_289_688_5, -1.917_982_866_9, 1.576_626_520_2, -0.729_498_292_7];
    let options = LayerNormOptions { eps: 0.1, elementwise_affine: false, bias: false };
    let y = LayerNorm::with(10, options).forward(&Tensor::from(x)).to_vec::<f64>();
    for (y, want) in y.iter().zip(want) {
        assert!((y - want).abs() < 1e-9, "{y}, want {want}");
    }
}

#[test]
fn b41_half_precision_does_not_overflow_in_the_square() {
    let layer = LayerNorm::new(4);
    layer.to(DType::F16);
    let x = Tensor::new(Array::from_f64([4], DType::F16, &[300.0, -300.0, 300.0, -300.0]));
    let y = layer.forward(&x);
    assert_eq!(y.dtype(), DType::F16);
    assert_eq!(y.to_vec::<f64>(), [1.0, -1.0, 1.0, -1.0]);
}

#[test]
fn b41_equal_elements_give_exactly_zero() {
    let x = Tensor::new(Array::full(65_536, 0.5, DType::F16));
    let options = LayerNormOptions { elementwise_affine: false, ..Default::default() };
    let y = LayerNorm::with(65_536, options).forward(&x);
    assert!(y.to_vec::<f64>().iter().all(|&v| v == 0.0));
}

#[test]
#[should_panic(expected = "normalized_shape has at least one axis")]
fn a_shape_without_axes_is_refused() {
    LayerNorm::new([0_usize; 0]);
}
