//! RMSprop: the gradient over the root of the running mean of its square.

use crate::error::in_range;
use crate::{ElementRule, Jobs, Optim, OptimError, Progress, Rule};
use gradus_tensor::kernels::real::Real;
use gradus_tensor::kernels::update::{Update, lerp};
use serde::{Deserialize, Serialize};

/// RMSprop, plain, with momentum, or centered.
///
/// ```text
/// g ← −g                      if maximize
/// g ← g + λ·θ                 λ = weight_decay
/// v ← α·v + (1 − α)·g²
/// ḡ ← ḡ + (1 − α)·(g − ḡ)     if centered
/// a ← √v + ε                  centered:  a ← √(v − ḡ²) + ε
/// b ← μ·b + g/a               μ = momentum
/// θ ← θ − lr·b
/// ```
/// There is no bias correction: the first steps are up to `1/√(1 − α)` times as long as later ones. ε is
/// outside the root.
///
/// # Units      `lr` per step
/// # Numerics   `v − ḡ²` may round below 0 and then gives NaN, as in PyTorch
/// # Errors     `lr`, `alpha`, `eps`, `weight_decay`, `momentum` < 0
/// # PyTorch    `torch.optim.RMSprop`; differences: infinite and NaN options are refused
/// # Source     Tieleman & Hinton 2012, Lecture 6e; centered: Graves 2013, eq. 38–45,
/// <https://arxiv.org/abs/1308.0850>
/// # Example
/// ```
/// use gradus_autodiff::Parameter;
/// use gradus_optim::{Optimizer, RmsProp, RmsPropOptions};
/// let p = Parameter::new([1.0]);
/// let options = RmsPropOptions { lr: 0.01, ..Default::default() };
/// let mut opt = RmsProp::from_parameters([p.clone()], options)?;
/// p.set_grad(Some([0.3].into()));
/// opt.step()?; // α = 0.99: the first step is 10·lr long
/// assert!((p.item() - 0.9).abs() < 1e-7);
/// # Ok::<(), gradus_optim::OptimError>(())
/// ```
pub type RmsProp = Optim<RmsPropOptions>;

/// The options of [`RmsProp`]; the defaults are PyTorch's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RmsPropOptions {
    /// Learning rate.
    pub lr: f64,
    /// `α`: how much of the mean of squares is left after a step.
    pub alpha: f64,
    /// `ε`: keeps the denominator off 0.
    pub eps: f64,
    /// `λ`: pulls every parameter to 0, through the gradient.
    pub weight_decay: f64,
    /// `μ`: how much of the velocity is left after a step.
    pub momentum: f64,
    /// Divide by the deviation of the gradient from its mean instead of by its size.
    pub centered: bool,
    /// Climb instead of descend.
    pub maximize: bool,
}

impl Default for RmsPropOptions {
    fn default() -> Self {
        RmsPropOptions {
            lr: 1e-2,
            alpha: 0.99,
            eps: 1e-8,
            weight_decay: 0.0,
            momentum: 0.0,
            centered: false,
            maximize: false,
        }
    }
}

/// The constants of one step.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct RmsPropStep {
    sign: f64,
    weight_decay: f64,
    alpha: f64,
    eps: f64,
    momentum: f64,
    centered: bool,
    lr: f64,
}

impl Update for RmsPropStep {
    type State<R: Real> = [R; 3];
    #[inline(always)]
    fn f<R: Real>(self, x: R, g: R, [v, b, mean]: &mut [R; 3]) -> R {
        let g = R::of(self.sign) * g;
        let g = R::select(self.weight_decay != 0.0, R::of(self.weight_decay).mul_add(x, g), g);
        *v = (R::of(1.0 - self.alpha) * g).mul_add(g, *v * R::of(self.alpha));
        *mean = lerp(*mean, g, 1.0 - self.alpha);
        let spread = (-*mean).mul_add(*mean, *v);
        let average = R::select(self.centered, spread, *v).sqrt() + R::of(self.eps);
        // Without momentum the velocity reads as 0, so that this is g/a.
        *b = R::of(self.momentum) * *b + g / average;
        R::of(-self.lr).mul_add(*b, x)
    }
}

impl Rule for RmsPropOptions {
    const NAME: &'static str = "RMSprop";
    const SLOTS: &'static [&'static str] = &["square_avg", "momentum_buffer", "grad_avg"];

    fn check(&self) -> Result<(), OptimError> {
        let check =
            |option, value, allowed| in_range("RMSprop", option, value, value >= 0.0, allowed);
        check("lr", self.lr, "lr ≥ 0")?;
        check("alpha", self.alpha, "alpha ≥ 0")?;
        check("eps", self.eps, "eps ≥ 0")?;
        check("weight_decay", self.weight_decay, "weight_decay ≥ 0")?;
        check("momentum", self.momentum, "momentum ≥ 0")
    }
    fn lr(&self) -> f64 {
        self.lr
    }
    fn set_lr(&mut self, lr: f64) {
        self.lr = lr;
    }
    fn momentum(&mut self) -> Option<&mut f64> {
        Some(&mut self.momentum)
    }
    fn uses(&self, slot: usize) -> bool {
        [true, self.momentum > 0.0, self.centered][slot]
    }
    fn advance(jobs: Jobs<'_, Self>) {
        jobs.by_element();
    }
}

impl ElementRule for RmsPropOptions {
    type Step = RmsPropStep;

    fn step(&self, _at: Progress<'_>) -> RmsPropStep {
        RmsPropStep {
            sign: if self.maximize { -1.0 } else { 1.0 },
            weight_decay: self.weight_decay,
            alpha: self.alpha,
            eps: self.eps,
            momentum: self.momentum,
            centered: self.centered,
            lr: self.lr,
        }
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<RmsPropOptions> {
    let plain = RmsPropOptions { lr: 0.01, eps: 1e-3, ..Default::default() };
    vec![
        RmsPropOptions { momentum: 0.6, weight_decay: 0.1, ..plain.clone() },
        RmsPropOptions { centered: true, alpha: 0.9, maximize: true, ..plain.clone() },
        RmsPropOptions { centered: true, momentum: 0.3, alpha: 0.9, ..plain.clone() },
        plain,
    ]
}
