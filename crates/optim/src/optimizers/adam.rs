//! Adam, with its AMSGrad variant and both kinds of weight decay.

use crate::error::adam_in_range;
use crate::{ElementRule, Jobs, Optim, OptimError, Progress, Rule};
use gradus_tensor::kernels::real::Real;
use gradus_tensor::kernels::update::{Update, lerp};
use serde::{Deserialize, Serialize};

/// Adam: steps by the running mean of the gradient over the root of the running mean of its square.
///
/// ```text
/// g ← −g                      if maximize
/// g ← g + λ·θ                 λ = weight_decay; decoupled instead:  θ ← θ·(1 − lr·λ)
/// m ← m + (1 − β₁)·(g − m)
/// v ← β₂·v + (1 − β₂)·g²
/// v̂ ← v                       amsgrad:  v̂ ← max(v̂, v)
/// θ ← θ − lr/(1 − β₁ᵗ) · m / (√v̂/√(1 − β₂ᵗ) + ε)
/// ```
/// `t` counts the steps of each parameter, from 1. ε is added after the bias correction.
///
/// # Units      `lr` per step: about how far a parameter moves in one
/// # Numerics   bias corrections in f64; f32 within a few units of the last place of an update
/// # Errors     `lr`, `eps`, `weight_decay` < 0; a beta outside `[0, 1)`
/// # PyTorch    `torch.optim.Adam`; differences: infinite and NaN options are refused
/// # Source     Kingma & Ba 2015, Algorithm 1, <https://arxiv.org/abs/1412.6980>
/// AMSGrad: Reddi, Kale & Kumar 2018, <https://openreview.net/forum?id=ryQu7f-RZ>
/// # Example
/// ```
/// use gradus_autodiff::Parameter;
/// use gradus_optim::{Adam, AdamOptions, Optimizer};
/// let p = Parameter::new([1.0, 1.0]);
/// let options = AdamOptions { lr: 0.01, ..Default::default() };
/// let mut opt = Adam::from_parameters([p.clone()], options)?;
/// p.set_grad(Some([0.1, -1000.0].into()));
/// opt.step()?; // the first step is lr long, whatever the gradient
/// let after = p.to_vec::<f64>();
/// assert!((after[0] - 0.99).abs() < 1e-8 && (after[1] - 1.01).abs() < 1e-8);
/// # Ok::<(), gradus_optim::OptimError>(())
/// ```
pub type Adam = Optim<AdamOptions>;

/// The options of [`Adam`]; the defaults are PyTorch's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AdamOptions {
    /// Learning rate.
    pub lr: f64,
    /// `β₁`, `β₂`: how much of the mean of gradients and of squares is left after a step.
    pub betas: (f64, f64),
    /// `ε`: keeps the denominator off 0.
    pub eps: f64,
    /// `λ`: pulls every parameter to 0.
    pub weight_decay: f64,
    /// Divide by the largest mean of squares so far.
    pub amsgrad: bool,
    /// Climb instead of descend.
    pub maximize: bool,
    /// Decay the parameter itself, not through the gradient: AdamW.
    pub decoupled_weight_decay: bool,
}

impl Default for AdamOptions {
    fn default() -> Self {
        AdamOptions {
            lr: 1e-3,
            betas: (0.9, 0.999),
            eps: 1e-8,
            weight_decay: 0.0,
            amsgrad: false,
            maximize: false,
            decoupled_weight_decay: false,
        }
    }
}

/// The constants of one step.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct AdamStep {
    sign: f64,
    /// `λ`, if it acts through the gradient.
    coupled: f64,
    /// `1 − lr·λ`, if it acts on the parameter.
    shrink: f64,
    betas: (f64, f64),
    /// `lr/(1 − β₁ᵗ)·√(1 − β₂ᵗ)`: fraction and denominator times that root, which saves a division.
    step_size: f64,
    /// `ε·√(1 − β₂ᵗ)`
    eps: f64,
}

impl Update for AdamStep {
    type State<R: Real> = [R; 3];
    #[inline(always)]
    fn f<R: Real>(self, x: R, g: R, [m, v, v_max]: &mut [R; 3]) -> R {
        let (b1, b2) = self.betas;
        let g = R::of(self.sign) * g;
        let g = R::select(self.coupled != 0.0, R::of(self.coupled).mul_add(x, g), g);
        let x = x * R::of(self.shrink);
        *m = lerp(*m, g, 1.0 - b1);
        *v = (R::of(1.0 - b2) * g).mul_add(g, *v * R::of(b2));
        *v_max = v_max.maximum(*v); // without AMSGrad it reads as 0, so this is v
        x - R::of(self.step_size) * *m / (v_max.sqrt() + R::of(self.eps))
    }
}

impl Rule for AdamOptions {
    const NAME: &'static str = "Adam";
    const SLOTS: &'static [&'static str] = &["exp_avg", "exp_avg_sq", "max_exp_avg_sq"];

    fn check(&self) -> Result<(), OptimError> {
        self.check_as("Adam")
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
    fn uses(&self, slot: usize) -> bool {
        slot < 2 || self.amsgrad
    }
    fn advance(jobs: Jobs<'_, Self>) {
        jobs.by_element();
    }
}

impl ElementRule for AdamOptions {
    type Step = AdamStep;

    fn step(&self, at: Progress<'_>) -> AdamStep {
        let (b1, b2) = self.betas;
        let root = (1.0 - b2.powf(at.t as f64)).sqrt();
        let decay = |on: bool| if on { self.weight_decay } else { 0.0 };
        AdamStep {
            sign: if self.maximize { -1.0 } else { 1.0 },
            coupled: decay(!self.decoupled_weight_decay),
            shrink: 1.0 - self.lr * decay(self.decoupled_weight_decay),
            betas: self.betas,
            step_size: self.lr / (1.0 - b1.powf(at.t as f64)) * root,
            eps: self.eps * root,
        }
    }
}

impl AdamOptions {
    /// The checks, for the optimizer `of`.
    pub(super) fn check_as(&self, of: &'static str) -> Result<(), OptimError> {
        adam_in_range(of, (self.lr, self.eps), self.betas, self.weight_decay)
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<AdamOptions> {
    let plain = AdamOptions { lr: 0.01, ..Default::default() };
    vec![
        AdamOptions { weight_decay: 0.5, maximize: true, ..plain.clone() },
        AdamOptions { weight_decay: 0.5, decoupled_weight_decay: true, ..plain.clone() },
        AdamOptions { betas: (0.3, 0.5), eps: 0.01, ..plain.clone() },
        AdamOptions { amsgrad: true, ..plain.clone() },
        plain,
    ]
}
