//! The schedule of the first Transformer: warm-up, then one over the square root.

use super::{At, Schedule, Scheduler};
use crate::OptimError;
use crate::error::in_range;
use crate::load::{from_json, to_json};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Rises along a line for `warmup_steps`, then falls as one over the square root of the step.
///
/// ```text
/// lr = base·d^(−½)·min(s^(−½), s·w^(−3/2))        s = epoch + 1, d = d_model, w = warmup_steps
/// ```
/// The rate is largest, base·(d·w)^(−½), at s = w. With d = 1 it is the plain inverse square root. It
/// overwrites a rate that was set by hand.
///
/// # Units      `warmup_steps` in steps: call it after each
/// # Errors     `d_model` = 0, `warmup_steps` = 0
/// # PyTorch    none; `LambdaLR` with the same formula
/// # Source     Vaswani et al. 2017, Equation 3, <https://arxiv.org/abs/1706.03762>
/// # Example
/// ```
/// use gradus_autodiff::Parameter;
/// use gradus_optim::{LrScheduler, NoamLr, NoamLrOptions, Optimizer, Sgd, SgdOptions};
/// let options = SgdOptions { lr: 1.0, ..Default::default() };
/// let mut opt = Sgd::from_parameters([Parameter::new([0.0])], options)?;
/// let mut sched = NoamLr::new(&mut opt, NoamLrOptions { d_model: 16, warmup_steps: 4 })?;
/// for want in [0.03125, 0.0625, 0.09375, 0.125, 0.1118, 0.1021] {
///     assert!((opt.lrs()[0] - want).abs() < 1e-4);
///     opt.step()?;
///     sched.step(&mut opt);
/// }
/// # Ok::<(), gradus_optim::OptimError>(())
/// ```
pub type NoamLr = Scheduler<NoamLrOptions>;

/// The options of [`NoamLr`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NoamLrOptions {
    /// `d`: the width of the model.
    pub d_model: u64,
    /// `w`: the step with the largest rate.
    pub warmup_steps: u64,
}

impl Schedule for NoamLrOptions {
    const NAME: &'static str = "NoamLR";

    fn check(&self, _groups: usize) -> Result<(), OptimError> {
        let (d, w) = (self.d_model, self.warmup_steps);
        in_range(Self::NAME, "d_model", d as f64, d > 0, "d_model ≥ 1")?;
        in_range(Self::NAME, "warmup_steps", w as f64, w > 0, "warmup_steps ≥ 1")
    }
    fn rate(&self, at: At) -> f64 {
        let (s, w) = (at.position + 1.0, self.warmup_steps as f64);
        at.base * (self.d_model as f64).powf(-0.5) * s.powf(-0.5).min(s * w.powf(-1.5))
    }
    fn save(&self) -> Value {
        to_json(self)
    }
    fn load(&self, saved: &Value) -> Result<Self, OptimError> {
        from_json("options", saved)
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<NoamLrOptions> {
    vec![
        NoamLrOptions { d_model: 16, warmup_steps: 4 },
        NoamLrOptions { d_model: 1, warmup_steps: 1 },
        NoamLrOptions { d_model: 512, warmup_steps: 12 },
    ]
}
