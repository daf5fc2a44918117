//! Newton's method: the step to the minimum of the parabola that fits the loss here.

mod direction;
mod hessian;

use crate::error::in_range;
use crate::optimizer::{LrPolicy, Optimizer, ParamGroup};
use crate::whole::{Flat, Whole, WholeOptions, along, dot, forward_to, largest};
use crate::{Optim, OptimError, SkipReason, StateDict, StepOutcome, StepReport};
use gradus_autodiff::{Parameter, Tensor};
use gradus_tensor::Array;
use hessian::Curved;
use serde::{Deserialize, Serialize};

/// Newton's method with damping and a backtracking line search.
///
/// ```text
/// (H + δ·I)·d = −g            H: the Hessian, δ = damping
/// θ ← θ + t·d                 t = lr, halved until f(θ + t·d) ≤ f(θ) + 10⁻⁴·t·(g·d)
/// ```
/// Near a minimum the error is squared at each step. Up to 1000 elements ([`NewtonMethod::Auto`]) `H` is
/// computed, a row a sweep, and factored; where it is not positive definite, δ grows until it is. Above
/// that `d` comes from conjugate gradients, which need products `H·v` only (one sweep each); they stop early
/// far from the minimum, and at a direction of negative curvature. For smooth losses without noise.
///
/// # Units      `lr`: share of the step; 1 is Newton's
/// # Numerics   vectors in f64 if a parameter is f64, else f32; the factorization is in f64
/// # Errors     `lr`, `damping` < 0; a step without a closure. One group of parameters only.
/// # PyTorch    has none
/// # Source     Nocedal & Wright 2006, Algorithms 3.1, 3.3 (exact), 7.1 (conjugate gradients)
/// # Example
/// ```
/// use gradus_autodiff::Parameter;
/// use gradus_optim::{Newton, NewtonOptions, Optimizer};
/// let p = Parameter::new([5.0, -3.0]);
/// let mut opt = Newton::from_parameters([p.clone()], NewtonOptions::default())?;
/// // A parabola: one step, however long and narrow it is.
/// opt.step_with(&mut || (p.select(0, 0) - 1.0).square() + p.select(0, 1).square() * 1e6)?;
/// let [x, y] = p.to_vec::<f64>()[..] else { unreachable!() };
/// assert!((x - 1.0).abs() < 1e-12 && y.abs() < 1e-12);
/// # Ok::<(), gradus_optim::OptimError>(())
/// ```
pub struct Newton {
    params: Optim<Whole<NewtonOptions>>,
}

/// The options of [`Newton`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NewtonOptions {
    /// How far to go along a direction at first.
    pub lr: f64,
    /// How the direction is computed.
    pub method: NewtonMethod,
    /// `δ`: added to all curvatures; shortens steps, and turns them towards the gradient.
    pub damping: f64,
    /// Halve steps that do not lower the loss; else every step is `lr` long.
    pub line_search: bool,
    /// Products `H·v` of a step, at most; `None` is the number of elements.
    pub max_cg_iter: Option<usize>,
    /// Climb instead of descend.
    pub maximize: bool,
}

/// How [`Newton`] finds its direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NewtonMethod {
    /// [`NewtonMethod::Exact`] up to 1000 elements.
    #[default]
    Auto,
    /// From the whole Hessian.
    Exact,
    /// From products with it.
    ConjugateGradient,
}

impl Default for NewtonOptions {
    fn default() -> Self {
        NewtonOptions {
            lr: 1.0,
            method: NewtonMethod::Auto,
            damping: 0.0,
            line_search: true,
            max_cg_iter: None,
            maximize: false,
        }
    }
}

impl WholeOptions for NewtonOptions {
    const NAME: &'static str = "Newton";

    fn check(&self) -> Result<(), OptimError> {
        let check =
            |option, value: f64, allowed| in_range("Newton", option, value, value >= 0.0, allowed);
        check("lr", self.lr, "lr ≥ 0")?;
        check("damping", self.damping, "damping ≥ 0")
    }
    fn lr(&self) -> f64 {
        self.lr
    }
    fn set_lr(&mut self, lr: f64) {
        self.lr = lr;
    }
}

/// The loss must fall by this share of what the slope promises (Nocedal & Wright, eq. 3.4).
const LEAST_DECREASE: f64 = 1e-4;
/// Halvings of a step, at most: 2⁻⁶⁰ of a step moves nothing in f64.
const HALVINGS: usize = 60;
/// Units in the last place of the loss that count as noise: near a minimum the true decrease is below
/// the rounding errors of the loss, and a good step must not be refused for them.
const NOISE: f64 = 32.0;

impl Newton {
    /// `Newton::new(net.named_parameters(), options)?`
    ///
    /// # Errors
    /// If there are no parameters, a name or a parameter stands there twice, or an option is out of
    /// range.
    pub fn new(
        parameters: impl IntoIterator<Item = (String, Parameter)>,
        options: NewtonOptions,
    ) -> Result<Self, OptimError> {
        Ok(Newton { params: Optim::new(parameters, Whole(options))? })
    }
    /// As [`Newton::new`], for parameters without names: they are called `0`, `1`, …
    ///
    /// # Errors
    /// As [`Newton::new`].
    pub fn from_parameters(
        parameters: impl IntoIterator<Item = Parameter>,
        options: NewtonOptions,
    ) -> Result<Self, OptimError> {
        Ok(Newton { params: Optim::from_parameters(parameters, Whole(options))? })
    }
    /// The options.
    pub fn options(&self) -> &NewtonOptions {
        &self.params.options(0).0
    }
}

/// Where the line search ends, and how often it evaluated the loss. Without a step that lowers the loss
/// the parameters stay.
fn backtrack(
    from: &Curved,
    d: &Array,
    options: &NewtonOptions,
    flat: &Flat,
    closure: &mut dyn FnMut() -> Tensor,
) -> usize {
    let x = flat.values();
    let slope = dot(&from.gradient, d);
    let sign = if options.maximize { -1.0 } else { 1.0 };
    let unit =
        if x.dtype() == gradus_tensor::DType::F64 { f64::EPSILON } else { f32::EPSILON.into() };
    let noise = NOISE * unit * from.loss.abs();
    let mut t = options.lr;
    for evaluations in 1..=HALVINGS {
        flat.set(&along(&x, t, d));
        if !options.line_search {
            return 0;
        }
        let loss = sign * gradus_autodiff::no_grad(&mut *closure).item();
        if loss <= from.loss + LEAST_DECREASE * t * slope + noise {
            return evaluations;
        }
        t /= 2.0;
    }
    flat.set(&x);
    HALVINGS
}

impl Optimizer for Newton {
    /// Refused: see [`Optimizer::step_with`].
    fn step(&mut self) -> Result<StepOutcome, OptimError> {
        Err(OptimError::NeedsClosure("Newton"))
    }
    /// Refused: the curvature cannot be unscaled one step later.
    fn step_scaled(&mut self, _inverse_scale: f64) -> Result<StepOutcome, OptimError> {
        Err(OptimError::NeedsClosure("Newton"))
    }
    fn step_with(&mut self, loss: &mut dyn FnMut() -> Tensor) -> Result<StepReport, OptimError> {
        let options = self.params.options(0).0.clone();
        let named = self.params.named_parameters();
        named.iter().for_each(|(_, p)| p.zero_grad());
        let flat = Flat::new(named.iter().map(|(_, p)| p.clone()).collect());
        let here = Curved::new(loss, &flat, options.maximize)?;
        let no_grad: Vec<String> = here.unused.iter().map(|&i| named[i].0.clone()).collect();
        let mut evaluations = 1;
        if largest(&here.gradient) > 0.0 {
            let d = direction::find(&here, &options, &flat)?;
            evaluations += backtrack(&here, &d, &options, &flat, loss);
        }
        self.params.steps[0] += 1;
        let sign = if options.maximize { -1.0 } else { 1.0 };
        let outcome = StepOutcome::Applied { updated: named.len() - no_grad.len(), no_grad };
        Ok(StepReport { loss: sign * here.loss, evaluations, outcome })
    }
    fn skip(&mut self, reason: SkipReason) -> StepOutcome {
        self.params.skip(reason)
    }
    fn refuses_scaler(&self) -> Option<&'static str> {
        Some("it needs second derivatives of the loss itself, and compares its values")
    }
    forward_to!(self => self.params);
    fn state_dict(&self) -> StateDict {
        self.params.state_dict()
    }
    fn load_state_dict_with(
        &mut self,
        state: &StateDict,
        policy: LrPolicy,
    ) -> Result<(), OptimError> {
        self.params.load_state_dict_with(state, policy)
    }
    /// Always `None`: a step remembers nothing.
    fn parameter_state(&self, _name: &str) -> Option<StateDict> {
        None
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<super::tests::Build> {
    let build = |options: NewtonOptions| -> super::tests::Build {
        Box::new(move |named| Box::new(Newton::new(named, options.clone()).expect("it is valid")))
    };
    let plain = NewtonOptions { lr: 0.5, damping: 0.1, ..Default::default() };
    let method = NewtonMethod::ConjugateGradient;
    vec![build(NewtonOptions { method, ..plain.clone() }), build(plain)]
}
