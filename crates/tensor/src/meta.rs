//! What is known of an array without its numbers.

use crate::{DType, Shape};
use std::fmt;

/// Shape and element type.
#[derive(Clone, PartialEq, Eq)]
pub struct Meta {
    /// The size of every axis.
    pub shape: Shape,
    /// The type of the elements.
    pub dtype: DType,
}

impl Meta {
    /// From its parts.
    #[track_caller]
    pub fn new(shape: impl Into<Shape>, dtype: DType) -> Self {
        Meta { shape: shape.into(), dtype }
    }
    /// The same shape with another dtype.
    pub fn with_dtype(&self, dtype: DType) -> Self {
        Meta { shape: self.shape.clone(), dtype }
    }
    /// The same dtype with another shape.
    pub fn with_shape(&self, shape: Shape) -> Self {
        Meta { shape, dtype: self.dtype }
    }
}

impl fmt::Debug for Meta {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{:?}", self.dtype, self.shape)
    }
}
impl fmt::Display for Meta {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{:?}", self.dtype, self.shape)
    }
}
