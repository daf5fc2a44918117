//! gradus: deep learning in Rust, written as in PyTorch.
//!
//! ```
//! use gradus::prelude::*;
//!
//! #[derive(Module)]
//! struct Net { fc1: Linear, fc2: Linear }
//!
//! impl Net {
//!     fn forward(&self, x: &Tensor) -> Tensor {
//!         self.fc2.forward(&self.fc1.forward(x).tanh())
//!     }
//! }
//!
//! fn main() -> gradus::Result<()> {
//!     manual_seed(1);
//!     let net = Net { fc1: Linear::new(1, 16), fc2: Linear::new(16, 1) };
//!     let mut opt = Adam::new(net.named_parameters(), AdamOptions { lr: 0.02, ..Default::default() })?;
//!     let x = Tensor::new(Array::arange(-1.0, 1.0, 0.05, DType::F32)).reshape(&[-1, 1]);
//!     let y = x.square();
//!     for _ in 0..300 {
//!         opt.zero_grad();
//!         let loss = mse_loss(&net.forward(&x), &y);
//!         loss.backward();
//!         opt.step()?;
//!     }
//!     assert!(mse_loss(&net.forward(&x), &y).item() < 1e-2);
//!     Ok(())
//! }
//! ```
//!
//! | crate | what it holds |
//! |---|---|
//! | [`tensor`] | [`tensor::Array`]: numbers with a shape and a dtype; kernels, random numbers, files |
//! | [`autodiff`] | [`autodiff::Tensor`]: an array that remembers how it was computed; ops, tape, sweep |
//! | [`nn`] | layers, losses, state dicts |
//! | [`optim`] | optimizers, schedules, clipping |
//! | [`data`] | data sets, loaders, readers |
#![forbid(unsafe_code)]

mod averaged_model;
#[cfg(doctest)]
mod docs;
mod error;
pub mod prelude;

pub use averaged_model::AveragedModel;
pub use error::{Error, Result};
pub use gradus_autodiff as autodiff;
pub use gradus_autodiff::{Profile, profile};
pub use gradus_data as data;
pub use gradus_nn as nn;
pub use gradus_optim as optim;
pub use gradus_tensor as tensor;
