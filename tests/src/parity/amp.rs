//! The group `amp`: traces of a gradient scaler.

use super::case::Case;
use super::miss::{Miss, unsupported};

pub(super) fn replay(_: &Case<'_>) -> Result<(), Miss> {
    unsupported("no GradScaler")
}
