//! Stochastic gradient descent with momentum.

use crate::error::in_range;
use crate::{ElementRule, Jobs, Optim, OptimError, Progress, Rule};
use gradus_tensor::kernels::{real::Real, update::Update};
use serde::{Deserialize, Serialize};

/// Stochastic gradient descent, with momentum, Nesterov momentum and weight decay.
///
/// ```text
/// g ← −g                     if maximize
/// g ← g + λ·θ                λ = weight_decay
/// b ← g at first, later  b ← μ·b + (1 − τ)·g        μ = momentum, τ = dampening
/// g ← g + μ·b                if nesterov, else  g ← b     (both only if μ ≠ 0)
/// θ ← θ − lr·g
/// ```
/// `lr` is outside the velocity `b`: a new rate acts at once on all of it.
///
/// # Units      `lr` per step
/// # Numerics   in f32 the bits of PyTorch on a CPU with fused multiply-add
/// # Errors     `lr`, `momentum`, `weight_decay` < 0; Nesterov without momentum or with dampening
/// # PyTorch    `torch.optim.SGD`; differences: infinite and NaN options are refused
/// # Source     Sutskever, Martens, Dahl & Hinton 2013, <https://proceedings.mlr.press/v28/sutskever13.html>
/// # Example
/// ```
/// use gradus_autodiff::Parameter;
/// use gradus_optim::{Optimizer, Sgd, SgdOptions};
/// let p = Parameter::new([1.0]);
/// let options = SgdOptions { lr: 0.1, momentum: 0.9, ..Default::default() };
/// let mut opt = Sgd::from_parameters([p.clone()], options)?;
/// for _ in 0..2 {
///     p.set_grad(Some([1.0].into()));
///     opt.step()?;
/// }
/// assert!((p.item() - (1.0 - 0.1 - 0.19)).abs() < 1e-15);
/// # Ok::<(), gradus_optim::OptimError>(())
/// ```
pub type Sgd = Optim<SgdOptions>;

/// The options of [`Sgd`]; the defaults are PyTorch's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SgdOptions {
    /// Learning rate.
    pub lr: f64,
    /// `μ`: how much of the velocity is left after a step; 0 is plain gradient descent.
    pub momentum: f64,
    /// `τ`: how much of the gradient does not reach the velocity.
    pub dampening: f64,
    /// `λ`: pulls every parameter to 0, through the gradient.
    pub weight_decay: f64,
    /// Look ahead by one step of the velocity.
    pub nesterov: bool,
    /// Climb instead of descend.
    pub maximize: bool,
}

impl Default for SgdOptions {
    fn default() -> Self {
        SgdOptions {
            lr: 1e-3,
            momentum: 0.0,
            dampening: 0.0,
            weight_decay: 0.0,
            nesterov: false,
            maximize: false,
        }
    }
}

/// The constants of one step.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct SgdStep {
    sign: f64,
    weight_decay: f64,
    /// What the velocity and the gradient are multiplied by. Without momentum the velocity reads as 0,
    /// so 0 and 1 make it the gradient, in the first step too.
    keep: f64,
    take: f64,
    /// `μ`, if the step looks ahead.
    nesterov: Option<f64>,
    lr: f64,
}

impl Update for SgdStep {
    type State<R: Real> = [R; 1];
    #[inline(always)]
    fn f<R: Real>(self, x: R, g: R, [b]: &mut [R; 1]) -> R {
        let g = R::of(self.sign) * g;
        let decayed = R::of(self.weight_decay).mul_add(x, g);
        let g = R::select(self.weight_decay != 0.0, decayed, g);
        *b = R::of(self.take).mul_add(g, R::of(self.keep) * *b);
        let ahead = R::of(self.nesterov.unwrap_or(0.0)).mul_add(*b, g);
        R::of(-self.lr).mul_add(R::select(self.nesterov.is_some(), ahead, *b), x)
    }
}

impl Rule for SgdOptions {
    const NAME: &'static str = "SGD";
    const SLOTS: &'static [&'static str] = &["momentum_buffer"];
    const HAS_STEP: bool = false;

    fn check(&self) -> Result<(), OptimError> {
        let check = |option, value, ok, allowed| in_range("SGD", option, value, ok, allowed);
        check("lr", self.lr, self.lr >= 0.0, "lr ≥ 0")?;
        check("momentum", self.momentum, self.momentum >= 0.0, "momentum ≥ 0")?;
        check("weight_decay", self.weight_decay, self.weight_decay >= 0.0, "weight_decay ≥ 0")?;
        let straight = !self.nesterov || self.dampening == 0.0;
        check("dampening", self.dampening, straight, "finite, and 0 with nesterov")?;
        let moves = !self.nesterov || self.momentum > 0.0;
        check("momentum", self.momentum, moves, "momentum > 0 with nesterov")
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
    fn uses(&self, _slot: usize) -> bool {
        self.momentum != 0.0
    }
    fn advance(jobs: Jobs<'_, Self>) {
        jobs.by_element();
    }
}

impl ElementRule for SgdOptions {
    type Step = SgdStep;

    fn step(&self, at: Progress<'_>) -> SgdStep {
        let first = at.fresh || self.momentum == 0.0;
        let (keep, take) = if first { (0.0, 1.0) } else { (self.momentum, 1.0 - self.dampening) };
        SgdStep {
            sign: if self.maximize { -1.0 } else { 1.0 },
            weight_decay: self.weight_decay,
            keep,
            take,
            nesterov: self.nesterov.then_some(self.momentum),
            lr: self.lr,
        }
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<SgdOptions> {
    let plain = SgdOptions { lr: 0.1, ..Default::default() };
    let momentum = SgdOptions { momentum: 0.9, ..plain.clone() };
    vec![
        SgdOptions { weight_decay: 0.1, maximize: true, ..plain.clone() },
        SgdOptions { dampening: 0.5, weight_decay: 0.1, ..momentum.clone() },
        SgdOptions { nesterov: true, ..momentum.clone() },
        plain,
        momentum,
    ]
}
