//! What an operation has to do: the yardstick that a profile holds times against.

use gradus_tensor::Meta;
use std::ops::AddAssign;

/// Arithmetic and memory traffic of an operation, at the least.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Work {
    /// Additions and multiplications of real numbers. 0 for an op that memory bounds.
    pub flops: f64,
    /// Bytes that are read and written, each element of an input and of an output once.
    pub bytes: f64,
}

impl Work {
    /// That of a view.
    pub const NONE: Work = Work { flops: 0.0, bytes: 0.0 };

    /// All elements of these arrays once.
    pub fn of<'a>(arrays: impl IntoIterator<Item = &'a Meta>) -> Self {
        let bytes = |m: &Meta| m.shape.numel() as f64 * m.dtype.size() as f64;
        Work { flops: 0.0, bytes: arrays.into_iter().map(bytes).sum() }
    }
    /// The same traffic with so much arithmetic.
    #[must_use]
    pub fn with_flops(self, flops: f64) -> Self {
        Work { flops, ..self }
    }
    /// Arithmetic of a product over `k`: one multiplication and one addition for each element of the
    /// result and of `k`.
    #[must_use]
    pub fn of_product(self, result: &Meta, k: usize) -> Self {
        self.with_flops(2.0 * result.shape.numel() as f64 * k as f64)
    }
}

impl AddAssign for Work {
    fn add_assign(&mut self, other: Work) {
        self.flops += other.flops;
        self.bytes += other.bytes;
    }
}
