//! The group `optim`: trajectories of optimizers.

pub(super) mod averaging;
pub(super) mod closure;
pub(super) mod explicit_grads;
pub(super) mod lbfgs;
mod objective;
pub(super) mod table;
