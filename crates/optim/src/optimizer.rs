//! What schedules, scalers and training loops need of an optimizer.

use crate::whole::forward_to;
use crate::{OptimError, SkipReason, StateDict, StepOutcome, StepReport, closure};
use gradus_autodiff::{Parameter, Tensor};
use serde_json::Value;

/// Any optimizer. Object safe: a schedule takes `&mut dyn Optimizer`.
pub trait Optimizer {
    /// Moves every parameter that has a gradient; the others keep value and state.
    ///
    /// # Errors
    /// If a gradient is still multiplied by the scale of a gradient scaler, if it is not finite and the
    /// policy is [`crate::NonFinite::Refuse`], or if the optimizer needs a closure. Nothing is changed
    /// then.
    ///
    /// # PyTorch
    /// `torch.optim.Optimizer.step`
    fn step(&mut self) -> Result<StepOutcome, OptimError>;
    /// As [`Optimizer::step`], with gradients that are marked as scaled multiplied by `inverse_scale`.
    ///
    /// The product is formed in the type the step is computed in: f32 for half parameters.
    ///
    /// # Errors
    /// If a gradient is not finite and the policy is [`crate::NonFinite::Refuse`].
    fn step_scaled(&mut self, inverse_scale: f64) -> Result<StepOutcome, OptimError>;
    /// Evaluates `loss`, differentiates it, and takes a step: what every optimizer can do, those that
    /// need the loss several times too.
    ///
    /// Gradients are zeroed here and the sweep is run here: the closure only computes the loss from the
    /// parameters as they are when it is called, and does so in the same way at each call (dropout off,
    /// one batch).
    ///
    /// # Errors
    /// As [`Optimizer::step`], and if the loss cannot be differentiated: it does not depend on a
    /// parameter, or it was computed before, outside the closure.
    ///
    /// # PyTorch
    /// `torch.optim.Optimizer.step(closure)`, where the closure calls `zero_grad` and `backward`
    ///
    /// # Example
    /// ```
    /// use gradus_autodiff::Parameter;
    /// use gradus_optim::{Optimizer, Sgd, SgdOptions};
    /// let p = Parameter::new([3.0]);
    /// let mut opt = Sgd::from_parameters([p.clone()], SgdOptions { lr: 0.5, ..Default::default() })?;
    /// let report = opt.step_with(&mut || (p.tensor() * p.tensor()).sum())?;
    /// assert_eq!((report.loss, report.evaluations, p.item()), (9.0, 1, 0.0));
    /// # Ok::<(), gradus_optim::OptimError>(())
    /// ```
    fn step_with(&mut self, loss: &mut dyn FnMut() -> Tensor) -> Result<StepReport, OptimError> {
        let loss = closure::evaluate_for(self, loss)?;
        Ok(StepReport { loss, evaluations: 1, outcome: self.step()? })
    }
    /// Counts a step that a gradient scaler does not take.
    fn skip(&mut self, reason: SkipReason) -> StepOutcome;
    /// Why it cannot be used with a gradient scaler; `None`, the default, if it can.
    ///
    /// One whose step evaluates the loss again at other places would meet gradients of another scale.
    fn refuses_scaler(&self) -> Option<&'static str> {
        None
    }
    /// Forgets the gradients (`zero_grad(set_to_none=True)`).
    fn zero_grad(&mut self);
    /// Sets the elements of the gradients to 0 (`zero_grad(set_to_none=False)`): then weight decay and
    /// momentum act on parameters that get no other gradient.
    fn zero_grad_in_place(&mut self);
    /// All parameters with their names, group by group.
    fn named_parameters(&self) -> Vec<(String, Parameter)>;
    /// Names and options of every group.
    fn param_groups(&self) -> Vec<ParamGroup>;
    /// The learning rate of every group.
    fn lrs(&self) -> Vec<f64>;
    /// Changes the learning rate of a group. Like PyTorch it takes any number.
    ///
    /// # Panics
    /// If there is no such group.
    fn set_lr(&mut self, group: usize, lr: f64);
    /// The momentum of every group, or the first of its betas; `None` if it has neither.
    fn momentums(&mut self) -> Vec<Option<f64>>;
    /// Changes what [`Optimizer::momentums`] reads; false if the optimizer has nothing like it.
    ///
    /// # Panics
    /// If there is no such group.
    fn set_momentum(&mut self, group: usize, momentum: f64) -> bool;
    /// The learning rate every group began with, once a schedule has asked (`initial_lr`).
    fn initial_lrs(&self) -> Vec<Option<f64>>;
    /// Sets the learning rate a group began with.
    ///
    /// # Panics
    /// If there is no such group.
    fn set_initial_lr(&mut self, group: usize, lr: f64);
    /// How many steps were applied, and how many skipped.
    fn steps(&self) -> [u64; 2];
    /// Everything that the next step depends on, except values and gradients.
    fn state_dict(&self) -> StateDict;
    /// Back to such a state, all or nothing; the options become the saved ones, the learning rate too.
    ///
    /// # Errors
    /// If it is the state of another optimizer, or of other groups, names or shapes: all differences
    /// are listed.
    fn load_state_dict(&mut self, state: &StateDict) -> Result<(), OptimError> {
        self.load_state_dict_with(state, LrPolicy::Saved)
    }
    /// As [`Optimizer::load_state_dict`], choosing which learning rate wins.
    ///
    /// # Errors
    /// As [`Optimizer::load_state_dict`].
    fn load_state_dict_with(
        &mut self,
        state: &StateDict,
        policy: LrPolicy,
    ) -> Result<(), OptimError>;
    /// The state of one parameter under PyTorch's keys; `None` if it never had a gradient.
    fn parameter_state(&self, name: &str) -> Option<StateDict>;
}

impl<O: Optimizer + ?Sized> Optimizer for Box<O> {
    fn step(&mut self) -> Result<StepOutcome, OptimError> {
        (**self).step()
    }
    fn step_scaled(&mut self, inverse_scale: f64) -> Result<StepOutcome, OptimError> {
        (**self).step_scaled(inverse_scale)
    }
    fn step_with(&mut self, loss: &mut dyn FnMut() -> Tensor) -> Result<StepReport, OptimError> {
        (**self).step_with(loss)
    }
    fn skip(&mut self, reason: SkipReason) -> StepOutcome {
        (**self).skip(reason)
    }
    fn refuses_scaler(&self) -> Option<&'static str> {
        (**self).refuses_scaler()
    }
    forward_to!(self => (**self));
    fn state_dict(&self) -> StateDict {
        (**self).state_dict()
    }
    fn load_state_dict_with(
        &mut self,
        state: &StateDict,
        policy: LrPolicy,
    ) -> Result<(), OptimError> {
        (**self).load_state_dict_with(state, policy)
    }
    fn parameter_state(&self, name: &str) -> Option<StateDict> {
        (**self).parameter_state(name)
    }
}

/// Whose learning rates win when a state is loaded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LrPolicy {
    /// The saved ones, as in PyTorch.
    #[default]
    Saved,
    /// The ones the optimizer has now.
    KeepCurrent,
}

/// A group of parameters with their options, to be read.
#[derive(Clone, Debug, PartialEq)]
pub struct ParamGroup {
    /// The names of the parameters.
    pub names: Vec<String>,
    /// The options, under PyTorch's names: `{"lr": 0.1, "momentum": 0.9, …}`.
    pub options: Value,
    /// The learning rate.
    pub lr: f64,
    /// The one it began with, once a schedule has asked.
    pub initial_lr: Option<f64>,
}
