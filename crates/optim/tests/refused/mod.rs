//! What a gradient scaler has refused.

use gradus_optim::{OptimError, ScalerError};

#[track_caller]
pub(crate) fn refused<T: std::fmt::Debug>(result: Result<T, OptimError>) -> ScalerError {
    match result {
        Err(OptimError::Scaler(e)) => e,
        other => panic!("{other:?}"),
    }
}
