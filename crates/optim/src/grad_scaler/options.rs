//! What a scaler is told.

use crate::OptimError;
use crate::error::in_range;

/// The options of a [`crate::GradScaler`]; the defaults are PyTorch's.
#[derive(Clone, Debug, PartialEq)]
pub struct GradScalerOptions {
    /// The first scale.
    pub init_scale: f64,
    /// What the scale is multiplied by after `growth_interval` updates without a skip.
    pub growth_factor: f64,
    /// What the scale is multiplied by after a skip.
    pub backoff_factor: f64,
    /// How many updates in a row must be without a skip; 0 is never.
    pub growth_interval: u64,
    /// False: the scaler does nothing at all.
    pub enabled: bool,
    /// No skip makes the scale smaller than this. 0, the default, is no floor, as in PyTorch.
    pub min_scale: f64,
    /// After so many skips in a row, an update is an error that names the parameters whose gradients are
    /// not finite. `None`, the default, is never, as in PyTorch.
    pub max_skipped: Option<u64>,
}

impl Default for GradScalerOptions {
    fn default() -> Self {
        GradScalerOptions {
            init_scale: 65536.0,
            growth_factor: 2.0,
            backoff_factor: 0.5,
            growth_interval: 2000,
            enabled: true,
            min_scale: 0.0,
            max_skipped: None,
        }
    }
}

impl GradScalerOptions {
    pub(super) fn check(&self) -> Result<(), OptimError> {
        if !self.enabled {
            return Ok(());
        }
        let check = |option, value, ok, allowed| in_range("GradScaler", option, value, ok, allowed);
        check_scale("init_scale", self.init_scale)?;
        let (growth, backoff) = (self.growth_factor, self.backoff_factor);
        check("growth_factor", growth, growth > 1.0, "growth_factor > 1")?;
        let shrinks = backoff > 0.0 && backoff < 1.0;
        check("backoff_factor", backoff, shrinks, "0 < backoff_factor < 1")?;
        check("min_scale", self.min_scale, self.min_scale >= 0.0, "min_scale ≥ 0")?;
        let most = self.max_skipped.unwrap_or(1);
        check("max_skipped", most as f64, most > 0, "max_skipped ≥ 1")
    }
}

/// A scale must be a positive number of f32.
pub(super) fn check_scale(option: &'static str, scale: f64) -> Result<(), OptimError> {
    let ok = scale as f32 > 0.0 && (scale as f32).is_finite();
    in_range("GradScaler", option, scale, ok, "a positive number of f32")
}
