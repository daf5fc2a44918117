//! `serde` for shapes, numbers and arrays.
//!
//! An array is its dtype, shape and flat numbers, with `"nan"`, `"inf"` and `"-inf"` where JSON has no
//! number. All values come back bit for bit, but for the payload of a NaN. The format must describe
//! itself, as JSON, TOML and CBOR do; large arrays belong into `.safetensors`.

use crate::element::dispatch;
use crate::{Array, DType, Element, Scalar, Shape};
use serde::de::{Deserialize, Deserializer, Error, Visitor};
use serde::ser::{Serialize, SerializeStruct, Serializer};
use std::fmt;

impl Serialize for Shape {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.dims().serialize(serializer)
    }
}
impl<'de> Deserialize<'de> for Shape {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let sizes = Vec::<usize>::deserialize(deserializer)?;
        let too_large = || D::Error::custom(format!("the shape {sizes:?} is too large"));
        Shape::checked(&sizes).ok_or_else(too_large)
    }
}

impl Serialize for Scalar {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match *self {
            Scalar::Bool(v) => serializer.serialize_bool(v),
            Scalar::Int(v) => serializer.serialize_i64(v),
            Scalar::Float(v) if v.is_nan() => serializer.serialize_str("nan"),
            Scalar::Float(v) if v.is_infinite() => serializer.collect_str(&v),
            Scalar::Float(v) => serializer.serialize_f64(v),
        }
    }
}
impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Number)
    }
}

/// `true`, `7`, `0.5`, `"nan"`.
struct Number;

impl Visitor<'_> for Number {
    type Value = Scalar;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number, a bool, \"nan\", \"inf\" or \"-inf\"")
    }
    fn visit_bool<E>(self, v: bool) -> Result<Scalar, E> {
        Ok(Scalar::Bool(v))
    }
    fn visit_i64<E>(self, v: i64) -> Result<Scalar, E> {
        Ok(Scalar::Int(v))
    }
    fn visit_u64<E: Error>(self, v: u64) -> Result<Scalar, E> {
        let v = i64::try_from(v).map_err(|_| E::custom(format!("{v} does not fit into int64")))?;
        Ok(Scalar::Int(v))
    }
    fn visit_f64<E>(self, v: f64) -> Result<Scalar, E> {
        Ok(Scalar::Float(v))
    }
    fn visit_str<E: Error>(self, v: &str) -> Result<Scalar, E> {
        match v {
            "nan" => Ok(Scalar::Float(f64::NAN)),
            "inf" => Ok(Scalar::Float(f64::INFINITY)),
            "-inf" => Ok(Scalar::Float(f64::NEG_INFINITY)),
            _ => Err(E::invalid_value(serde::de::Unexpected::Str(v), &self)),
        }
    }
}

/// `{ dtype, shape, data }`.
impl Serialize for Array {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Array", 3)?;
        fields.serialize_field("dtype", &self.dtype())?;
        fields.serialize_field("shape", self.shape())?;
        fields.serialize_field("data", &Numbers(self))?;
        fields.end()
    }
}
impl<'de> Deserialize<'de> for Array {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Parts { dtype, shape, data } = Parts::deserialize(deserializer)?;
        if data.len() != shape.numel() {
            let why = format!("{} numbers do not fill the shape {shape}", data.len());
            return Err(D::Error::custom(why));
        }
        from_scalars(dtype, shape, &data).map_err(D::Error::custom)
    }
}

#[derive(serde::Deserialize)]
#[serde(rename = "Array")]
struct Parts {
    dtype: DType,
    shape: Shape,
    data: Vec<Scalar>,
}

/// The elements. An f32 becomes the f64 of the same value: its own shortest text would be read as f64
/// first, and rounding twice loses 7.038531e-26.
struct Numbers<'a>(&'a Array);

impl Serialize for Numbers<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        dispatch!(self.0.dtype(), T => {
            serializer.collect_seq(self.0.read::<T>().iter().map(|v| v.scalar()))
        })
    }
}

/// From numbers that `dtype` holds: nothing overflows, and a float is no integer.
fn from_scalars(dtype: DType, shape: Shape, data: &[Scalar]) -> Result<Array, String> {
    dispatch!(dtype, T => {
        for &v in data {
            let kept = T::of(v).scalar();
            let same = match (v, kept) {
                (Scalar::Float(v), Scalar::Float(kept)) => v.is_finite() == kept.is_finite(),
                (Scalar::Int(_), Scalar::Float(kept)) => kept.is_finite(),
                (v, kept) => v == kept,
            };
            if !same {
                return Err(format!("{v:?} is not a value of {dtype}"));
            }
        }
        Ok(Array::build::<T>(shape, |out| {
            out.iter_mut().zip(data).for_each(|(o, &v)| *o = T::of(v));
        }))
    })
}
