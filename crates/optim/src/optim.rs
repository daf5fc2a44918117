//! What every optimizer shares: groups, names, steps, reports.

use crate::error::OptimError;
use crate::group::{Gradient, Group, Member, State};
use crate::in_place::change;
use crate::jobs::{Job, Jobs};
use crate::optimizer::{LrPolicy, Optimizer, ParamGroup};
use crate::{NonFinite, Rule, SkipReason, StateDict, StepOutcome, load};
use gradus_autodiff::Parameter;
use gradus_tensor::Array;
use std::collections::HashMap;

/// An optimizer that moves parameters by the rule `R`: [`crate::Adam`] is `Optim<AdamOptions>`.
///
/// A group is a list of named parameters with options of its own. The state of a parameter is made at
/// its first gradient and kept under its name; so is its step number, so that a parameter which joins
/// late has the bias correction of its own first step. A parameter without a gradient is left alone
/// altogether: no decay, no momentum, no step. A gradient of zeros is another thing.
///
/// A step of an element rule is one pass over the memory of value, gradient and state, in place. Parameters of a half type
/// have f32 state and f32 master weights.
///
/// # Example
/// ```
/// use gradus_autodiff::Parameter;
/// use gradus_optim::{Optimizer, Sgd, SgdOptions};
/// let w = Parameter::new([1.0_f32, 2.0]);
/// let mut opt = Sgd::new([("w".to_owned(), w.clone())], SgdOptions { lr: 0.1, ..Default::default() })?;
/// (w.tensor() * w.tensor()).sum().backward();
/// opt.step()?;
/// assert_eq!(w.to_vec::<f32>(), [0.8, 1.6]);
/// # Ok::<(), gradus_optim::OptimError>(())
/// ```
pub struct Optim<R> {
    /// What a step does about a gradient with an infinity or NaN.
    pub non_finite: NonFinite,
    pub(crate) groups: Vec<Group<R>>,
    pub(crate) steps: [u64; 2],
}

impl<R: Rule> Optim<R> {
    /// An optimizer with one group: `Adam::new(net.named_parameters(), options)?`.
    ///
    /// # Errors
    /// If there are no parameters, a name or a parameter stands there twice, or an option is out of
    /// range.
    pub fn new(
        parameters: impl IntoIterator<Item = (String, Parameter)>,
        options: R,
    ) -> Result<Self, OptimError> {
        let mut new = Optim { non_finite: NonFinite::default(), groups: Vec::new(), steps: [0; 2] };
        new.add_group(parameters, options)?;
        if new.groups[0].members.is_empty() {
            return Err(OptimError::NoParameters);
        }
        Ok(new)
    }
    /// As [`Optim::new`], for parameters without names: they are called `0`, `1`, …
    ///
    /// # Errors
    /// As [`Optim::new`].
    pub fn from_parameters(
        parameters: impl IntoIterator<Item = Parameter>,
        options: R,
    ) -> Result<Self, OptimError> {
        let named = parameters.into_iter().enumerate().map(|(i, p)| (i.to_string(), p));
        Self::new(named, options)
    }
    /// Adds a group, now or between steps.
    ///
    /// # Errors
    /// As [`Optim::new`]; names and parameters must differ from those of all groups.
    ///
    /// # PyTorch
    /// `torch.optim.Optimizer.add_param_group`
    pub fn add_group(
        &mut self,
        parameters: impl IntoIterator<Item = (String, Parameter)>,
        options: R,
    ) -> Result<(), OptimError> {
        options.check()?;
        let member = |(name, parameter): (String, Parameter)| {
            let meta = parameter.meta();
            if let Err(allowed) = options.accepts(&meta) {
                return Err(OptimError::Parameter { of: R::NAME, name, meta, allowed });
            }
            let state = R::EAGER.then(|| State::whole(&options, &meta));
            Ok(Member { name, parameter, state, rows: None })
        };
        let members = parameters.into_iter().map(member).collect::<Result<Vec<_>, _>>()?;
        let (mut names, mut places) = (HashMap::new(), HashMap::new());
        for m in self.members().chain(&members) {
            if names.insert(&m.name, ()).is_some() {
                return Err(OptimError::DuplicateName(m.name.clone()));
            }
            if let Some(first) = places.insert(m.parameter.id(), &m.name) {
                return Err(OptimError::SharedParameter(first.clone(), m.name.clone()));
            }
        }
        self.groups.push(Group { options, initial_lr: None, members });
        Ok(())
    }
    /// The options of a group.
    ///
    /// # Panics
    /// If there is no such group.
    #[track_caller]
    pub fn options(&self, group: usize) -> &R {
        &self.groups[group].options
    }
    /// Replaces the options of a group, between steps.
    ///
    /// # Errors
    /// If an option is out of range.
    ///
    /// # Panics
    /// If there is no such group.
    #[track_caller]
    pub fn set_options(&mut self, group: usize, options: R) -> Result<(), OptimError> {
        options.check()?;
        self.groups[group].options = options;
        Ok(())
    }
    pub(crate) fn members(&self) -> impl Iterator<Item = &Member> {
        self.groups.iter().flat_map(|group| &group.members)
    }
    pub(crate) fn members_mut(&mut self) -> impl Iterator<Item = &mut Member> {
        self.groups.iter_mut().flat_map(|group| &mut group.members)
    }
    /// The names of the parameters of which `bad` holds.
    fn names(&self, bad: impl Fn(&Member) -> bool) -> Vec<String> {
        self.members().filter(|m| bad(m)).map(|m| m.name.clone()).collect()
    }
}

impl<R: Rule> Optimizer for Optim<R> {
    fn step(&mut self) -> Result<StepOutcome, OptimError> {
        let scaled = self.names(Member::is_scaled);
        if !scaled.is_empty() {
            return Err(OptimError::ScaledGradient(scaled));
        }
        self.step_scaled(1.0)
    }
    fn step_scaled(&mut self, inverse_scale: f64) -> Result<StepOutcome, OptimError> {
        if R::BY_ROWS {
            let whole = self.names(|m| m.rows.is_none() && m.parameter.grad_parts().is_some());
            if !whole.is_empty() {
                return Err(OptimError::NoRows(whole));
            }
        }
        if self.non_finite != NonFinite::Ignore {
            let names = self.names(|m| !m.is_finite());
            match self.non_finite {
                _ if names.is_empty() => {}
                NonFinite::Refuse => return Err(OptimError::NonFiniteGradient(names)),
                _ => return Ok(self.skip(SkipReason::NonFinite(names))),
            }
        }
        let (mut jobs, mut no_grad) = (Vec::new(), Vec::new());
        let mut options = Vec::with_capacity(self.groups.len());
        for (i, group) in self.groups.iter_mut().enumerate() {
            options.push(&group.options);
            for member in &mut group.members {
                let Some(Gradient { array: grad, factor, rows }) = member.gradient() else {
                    no_grad.push(member.name.clone());
                    continue;
                };
                let rows = rows.to_vec();
                let unscale = if member.is_scaled() { inverse_scale } else { factor };
                let Member { parameter, state, .. } = member;
                let state = state.get_or_insert_with(|| State::new(&group.options));
                let (parameter, uses) = (&*parameter, [false; 3]);
                jobs.push(Job { group: i, parameter, grad, rows, unscale, state, uses });
            }
        }
        let updated = jobs.len();
        R::advance(Jobs { options, jobs });
        self.members_mut().for_each(|m| m.rows = None);
        self.steps[0] += 1;
        Ok(StepOutcome::Applied { updated, no_grad })
    }
    fn skip(&mut self, reason: SkipReason) -> StepOutcome {
        self.steps[1] += 1;
        StepOutcome::Skipped(reason)
    }
    fn zero_grad(&mut self) {
        for m in self.members_mut() {
            m.parameter.zero_grad();
            m.rows = None;
        }
    }
    fn zero_grad_in_place(&mut self) {
        for m in self.members() {
            m.parameter.update_grad(|g| change(g, zeroed));
            m.parameter.set_grad_scaled(false);
        }
    }
    fn named_parameters(&self) -> Vec<(String, Parameter)> {
        self.members().map(|m| (m.name.clone(), m.parameter.clone())).collect()
    }
    fn param_groups(&self) -> Vec<ParamGroup> {
        let read = |group: &Group<R>| ParamGroup {
            names: group.members.iter().map(|m| m.name.clone()).collect(),
            options: load::to_json(&group.options),
            lr: group.options.lr(),
            initial_lr: group.initial_lr,
        };
        self.groups.iter().map(read).collect()
    }
    fn lrs(&self) -> Vec<f64> {
        self.groups.iter().map(|group| group.options.lr()).collect()
    }
    #[track_caller]
    fn set_lr(&mut self, group: usize, lr: f64) {
        self.groups[group].options.set_lr(lr);
    }
    fn momentums(&mut self) -> Vec<Option<f64>> {
        self.groups.iter_mut().map(|group| group.options.momentum().copied()).collect()
    }
    #[track_caller]
    fn set_momentum(&mut self, group: usize, momentum: f64) -> bool {
        self.groups[group].options.momentum().map(|m| *m = momentum).is_some()
    }
    fn initial_lrs(&self) -> Vec<Option<f64>> {
        self.groups.iter().map(|group| group.initial_lr).collect()
    }
    #[track_caller]
    fn set_initial_lr(&mut self, group: usize, lr: f64) {
        self.groups[group].initial_lr = Some(lr);
    }
    fn steps(&self) -> [u64; 2] {
        self.steps
    }
    fn state_dict(&self) -> StateDict {
        load::save(self)
    }
    fn load_state_dict_with(
        &mut self,
        state: &StateDict,
        policy: LrPolicy,
    ) -> Result<(), OptimError> {
        load::load(self, state, policy)
    }
    fn parameter_state(&self, name: &str) -> Option<StateDict> {
        let state = self.members().find(|m| m.name == name)?.state.as_ref()?;
        Some(load::parameter_state::<R>(state))
    }
}

/// The elements go first, so that the zeros take their place in memory.
fn zeroed(x: Array) -> Array {
    let (shape, dtype) = (x.shape().clone(), x.dtype());
    drop(x);
    Array::zeros(shape, dtype)
}
