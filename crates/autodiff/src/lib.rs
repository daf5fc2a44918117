//! Reverse-mode automatic differentiation.
//!
//! Read in this order: [`Tensor`] (values, and leaves that are places), [`Op`] (the contract), one file
//! of `ops/`, `apply.rs` (the one door), `graph.rs` (the tape), `sweep.rs` (how gradients flow).
#![forbid(unsafe_code)]

mod apply;
mod error;
mod graph;
mod mode;
mod op;
mod operators;
pub mod ops;
mod parameter;
mod place;
mod profile;
mod queue;
mod saved;
mod sweep;
mod tensor;
pub mod testing;
mod wanted;
mod work;

pub use error::{GraphError, OpError, must};
pub use gradus_tensor::Convolution;
pub use graph::live_nodes;
pub use mode::{Scope, current_scope, enable_grad, enter_scope, is_grad_enabled, no_grad};
pub use op::{Autocast, Grads, Op, Pack, Promotion};
pub use operators::Operand;
pub use ops::{
    AvgPoolOptions, CrossEntropyOptions, GeluApproximate, MaxPoolOptions, NllLossOptions,
    Reduction, cross_entropy, cross_entropy_with, mse_loss, mse_loss_with, nll_loss, nll_loss_with,
    try_cross_entropy, try_mse_loss, try_nll_loss,
};
pub use parameter::{Buffer, Misfit, Parameter};
pub use place::Lent;
pub use profile::{LayerRow, Pass, Profile, Row, profile, profile_with};
pub use saved::{Save, Saved};
pub use sweep::{Sweep, grad, grad_allow_unused, try_grad};
pub use tensor::Tensor;
pub use work::Work;
