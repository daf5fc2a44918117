//! What can be wrong with options, parameters, gradients and state dicts.

use crate::ScalerError;
use gradus_autodiff::GraphError;
use gradus_tensor::Meta;
use std::fmt;

/// An optimizer, a schedule or a clip refuses something; nothing was changed.
///
/// Its `Debug` prints as its `Display`, because that is what `main() -> Result` shows.
#[derive(Clone, PartialEq)]
pub enum OptimError {
    /// A hyper-parameter is out of range.
    Option {
        /// Whose: `"Adam"`.
        of: &'static str,
        /// Which: `"betas.0"`.
        option: &'static str,
        /// What it was set to.
        value: f64,
        /// What is allowed: `"0 ≤ betas.0 < 1"`.
        allowed: &'static str,
    },
    /// The optimizer cannot move a parameter like this one.
    Parameter {
        /// Whose: `"Muon"`.
        of: &'static str,
        /// The parameter.
        name: String,
        /// Its shape and dtype.
        meta: Meta,
        /// What is allowed: `"two axes"`.
        allowed: &'static str,
    },
    /// There is no parameter of this name.
    UnknownParameter(String),
    /// No pattern matches this parameter.
    NoPattern(String),
    /// This pattern decides about no parameter.
    IdlePattern(String),
    /// This optimizer evaluates the loss itself: it has no step without a closure.
    NeedsClosure(&'static str),
    /// The loss that a closure returned cannot be differentiated.
    Closure(GraphError),
    /// These parameters have a gradient, but it is not known which rows of it count.
    NoRows(Vec<String>),
    /// An optimizer got an empty list of parameters.
    NoParameters,
    /// Two parameters have the same name.
    DuplicateName(String),
    /// One parameter stands under two names.
    SharedParameter(String, String),
    /// A state dict does not fit.
    Mismatch(Mismatch),
    /// The bytes or entries of a state dict are no state dict of this kind.
    Malformed(String),
    /// These gradients are multiplied by the scale of a gradient scaler.
    ScaledGradient(Vec<String>),
    /// These gradients hold an infinity or NaN, and the policy is to refuse them.
    NonFiniteGradient(Vec<String>),
    /// The norm of the gradients is infinite or NaN, and `error_if_nonfinite` is set.
    NonFiniteNorm {
        /// The norm.
        norm: f64,
        /// Its order.
        norm_type: f64,
    },
    /// An accumulator is finished before it has seen an item.
    NoItems,
    /// A gradient scaler refuses a call.
    Scaler(ScalerError),
    /// This schedule moves momenta, and the optimizer has neither momentum nor betas.
    NoMomentum(&'static str),
    /// A scheduler resumes, but this group of the optimizer has no initial learning rate.
    NoInitialLr(usize),
}

/// All that does not fit between an optimizer and a state dict.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Mismatch {
    /// What the optimizer has and the state dict lacks.
    pub missing: Vec<String>,
    /// What the state dict has and the optimizer does not know.
    pub unexpected: Vec<String>,
    /// What both have, but not alike: `"fc.weight.exp_avg is [3, 2], not [2, 3]"`.
    pub different: Vec<String>,
}

impl Mismatch {
    /// An error, if there is anything.
    pub(crate) fn check(self) -> Result<(), OptimError> {
        let fits = [&self.missing, &self.unexpected, &self.different].iter().all(|l| l.is_empty());
        if fits { Ok(()) } else { Err(OptimError::Mismatch(self)) }
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        let lists = [
            ("missing", &self.missing),
            ("unexpected", &self.unexpected),
            ("different", &self.different),
        ];
        for (what, list) in lists {
            if !list.is_empty() {
                write!(f, "{separator}{what}: {}", list.join(", "))?;
                separator = "; ";
            }
        }
        Ok(())
    }
}

impl fmt::Display for OptimError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OptimError::Option { of, option, value, allowed } => {
                write!(f, "{of}: {option} = {value} is out of range: {allowed}")
            }
            OptimError::Parameter { of, name, meta, allowed } => {
                write!(f, "{of}: parameter {name} {meta} does not fit: {allowed}")
            }
            OptimError::UnknownParameter(name) => write!(f, "there is no parameter named {name}"),
            OptimError::NoPattern(name) => {
                write!(f, "no pattern matches the parameter {name}: end the list with \"*\"")
            }
            OptimError::IdlePattern(pattern) => {
                write!(f, "the pattern {pattern:?} decides about no parameter")
            }
            OptimError::NeedsClosure(of) => {
                write!(f, "{of} evaluates the loss itself: call step_with and give it a closure")
            }
            OptimError::Closure(e) => {
                write!(f, "the loss of the closure cannot be differentiated: {e}")
            }
            OptimError::NoRows(names) => write!(
                f,
                "the gradients of {} are whole arrays: say by set_rows which rows count",
                names.join(", ")
            ),
            OptimError::NoParameters => write!(f, "the list of parameters is empty"),
            OptimError::DuplicateName(name) => {
                write!(f, "two parameters are named {name}: the state is kept by name")
            }
            OptimError::SharedParameter(first, second) => {
                write!(f, "{first} and {second} are the same parameter: list it once")
            }
            OptimError::Mismatch(mismatch) => write!(f, "the state dict does not fit: {mismatch}"),
            OptimError::Malformed(what) => write!(f, "no valid state dict: {what}"),
            OptimError::ScaledGradient(names) => write!(
                f,
                "the gradients of {} are still multiplied by the scale: \
                 unscale them first, or step through the scaler",
                names.join(", ")
            ),
            OptimError::NonFiniteGradient(names) => {
                write!(f, "the gradients of {} are not finite", names.join(", "))
            }
            OptimError::NonFiniteNorm { norm, norm_type } => {
                write!(f, "the total norm of order {norm_type} is {norm}: gradients not clipped")
            }
            OptimError::NoItems => write!(f, "no items were accumulated"),
            OptimError::Scaler(e) => e.fmt(f),
            OptimError::NoMomentum(of) => write!(
                f,
                "{of} moves the momentum, and the optimizer has none: set cycle_momentum to false"
            ),
            OptimError::NoInitialLr(group) => write!(
                f,
                "group {group} has no initial learning rate to resume from: \
                 load the state of the optimizer first"
            ),
        }
    }
}

impl fmt::Debug for OptimError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for OptimError {}

/// Checks one hyper-parameter; NaN and infinities are never allowed.
pub(crate) fn in_range(
    of: &'static str,
    option: &'static str,
    value: f64,
    ok: bool,
    allowed: &'static str,
) -> Result<(), OptimError> {
    if ok && value.is_finite() {
        Ok(())
    } else {
        Err(OptimError::Option { of, option, value, allowed })
    }
}

/// Checks the hyper-parameters of Adam, which others have after it.
pub(crate) fn adam_in_range(
    of: &'static str,
    (lr, eps): (f64, f64),
    (b1, b2): (f64, f64),
    weight_decay: f64,
) -> Result<(), OptimError> {
    let check = |option, value, ok, allowed| in_range(of, option, value, ok, allowed);
    check("lr", lr, lr >= 0.0, "lr ≥ 0")?;
    check("eps", eps, eps >= 0.0, "eps ≥ 0")?;
    check("betas.0", b1, (0.0..1.0).contains(&b1), "0 ≤ betas.0 < 1")?;
    check("betas.1", b2, (0.0..1.0).contains(&b2), "0 ≤ betas.1 < 1")?;
    check("weight_decay", weight_decay, weight_decay >= 0.0, "weight_decay ≥ 0")
}
