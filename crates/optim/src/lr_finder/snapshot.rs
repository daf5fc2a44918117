//! Everything a run changes, to be put back.

use crate::{Optimizer, StateDict};
use gradus_autodiff::{Buffer, Parameter, Tensor};
use gradus_tensor::{Array, Generator, rng_state, set_rng_state};

/// Puts everything back when it is dropped: at the end, after an error, after a panic.
pub(super) struct Snapshot<'a> {
    opt: &'a mut dyn Optimizer,
    state: StateDict,
    parameters: Vec<(Parameter, Array, Option<Tensor>, bool)>,
    buffers: Vec<(Buffer, Array)>,
    generator: Generator,
}

impl<'a> Snapshot<'a> {
    pub(super) fn take(opt: &'a mut dyn Optimizer, buffers: &[Buffer]) -> Self {
        let whole = |(_, p): (String, Parameter)| {
            let (value, grad, scaled) = (p.array(), p.grad(), p.grad_is_scaled());
            (p, value, grad, scaled)
        };
        Snapshot {
            state: opt.state_dict(),
            parameters: opt.named_parameters().into_iter().map(whole).collect(),
            buffers: buffers.iter().map(|b| (b.clone(), b.array())).collect(),
            generator: rng_state(),
            opt,
        }
    }
    pub(super) fn opt(&mut self) -> &mut dyn Optimizer {
        self.opt
    }
}

impl Drop for Snapshot<'_> {
    fn drop(&mut self) {
        for (p, value, grad, scaled) in self.parameters.drain(..) {
            p.update(|x| *x = value);
            p.set_grad(grad);
            p.set_grad_scaled(scaled);
        }
        for (b, value) in self.buffers.drain(..) {
            b.update(|x| *x = value);
        }
        set_rng_state(self.generator.clone());
        let restored = self.opt.load_state_dict(&self.state);
        debug_assert!(restored.is_ok(), "the state of the optimizer itself: {restored:?}");
    }
}
