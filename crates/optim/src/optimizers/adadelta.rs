//! Adadelta: steps in the units of the parameter, from two running means of squares.

use crate::error::in_range;
use crate::{ElementRule, Jobs, Optim, OptimError, Progress, Rule};
use gradus_tensor::kernels::{real::Real, update::Update};
use serde::{Deserialize, Serialize};

/// Adadelta: the gradient times the root of the mean square of past steps over that of past gradients.
///
/// ```text
/// g ← −g                      if maximize
/// g ← g + λ·θ                 λ = weight_decay
/// v ← ρ·v + (1 − ρ)·g²
/// Δ ← √(u + ε)/√(v + ε) · g
/// u ← ρ·u + (1 − ρ)·Δ²
/// θ ← θ − lr·Δ
/// ```
/// ε is inside both roots and is what the first steps grow from: a larger one starts faster.
///
/// # Units      `lr` scales a step whose length the method finds itself; 1 is the paper's method
/// # Errors     `lr`, `eps`, `weight_decay` < 0; `rho` outside `[0, 1]`
/// # PyTorch    `torch.optim.Adadelta`; differences: infinite and NaN options are refused
/// # Source     Zeiler 2012, Algorithm 1, <https://arxiv.org/abs/1212.5701>
/// # Example
/// ```
/// use gradus_autodiff::Parameter;
/// use gradus_optim::{Adadelta, AdadeltaOptions, Optimizer};
/// let p = Parameter::new([1.0]);
/// let mut opt = Adadelta::from_parameters([p.clone()], AdadeltaOptions::default())?;
/// p.set_grad(Some([2.0].into()));
/// opt.step()?; // √1e-6/√(0.1·2² + 1e-6)·2
/// assert!((p.item() - (1.0 - 2e-3 / 0.400_001_f64.sqrt())).abs() < 1e-15);
/// # Ok::<(), gradus_optim::OptimError>(())
/// ```
pub type Adadelta = Optim<AdadeltaOptions>;

/// The options of [`Adadelta`]; the defaults are PyTorch's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AdadeltaOptions {
    /// Scale of the steps.
    pub lr: f64,
    /// `ρ`: how much of both means of squares is left after a step.
    pub rho: f64,
    /// `ε`: keeps the roots off 0.
    pub eps: f64,
    /// `λ`: pulls every parameter to 0, through the gradient.
    pub weight_decay: f64,
    /// Climb instead of descend.
    pub maximize: bool,
}

impl Default for AdadeltaOptions {
    fn default() -> Self {
        AdadeltaOptions { lr: 1.0, rho: 0.9, eps: 1e-6, weight_decay: 0.0, maximize: false }
    }
}

/// The constants of one step.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct AdadeltaStep {
    sign: f64,
    weight_decay: f64,
    rho: f64,
    eps: f64,
    lr: f64,
}

impl Update for AdadeltaStep {
    type State<R: Real> = [R; 2];
    #[inline(always)]
    fn f<R: Real>(self, x: R, g: R, [v, u]: &mut [R; 2]) -> R {
        let (rho, eps) = (R::of(self.rho), R::of(self.eps));
        let g = R::of(self.sign) * g;
        let g = R::select(self.weight_decay != 0.0, R::of(self.weight_decay).mul_add(x, g), g);
        *v = (R::of(1.0 - self.rho) * g).mul_add(g, *v * rho);
        let by = (*u + eps).sqrt() / (*v + eps).sqrt() * g;
        *u = (R::of(1.0 - self.rho) * by).mul_add(by, *u * rho);
        R::of(-self.lr).mul_add(by, x)
    }
}

impl Rule for AdadeltaOptions {
    const NAME: &'static str = "Adadelta";
    const SLOTS: &'static [&'static str] = &["square_avg", "acc_delta"];

    fn check(&self) -> Result<(), OptimError> {
        let check = |option, value, ok, allowed| in_range("Adadelta", option, value, ok, allowed);
        check("lr", self.lr, self.lr >= 0.0, "lr ≥ 0")?;
        check("rho", self.rho, (0.0..=1.0).contains(&self.rho), "0 ≤ rho ≤ 1")?;
        check("eps", self.eps, self.eps >= 0.0, "eps ≥ 0")?;
        check("weight_decay", self.weight_decay, self.weight_decay >= 0.0, "weight_decay ≥ 0")
    }
    fn lr(&self) -> f64 {
        self.lr
    }
    fn set_lr(&mut self, lr: f64) {
        self.lr = lr;
    }
    fn advance(jobs: Jobs<'_, Self>) {
        jobs.by_element();
    }
}

impl ElementRule for AdadeltaOptions {
    type Step = AdadeltaStep;

    fn step(&self, _at: Progress<'_>) -> AdadeltaStep {
        AdadeltaStep {
            sign: if self.maximize { -1.0 } else { 1.0 },
            weight_decay: self.weight_decay,
            rho: self.rho,
            eps: self.eps,
            lr: self.lr,
        }
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<AdadeltaOptions> {
    let plain = AdadeltaOptions::default();
    vec![
        AdadeltaOptions { lr: 0.5, rho: 0.5, eps: 1e-3, ..plain.clone() },
        AdadeltaOptions { weight_decay: 0.1, eps: 1e-3, maximize: true, ..plain.clone() },
        AdadeltaOptions { eps: 1e-2, ..plain },
    ]
}
