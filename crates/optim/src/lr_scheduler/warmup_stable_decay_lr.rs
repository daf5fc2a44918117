//! Warm-up, a long flat stretch, and a fall at the end.

use super::{At, Schedule, Scheduler};
use crate::OptimError;
use crate::error::in_range;
use crate::load::{from_json, to_json};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::f64::consts::PI;

/// Rises along a line, stays, and falls to `min_factor` at the end.
///
/// ```text
/// f = e/w                   for e < w              w = warmup_steps
/// f = 1                     until w + s            s = stable_steps
/// f = m + (1 − m)·g(t)      until w + s + d        d = decay_steps, t = (e − w − s)/d, m = min_factor
/// f = m                     from then on           g(t) = 1 − t, 1 − √t or (1 + cos(π·t))/2
/// lr = base·f
/// ```
/// How long the flat stretch is need not be known before: a run that was saved in it can be continued
/// with more `stable_steps`. It overwrites a rate that was set by hand.
///
/// # Units      all lengths in steps: call it after each
/// # Errors     `min_factor` outside 0 ..= 1
/// # PyTorch    none; `get_wsd_schedule` of Transformers
/// # Source     Hu et al. 2024, <https://arxiv.org/abs/2404.06395>; 1 − √t: Hägele et al. 2024,
/// <https://arxiv.org/abs/2405.18392>
/// # Example
/// ```
/// use gradus_autodiff::Parameter;
/// use gradus_optim::{LrScheduler, Optimizer, Sgd, SgdOptions};
/// use gradus_optim::{WarmupStableDecayLr, WarmupStableDecayLrOptions};
/// let options = SgdOptions { lr: 1.0, ..Default::default() };
/// let mut opt = Sgd::from_parameters([Parameter::new([0.0])], options)?;
/// let (warmup_steps, stable_steps, decay_steps) = (2, 2, 4);
/// let options = WarmupStableDecayLrOptions {
///     warmup_steps, stable_steps, decay_steps, ..Default::default()
/// };
/// let mut sched = WarmupStableDecayLr::new(&mut opt, options)?;
/// for want in [0.0, 0.5, 1.0, 1.0, 1.0, 0.75, 0.5, 0.25, 0.0, 0.0] {
///     assert_eq!(opt.lrs(), [want]);
///     opt.step()?;
///     sched.step(&mut opt);
/// }
/// # Ok::<(), gradus_optim::OptimError>(())
/// ```
pub type WarmupStableDecayLr = Scheduler<WarmupStableDecayLrOptions>;

/// The options of [`WarmupStableDecayLr`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct WarmupStableDecayLrOptions {
    /// `w`: the first step at the full rate.
    pub warmup_steps: u64,
    /// `s`: steps at the full rate.
    pub stable_steps: u64,
    /// `d`: steps from the full rate to the last.
    pub decay_steps: u64,
    /// `m`: what the last rate is a part of the first.
    pub min_factor: f64,
    /// `g`: how the rate falls.
    pub decay: Decay,
}

/// How [`WarmupStableDecayLr`] falls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Decay {
    /// A straight line, `1 − t`.
    #[default]
    Linear,
    /// `1 − √t`: fast at first.
    Sqrt,
    /// Half a cosine.
    Cos,
}

impl WarmupStableDecayLrOptions {
    fn factor(&self, epoch: f64) -> f64 {
        let (w, s, d) =
            (self.warmup_steps as f64, self.stable_steps as f64, self.decay_steps as f64);
        if epoch < w {
            return epoch / w;
        }
        let since = epoch - w - s;
        if since < 0.0 {
            return 1.0;
        }
        let t = if since < d { since / d } else { 1.0 };
        let left = match self.decay {
            Decay::Linear => 1.0 - t,
            Decay::Sqrt => 1.0 - t.sqrt(),
            Decay::Cos => (1.0 + (PI * t).cos()) / 2.0,
        };
        self.min_factor + (1.0 - self.min_factor) * left
    }
}

impl Schedule for WarmupStableDecayLrOptions {
    const NAME: &'static str = "WarmupStableDecayLR";

    fn check(&self, _groups: usize) -> Result<(), OptimError> {
        let m = self.min_factor;
        in_range(Self::NAME, "min_factor", m, (0.0..=1.0).contains(&m), "0 ≤ min_factor ≤ 1")
    }
    fn rate(&self, at: At) -> f64 {
        at.base * self.factor(at.position)
    }
    fn closed_form(&self, epoch: f64, base: f64) -> Option<f64> {
        Some(base * self.factor(epoch))
    }
    fn save(&self) -> Value {
        to_json(self)
    }
    fn load(&self, saved: &Value) -> Result<Self, OptimError> {
        from_json("options", saved)
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<WarmupStableDecayLrOptions> {
    let of = |warmup_steps, stable_steps, decay_steps, decay| WarmupStableDecayLrOptions {
        warmup_steps,
        stable_steps,
        decay_steps,
        decay,
        min_factor: 0.1,
    };
    vec![
        of(5, 20, 10, Decay::Linear),
        of(0, 3, 7, Decay::Sqrt),
        of(4, 0, 0, Decay::Cos),
        WarmupStableDecayLrOptions { min_factor: 0.0, ..of(3, 9, 30, Decay::Cos) },
    ]
}
