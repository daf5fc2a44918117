//! What can be wrong with a call, and with a sweep.

use crate::mode;
use gradus_tensor::Meta;
use std::borrow::Cow;
use std::fmt;
use std::panic::Location;

/// An operation refused its inputs. The op states the rule and a hint; the engine adds the rest.
#[derive(Clone, PartialEq, Eq)]
pub struct OpError {
    /// Name of the operation.
    pub op: &'static str,
    /// Shape and dtype of every input.
    pub inputs: Vec<Meta>,
    /// The rule that was broken, as a short formula.
    pub rule: Cow<'static, str>,
    /// What to do about it; may be empty.
    pub hint: Cow<'static, str>,
    /// Path of the layer that called it; empty outside layers.
    pub scope: String,
}

impl OpError {
    /// The rule that was broken, such as `[m, k] · [k, n] -> [m, n]`.
    pub fn rule(rule: impl Into<Cow<'static, str>>) -> Self {
        let (rule, hint) = (rule.into(), Cow::Borrowed(""));
        OpError { op: "", inputs: Vec::new(), rule, hint, scope: String::new() }
    }
    /// With a sentence that says what to do.
    pub fn hint(self, hint: impl Into<Cow<'static, str>>) -> Self {
        OpError { hint: hint.into(), ..self }
    }
    /// The error of a method that checks its arguments before the op runs.
    pub(crate) fn at(self, op: &'static str, x: &crate::Tensor) -> Self {
        self.of(op, vec![x.meta()])
    }
    pub(crate) fn of(self, op: &'static str, inputs: Vec<Meta>) -> Self {
        let scope = mode::current_scope().map(|s| s.to_string()).unwrap_or_default();
        OpError { op, inputs, scope, ..self }
    }
}

impl fmt::Display for OpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.op)?;
        self.inputs.iter().try_for_each(|m| write!(f, " {m}"))?;
        let verb = if self.inputs.len() == 1 { "does" } else { "do" };
        write!(f, " {verb} not fit the rule: {}", self.rule)?;
        if !self.hint.is_empty() {
            write!(f, "; {}", self.hint)?;
        }
        if self.scope.is_empty() { Ok(()) } else { write!(f, " (in layer {})", self.scope) }
    }
}

/// A sweep cannot run.
#[derive(Clone, PartialEq, Eq)]
pub enum GraphError {
    /// The result does not depend on anything that asks for a gradient.
    Untracked(Meta),
    /// A sweep without a start gradient begins at one number only.
    NotOneNumber(Meta),
    /// The start gradient does not have the result's shape and dtype.
    Start {
        /// Of the result.
        result: Meta,
        /// Of the gradient.
        gradient: Meta,
    },
    /// A rule needs values that an earlier sweep has freed.
    Freed {
        /// The operation.
        op: &'static str,
        /// Where it was called.
        at: &'static Location<'static>,
    },
    /// Gradients that are multiplied by a gradient scaler's scale meet others that are not.
    MixedScales(Meta),
    /// [`crate::grad`] was asked for an input that no output depends on.
    Unused {
        /// Position in the list of inputs.
        input: usize,
        /// Its shape and dtype.
        meta: Meta,
    },
}

impl fmt::Display for GraphError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            GraphError::Untracked(m) => write!(
                f,
                "backward: the result {m} does not depend on a tensor that requires a gradient; \
                 is it computed inside no_grad, or from detached tensors?"
            ),
            GraphError::NotOneNumber(m) => write!(
                f,
                "backward: the result {m} is not one number; \
                 reduce it (sum, mean) or give its gradient to backward_with"
            ),
            GraphError::Start { result, gradient } => {
                write!(f, "backward: the gradient {gradient} does not fit the result {result}")
            }
            GraphError::Freed { op, at } => write!(
                f,
                "backward: the values that {op} saved at {at} are freed by an earlier sweep; \
                 give that one retain_graph: true"
            ),
            GraphError::MixedScales(m) => write!(
                f,
                "backward: gradients that are multiplied by the scale and others that are not meet \
                 in {m}; scale every loss, and unscale only before a step"
            ),
            GraphError::Unused { input, meta } => write!(
                f,
                "grad: no output depends on input {input} {meta}; \
                 use grad_allow_unused if that is intended"
            ),
        }
    }
}

/// `main() -> Result` shows the Debug form, so it is the sentence.
macro_rules! debug_is_display {
    ($($Error:ty),*) => {$(
        impl fmt::Debug for $Error {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
        impl std::error::Error for $Error {}
    )*};
}
debug_is_display!(OpError, GraphError);

/// The value, or a panic with the error's text at the caller's line: what makes `x` out of `try_x`.
///
/// # Panics
/// If `result` is an error.
#[track_caller]
#[inline]
pub fn must<T, E: fmt::Display>(result: Result<T, E>) -> T {
    match result {
        Ok(value) => value,
        Err(e) => panic!("{e}"),
    }
}
