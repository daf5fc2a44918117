//! Every wrong call of a convolution says the rule, all shapes, and what was found.

use gradus_autodiff::{Convolution, Tensor};
use gradus_tensor::{Array, DType};

fn zeros(shape: &[usize]) -> Tensor {
    Tensor::new(Array::zeros(shape, DType::F32))
}

fn conv2d(x: &[usize], w: &[usize], b: Option<usize>, by: Convolution) -> String {
    let b = b.map(|b| zeros(&[b]));
    let result = zeros(x).try_conv2d(&zeros(w), b.as_ref(), &by);
    result.expect_err("a wrong call").to_string()
}

fn transposed(x: &[usize], w: &[usize], extra: usize, by: Convolution) -> String {
    let result = zeros(x).try_conv_transpose2d(&zeros(w), None, &by, extra.into());
    result.expect_err("a wrong call").to_string()
}

#[track_caller]
fn says(message: &str, parts: &[&str]) {
    for part in parts {
        assert!(message.contains(part), "{message:?} does not say {part:?}");
    }
}

#[test]
fn shapes_are_checked() {
    let by = Convolution::default();
    let message = conv2d(&[1, 2, 5, 5], &[1, 3, 3, 3], None, by);
    says(
        &message,
        &["conv2d: float32[1, 2, 5, 5] float32[1, 3, 3, 3]", "x has 2 channels, W takes 3"],
    );
    says(&message, &["x: [N, in, H, W] or [in, H, W], W: [out, in/groups, kH, kW], b: [out]"]);
    says(&conv2d(&[5, 5], &[1, 3, 3, 3], None, by), &["x has 2 axes"]);
    says(&conv2d(&[1, 3, 5, 5], &[1, 3, 3], None, by), &["W has 3 axes"]);
    says(&conv2d(&[1, 3, 5, 5], &[2, 3, 3, 3], Some(3), by), &["the output has 2 channels"]);
    says(&conv2d(&[1, 3, 5, 5], &[2, 3, 0, 3], None, by), &["no tap"]);
    says(&conv2d(&[1, 3, 5, 5], &[0, 3, 3, 3], None, by), &["no channel"]);
    let small = conv2d(&[1, 2, 5, 2], &[2, 2, 3, 3], None, by);
    says(&small, &["not larger than the padded input", "axis 1 it spans 3", "input 2"]);
    let padded = Convolution { padding: 1.into(), ..by };
    says(&conv2d(&[1, 2, 0, 5], &[2, 2, 1, 1], None, padded), &["may be empty"]);
}

#[test]
fn options_are_checked() {
    let by = Convolution::default();
    let (x, w): (&[usize], &[usize]) = (&[1, 2, 5, 5], &[2, 2, 3, 3]);
    for by in [
        Convolution { stride: 0.into(), ..by },
        Convolution { dilation: [1, 0].into(), ..by },
        Convolution { groups: 0, ..by },
    ] {
        says(&conv2d(x, w, None, by), &["stride, dilation and groups are at least 1"]);
    }
    let wide = Convolution { padding: [1, 1, 1].into(), ..by };
    says(&conv2d(x, w, None, wide), &["padding (1, 1, 1) is not for 2 axes"]);
    let groups = Convolution { groups: 2, ..by };
    says(&conv2d(x, &[3, 1, 3, 3], None, groups), &["3 is not a multiple of 2 groups"]);
    let strided = Convolution { stride: 2.into(), ..by };
    let same = zeros(x).try_conv2d_same(&zeros(w), None, &strided);
    says(&same.expect_err("a stride").to_string(), &["\"same\" needs stride 1", "stride is 2"]);
    let far = Convolution { dilation: usize::MAX.into(), ..by };
    says(&conv2d(x, w, None, far), &["too large"]);
}

#[test]
fn transposed_convolutions_are_checked() {
    let by = Convolution::default();
    let (x, w): (&[usize], &[usize]) = (&[1, 2, 2, 2], &[2, 2, 2, 2]);
    says(
        &transposed(x, w, 1, by),
        &["conv_transpose2d:", "output_padding is smaller", "1, 1 and 1"],
    );
    let padded = Convolution { padding: 3.into(), ..by };
    says(&transposed(x, w, 0, padded), &["spatial axis 0 of the output would be empty"]);
    says(&transposed(x, &[3, 2, 2, 2], 0, by), &["x has 2 channels, W takes 3"]);
}

#[test]
fn integers_are_refused() {
    let x = Tensor::new(Array::zeros([1, 1, 3], DType::I64));
    let error = x.try_conv1d(&x, None, &Convolution::default()).expect_err("integers");
    says(&error.to_string(), &["convolution: int64[1, 1, 3]"]);
}
