//! Loss scaling: small gradients of a half type are lifted above 0, and steps that overflow are skipped.

mod error;
mod options;
mod sam;
mod stage;
mod unscale;

pub use error::ScalerError;
pub use options::GradScalerOptions;

use crate::load::from_json;
use crate::{Entry, OptimError, Optimizer, SkipReason, StateDict, StepOutcome};
use gradus_autodiff::{Parameter, Tensor};
use serde_json::{Value, json};
use stage::{Checked, Stage, Stages};
use unscale::{Halves, unscale};

/// Multiplies the loss by a scale, and divides the gradients by it before the step.
///
/// ```text
/// scale(L)      L·s, whose gradients are marked as scaled
/// unscale(opt)  g ← g·f32(1/s)                                 looks for ∞ and NaN
/// step(opt)     unscales what is not yet; skipped if some gradient was not finite
/// update()      s ← s·backoff_factor     if any was not finite
///               s ← s·growth_factor      after growth_interval updates without one, if that is finite
/// ```
/// The scale is a number of f32. Clipping and a bare `opt.step()` refuse marked gradients: unscale them
/// first. A gradient of a half type is unscaled in f32: by [`GradScaler::unscale`] into an f32 gradient,
/// by [`GradScaler::step`] on its way into the step, and then the gradient itself stays as it is.
///
/// Several losses may be scaled before a step, and several optimizers stepped before an update.
/// [`crate::Sam`] makes two sweeps before its step: [`GradScaler::climb`].
///
/// # Errors     [`ScalerError`]: calls in the wrong order, gradients without a mark, too many skips
/// # PyTorch    `torch.amp.GradScaler`; it refuses f16 parameters, and has neither `min_scale` nor
/// `max_skipped`
/// # Source     Micikevicius et al. 2018, <https://arxiv.org/abs/1710.03740>
/// # Example
/// ```
/// use gradus_autodiff::Parameter;
/// use gradus_optim::{GradScaler, Optimizer, Sgd, SgdOptions, clip_grad_norm};
/// let w = Parameter::new([1.0_f32, 2.0]);
/// let mut opt = Sgd::from_parameters([w.clone()], SgdOptions { lr: 0.1, ..Default::default() })?;
/// let mut scaler = GradScaler::default();
/// opt.zero_grad();
/// let loss = w.square().sum();
/// scaler.scale(&loss).backward();
/// scaler.unscale(&mut opt)?;               // only to clip
/// clip_grad_norm(&[w.clone()], 100.0)?;
/// let outcome = scaler.step(&mut opt)?;
/// scaler.update()?;
/// assert!(outcome.is_applied());
/// assert_eq!(w.to_vec::<f32>(), [0.8, 1.6]);
/// # Ok::<(), gradus_optim::OptimError>(())
/// ```
#[derive(Debug)]
pub struct GradScaler {
    options: GradScalerOptions,
    /// `None` before the first call of `scale`.
    scale: Option<f32>,
    growth_tracker: u64,
    /// How many updates in a row found gradients that are not finite.
    skipped: u64,
    stages: Stages,
}

impl Default for GradScaler {
    fn default() -> Self {
        GradScaler::with(GradScalerOptions::default())
    }
}

impl GradScaler {
    /// With these options.
    ///
    /// # Errors
    /// If one is out of range.
    pub fn new(options: GradScalerOptions) -> Result<Self, OptimError> {
        options.check()?;
        Ok(GradScaler::with(options))
    }
    fn with(options: GradScalerOptions) -> Self {
        let (scale, growth_tracker, skipped, stages) = (None, 0, 0, Stages::default());
        GradScaler { options, scale, growth_tracker, skipped, stages }
    }
    /// The loss times the scale, to begin a sweep with; in f32 if the loss is of a half type.
    ///
    /// # Panics
    /// If the loss is not of a floating-point dtype.
    #[track_caller]
    pub fn scale(&mut self, loss: &Tensor) -> Tensor {
        if !self.options.enabled {
            return loss.clone();
        }
        loss.scale(f64::from(*self.scale.get_or_insert(self.options.init_scale as f32)))
    }
    /// Divides the gradients of an optimizer by the scale, for what has to see them before the step:
    /// clipping, reports. [`GradScaler::step`] does it otherwise.
    ///
    /// It divides infinite gradients too; the step will be skipped.
    ///
    /// # Errors
    /// A second time before the update, after the step, before the first [`GradScaler::scale`], and if
    /// some gradient was not made by a scaled loss. Nothing is changed then.
    pub fn unscale(&mut self, opt: &mut dyn Optimizer) -> Result<(), OptimError> {
        if !self.options.enabled {
            return Ok(());
        }
        check_support(opt)?;
        let inverse = self.inverse("unscale")?;
        let parameters = opt.named_parameters();
        let checked = match self.stages.get(&parameters) {
            Stage::Ready | Stage::Climbed(_) => self.unscaled(&parameters, inverse)?,
            Stage::Unscaled(_) => return Err(ScalerError::UnscaledTwice.into()),
            Stage::Stepped(_) => return Err(ScalerError::UnscaledAfterStep.into()),
        };
        self.stages.set(&parameters, Stage::Unscaled(checked));
        Ok(())
    }
    /// The optimizer's step on unscaled gradients, or a skip if one was not finite.
    ///
    /// # Errors
    /// A second time before the update, before the first [`GradScaler::scale`], if no parameter has a
    /// gradient, if some gradient was not made by a scaled loss, and what the step itself refuses.
    pub fn step(&mut self, opt: &mut dyn Optimizer) -> Result<StepOutcome, OptimError> {
        if !self.options.enabled {
            return opt.step();
        }
        check_support(opt)?;
        let inverse = self.inverse("step")?;
        let parameters = opt.named_parameters();
        let (checked, is_ready) = match self.stages.get(&parameters) {
            // Nothing that a second sweep finds can save the step.
            Stage::Climbed(first) if !first.non_finite.is_empty() => (first.clone(), false),
            Stage::Ready | Stage::Climbed(_) => {
                (unscale(&parameters, inverse, Halves::Stay)?, true)
            }
            Stage::Unscaled(checked) => (checked.clone(), false),
            Stage::Stepped(_) => return Err(ScalerError::SteppedTwice.into()),
        };
        if checked.gradients == 0 {
            return Err(ScalerError::no_gradients(parameters).into());
        }
        let outcome = match (&checked.non_finite[..], is_ready) {
            ([], true) => opt.step_scaled(f64::from(inverse))?,
            ([], false) => opt.step()?,
            (names, _) => opt.skip(SkipReason::NonFinite(names.to_vec())),
        };
        self.stages.set(&parameters, Stage::Stepped(checked));
        Ok(outcome)
    }
    /// The scale of the next iteration, from what the steps since the last update have found.
    ///
    /// # Errors
    /// If there was no step or unscaling since the last update, between [`GradScaler::climb`] and the step,
    /// and after [`GradScalerOptions::max_skipped`] skips in a row. Nothing is changed then.
    pub fn update(&mut self) -> Result<(), OptimError> {
        if !self.options.enabled {
            return Ok(());
        }
        let scale = f64::from(self.scale.ok_or(ScalerError::NotStarted("update"))?);
        if self.stages.any_climbed() {
            return Err(ScalerError::UpdateAfterClimb.into());
        }
        let found = self.stages.checked().ok_or(ScalerError::NothingToUpdate)?;
        if found.non_finite.is_empty() {
            self.grow(scale);
            self.skipped = 0;
        } else {
            let (skipped, names) = (self.skipped + 1, found.non_finite);
            if self.options.max_skipped.is_some_and(|most| skipped >= most) {
                return Err(ScalerError::TooManySkips { skipped, scale, names }.into());
            }
            // A floor lifts nothing that has been below it.
            let floor = self.options.min_scale.min(scale);
            let less = f64::from((scale * self.options.backoff_factor) as f32);
            self.scale = Some(less.max(floor) as f32);
            (self.growth_tracker, self.skipped) = (0, skipped);
        }
        self.stages.clear();
        Ok(())
    }
    fn grow(&mut self, scale: f64) {
        self.growth_tracker += 1;
        if self.growth_tracker == self.options.growth_interval {
            let more = (scale * self.options.growth_factor) as f32;
            if more.is_finite() {
                self.scale = Some(more);
            }
            self.growth_tracker = 0;
        }
    }
    /// As [`GradScaler::update`], to this scale whatever was found; the growth tracker stays.
    ///
    /// # Errors
    /// Before the first [`GradScaler::scale`], and if the scale is no positive number.
    ///
    /// # PyTorch
    /// `scaler.update(new_scale)`
    pub fn update_to(&mut self, new_scale: f64) -> Result<(), OptimError> {
        if !self.options.enabled {
            return Ok(());
        }
        self.scale.ok_or(ScalerError::NotStarted("update_to"))?;
        options::check_scale("new_scale", new_scale)?;
        self.scale = Some(new_scale as f32);
        self.stages.clear();
        Ok(())
    }
    /// Unscales the gradients where they are; what was found, in a sweep before a climb too.
    fn unscaled(
        &self,
        parameters: &[(String, Parameter)],
        inverse: f32,
    ) -> Result<Checked, OptimError> {
        let found = unscale(parameters, inverse, Halves::BecomeWide)?;
        Ok(match self.stages.get(parameters) {
            Stage::Climbed(first) => first.and(found),
            _ => found,
        })
    }
    /// What a gradient is multiplied by: the reciprocal in f64, rounded to f32, as PyTorch's.
    fn inverse(&self, call: &'static str) -> Result<f32, ScalerError> {
        let scale = self.scale.ok_or(ScalerError::NotStarted(call))?;
        Ok(f64::from(scale).recip() as f32)
    }
    /// The scale; 1 if the scaler is not enabled.
    pub fn get_scale(&self) -> f64 {
        match self.scale {
            _ if !self.options.enabled => 1.0,
            Some(scale) => f64::from(scale),
            None => self.options.init_scale,
        }
    }
    /// How many updates in a row were without a skip, since the scale changed.
    pub fn growth_tracker(&self) -> u64 {
        self.growth_tracker
    }
    /// The options; those a state dict holds change when one is loaded.
    pub fn options(&self) -> &GradScalerOptions {
        &self.options
    }
    /// Does it scale at all?
    pub fn is_enabled(&self) -> bool {
        self.options.enabled
    }
    /// Everything that the next iteration depends on, under PyTorch's keys; empty if not enabled. With
    /// `max_skipped` it also counts the skips.
    ///
    /// # PyTorch
    /// `scaler.state_dict()`
    pub fn state_dict(&self) -> StateDict {
        let mut dict = StateDict::default();
        if !self.options.enabled {
            return dict;
        }
        dict.insert("scale", json!(self.get_scale()));
        dict.insert("growth_factor", json!(self.options.growth_factor));
        dict.insert("backoff_factor", json!(self.options.backoff_factor));
        dict.insert("growth_interval", json!(self.options.growth_interval));
        dict.insert("_growth_tracker", json!(self.growth_tracker));
        if self.options.max_skipped.is_some() {
            dict.insert("skipped", json!(self.skipped));
        }
        dict
    }
    /// Back to such a state, all or nothing. A scaler that is not enabled does not look at it.
    ///
    /// # Errors
    /// If it is no such state, or that of a scaler that was not enabled.
    pub fn load_state_dict(&mut self, state: &StateDict) -> Result<(), OptimError> {
        if !self.options.enabled {
            return Ok(());
        }
        if state.is_empty() {
            return Err(ScalerError::EmptyState.into());
        }
        let new = GradScalerOptions {
            init_scale: read(state, "scale")?,
            growth_factor: read(state, "growth_factor")?,
            backoff_factor: read(state, "backoff_factor")?,
            growth_interval: read(state, "growth_interval")?,
            ..self.options.clone()
        };
        new.check()?;
        let growth_tracker = read(state, "_growth_tracker")?;
        let skipped = if state.get("skipped").is_some() { read(state, "skipped")? } else { 0 };
        self.scale = self.scale.map(|_| new.init_scale as f32);
        (self.options, self.growth_tracker, self.skipped) = (new, growth_tracker, skipped);
        Ok(())
    }
}

/// Some optimizers evaluate the loss again inside their step, at other places.
fn check_support(opt: &dyn Optimizer) -> Result<(), ScalerError> {
    opt.refuses_scaler().map_or(Ok(()), |why| Err(ScalerError::Unsupported(why)))
}

fn read<T: serde::de::DeserializeOwned>(state: &StateDict, key: &str) -> Result<T, OptimError> {
    let malformed = |what: &str| OptimError::Malformed(format!("{key} {what}"));
    let value: &Value = match state.get(key) {
        Some(Entry::Value(value)) => value,
        Some(Entry::Array(_)) => return Err(malformed("is an array")),
        None => return Err(malformed("is missing")),
    };
    from_json(key, value)
}
