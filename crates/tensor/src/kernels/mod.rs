//! The loops: instruction levels, element-wise formulas, matrix products.

pub mod level;

pub use level::{Level, level};
