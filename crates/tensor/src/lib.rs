//! Arrays: numbers with a shape and a dtype. No history, no gradients.

pub mod kernels;
pub mod threads;
