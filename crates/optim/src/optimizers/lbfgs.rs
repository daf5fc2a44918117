//! L-BFGS: Newton's method with a curvature that is learned from the last gradients.

mod line_search;
mod memory;

use crate::arithmetic::Times;
use crate::clip::norm_of_array;
use crate::error::in_range;
use crate::optimizer::{LrPolicy, Optimizer, ParamGroup};
use crate::whole::{Flat, Whole, WholeOptions, along, dot, forward_to, largest};
use crate::{Optim, OptimError, SkipReason, StateDict, StepOutcome, StepReport, closure};
use gradus_autodiff::{Parameter, Tensor};
use gradus_tensor::Array;
use line_search::{Limits, Trial, strong_wolfe};
use memory::Memory;
use serde::{Deserialize, Serialize};

/// Limited-memory BFGS, for smooth losses without noise: a whole data set, no dropout.
///
/// ```text
/// d = −H·g                    H: from the last pairs s = Δθ, y = Δg with y·s > 1e-10, two-loop recursion
/// θ ← θ + t·d                 t: by line search, else lr;  in the very first iteration at first
///                             min(1, 1/‖g‖₁)·lr
/// ```
/// One call of [`Optimizer::step_with`] makes up to `max_iter` such iterations. It ends early where the
/// gradient, the step or the change of the loss is within the tolerances. Without a line search the loss
/// is not evaluated after the last iteration.
///
/// # Units      `lr`: share of the step that the curvature asks for
/// # Numerics   vectors in f64 if a parameter is f64, else f32
/// # Errors     `lr` < 0; `history_size` = 0; a step without a closure. One group of parameters only.
/// # PyTorch    `torch.optim.LBFGS`; differences: `step_with` zeroes gradients and runs the sweep itself;
/// infinite and NaN options are refused
/// # Source     Nocedal & Wright 2006, Algorithms 7.4, 7.5; line search: Algorithms 3.5, 3.6
/// # Example
/// ```
/// use gradus_autodiff::Parameter;
/// use gradus_optim::{Lbfgs, LbfgsOptions, LineSearch, Optimizer};
/// let p = Parameter::new([-1.2, 1.0]);
/// let line_search_fn = Some(LineSearch::StrongWolfe);
/// let options = LbfgsOptions { line_search_fn, ..Default::default() };
/// let mut opt = Lbfgs::from_parameters([p.clone()], options)?;
/// let mut rosenbrock = || {
///     let (x, y) = (p.select(0, 0), p.select(0, 1));
///     (&y - &x * &x).square() * 100.0 + (&x - 1.0).square()
/// };
/// let first = opt.step_with(&mut rosenbrock)?;
/// let second = opt.step_with(&mut rosenbrock)?;
/// assert!((first.loss - 24.2).abs() < 1e-12);
/// assert_eq!(first.evaluations + second.evaluations, 44);
/// assert!(rosenbrock().item() < 1e-9);
/// # Ok::<(), gradus_optim::OptimError>(())
/// ```
pub struct Lbfgs {
    params: Optim<Whole<LbfgsOptions>>,
    memory: Memory,
}

/// The options of [`Lbfgs`]; the defaults are PyTorch's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LbfgsOptions {
    /// Learning rate.
    pub lr: f64,
    /// Iterations of a step, at most.
    pub max_iter: usize,
    /// Evaluations after which a step begins no other iteration; `None` is `max_iter·5/4`. The line search has
    /// what is left of them: with `max_iter = 1` that is none, and nothing moves, as in PyTorch. Set it then.
    pub max_eval: Option<usize>,
    /// The step ends where no element of the gradient is larger.
    pub tolerance_grad: f64,
    /// The step ends where no element of a move, or not the loss, changes more.
    pub tolerance_change: f64,
    /// How many pairs are kept.
    pub history_size: usize,
    /// How far to go along a direction; `None`: `lr`.
    pub line_search_fn: Option<LineSearch>,
    /// Climb instead of descend.
    pub maximize: bool,
}

/// How far [`Lbfgs`] goes along a direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LineSearch {
    /// Until the loss has fallen (`c₁ = 1e-4`) and its slope flattened (`c₂ = 0.9`).
    StrongWolfe,
}

impl Default for LbfgsOptions {
    fn default() -> Self {
        LbfgsOptions {
            lr: 1.0,
            max_iter: 20,
            max_eval: None,
            tolerance_grad: 1e-7,
            tolerance_change: 1e-9,
            history_size: 100,
            line_search_fn: None,
            maximize: false,
        }
    }
}

impl WholeOptions for LbfgsOptions {
    const NAME: &'static str = "LBFGS";

    fn check(&self) -> Result<(), OptimError> {
        let check = |option, value, ok, allowed| in_range("LBFGS", option, value, ok, allowed);
        check("lr", self.lr, self.lr >= 0.0, "lr ≥ 0")?;
        check("tolerance_grad", self.tolerance_grad, true, "finite")?;
        check("tolerance_change", self.tolerance_change, true, "finite")?;
        let size = self.history_size;
        check("history_size", size as f64, size > 0, "history_size ≥ 1")
    }
    fn lr(&self) -> f64 {
        self.lr
    }
    fn set_lr(&mut self, lr: f64) {
        self.lr = lr;
    }
}

impl Lbfgs {
    /// `Lbfgs::new(net.named_parameters(), options)?`
    ///
    /// # Errors
    /// If there are no parameters, a name or a parameter stands there twice, or an option is out of
    /// range.
    pub fn new(
        parameters: impl IntoIterator<Item = (String, Parameter)>,
        options: LbfgsOptions,
    ) -> Result<Self, OptimError> {
        Ok(Lbfgs { params: Optim::new(parameters, Whole(options))?, memory: Memory::default() })
    }
    /// As [`Lbfgs::new`], for parameters without names: they are called `0`, `1`, …
    ///
    /// # Errors
    /// As [`Lbfgs::new`].
    pub fn from_parameters(
        parameters: impl IntoIterator<Item = Parameter>,
        options: LbfgsOptions,
    ) -> Result<Self, OptimError> {
        let params = Optim::from_parameters(parameters, Whole(options))?;
        Ok(Lbfgs { params, memory: Memory::default() })
    }
    /// The options.
    pub fn options(&self) -> &LbfgsOptions {
        &self.params.options(0).0
    }
    /// Iterations so far, in all steps.
    pub fn iterations(&self) -> u64 {
        self.memory.n_iter
    }
    /// Evaluations of the loss so far, in all steps.
    pub fn evaluations(&self) -> u64 {
        self.memory.func_evals
    }
    fn minimize(&mut self, from: Point, problem: &mut Problem<'_>) -> Result<(), OptimError> {
        let o = self.params.options(0).0.clone();
        let max_eval = o.max_eval.unwrap_or(o.max_iter * 5 / 4);
        let Point { mut x, mut loss, mut grad } = from;
        for n in 1..=o.max_iter {
            let first = self.memory.n_iter == 0;
            self.memory.n_iter += 1;
            let d = self.memory.direction(&grad, o.history_size);
            let t =
                if first { o.lr * (1.0 / norm_of_array(grad.clone(), 1.0)).min(1.0) } else { o.lr };
            let slope = dot(&grad, &d);
            self.memory.remember(d.clone(), t, grad.clone(), loss);
            if slope > -o.tolerance_change {
                break;
            }
            let (before, mut moved) = (loss, t);
            if o.line_search_fn.is_some() {
                let limits = Limits {
                    evaluations: max_eval.saturating_sub(problem.evaluations),
                    change: o.tolerance_change,
                    longest: largest(&d),
                };
                let start = Trial { t: 0.0, loss, grad, slope };
                let found = strong_wolfe(start, t, limits, &mut |t| {
                    let (loss, grad) = problem.evaluate(&along(&x, t, &d))?;
                    let slope = dot(&grad, &d);
                    Ok(Trial { t, loss, grad, slope })
                })?;
                (moved, loss, grad) = (found.t, found.loss, found.grad);
                x = along(&x, moved, &d);
            } else {
                x = along(&x, t, &d);
                if n != o.max_iter {
                    (loss, grad) = problem.evaluate(&x)?;
                }
            }
            problem.flat.set(&x);
            self.memory.moved(moved);
            let stop = problem.evaluations >= max_eval
                || largest(&grad) <= o.tolerance_grad
                || largest(&d) * moved <= o.tolerance_change
                || (loss - before).abs() < o.tolerance_change;
            if stop {
                break;
            }
        }
        Ok(())
    }
}

/// Where the search stands.
struct Point {
    x: Array,
    loss: f64,
    grad: Array,
}

/// The loss as a function of one vector, to be minimized.
struct Problem<'a> {
    flat: Flat,
    closure: &'a mut dyn FnMut() -> Tensor,
    sign: f64,
    evaluations: usize,
}

impl Problem<'_> {
    /// Loss and gradient where the parameters are.
    fn here(&mut self) -> Result<(f64, Array), OptimError> {
        self.flat.parameters.iter().for_each(|p| p.zero_grad());
        let loss = self.sign * closure::evaluate(self.closure)?;
        self.evaluations += 1;
        let grad = self.flat.gradient();
        Ok((loss, if self.sign == 1.0 { grad } else { grad.map(Times(self.sign)) }))
    }
    fn evaluate(&mut self, x: &Array) -> Result<(f64, Array), OptimError> {
        self.flat.set(x);
        self.here()
    }
}

impl Optimizer for Lbfgs {
    /// Refused: see [`Optimizer::step_with`].
    fn step(&mut self) -> Result<StepOutcome, OptimError> {
        Err(OptimError::NeedsClosure("Lbfgs"))
    }
    /// Refused: gradients of trial points cannot be unscaled one step later.
    fn step_scaled(&mut self, _inverse_scale: f64) -> Result<StepOutcome, OptimError> {
        Err(OptimError::NeedsClosure("Lbfgs"))
    }
    fn step_with(&mut self, loss: &mut dyn FnMut() -> Tensor) -> Result<StepReport, OptimError> {
        let options = &self.params.options(0).0;
        let (sign, tolerance) = (if options.maximize { -1.0 } else { 1.0 }, options.tolerance_grad);
        let named = self.params.named_parameters();
        let flat = Flat::new(named.iter().map(|(_, p)| p.clone()).collect());
        let x = flat.values();
        let mut problem = Problem { flat, closure: loss, sign, evaluations: 0 };
        let (loss, grad) = problem.here()?;
        let without = named.iter().filter(|(_, p)| p.grad_parts().is_none());
        let no_grad: Vec<String> = without.map(|(name, _)| name.clone()).collect();
        let saved = self.memory.clone();
        if largest(&grad) > tolerance || !grad.all_finite() {
            let from = Point { x: x.clone(), loss, grad };
            if let Err(e) = self.minimize(from, &mut problem) {
                problem.flat.set(&x);
                self.memory = saved;
                return Err(e);
            }
        }
        self.memory.func_evals += problem.evaluations as u64;
        self.params.steps[0] += 1;
        let outcome = StepOutcome::Applied { updated: named.len() - no_grad.len(), no_grad };
        Ok(StepReport { loss: sign * loss, evaluations: problem.evaluations, outcome })
    }
    fn skip(&mut self, reason: SkipReason) -> StepOutcome {
        self.params.skip(reason)
    }
    fn refuses_scaler(&self) -> Option<&'static str> {
        Some("it evaluates the loss several times in a step, and compares the values")
    }
    forward_to!(self => self.params);
    fn state_dict(&self) -> StateDict {
        let mut dict = self.params.state_dict();
        self.memory.save(&mut dict);
        dict
    }
    fn load_state_dict_with(
        &mut self,
        state: &StateDict,
        policy: LrPolicy,
    ) -> Result<(), OptimError> {
        let mut rest = state.clone();
        let flat = Flat::new(self.params.named_parameters().into_iter().map(|(_, p)| p).collect());
        let memory = Memory::load(&mut rest, &flat.values())?;
        self.params.load_state_dict_with(&rest, policy)?;
        self.memory = memory;
        Ok(())
    }
    /// Always `None`: the state belongs to all parameters together.
    fn parameter_state(&self, _name: &str) -> Option<StateDict> {
        None
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<super::tests::Build> {
    let build = |options: LbfgsOptions| -> super::tests::Build {
        Box::new(move |named| Box::new(Lbfgs::new(named, options.clone()).expect("it is valid")))
    };
    let plain = LbfgsOptions { max_iter: 3, lr: 0.1, history_size: 2, ..Default::default() };
    let line_search_fn = Some(LineSearch::StrongWolfe);
    vec![build(LbfgsOptions { line_search_fn, lr: 1.0, ..plain.clone() }), build(plain)]
}
