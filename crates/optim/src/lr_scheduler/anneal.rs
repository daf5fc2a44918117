//! The two ways from one number to another that schedules offer.

use serde::{Deserialize, Serialize};
use std::f64::consts::PI;

/// Along which curve a rate goes from one value to another (`anneal_strategy`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Anneal {
    /// Half a cosine: slowly at both ends.
    #[default]
    Cos,
    /// A straight line.
    Linear,
}

impl Anneal {
    /// How much of the way is done after the part `t` of the time: 0 at 0, 1 at 1.
    pub(super) fn way(self, t: f64) -> f64 {
        match self {
            Anneal::Cos => (1.0 - (PI * t).cos()) / 2.0,
            Anneal::Linear => t,
        }
    }
    /// From `start` at 0 to `end` at 1, as `OneCycleLR` rounds it.
    pub(super) fn between(self, start: f64, end: f64, t: f64) -> f64 {
        match self {
            Anneal::Cos => end + (start - end) / 2.0 * ((PI * t).cos() + 1.0),
            Anneal::Linear => (end - start) * t + start,
        }
    }
}
