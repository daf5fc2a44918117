//! The loops: instruction levels, element-wise formulas, matrix products.

pub mod channels;
pub mod convert;
pub mod dispatch;
pub mod element;
pub mod gemm;
pub mod level;
pub mod loops;
pub mod lstm;
pub mod real;
pub mod reduce;
pub mod rows;
pub mod update;

mod math;

#[cfg(test)]
mod samples;

pub use level::{Level, level};
