//! The loops: instruction levels, element-wise formulas, matrix products.

pub mod dispatch;
pub mod element;
pub mod gemm;
pub mod level;
pub mod loops;
pub mod real;

mod math;

pub use level::{Level, level};
