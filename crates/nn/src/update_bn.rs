//! Fresh running statistics for every batch normalisation of a model.

use crate::visitor::Item;
use crate::{Module, Visitor};
use gradus_autodiff::no_grad;
use gradus_tensor::Array;
use std::cell::Cell;

thread_local! {
    /// Do the running statistics of this thread's passes become means over all batches?
    static CUMULATIVE: Cell<bool> = const { Cell::new(false) };
}

/// Does a pass of this thread count its batch as much as each one before it?
pub(crate) fn is_cumulative() -> bool {
    CUMULATIVE.get()
}

/// Ends the cumulative mode, also after a panic.
struct Cumulative(bool);

impl Cumulative {
    fn begin() -> Self {
        Cumulative(CUMULATIVE.replace(true))
    }
}

impl Drop for Cumulative {
    fn drop(&mut self) {
        CUMULATIVE.set(self.0);
    }
}

/// Computes the running statistics of all batch normalisations anew, from the passes that `run` makes:
/// those of an averaged model are those of no model it is the average of.
///
/// Mean, variance and number of batches start at 0, 1 and 0; every batch counts alike, whatever the
/// momentum of the layer is. `run` is called in training mode and without recording; afterwards every
/// layer has the mode it had.
///
/// # PyTorch
/// `torch.optim.swa_utils.update_bn`
///
/// # Example
/// ```
/// use gradus_autodiff::Tensor;
/// use gradus_nn::{BatchNorm1d, Layer, Module, update_bn};
/// let net = BatchNorm1d::new(1);
/// net.eval();
/// let batches = [[[1.0_f32], [3.0]], [[2.0], [8.0]]].map(Tensor::from);
/// update_bn(&net, || batches.iter().for_each(|x| drop(net.forward(x))));
/// assert_eq!(net.running_mean.as_ref().unwrap().item(), (2.0 + 5.0) / 2.0);
/// assert_eq!(net.running_var.as_ref().unwrap().item(), (2.0 + 18.0) / 2.0);
/// assert!(!net.is_training());
/// ```
pub fn update_bn<T>(model: &(impl Module + ?Sized), run: impl FnOnce() -> T) -> T {
    reset(model);
    let _modes = model.eval_scope();
    model.train();
    let _cumulative = Cumulative::begin();
    no_grad(run)
}

/// The statistics of batch normalisations as they are before the first batch. Other layers with running
/// statistics keep theirs, as in PyTorch.
fn reset(model: &(impl Module + ?Sized)) {
    let is_batch_norm =
        |name: &str| name.rsplit("::").next().unwrap_or("").starts_with("BatchNorm");
    let mut inside = vec![is_batch_norm(model.type_name())];
    Visitor::walk("", model, &mut |path, item| match item {
        Item::Enter(_, module) => {
            inside.push(inside.last() == Some(&true) || is_batch_norm(module.type_name()));
        }
        Item::Leave => drop(inside.pop()),
        Item::Buffer(b) if inside.last() == Some(&true) => {
            let start = if path.ends_with("running_var") { 1 } else { 0 };
            b.update(|x| *x = Array::full(x.shape(), start, x.dtype()));
        }
        Item::Buffer(_) | Item::Parameter(_) | Item::Site(_) => {}
    });
}
