//! A plain number beside arrays: `x * 2.0`, `x.clamp(0, 1)`.

use crate::DType;

/// A number without a dtype of its own; it takes one from the arrays it meets ([`crate::result_type`]).
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Scalar {
    /// A truth value.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A floating-point number.
    Float(f64),
}

impl Scalar {
    /// As `f64`.
    #[inline]
    pub fn to_f64(self) -> f64 {
        match self {
            Scalar::Bool(v) => f64::from(u8::from(v)),
            Scalar::Int(v) => v as f64,
            Scalar::Float(v) => v,
        }
    }
    /// As `i64`, truncated towards zero.
    #[inline]
    pub fn to_i64(self) -> i64 {
        match self {
            Scalar::Bool(v) => i64::from(v),
            Scalar::Int(v) => v,
            Scalar::Float(v) => v as i64,
        }
    }
    /// The widest type of its category; only the category counts in promotions.
    #[inline]
    pub fn dtype(self) -> DType {
        match self {
            Scalar::Bool(_) => DType::Bool,
            Scalar::Int(_) => DType::I64,
            Scalar::Float(_) => DType::F64,
        }
    }
}

impl From<bool> for Scalar {
    fn from(v: bool) -> Self {
        Scalar::Bool(v)
    }
}

/// Numbers convert to scalars without loss.
macro_rules! from_number {
    ($($t:ty => $Variant:ident as $wide:ty),*) => {$(
        impl From<$t> for Scalar {
            fn from(v: $t) -> Self {
                Scalar::$Variant(v as $wide)
            }
        }
    )*};
}
from_number!(i32 => Int as i64, i64 => Int as i64, u8 => Int as i64, usize => Int as i64, f32 => Float as f64, f64 => Float as f64);
