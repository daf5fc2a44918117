//! Arrays, shapes and numbers in JSON and back.

use gradus_tensor::{Array, DType, Generator, Scalar, Shape, bf16, f16};
use proptest::prelude::*;

fn json<T: serde::Serialize>(v: &T) -> String {
    serde_json::to_string(v).expect("it can be written")
}

fn from_json<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, String> {
    serde_json::from_str(text).map_err(|e| e.to_string())
}

#[test]
fn arrays_have_a_plain_form() {
    let x = Array::from([[1.0_f32, 0.5], [-2.0, 3.0]]).transpose(0, 1);
    let text = json(&x);
    assert_eq!(text, r#"{"dtype":"f32","shape":[2,2],"data":[1.0,-2.0,0.5,3.0]}"#);
    assert_eq!(from_json::<Array>(&text).unwrap(), x);
    assert_eq!(json(&Array::from(true)), r#"{"dtype":"bool","shape":[],"data":[true]}"#);
    let odd = json(&Array::from([f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.0]));
    assert_eq!(odd, r#"{"dtype":"f64","shape":[4],"data":["nan","inf","-inf",-0.0]}"#);
}

#[test]
fn every_dtype_comes_back_bit_for_bit() {
    let g = &mut Generator::new(1);
    for dtype in [DType::F16, DType::Bf16, DType::F32, DType::F64] {
        let x = Array::randn_with([20, 50], dtype, g);
        assert_eq!(from_json::<Array>(&json(&x)).unwrap(), x, "{dtype}");
    }
    for x in [
        Array::randint_with(i64::MIN, i64::MAX, [3, 4], DType::I64, g),
        Array::randint_with(0, 256, 9, DType::U8, g),
        Array::bernoulli_with(0.5, 9, DType::Bool, g),
        Array::from([f32::MAX, f32::MIN_POSITIVE, f32::INFINITY, 1e-45, 7.038_531e-26]),
        Array::from([f64::MAX, f64::MIN_POSITIVE, 5e-324, 0.1, 2.225_073_858_507_201e-308]),
        Array::from([f16::MAX, f16::MIN_POSITIVE_SUBNORMAL, f16::NEG_INFINITY]),
        Array::from([bf16::MAX, bf16::MIN_POSITIVE_SUBNORMAL, bf16::NEG_INFINITY]),
        Array::zeros([2, 0, 3], DType::F64),
    ] {
        assert_eq!(from_json::<Array>(&json(&x)).unwrap(), x);
        // Through a tree, which sorts the fields.
        let tree = serde_json::to_value(&x).unwrap();
        assert_eq!(serde_json::from_value::<Array>(tree).unwrap(), x);
    }
    let nan = from_json::<Array>(&json(&Array::from([f32::NAN]))).unwrap();
    assert!(nan.item().is_nan());
}

#[test]
fn corrupt_arrays_are_errors() {
    let refused = |text: &str, want: &str| {
        let error = from_json::<Array>(text).expect_err(want);
        assert!(error.contains(want), "{error}");
    };
    refused(r#"{"dtype":"f32","shape":[3],"data":[1.0]}"#, "1 numbers do not fill the shape [3]");
    refused(r#"{"dtype":"f32","shape":[4294967296,4294967296],"data":[]}"#, "is too large");
    refused(r#"{"dtype":"f32","shape":[0,9223372036854775807,9],"data":[]}"#, "is too large");
    refused(r#"{"dtype":"f32","shape":[-1],"data":[1.0]}"#, "invalid value");
    refused(r#"{"dtype":"f32","shape":[1],"data":[1e300]}"#, "is not a value of float32");
    refused(r#"{"dtype":"f32","shape":[1],"data":["big"]}"#, "invalid value: string \"big\"");
    refused(r#"{"dtype":"f32","shape":[1],"data":[null]}"#, "invalid type: null");
    refused(r#"{"dtype":"i64","shape":[1],"data":[1.5]}"#, "is not a value of int64");
    refused(r#"{"dtype":"i64","shape":[1],"data":[9223372036854775808]}"#, "does not fit");
    refused(r#"{"dtype":"u8","shape":[1],"data":[256]}"#, "is not a value of uint8");
    refused(r#"{"dtype":"bool","shape":[1],"data":[1]}"#, "is not a value of bool");
    refused(r#"{"dtype":"f8","shape":[1],"data":[1]}"#, "unknown variant");
    refused(r#"{"dtype":"f32","shape":[1]}"#, "missing field `data`");
    assert_eq!(
        from_json::<Array>(r#"{"dtype":"f16","shape":[1],"data":[3]}"#).unwrap().item(),
        3.0
    );
}

#[test]
fn shapes_and_numbers_come_back() {
    for shape in [Shape::scalar(), Shape::from([2, 3]), Shape::from([0])] {
        assert_eq!(from_json::<Shape>(&json(&shape)).unwrap(), shape);
    }
    assert!(from_json::<Shape>("[4294967296,4294967296]").unwrap_err().contains("too large"));
    for v in [Scalar::Bool(true), Scalar::Int(-3), Scalar::Float(1.0), Scalar::Float(f64::INFINITY)]
    {
        assert_eq!(from_json::<Scalar>(&json(&v)).unwrap(), v);
    }
    assert_eq!(json(&Scalar::Float(f64::NAN)), "\"nan\"");
}

proptest! {
    #[test]
    fn any_f64_comes_back(bits in any::<u64>()) {
        let x = Array::from(f64::from_bits(bits));
        let back = from_json::<Array>(&json(&x)).expect("was written");
        prop_assert!(back == x || (back.item().is_nan() && x.item().is_nan()));
    }
    #[test]
    fn any_f32_comes_back(bits in any::<u32>()) {
        let x = Array::from(f32::from_bits(bits));
        let back = from_json::<Array>(&json(&x)).expect("was written");
        prop_assert!(back == x || (back.item().is_nan() && x.item().is_nan()));
    }
}
