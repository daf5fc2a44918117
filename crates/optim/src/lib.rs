//! Optimizers: one file of arithmetic each; groups, names, state and reports are shared.
//!
//! | question | file |
//! |---|---|
//! | what does Adam compute? | `optimizers/adam.rs`; one file for each optimizer |
//! | what can every optimizer do? | [`Optimizer`] |
//! | how does a formula become an optimizer? | [`ElementRule`], [`Optim`] |
//! | how is a step one pass over memory? | `fused.rs`, [`gradus_tensor::kernels::update`] |
//! | what is saved, and what happens on load? | [`StateDict`], `load.rs` |
//! | how does the learning rate change? | [`lr_scheduler`] |
//! | how are gradients clipped? | [`clip_grad_norm`], `clip/` |
#![forbid(unsafe_code)]

mod clip;
mod error;
mod fused;
mod group;
mod in_place;
mod load;
pub mod lr_scheduler;
mod optim;
mod optimizer;
pub mod optimizers;
mod outcome;
mod rule;
mod state_dict;

pub use clip::{
    ClipOptions, clip_grad_norm, clip_grad_norm_with, clip_grad_value, clip_grads_with_norm,
    get_total_norm, get_total_norm_with,
};
pub use error::{Mismatch, OptimError};
pub use lr_scheduler::{
    CosineAnnealingLr, CosineAnnealingLrOptions, Schedule, Scheduler, StepLr, StepLrOptions,
};
pub use optim::Optim;
pub use optimizer::{LrPolicy, Optimizer, ParamGroup};
pub use optimizers::{Adam, AdamOptions, AdamW, AdamWOptions, Sgd, SgdOptions};
pub use outcome::{NonFinite, SkipReason, StepOutcome};
pub use rule::{ElementRule, Progress};
pub use serde_json::Value;
pub use state_dict::{Entry, StateDict};
