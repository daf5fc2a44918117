//! One step of any optimizer, those included that want to be asked in a way of their own.

use gradus::optim::{Optim, OptimError, Rule};
use gradus::prelude::*;

/// Parameters with their names.
pub(crate) type Named = Vec<(String, Parameter)>;

/// An optimizer, and how it is used.
pub(crate) enum Stepper {
    /// [`Optimizer::step_with`] is all.
    Whole(Box<dyn Optimizer>),
    /// Before a step it is told which rows count: all of them.
    RowByRow(SparseAdam, Named),
    /// The parameters are measured at their average.
    ScheduleFree(AdamWScheduleFree),
    /// Matrices go to one, all else to the other.
    Split(Muon, Option<AdamW>),
}

pub(crate) fn whole(optimizer: impl Optimizer + 'static) -> Stepper {
    Stepper::Whole(Box::new(optimizer))
}

pub(crate) fn plain<R: Rule>(parameters: Named, options: R) -> Result<Stepper, OptimError>
where
    Optim<R>: 'static,
{
    Ok(whole(Optim::new(parameters, options)?))
}

pub(crate) fn row_by_row(
    parameters: Named,
    options: SparseAdamOptions,
) -> Result<Stepper, OptimError> {
    Ok(Stepper::RowByRow(SparseAdam::new(parameters.clone(), options)?, parameters))
}

pub(crate) fn schedule_free(
    parameters: Named,
    options: AdamWScheduleFreeOptions,
) -> Result<Stepper, OptimError> {
    Ok(Stepper::ScheduleFree(AdamWScheduleFree::new(parameters, options)?))
}

/// Muon for the matrices, with steps as long as AdamW's, which moves the rest.
pub(crate) fn split(parameters: Named, lr: f64) -> Result<Stepper, OptimError> {
    let (matrices, rest): (Named, Named) = parameters.into_iter().partition(|(_, p)| p.rank() == 2);
    let adjust_lr_fn = Some(AdjustLr::MatchRmsAdamw);
    let muon = Muon::new(matrices, MuonOptions { lr, adjust_lr_fn, ..Default::default() })?;
    let adamw = AdamWOptions { lr, ..Default::default() };
    let rest = if rest.is_empty() { None } else { Some(AdamW::new(rest, adamw)?) };
    Ok(Stepper::Split(muon, rest))
}

impl Stepper {
    /// A step; how often the loss was evaluated.
    pub(crate) fn step(&mut self, loss: &mut dyn FnMut() -> Tensor) -> Result<usize, OptimError> {
        match self {
            Stepper::Whole(opt) => Ok(opt.step_with(loss)?.evaluations),
            Stepper::ScheduleFree(opt) => Ok(opt.step_with(loss)?.evaluations),
            Stepper::RowByRow(opt, parameters) => {
                opt.zero_grad();
                loss().backward();
                for (name, p) in parameters {
                    let rows: Vec<i64> = (0..p.size(0) as i64).collect();
                    opt.set_rows(name, &rows.into())?;
                }
                opt.step()?;
                Ok(1)
            }
            Stepper::Split(muon, rest) => {
                if let Some(rest) = rest {
                    rest.zero_grad();
                }
                let evaluations = muon.step_with(loss)?.evaluations;
                if let Some(rest) = rest {
                    rest.step()?;
                }
                Ok(evaluations)
            }
        }
    }
    /// Calls `measure` with the parameters at what the optimizer offers as its result.
    pub(crate) fn measured<T>(&mut self, measure: impl FnOnce() -> T) -> T {
        let _average = match self {
            Stepper::ScheduleFree(opt) => Some(opt.averaged()),
            _ => None,
        };
        no_grad(measure)
    }
}
