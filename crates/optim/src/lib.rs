//! Optimizers: one file of arithmetic each; groups, names, state and reports are shared.
//!
//! | question | file |
//! |---|---|
//! | what does Adam compute? | `optimizers/adam.rs`; one file for each optimizer |
//! | what can every optimizer do? | [`Optimizer`] |
//! | how does a formula become an optimizer? | [`ElementRule`], [`TensorRule`], [`Optim`] |
//! | how are parameters grouped by name? | [`Optim::by_pattern`] |
//! | who calls the loss? | [`Optimizer::step_with`] |
//! | how is a step one pass over memory? | `fused.rs`, [`gradus_tensor::kernels::update`] |
//! | what is saved, and what happens on load? | [`StateDict`], `load.rs` |
//! | how does the learning rate change? | [`lr_scheduler`] |
//! | how do half types train? | [`GradScaler`], `grad_scaler/` |
//! | how do small batches become a large one? | [`Accumulator`] |
//! | how are weights averaged? | [`Averaging`] |
//! | which learning rate? | [`LrFinder`], `lr_finder/` |
//! | how are gradients clipped? | [`clip_grad_norm`], `clip/` |
//!
//! The book explains them: `docs/optimizers` has a chapter for each family with the intuition, a picture of the
//! path and when to use which, `docs/training` has rates, schedules, clipping, half types and averages.
#![forbid(unsafe_code)]

mod accumulator;
mod arithmetic;
mod averaging;
mod clip;
mod closure;
mod error;
mod fused;
mod grad_scaler;
mod group;
mod in_place;
mod jobs;
mod load;
mod lr_finder;
pub mod lr_scheduler;
mod optim;
mod optimizer;
pub mod optimizers;
mod outcome;
mod pattern;
mod plot;
mod rule;
mod state_dict;
mod whole;

pub use accumulator::Accumulator;
pub use averaging::Averaging;
pub use clip::{
    AdaptiveClipOptions, ClipOptions, clip_grad_adaptive, clip_grad_adaptive_with, clip_grad_norm,
    clip_grad_norm_per_group, clip_grad_norm_per_group_with, clip_grad_norm_with, clip_grad_value,
    clip_grads_with_norm, get_total_norm, get_total_norm_with,
};
pub use error::{Mismatch, OptimError};
pub use grad_scaler::{GradScaler, GradScalerOptions, ScalerError};
pub use jobs::Jobs;
pub use lr_finder::{LrCurve, LrFinder, LrFinderOptions};
pub use lr_scheduler::*;
pub use optim::Optim;
pub use optimizer::{LrPolicy, Optimizer, ParamGroup};
pub use optimizers::*;
pub use outcome::{ClimbOutcome, NonFinite, SkipReason, StepOutcome, StepReport};
pub use plot::Plot;
pub use rule::{ElementRule, Progress, Rule, TensorRule, TensorStep, TensorValue};
pub use serde_json::Value;
pub use state_dict::{Entry, StateDict};
