//! Sharpness-aware minimization: the gradient of the worst place nearby, for any optimizer.

use crate::arithmetic::Product;
use crate::clip::norm_of_array;
use crate::error::in_range;
use crate::optimizer::{LrPolicy, Optimizer, ParamGroup};
use crate::whole::{along, forward_to};
use crate::{OptimError, SkipReason, StateDict, StepOutcome, StepReport, closure, load};
use gradus_autodiff::{Parameter, Tensor};
use gradus_tensor::{Array, DType};
use serde::{Deserialize, Serialize};

/// SAM and adaptive SAM around an optimizer: it looks for minima that stay low nearby.
///
/// ```text
/// e = ρ·g/(‖g‖ + 10⁻¹²)               adaptive:  e = ρ·θ²·g/(‖|θ|·g‖ + 10⁻¹²)
/// ḡ = the gradient at θ + e
/// θ ← a step of the base optimizer from θ with ḡ
/// ```
/// The norm is over all parameters together. [`Optimizer::step_with`] does all of it, with two
/// evaluations. By hand, for a loop with clipping or accumulation:
///
/// ```text
/// backward; opt.climb()?; opt.zero_grad(); backward; [clip;] opt.step()?
/// ```
/// With a gradient scaler the climb and the step are [`crate::GradScaler::climb`] and
/// [`crate::GradScaler::step`], or both are [`crate::GradScaler::step_with`].
///
/// [`Optimizer::step`] goes back to θ and steps; so does a skip, without the step.
///
/// # Units      `rho`: how far to look, in the units of the parameters; adaptive: relative to them
/// # Errors     `rho` < 0; a step that [`Sam::climb`] did not come before
/// # PyTorch    has none; the defaults are those of the authors
/// # Source     Foret et al. 2021, Algorithm 1, <https://arxiv.org/abs/2010.01412>; adaptive: Kwon et al. 2021,
/// <https://arxiv.org/abs/2102.11600>
/// # Example
/// ```
/// use gradus_autodiff::Parameter;
/// use gradus_optim::{Optimizer, Sam, SamOptions, Sgd, SgdOptions};
/// let p = Parameter::new([3.0, 4.0]);
/// let sgd = Sgd::from_parameters([p.clone()], SgdOptions { lr: 0.1, ..Default::default() })?;
/// let mut opt = Sam::new(sgd, SamOptions { rho: 0.5, ..Default::default() })?;
/// let report = opt.step_with(&mut || (p.tensor() * p.tensor()).sum())?;
/// assert_eq!((report.loss, report.evaluations), (25.0, 2));
/// // The gradient is taken at (3.3, 4.4).
/// let after = p.to_vec::<f64>();
/// assert!((after[0] - (3.0 - 0.66)).abs() < 1e-12 && (after[1] - (4.0 - 0.88)).abs() < 1e-12);
/// # Ok::<(), gradus_optim::OptimError>(())
/// ```
pub struct Sam<O> {
    base: O,
    options: SamOptions,
    /// The values to go back to.
    below: Option<Vec<(Parameter, Array)>>,
}

/// The options of [`Sam`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SamOptions {
    /// `ρ`: how far to look; adaptive SAM wants about ten times as much.
    pub rho: f64,
    /// Look farther where a parameter is large.
    pub adaptive: bool,
}

impl Default for SamOptions {
    fn default() -> Self {
        SamOptions { rho: 0.05, adaptive: false }
    }
}

/// What keeps the norm off 0, as in the authors' program.
const LEAST_NORM: f64 = 1e-12;

impl<O: Optimizer> Sam<O> {
    /// Around an optimizer.
    ///
    /// # Errors
    /// If an option is out of range.
    pub fn new(base: O, options: SamOptions) -> Result<Self, OptimError> {
        in_range("Sam", "rho", options.rho, options.rho >= 0.0, "rho ≥ 0")?;
        Ok(Sam { base, options, below: None })
    }
    /// The optimizer that takes the steps.
    pub fn base(&self) -> &O {
        &self.base
    }
    /// The optimizer that takes the steps, to be changed.
    pub fn base_mut(&mut self) -> &mut O {
        &mut self.base
    }
    /// The options.
    pub fn options(&self) -> &SamOptions {
        &self.options
    }
    /// Moves the parameters to the worst place nearby, along their gradients; returns the norm that was
    /// divided by. A second call goes on from θ, not from there.
    ///
    /// # Errors
    /// If gradients are multiplied by the scale of a gradient scaler: unscale them before.
    pub fn climb(&mut self) -> Result<f64, OptimError> {
        self.descend();
        let all = self.base.named_parameters();
        let scaled = all.iter().filter(|(_, p)| p.grad_is_scaled() && p.grad_parts().is_some());
        let scaled: Vec<String> = scaled.map(|(name, _)| name.clone()).collect();
        if !scaled.is_empty() {
            return Err(OptimError::ScaledGradient(scaled));
        }
        let with_grad = all.into_iter().filter_map(|(_, p)| {
            let wide = if p.dtype() == DType::F64 { DType::F64 } else { DType::F32 };
            let grad = p.grad()?.into_array().cast(wide);
            Some((p, grad))
        });
        let mut moves: Vec<(Parameter, Array)> = with_grad.collect();
        if self.options.adaptive {
            for (p, grad) in &mut moves {
                // θ·g, which has the norm of |θ|·g; times θ once more it is θ²·g.
                *grad = grad.clone().zip(p.array().cast(grad.dtype()), Product);
            }
        }
        let norms: Vec<f64> = moves.iter().map(|(_, g)| norm_of_array(g.clone(), 2.0)).collect();
        let norm = norm_of_array(Array::from(norms), 2.0);
        let scale = self.options.rho / (norm + LEAST_NORM);
        let climb = |(p, grad): (Parameter, Array)| {
            let value = p.array();
            let wide = value.clone().cast(grad.dtype());
            let by = if self.options.adaptive { grad.zip(wide.clone(), Product) } else { grad };
            let above = along(&wide, scale, &by).cast(value.dtype());
            p.update(|x| *x = above);
            (p, value)
        };
        self.below = Some(moves.into_iter().map(climb).collect());
        Ok(norm)
    }
    /// Back to θ.
    pub(crate) fn descend(&mut self) -> bool {
        let Some(below) = self.below.take() else { return false };
        for (p, value) in below {
            p.update(|x| *x = value);
        }
        true
    }
}

impl<O: Optimizer> Optimizer for Sam<O> {
    fn step(&mut self) -> Result<StepOutcome, OptimError> {
        if self.descend() { self.base.step() } else { Err(OptimError::NeedsClosure("Sam")) }
    }
    fn step_scaled(&mut self, inverse_scale: f64) -> Result<StepOutcome, OptimError> {
        if self.descend() {
            self.base.step_scaled(inverse_scale)
        } else {
            Err(OptimError::NeedsClosure("Sam"))
        }
    }
    fn step_with(&mut self, loss: &mut dyn FnMut() -> Tensor) -> Result<StepReport, OptimError> {
        self.descend();
        let first = closure::evaluate_for(self, loss)?;
        self.climb()?;
        if let Err(e) = closure::evaluate_for(self, loss) {
            self.descend();
            return Err(e);
        }
        Ok(StepReport { loss: first, evaluations: 2, outcome: self.step()? })
    }
    /// Back to θ, and no step.
    fn skip(&mut self, reason: SkipReason) -> StepOutcome {
        self.descend();
        self.base.skip(reason)
    }
    fn refuses_scaler(&self) -> Option<&'static str> {
        self.base.refuses_scaler()
    }
    forward_to!(self => self.base);
    /// That of the base optimizer, and the options. Between [`Sam::climb`] and the step the *values* of the
    /// parameters are not to be saved.
    fn state_dict(&self) -> StateDict {
        let mut dict = self.base.state_dict();
        dict.insert("sam", load::to_json(&self.options));
        dict
    }
    fn load_state_dict_with(
        &mut self,
        state: &StateDict,
        policy: LrPolicy,
    ) -> Result<(), OptimError> {
        let mut rest = state.clone();
        let options: SamOptions = load::take(&mut rest, "sam")?;
        self.base.load_state_dict_with(&rest, policy)?;
        self.options = options;
        Ok(())
    }
    fn parameter_state(&self, name: &str) -> Option<StateDict> {
        self.base.parameter_state(name)
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<super::tests::Build> {
    use crate::{Adam, AdamOptions};
    let build = |adaptive: bool| -> super::tests::Build {
        Box::new(move |named| {
            let adam = AdamOptions { lr: 0.05, ..Default::default() };
            let base = Adam::new(named, adam).expect("it is valid");
            Box::new(Sam::new(base, SamOptions { rho: 0.3, adaptive }).expect("it is valid"))
        })
    };
    vec![build(false), build(true)]
}
