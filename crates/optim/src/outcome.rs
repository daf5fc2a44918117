//! What a step did.

use serde::{Deserialize, Serialize};
use std::fmt;

/// What a step did. Numerical trouble is data, not an error.
#[derive(Clone, Debug, PartialEq)]
pub enum StepOutcome {
    /// The parameters that have a gradient were moved.
    Applied {
        /// How many.
        updated: usize,
        /// The names of those without a gradient: their values and states are as before.
        no_grad: Vec<String>,
    },
    /// Nothing was changed.
    Skipped(SkipReason),
}

impl StepOutcome {
    /// Was the step applied (to however many parameters)?
    pub fn is_applied(&self) -> bool {
        matches!(self, StepOutcome::Applied { .. })
    }
}

/// What the first half of a step of [`crate::Sam`] did under a gradient scaler.
#[derive(Clone, Debug, PartialEq)]
pub enum ClimbOutcome {
    /// The parameters are at the worst place nearby.
    Climbed {
        /// The norm of the gradients, unscaled.
        norm: f64,
    },
    /// They are where they were, and the step will be skipped.
    Skipped(SkipReason),
}

/// What a step with a closure did.
#[derive(Clone, Debug, PartialEq)]
pub struct StepReport {
    /// The loss where the step began.
    pub loss: f64,
    /// How often the closure was called.
    pub evaluations: usize,
    /// What happened to the parameters.
    pub outcome: StepOutcome,
}

/// Why a step was skipped.
#[derive(Clone, Debug, PartialEq)]
pub enum SkipReason {
    /// The gradients of these parameters hold an infinity or NaN.
    NonFinite(Vec<String>),
}

impl fmt::Display for SkipReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let SkipReason::NonFinite(names) = self;
        write!(f, "gradients are not finite: {}", names.join(", "))
    }
}

/// What a step does about a gradient with an infinity or NaN.
///
/// # PyTorch
/// Its optimizers have only [`NonFinite::Ignore`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum NonFinite {
    /// Nothing: the gradient is applied.
    #[default]
    Ignore,
    /// Change nothing and say [`StepOutcome::Skipped`].
    Skip,
    /// Change nothing and return [`crate::OptimError::NonFiniteGradient`].
    Refuse,
}
