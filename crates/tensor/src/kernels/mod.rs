//! The loops: instruction levels, element-wise formulas, matrix products.

pub mod channels;
pub mod conv;
pub mod convert;
pub mod dispatch;
pub mod element;
pub mod gemm;
pub mod level;
pub mod loops;
pub mod lstm;
pub mod pool;
pub mod real;
pub mod reduce;
pub mod rows;
pub mod stream;
pub(crate) mod turn;
pub mod update;

mod math;

#[cfg(test)]
mod samples;

#[cfg(all(test, target_os = "linux"))]
#[path = "../../tests/fence/mod.rs"]
mod fence;

pub use level::{Level, level};
