//! The initial rate times any function of the epoch.

use super::function::Factors;
use super::{At, Schedule, Scheduler};
use crate::OptimError;
use serde_json::Value;

/// Multiplies the initial rate by a function of the epoch.
///
/// ```text
/// lr = base·λ(epoch)
/// ```
/// It overwrites a rate that was set by hand.
///
/// # Units      λ is given the epoch, or the number of whatever is between two calls
/// # PyTorch    `torch.optim.lr_scheduler.LambdaLR`
/// # Example
/// ```
/// use gradus_autodiff::Parameter;
/// use gradus_optim::{LambdaLr, LambdaLrOptions, LrScheduler, Optimizer, Sgd, SgdOptions};
/// let options = SgdOptions { lr: 1.0, ..Default::default() };
/// let mut opt = Sgd::from_parameters([Parameter::new([0.0])], options)?;
/// let mut sched = LambdaLr::new(&mut opt, LambdaLrOptions::new(|e| 1.0 / (1.0 + e as f64)))?;
/// let mut lrs = vec![];
/// for _ in 0..4 {
///     lrs.push(opt.lrs()[0]);
///     opt.step()?;
///     sched.step(&mut opt);
/// }
/// assert_eq!(lrs, [1.0, 0.5, 1.0 / 3.0, 0.25]);
/// # Ok::<(), gradus_optim::OptimError>(())
/// ```
pub type LambdaLr = Scheduler<LambdaLrOptions>;

/// The options of [`LambdaLr`]: a function, which a state dict leaves out.
#[derive(Clone, Debug)]
pub struct LambdaLrOptions(Factors);

impl LambdaLrOptions {
    /// The same function for all groups.
    pub fn new(lr_lambda: impl Fn(u64) -> f64 + Send + Sync + 'static) -> Self {
        LambdaLrOptions(Factors::one(lr_lambda))
    }
    /// One function for each group.
    pub fn each(lr_lambdas: Vec<Box<dyn Fn(u64) -> f64 + Send + Sync>>) -> Self {
        LambdaLrOptions(Factors::each(lr_lambdas))
    }
}

impl Schedule for LambdaLrOptions {
    const NAME: &'static str = "LambdaLR";

    fn check(&self, groups: usize) -> Result<(), OptimError> {
        self.0.check(Self::NAME, groups)
    }
    fn rate(&self, at: At) -> f64 {
        at.base * self.0.at(at.group, at.epoch)
    }
    fn save(&self) -> Value {
        Value::Null
    }
    fn load(&self, _saved: &Value) -> Result<Self, OptimError> {
        Ok(self.clone())
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<LambdaLrOptions> {
    let each: [Box<dyn Fn(u64) -> f64 + Send + Sync>; 2] =
        [Box::new(|e| 0.9_f64.powi(e as i32)), Box::new(|e| if e % 5 == 0 { 1.5 } else { 0.5 })];
    vec![LambdaLrOptions::new(|e| 1.0 / (1.0 + 0.1 * e as f64)), LambdaLrOptions::each(each.into())]
}
