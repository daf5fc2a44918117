//! Why a case does not pass.

use gradus_autodiff::{GraphError, OpError};
use gradus_nn::LoadError;
use gradus_optim::OptimError;

/// Why a case does not pass.
#[derive(Debug)]
pub(super) enum Miss {
    /// gradus does something else than PyTorch.
    Failed(String),
    /// gradus says no: right if the case is optional, or if PyTorch raises too.
    Refused(String),
    /// gradus, or this program, has no such thing.
    Unsupported(String),
}

pub(super) fn failed<T>(why: impl Into<String>) -> Result<T, Miss> {
    Err(Miss::Failed(why.into()))
}

pub(super) fn unsupported<T>(why: impl Into<String>) -> Result<T, Miss> {
    Err(Miss::Unsupported(why.into()))
}

/// gradus' own errors are refusals.
macro_rules! refusals {
    ($($Error:ty),*) => {$(
        impl From<$Error> for Miss {
            fn from(e: $Error) -> Self {
                Miss::Refused(e.to_string())
            }
        }
    )*};
}
refusals!(OpError, OptimError, LoadError);

impl From<GraphError> for Miss {
    fn from(e: GraphError) -> Self {
        Miss::Failed(e.to_string())
    }
}
