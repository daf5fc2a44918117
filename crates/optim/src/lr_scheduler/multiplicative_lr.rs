//! The last rate times any function of the epoch.

use super::function::Factors;
use super::{At, Schedule, Scheduler};
use crate::OptimError;
use serde_json::Value;

/// Multiplies the rate by a function of the epoch.
///
/// ```text
/// lr ← lr·λ(epoch)            from epoch 1 on
/// ```
/// # Units      λ is given the epoch, or the number of whatever is between two calls
/// # PyTorch    `torch.optim.lr_scheduler.MultiplicativeLR`
/// # Example
/// ```
/// use gradus_autodiff::Parameter;
/// use gradus_optim::{LrScheduler, MultiplicativeLr, MultiplicativeLrOptions, Optimizer, Sgd, SgdOptions};
/// let options = SgdOptions { lr: 1.0, ..Default::default() };
/// let mut opt = Sgd::from_parameters([Parameter::new([0.0])], options)?;
/// let mut sched = MultiplicativeLr::new(&mut opt, MultiplicativeLrOptions::new(|_| 0.5))?;
/// let mut lrs = vec![];
/// for _ in 0..4 {
///     lrs.push(opt.lrs()[0]);
///     opt.step()?;
///     sched.step(&mut opt);
/// }
/// assert_eq!(lrs, [1.0, 0.5, 0.25, 0.125]);
/// # Ok::<(), gradus_optim::OptimError>(())
/// ```
pub type MultiplicativeLr = Scheduler<MultiplicativeLrOptions>;

/// The options of [`MultiplicativeLr`]: a function, which a state dict leaves out.
#[derive(Clone, Debug)]
pub struct MultiplicativeLrOptions(Factors);

impl MultiplicativeLrOptions {
    /// The same function for all groups.
    pub fn new(lr_lambda: impl Fn(u64) -> f64 + Send + Sync + 'static) -> Self {
        MultiplicativeLrOptions(Factors::one(lr_lambda))
    }
    /// One function for each group.
    pub fn each(lr_lambdas: Vec<Box<dyn Fn(u64) -> f64 + Send + Sync>>) -> Self {
        MultiplicativeLrOptions(Factors::each(lr_lambdas))
    }
}

impl Schedule for MultiplicativeLrOptions {
    const NAME: &'static str = "MultiplicativeLR";

    fn check(&self, groups: usize) -> Result<(), OptimError> {
        self.0.check(Self::NAME, groups)
    }
    fn rate(&self, at: At) -> f64 {
        if at.initial { at.lr } else { at.lr * self.0.at(at.group, at.epoch) }
    }
    fn save(&self) -> Value {
        Value::Null
    }
    fn load(&self, _saved: &Value) -> Result<Self, OptimError> {
        Ok(self.clone())
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<MultiplicativeLrOptions> {
    vec![
        MultiplicativeLrOptions::new(|_| 0.95),
        MultiplicativeLrOptions::new(|e| if e % 4 == 0 { 0.5 } else { 1.1 }),
    ]
}
