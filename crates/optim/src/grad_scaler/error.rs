//! What a scaler refuses.

use crate::OptimError;
use gradus_autodiff::Parameter;
use std::fmt;

/// A gradient scaler refuses a call. Nothing was changed.
#[derive(Clone, Debug, PartialEq)]
pub enum ScalerError {
    /// This call came before the first one of `scale`.
    NotStarted(&'static str),
    /// The gradients of this optimizer are unscaled already.
    UnscaledTwice,
    /// The optimizer has taken its step; its gradients are unscaled already.
    UnscaledAfterStep,
    /// The optimizer has taken its step since the last update.
    SteppedTwice,
    /// The optimizer has taken its step since the last update: a climb comes before it.
    ClimbAfterStep,
    /// An optimizer has climbed, and its step has not come yet.
    UpdateAfterClimb,
    /// None of these parameters, all of the optimizer, has a gradient.
    NoGradients(Vec<String>),
    /// The gradients of these parameters do not come from a scaled loss.
    NotScaled(Vec<String>),
    /// Nothing was unscaled or stepped since the last update.
    NothingToUpdate,
    /// Too many steps in a row were skipped.
    TooManySkips {
        /// How many, the last one included.
        skipped: u64,
        /// The scale.
        scale: f64,
        /// The parameters with an infinity or NaN in their gradients.
        names: Vec<String>,
    },
    /// The state dict is that of a scaler that was not enabled.
    EmptyState,
    /// The optimizer cannot be used with a scaler, for this reason.
    Unsupported(&'static str),
}

impl ScalerError {
    pub(super) fn no_gradients(parameters: Vec<(String, Parameter)>) -> Self {
        ScalerError::NoGradients(parameters.into_iter().map(|(name, _)| name).collect())
    }
}

impl fmt::Display for ScalerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ScalerError::NotStarted(call) => {
                write!(f, "{call} before the first scale: multiply the loss by scale first")
            }
            ScalerError::UnscaledTwice => {
                write!(f, "unscale twice before update: the gradients would be divided twice")
            }
            ScalerError::UnscaledAfterStep => {
                write!(f, "unscale after step: unscale before it, or not at all")
            }
            ScalerError::SteppedTwice => write!(f, "step twice before update"),
            ScalerError::ClimbAfterStep => write!(f, "climb after step: update comes between them"),
            ScalerError::UpdateAfterClimb => {
                write!(f, "update between climb and step: one update, after the step, is for both")
            }
            ScalerError::NoGradients(names) => {
                write!(f, "no parameter of the optimizer has a gradient: {}", names.join(", "))
            }
            ScalerError::NotScaled(names) => write!(
                f,
                "the gradients of {} do not come from a scaled loss: \
                 call backward on the result of scale",
                names.join(", ")
            ),
            ScalerError::NothingToUpdate => {
                write!(f, "update without a step or unscale since the last one")
            }
            ScalerError::TooManySkips { skipped, scale, names } => write!(
                f,
                "{skipped} steps in a row were skipped, the scale is {scale}: \
                 the gradients of {} are not finite",
                names.join(", ")
            ),
            ScalerError::EmptyState => {
                write!(f, "the state dict is empty: it is that of a scaler that was not enabled")
            }
            ScalerError::Unsupported(why) => {
                write!(f, "this optimizer cannot be used with a scaler: {why}")
            }
        }
    }
}

impl std::error::Error for ScalerError {}

impl From<ScalerError> for OptimError {
    fn from(e: ScalerError) -> Self {
        OptimError::Scaler(e)
    }
}
