//! Gradients of a large batch from small ones, divided by the true number of items.

use crate::OptimError;
use crate::arithmetic::Times;
use crate::in_place::change;
use gradus_autodiff::{Parameter, Tensor};
use gradus_tensor::DType;

/// Adds up the gradients of several micro-batches as if they were one batch.
///
/// ```text
/// L = Σ nᵢ·Lᵢ / Σ nᵢ              Lᵢ: the mean loss of nᵢ items
/// ```
/// The mean of the means is another number as soon as the micro-batches differ in size: the last one of
/// an epoch, or token counts. Give every [`Accumulator::backward`] the number of items its loss is the
/// mean of, and call [`Accumulator::finish`] before the step.
///
/// Losses may be scaled by a [`crate::GradScaler`]; the gradients stay scaled then.
///
/// # Example
/// Three items with losses 1, 2, 3 and one with 10:
/// ```
/// use gradus_autodiff::Parameter;
/// use gradus_optim::Accumulator;
/// let w = Parameter::new([1.0]);
/// let losses = |values: &[f64]| (w.tensor() * values.iter().sum::<f64>()).sum() / values.len() as f64;
/// let mut accumulator = Accumulator::new();
/// accumulator.backward(&losses(&[1.0, 2.0, 3.0]), 3);
/// accumulator.backward(&losses(&[10.0]), 1);
/// assert_eq!(accumulator.finish(&[w.clone()])?, 4.0);           // the mean of the means is 6
/// assert_eq!(w.grad().unwrap().item(), 4.0);
/// # Ok::<(), gradus_optim::OptimError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Accumulator {
    /// What the losses are divided by at once.
    expected: f64,
    items: usize,
    total: f64,
}

impl Default for Accumulator {
    fn default() -> Self {
        Accumulator::new()
    }
}

impl Accumulator {
    /// Of a number of items that is not known yet. The gradients are those of a sum until the end: f16
    /// ones may overflow, for which there is [`Accumulator::expecting`].
    pub fn new() -> Self {
        Accumulator::expecting(1)
    }
    /// Of about so many items: each loss is divided by it at once, and [`Accumulator::finish`] has only
    /// to correct what differs. If the number is right, that costs nothing.
    pub fn expecting(items: usize) -> Self {
        Accumulator { expected: items.max(1) as f64, items: 0, total: 0.0 }
    }
    /// Adds the gradients of a loss that is the mean of so many items.
    ///
    /// # Panics
    /// As [`Tensor::backward`].
    #[track_caller]
    pub fn backward(&mut self, loss: &Tensor, items: usize) {
        (loss * (items as f64 / self.expected)).backward();
        self.items += items;
        self.total += loss.item() * items as f64;
    }
    /// How many items there were since the last [`Accumulator::finish`].
    pub fn items(&self) -> usize {
        self.items
    }
    /// Makes the gradients those of the mean over all items, returns that mean, and starts anew.
    ///
    /// # Errors
    /// If there were no items; the gradients stay as they are.
    pub fn finish<'a>(
        &mut self,
        parameters: impl IntoIterator<Item = &'a Parameter>,
    ) -> Result<f64, OptimError> {
        if self.items == 0 {
            return Err(OptimError::NoItems);
        }
        let factor = self.expected / self.items as f64;
        if factor != 1.0 {
            for p in parameters {
                p.update_grad(|g| {
                    change(g, |g| {
                        let dtype = g.dtype();
                        let wide = if dtype.is_half() { g.cast(DType::F32) } else { g };
                        wide.map(Times(factor)).cast(dtype)
                    });
                });
            }
        }
        let mean = self.total / self.items as f64;
        (self.items, self.total) = (0, 0.0);
        Ok(mean)
    }
}
