//! Lion: the sign of a mean of gradients, which weighs the newest one more than the mean it keeps.

use crate::error::in_range;
use crate::{ElementRule, Jobs, Optim, OptimError, Progress, Rule};
use gradus_tensor::kernels::real::Real;
use gradus_tensor::kernels::update::{Update, lerp};
use serde::{Deserialize, Serialize};

/// Lion ("evolved sign momentum"): every element moves by `lr`, up or down.
///
/// ```text
/// g ← −g                      if maximize
/// θ ← θ·(1 − lr·λ)            λ = weight_decay
/// θ ← θ − lr·sign(m + (1 − β₁)·(g − m))
/// m ← m + (1 − β₂)·(g − m)
/// ```
/// It keeps one array where Adam keeps two. The paper advises a third to a tenth of AdamW's `lr`, and as
/// many times its weight decay.
///
/// # Units      `lr`: how far an element moves in one step
/// # Errors     `lr`, `weight_decay` < 0; a beta outside `[0, 1)`
/// # PyTorch    has none; the state has the name of Adam's
/// # Source     Chen et al. 2023, Algorithm 2, <https://arxiv.org/abs/2302.06675>
/// # Example
/// ```
/// use gradus_autodiff::Parameter;
/// use gradus_optim::{Lion, LionOptions, Optimizer};
/// let p = Parameter::new([1.0, 1.0, 1.0]);
/// let options = LionOptions { lr: 0.125, ..Default::default() };
/// let mut opt = Lion::from_parameters([p.clone()], options)?;
/// p.set_grad(Some([1e-9, -1e9, 0.0].into()));
/// opt.step()?;
/// assert_eq!(p.to_vec::<f64>(), [0.875, 1.125, 1.0]);
/// # Ok::<(), gradus_optim::OptimError>(())
/// ```
pub type Lion = Optim<LionOptions>;

/// The options of [`Lion`]; the defaults are the paper's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LionOptions {
    /// Learning rate.
    pub lr: f64,
    /// `β₁`, `β₂`: the share of the old mean in the direction, and in the new mean.
    pub betas: (f64, f64),
    /// `λ`: pulls every parameter to 0, not through the gradient.
    pub weight_decay: f64,
    /// Climb instead of descend.
    pub maximize: bool,
}

impl Default for LionOptions {
    fn default() -> Self {
        LionOptions { lr: 1e-4, betas: (0.9, 0.99), weight_decay: 0.0, maximize: false }
    }
}

/// The constants of one step.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct LionStep {
    sign: f64,
    /// `1 − lr·λ`
    shrink: f64,
    betas: (f64, f64),
    lr: f64,
}

impl Update for LionStep {
    type State<R: Real> = [R; 1];
    #[inline(always)]
    fn f<R: Real>(self, x: R, g: R, [m]: &mut [R; 1]) -> R {
        let (zero, lr) = (R::of(0.0), R::of(self.lr));
        let g = R::of(self.sign) * g;
        let to = lerp(*m, g, 1.0 - self.betas.0);
        *m = lerp(*m, g, 1.0 - self.betas.1);
        let by = R::select(to > zero, lr, R::select(to < zero, -lr, to));
        x * R::of(self.shrink) - by
    }
}

impl Rule for LionOptions {
    const NAME: &'static str = "Lion";
    const SLOTS: &'static [&'static str] = &["exp_avg"];
    const HAS_STEP: bool = false;

    fn check(&self) -> Result<(), OptimError> {
        let check = |option, value, ok, allowed| in_range("Lion", option, value, ok, allowed);
        let (b1, b2) = self.betas;
        check("lr", self.lr, self.lr >= 0.0, "lr ≥ 0")?;
        check("betas.0", b1, (0.0..1.0).contains(&b1), "0 ≤ betas.0 < 1")?;
        check("betas.1", b2, (0.0..1.0).contains(&b2), "0 ≤ betas.1 < 1")?;
        check("weight_decay", self.weight_decay, self.weight_decay >= 0.0, "weight_decay ≥ 0")
    }
    fn lr(&self) -> f64 {
        self.lr
    }
    fn set_lr(&mut self, lr: f64) {
        self.lr = lr;
    }
    fn momentum(&mut self) -> Option<&mut f64> {
        Some(&mut self.betas.0)
    }
    fn advance(jobs: Jobs<'_, Self>) {
        jobs.by_element();
    }
}

impl ElementRule for LionOptions {
    type Step = LionStep;

    fn step(&self, _at: Progress<'_>) -> LionStep {
        LionStep {
            sign: if self.maximize { -1.0 } else { 1.0 },
            shrink: 1.0 - self.lr * self.weight_decay,
            betas: self.betas,
            lr: self.lr,
        }
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<LionOptions> {
    let plain = LionOptions { lr: 0.01, ..Default::default() };
    vec![
        LionOptions { weight_decay: 0.5, maximize: true, ..plain.clone() },
        LionOptions { betas: (0.3, 0.5), ..plain.clone() },
        plain,
    ]
}
