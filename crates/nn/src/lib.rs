//! Trees of named parameters: layers, losses, initialisers, state dicts.
//!
//! A model is a struct. Its fields are layers, and `#[derive(Module)]` makes it a tree of named
//! parameters, with PyTorch's names:
//!
//! ```
//! use gradus_autodiff::Tensor;
//! use gradus_nn::{Layer, Linear, Module};
//!
//! #[derive(Module)]
//! # #[module(crate = "gradus_nn")]
//! struct Net {
//!     fc1: Linear,
//!     fc2: Linear,
//! }
//!
//! impl Net {
//!     fn forward(&self, x: &Tensor) -> Tensor {
//!         self.fc2.forward(&self.fc1.forward(x).tanh())
//!     }
//! }
//!
//! let net = Net { fc1: Linear::new(4, 8), fc2: Linear::new(8, 2) };
//! let y = net.forward(&Tensor::from([[0.1_f32, 0.2, 0.3, 0.4]]));
//! assert_eq!(y.shape().dims(), [1, 2]);
//! assert_eq!(net.num_parameters(), 4 * 8 + 8 + 8 * 2 + 2);
//! let names: Vec<String> = net.named_parameters().into_iter().map(|(name, _)| name).collect();
//! assert_eq!(names, ["fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias"]);
//! ```
//!
//! | question | file |
//! |---|---|
//! | what is a module, and what can be asked of one? | [`Module`], `module.rs` |
//! | what may a field be? | `fields.rs` |
//! | how does a layer know its mode and its path? | [`Site`], `site.rs` |
//! | what goes into [`Sequential`]? | [`Layer`], `layer.rs` |
//! | how are parameters saved and loaded? | [`StateDict`], [`LoadError`] |
//! | which layers are there? | [`layers`], one file each |
//! | which losses? | [`losses`], one file each |
//! | how do parameters start? | [`init`] |
#![forbid(unsafe_code)]

mod deep_copy;
mod describe;
mod fields;
pub mod init;
mod layer;
pub mod layers;
mod load;
pub mod losses;
mod module;
mod site;
mod state_dict;
#[cfg(test)]
mod testing;
mod update_bn;
mod visitor;

pub use deep_copy::{DeepCopy, Ties};
pub use gradus_autodiff::{Buffer, Parameter};
pub use gradus_nn_derive::Module;
pub use layer::{IntoLayer, Lambda, Layer};
pub use layers::*;
pub use load::{IncompatibleKeys, LoadError, Strict, WrongShape};
pub use losses::*;
pub use module::{EvalScope, Module};
pub use site::{Call, HookHandle, Site};
pub use state_dict::StateDict;
pub use update_bn::update_bn;
pub use visitor::Visitor;
