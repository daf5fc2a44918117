//! From whatever the rate is to the constant rate of weight averaging.

use super::{Anneal, At, PerGroup, Schedule, Scheduler};
use crate::OptimError;
use crate::load::{from_json, to_json};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Goes from the rate at its construction to `swa_lr` in `anneal_epochs`, and stays there.
///
/// ```text
/// lr = a·swa_lr + (1 − a)·first            a = (1 − cos(π·t))/2, or t;   t = min(1, k/anneal_epochs)
/// ```
/// k counts the steps since construction; `first` is found from the present rate, so that one set by
/// hand is kept. With `anneal_epochs` = 0 the rate is `swa_lr` at once.
///
/// # Units      `anneal_epochs` in epochs, or whatever is between two calls
/// # PyTorch    `torch.optim.swa_utils.SWALR`
/// # Source     Izmailov et al. 2018, <https://arxiv.org/abs/1803.05407>
/// # Example
/// ```
/// use gradus_autodiff::Parameter;
/// use gradus_optim::{Anneal, LrScheduler, Optimizer, Sgd, SgdOptions, SwaLr, SwaLrOptions};
/// let options = SgdOptions { lr: 1.0, ..Default::default() };
/// let mut opt = Sgd::from_parameters([Parameter::new([0.0])], options)?;
/// let swa = SwaLrOptions { swa_lr: 0.5.into(), anneal_epochs: 2, anneal_strategy: Anneal::Linear };
/// let mut sched = SwaLr::new(&mut opt, swa)?;
/// for want in [1.0, 0.75, 0.5, 0.5] {
///     assert_eq!(opt.lrs(), [want]);
///     opt.step()?;
///     sched.step(&mut opt);
/// }
/// # Ok::<(), gradus_optim::OptimError>(())
/// ```
pub type SwaLr = Scheduler<SwaLrOptions>;

/// The options of [`SwaLr`]; the defaults of PyTorch are 10 epochs along a cosine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SwaLrOptions {
    /// The last rate.
    pub swa_lr: PerGroup,
    /// Epochs until it is reached.
    pub anneal_epochs: u64,
    /// Along which curve.
    pub anneal_strategy: Anneal,
}

impl SwaLrOptions {
    fn way(&self, step: f64) -> f64 {
        let t = step / self.anneal_epochs.max(1) as f64;
        self.anneal_strategy.way(t.clamp(0.0, 1.0))
    }
}

impl Schedule for SwaLrOptions {
    const NAME: &'static str = "SWALR";

    fn check(&self, groups: usize) -> Result<(), OptimError> {
        self.swa_lr.check("SWALR", "swa_lr", groups, |_| true, "a finite number")
    }
    fn rate(&self, at: At) -> f64 {
        let swa_lr = self.swa_lr.get(at.group);
        let step = if self.anneal_epochs == 0 { at.calls.max(1) } else { at.calls } as f64;
        let before = self.way(step - 1.0);
        let first = if before == 1.0 { swa_lr } else { (at.lr - before * swa_lr) / (1.0 - before) };
        let now = self.way(step);
        swa_lr * now + first * (1.0 - now)
    }
    fn save(&self) -> Value {
        to_json(self)
    }
    fn load(&self, saved: &Value) -> Result<Self, OptimError> {
        from_json("options", saved)
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<SwaLrOptions> {
    let of = |swa_lr: PerGroup, anneal_epochs, anneal_strategy| SwaLrOptions {
        swa_lr,
        anneal_epochs,
        anneal_strategy,
    };
    vec![
        of(0.05.into(), 10, Anneal::Cos),
        of(0.3.into(), 20, Anneal::Linear),
        of([0.05, 0.001].into(), 5, Anneal::Cos),
        of(0.05.into(), 0, Anneal::Cos),
    ]
}
