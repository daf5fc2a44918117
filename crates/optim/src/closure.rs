//! A loss as a function of the parameters, evaluated by the optimizer.

use crate::{OptimError, Optimizer};
use gradus_autodiff::{Sweep, Tensor, enable_grad};

/// The loss, after its sweep: the leaves have its gradient. What they had before is forgotten, but not, as by `zero_grad`,
/// which rows count: those that were named are the rows of the gradient that comes now.
pub(crate) fn evaluate_for<O: Optimizer + ?Sized>(
    opt: &O,
    loss: &mut dyn FnMut() -> Tensor,
) -> Result<f64, OptimError> {
    opt.named_parameters().iter().for_each(|(_, p)| p.zero_grad());
    evaluate(loss)
}

/// The loss, after its sweep, which adds to the gradients of the leaves.
pub(crate) fn evaluate(loss: &mut dyn FnMut() -> Tensor) -> Result<f64, OptimError> {
    let loss = enable_grad(loss);
    loss.try_backward(None, Sweep::default()).map_err(OptimError::Closure)?;
    Ok(loss.item())
}
