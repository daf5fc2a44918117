//! Sharpness-aware minimization under a scaler: two scaled sweeps, one step, one update.

use super::stage::Stage;
use super::{GradScaler, ScalerError, check_support};
use crate::{ClimbOutcome, OptimError, Optimizer, Sam, SkipReason, StepReport, closure};
use gradus_autodiff::Tensor;

impl GradScaler {
    /// [`Sam::climb`] along the unscaled gradients, or no move if one was not finite.
    ///
    /// ```text
    /// scale(L).backward();  climb(opt)       unscales what is not yet
    /// zero_grad();
    /// scale(L).backward();  step(opt)        skipped if a gradient of either sweep was not finite
    /// update()                               once for both sweeps
    /// ```
    /// After a climb that was skipped the second sweep may be left out: the step is skipped at once. It
    /// has to be called all the same, because it is counted.
    ///
    /// # Errors
    /// After the step, before the first [`GradScaler::scale`], if no parameter has a gradient, and if
    /// some gradient was not made by a scaled loss. Nothing is changed then.
    ///
    /// # Example
    /// ```
    /// use gradus_autodiff::Parameter;
    /// use gradus_optim::{ClimbOutcome, GradScaler, Optimizer, Sam, SamOptions, Sgd, SgdOptions};
    /// let p = Parameter::new([3.0_f32, 4.0]);
    /// let sgd = Sgd::from_parameters([p.clone()], SgdOptions { lr: 0.1, ..Default::default() })?;
    /// let mut opt = Sam::new(sgd, SamOptions { rho: 0.5, ..Default::default() })?;
    /// let mut scaler = GradScaler::default();
    ///
    /// opt.zero_grad();
    /// scaler.scale(&p.square().sum()).backward();
    /// let climbed = scaler.climb(&mut opt)?;
    /// assert_eq!(climbed, ClimbOutcome::Climbed { norm: 10.0 });
    /// assert_eq!(p.to_vec::<f32>(), [3.3, 4.4]);
    ///
    /// opt.zero_grad();
    /// scaler.scale(&p.square().sum()).backward();
    /// assert!(scaler.step(&mut opt)?.is_applied());
    /// scaler.update()?;
    /// assert_eq!(p.to_vec::<f32>(), [3.0 - 0.66, 4.0 - 0.88]);
    /// # Ok::<(), gradus_optim::OptimError>(())
    /// ```
    pub fn climb<O: Optimizer>(&mut self, opt: &mut Sam<O>) -> Result<ClimbOutcome, OptimError> {
        if !self.options.enabled {
            return Ok(ClimbOutcome::Climbed { norm: opt.climb()? });
        }
        check_support(opt)?;
        let inverse = self.inverse("climb")?;
        let parameters = opt.named_parameters();
        let checked = match self.stages.get(&parameters) {
            Stage::Ready | Stage::Climbed(_) => self.unscaled(&parameters, inverse)?,
            Stage::Unscaled(checked) => checked.clone(),
            Stage::Stepped(_) => return Err(ScalerError::ClimbAfterStep.into()),
        };
        if checked.gradients == 0 {
            return Err(ScalerError::no_gradients(parameters).into());
        }
        let outcome = match &checked.non_finite[..] {
            [] => ClimbOutcome::Climbed { norm: opt.climb()? },
            names => ClimbOutcome::Skipped(SkipReason::NonFinite(names.to_vec())),
        };
        self.stages.set(&parameters, Stage::Climbed(checked));
        Ok(outcome)
    }
    /// [`Optimizer::step_with`] for [`Sam`] under a scaler: the closure returns the loss unscaled, and is
    /// called once if the first sweep overflows. [`GradScaler::update`] is left to the caller.
    ///
    /// # Errors
    /// As [`GradScaler::climb`] and [`GradScaler::step`], and if the loss cannot be differentiated.
    ///
    /// # Example
    /// ```
    /// use gradus_autodiff::Parameter;
    /// use gradus_optim::{GradScaler, Sam, SamOptions, Sgd, SgdOptions};
    /// let p = Parameter::new([3.0_f32, 4.0]);
    /// let sgd = Sgd::from_parameters([p.clone()], SgdOptions { lr: 0.1, ..Default::default() })?;
    /// let mut opt = Sam::new(sgd, SamOptions { rho: 0.5, ..Default::default() })?;
    /// let mut scaler = GradScaler::default();
    /// let report = scaler.step_with(&mut opt, &mut || p.square().sum())?;
    /// scaler.update()?;
    /// assert_eq!((report.loss, report.evaluations), (25.0, 2));
    /// assert_eq!(p.to_vec::<f32>(), [3.0 - 0.66, 4.0 - 0.88]);
    /// # Ok::<(), gradus_optim::OptimError>(())
    /// ```
    pub fn step_with<O: Optimizer>(
        &mut self,
        opt: &mut Sam<O>,
        loss: &mut dyn FnMut() -> Tensor,
    ) -> Result<StepReport, OptimError> {
        if !self.options.enabled {
            return opt.step_with(loss);
        }
        check_support(opt)?;
        opt.descend();
        let first = self.evaluate(opt, loss)?;
        let mut evaluations = 1;
        if let ClimbOutcome::Climbed { .. } = self.climb(opt)? {
            if let Err(e) = self.evaluate(opt, loss) {
                opt.descend();
                return Err(e);
            }
            evaluations = 2;
        }
        Ok(StepReport { loss: first, evaluations, outcome: self.step(opt)? })
    }
    /// The loss, after a sweep that leaves its gradients times the scale.
    fn evaluate(
        &mut self,
        opt: &dyn Optimizer,
        loss: &mut dyn FnMut() -> Tensor,
    ) -> Result<f64, OptimError> {
        let mut value = f64::NAN;
        closure::evaluate_for(opt, &mut || {
            let loss = loss();
            value = loss.item();
            self.scale(&loss)
        })?;
        Ok(value)
    }
}
