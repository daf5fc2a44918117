//! A loss as a function of the parameters, evaluated by the optimizer.

use crate::OptimError;
use gradus_autodiff::{Sweep, Tensor, enable_grad};

/// The loss, after its sweep: the leaves have its gradient.
pub(crate) fn evaluate(loss: &mut dyn FnMut() -> Tensor) -> Result<f64, OptimError> {
    let loss = enable_grad(loss);
    loss.try_backward(None, Sweep::default()).map_err(OptimError::Closure)?;
    Ok(loss.item())
}
