//! Adamax: Adam with the largest gradient so far in the place of the root mean square.

use crate::error::adam_in_range;
use crate::{ElementRule, Jobs, Optim, OptimError, Progress, Rule};
use gradus_tensor::kernels::real::Real;
use gradus_tensor::kernels::update::{Update, lerp};
use serde::{Deserialize, Serialize};

/// Adamax: the running mean of the gradient over a decaying maximum of its size.
///
/// ```text
/// g ← −g                      if maximize
/// g ← g + λ·θ                 λ = weight_decay
/// m ← m + (1 − β₁)·(g − m)
/// u ← max(β₂·u, |g| + ε)
/// θ ← θ − lr/(1 − β₁ᵗ) · m/u
/// ```
/// ε is inside the maximum, none is in the denominator.
///
/// # Units      `lr` per step: the bound of a step
/// # Errors     `lr`, `eps`, `weight_decay` < 0; a beta outside `[0, 1)`
/// # PyTorch    `torch.optim.Adamax`; differences: infinite and NaN options are refused
/// # Source     Kingma & Ba 2015, Algorithm 2, <https://arxiv.org/abs/1412.6980>
/// # Example
/// ```
/// use gradus_autodiff::Parameter;
/// use gradus_optim::{Adamax, AdamaxOptions, Optimizer};
/// let p = Parameter::new([1.0, 1.0]);
/// let options = AdamaxOptions { lr: 0.01, ..Default::default() };
/// let mut opt = Adamax::from_parameters([p.clone()], options)?;
/// p.set_grad(Some([0.1, -1000.0].into()));
/// opt.step()?; // the first step is lr long, whatever the gradient
/// let after = p.to_vec::<f64>();
/// assert!((after[0] - 0.99).abs() < 1e-8 && (after[1] - 1.01).abs() < 1e-8);
/// # Ok::<(), gradus_optim::OptimError>(())
/// ```
pub type Adamax = Optim<AdamaxOptions>;

/// The options of [`Adamax`]; the defaults are PyTorch's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AdamaxOptions {
    /// Learning rate.
    pub lr: f64,
    /// `β₁`, `β₂`: how much of the mean of gradients and of their maximum is left after a step.
    pub betas: (f64, f64),
    /// `ε`: keeps the maximum off 0.
    pub eps: f64,
    /// `λ`: pulls every parameter to 0, through the gradient.
    pub weight_decay: f64,
    /// Climb instead of descend.
    pub maximize: bool,
}

impl Default for AdamaxOptions {
    fn default() -> Self {
        AdamaxOptions {
            lr: 2e-3,
            betas: (0.9, 0.999),
            eps: 1e-8,
            weight_decay: 0.0,
            maximize: false,
        }
    }
}

/// The constants of one step.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct AdamaxStep {
    sign: f64,
    weight_decay: f64,
    betas: (f64, f64),
    eps: f64,
    /// `lr/(1 − β₁ᵗ)`
    step_size: f64,
}

impl Update for AdamaxStep {
    type State<R: Real> = [R; 2];
    #[inline(always)]
    fn f<R: Real>(self, x: R, g: R, [m, u]: &mut [R; 2]) -> R {
        let (b1, b2) = self.betas;
        let g = R::of(self.sign) * g;
        let g = R::select(self.weight_decay != 0.0, R::of(self.weight_decay).mul_add(x, g), g);
        *m = lerp(*m, g, 1.0 - b1);
        *u = (*u * R::of(b2)).maximum(g.abs() + R::of(self.eps));
        x - R::of(self.step_size) * *m / *u
    }
}

impl Rule for AdamaxOptions {
    const NAME: &'static str = "Adamax";
    const SLOTS: &'static [&'static str] = &["exp_avg", "exp_inf"];

    fn check(&self) -> Result<(), OptimError> {
        adam_in_range("Adamax", (self.lr, self.eps), self.betas, self.weight_decay)
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

impl ElementRule for AdamaxOptions {
    type Step = AdamaxStep;

    fn step(&self, at: Progress<'_>) -> AdamaxStep {
        AdamaxStep {
            sign: if self.maximize { -1.0 } else { 1.0 },
            weight_decay: self.weight_decay,
            betas: self.betas,
            eps: self.eps,
            step_size: self.lr / (1.0 - self.betas.0.powf(at.t as f64)),
        }
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<AdamaxOptions> {
    let plain = AdamaxOptions { lr: 0.01, ..Default::default() };
    vec![
        AdamaxOptions { betas: (0.5, 0.9), eps: 0.1, ..plain.clone() },
        AdamaxOptions { weight_decay: 0.1, maximize: true, ..plain.clone() },
        plain,
    ]
}
