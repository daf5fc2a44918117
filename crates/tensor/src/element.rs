//! The Rust types that elements have in memory.

use crate::{DType, Scalar};
use half::{bf16, f16};

mod sealed {
    /// No types but ours are elements: the storage relies on their sizes.
    pub trait Sealed {}
}

/// A Rust type that is the element of an array: `f32`, `f64`, `f16`, `bf16`, `i64`, `u8`, `bool`.
///
/// Every value converts to and from `f64` and `i64` by PyTorch's cast rules: floats truncate towards
/// zero, everything but 0 is `true`.
pub trait Element:
    sealed::Sealed + Copy + Default + PartialEq + PartialOrd + std::fmt::Debug + Send + Sync + 'static
{
    /// The dtype of arrays of this type.
    const DTYPE: DType;
    /// From a number.
    fn of(v: Scalar) -> Self;
    /// As a number, without loss.
    fn scalar(self) -> Scalar;
    /// As `f64`.
    #[inline]
    fn to_f64(self) -> f64 {
        self.scalar().to_f64()
    }
}

macro_rules! element {
    ($($t:ty, $D:ident, $v:ident => $of:expr, $x:ident => $scalar:expr;)*) => {$(
        impl sealed::Sealed for $t {}
        impl Element for $t {
            const DTYPE: DType = DType::$D;
            #[inline]
            fn of($v: Scalar) -> Self {
                $of
            }
            #[inline]
            fn scalar(self) -> Scalar {
                let $x = self;
                $scalar
            }
        }
    )*};
}
element! {
    f32, F32, v => v.to_f64() as f32, x => Scalar::Float(f64::from(x));
    f64, F64, v => v.to_f64(), x => Scalar::Float(x);
    f16, F16, v => f16::from_f64(v.to_f64()), x => Scalar::Float(x.to_f64());
    bf16, Bf16, v => bf16::from_f64(v.to_f64()), x => Scalar::Float(x.to_f64());
    i64, I64, v => v.to_i64(), x => Scalar::Int(x);
    u8, U8, v => v.to_i64() as u8, x => Scalar::Int(i64::from(x));
    bool, Bool, v => match v { Scalar::Bool(b) => b, v => v.to_f64() != 0.0 }, x => Scalar::Bool(x);
}

/// Run generic code with `$T` bound to the Rust type of a dtype: `dispatch!(dtype, T => expression)`.
macro_rules! dispatch {
    ($dtype:expr, $T:ident => $body:expr) => {
        match $dtype {
            $crate::DType::Bool => $crate::element::arm!($T, bool, $body),
            $crate::DType::U8 => $crate::element::arm!($T, u8, $body),
            $crate::DType::I64 => $crate::element::arm!($T, i64, $body),
            $crate::DType::F16 => $crate::element::arm!($T, half::f16, $body),
            $crate::DType::Bf16 => $crate::element::arm!($T, half::bf16, $body),
            $crate::DType::F32 => $crate::element::arm!($T, f32, $body),
            $crate::DType::F64 => $crate::element::arm!($T, f64, $body),
        }
    };
}
/// One arm of [`dispatch`].
macro_rules! arm {
    ($T:ident, $type:ty, $body:expr) => {{
        type $T = $type;
        $body
    }};
}
pub(crate) use {arm, dispatch};
