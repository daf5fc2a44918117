//! The group `optim`: trajectories of optimizers.

pub(super) mod explicit_grads;
pub(super) mod table;

use super::case::Case;
use super::miss::{Miss, unsupported};

/// The kind `lbfgs`.
pub(super) fn no_lbfgs(_: &Case<'_>) -> Result<(), Miss> {
    unsupported("no optimizer \"LBFGS\"")
}

/// The kind `averaging`.
pub(super) fn no_averaging(_: &Case<'_>) -> Result<(), Miss> {
    unsupported("no averaged model")
}
