//! Element types, and PyTorch's rules for mixing them.

use std::fmt;

/// The type of the elements of an array.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "lowercase")]
// A whole word: next to padding, the tag of an `Option<Array>` makes every move write parts of a word that
// the next load must wait for (a chain of small ops takes 5 % longer with `u8`).
#[repr(u64)]
pub enum DType {
    /// `torch.bool`, one byte.
    Bool,
    /// `torch.uint8`.
    U8,
    /// `torch.int64`; indices and labels.
    I64,
    /// `torch.float16`: a storage type, computed in f32.
    F16,
    /// `torch.bfloat16`: a storage type, computed in f32.
    Bf16,
    /// `torch.float32`, the default.
    F32,
    /// `torch.float64`.
    F64,
}

/// `bool < integer < floating point`: what decides a promotion first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Category {
    /// `Bool`.
    Bool,
    /// `U8`, `I64`.
    Integer,
    /// `F16`, `Bf16`, `F32`, `F64`.
    Float,
}

impl DType {
    /// Bytes of one element.
    #[inline]
    pub const fn size(self) -> usize {
        match self {
            DType::Bool | DType::U8 => 1,
            DType::F16 | DType::Bf16 => 2,
            DType::F32 => 4,
            DType::I64 | DType::F64 => 8,
        }
    }
    /// Is it one of `F16`, `Bf16`, `F32`, `F64`?
    #[inline]
    pub const fn is_float(self) -> bool {
        matches!(self, DType::F16 | DType::Bf16 | DType::F32 | DType::F64)
    }
    /// Is it `F16` or `Bf16`?
    #[inline]
    pub const fn is_half(self) -> bool {
        matches!(self, DType::F16 | DType::Bf16)
    }
    /// The category that decides promotions.
    #[inline]
    pub const fn category(self) -> Category {
        match self {
            DType::Bool => Category::Bool,
            DType::U8 | DType::I64 => Category::Integer,
            _ => Category::Float,
        }
    }
    /// The type that holds values of both, as `torch.promote_types`.
    ///
    /// ```
    /// use gradus_tensor::DType;
    /// assert_eq!(DType::F16.promote(DType::Bf16), DType::F32);
    /// assert_eq!(DType::I64.promote(DType::F16), DType::F16);
    /// ```
    pub fn promote(self, other: DType) -> DType {
        match (self, other) {
            (DType::F16, DType::Bf16) | (DType::Bf16, DType::F16) => DType::F32,
            (a, b) => a.max(b),
        }
    }
    /// PyTorch's short name: `float32`, `bfloat16`, `int64`, …
    pub const fn name(self) -> &'static str {
        match self {
            DType::Bool => "bool",
            DType::U8 => "uint8",
            DType::I64 => "int64",
            DType::F16 => "float16",
            DType::Bf16 => "bfloat16",
            DType::F32 => "float32",
            DType::F64 => "float64",
        }
    }
    /// The type sums of this type are computed in: f32 for the half types, i64 for integers and bools.
    pub const fn accumulator(self) -> DType {
        match self {
            DType::Bool | DType::U8 | DType::I64 => DType::I64,
            DType::F16 | DType::Bf16 | DType::F32 => DType::F32,
            DType::F64 => DType::F64,
        }
    }
}

impl fmt::Display for DType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The common type of operands, as `torch.result_type`: operands with axes decide, then 0-dim arrays,
/// then numbers; a lower class counts only if its category is higher.
///
/// Every operand is `(dtype, rank)`; a plain number has rank `None`.
///
/// ```
/// use gradus_tensor::{DType, result_type};
/// let half = (DType::F16, Some(2));
/// assert_eq!(result_type([half, (DType::F64, Some(0))]), DType::F16);
/// assert_eq!(result_type([(DType::I64, Some(1)), (DType::F64, None)]), DType::F32);
/// ```
pub fn result_type(operands: impl IntoIterator<Item = (DType, Option<usize>)>) -> DType {
    let mut classes: [Option<DType>; 3] = [None; 3];
    for (dtype, rank) in operands {
        let (class, dtype) = match rank {
            Some(0) => (1, dtype),
            Some(_) => (0, dtype),
            None => (2, number_type(dtype)),
        };
        classes[class] = Some(classes[class].map_or(dtype, |d| d.promote(dtype)));
    }
    let higher = |high: DType, low: DType| {
        if low.category() > high.category() { low } else { high }
    };
    classes.into_iter().flatten().reduce(higher).unwrap_or(DType::F32)
}

/// A plain number has the default type of its category.
const fn number_type(dtype: DType) -> DType {
    match dtype.category() {
        Category::Bool => DType::Bool,
        Category::Integer => DType::I64,
        Category::Float => DType::F32,
    }
}
