//! ASGD: gradient descent with a falling rate, and the mean of the path beside it.

use crate::error::in_range;
use crate::{ElementRule, Jobs, Optim, OptimError, Progress, Rule};
use gradus_tensor::kernels::{real::Real, update::Update};
use serde::{Deserialize, Serialize};

/// Averaged stochastic gradient descent.
///
/// ```text
/// g ← −g                      if maximize
/// g ← g + λ·θ                 λ = weight_decay
/// θ ← θ·(1 − lambd·η) − η·g   η starts at lr
/// ax ← ax + μ·(θ − ax)        μ starts at 1
/// η ← lr/(1 + lambd·lr·t)^alpha
/// μ ← 1/max(1, t − t0)
/// ```
/// The average `ax` is state: read it by [`crate::Optimizer::parameter_state`] once training is over.
/// Until step `t0` it is the parameter itself. A change of `lr` acts from the step after the next, as
/// in PyTorch.
///
/// # Units      `lr` per step; `t0` in steps
/// # Errors     `lr`, `lambd`, `alpha`, `weight_decay` < 0
/// # PyTorch    `torch.optim.ASGD`; differences: infinite and NaN options are refused
/// # Source     Polyak & Juditsky 1992, <https://doi.org/10.1137/0330046>; with this schedule Bottou 2010,
/// <https://leon.bottou.org/papers/bottou-2010>
/// # Example
/// ```
/// use gradus_autodiff::Parameter;
/// use gradus_optim::{Asgd, AsgdOptions, Optimizer};
/// let p = Parameter::new([1.0]);
/// let options = AsgdOptions { lr: 0.1, lambd: 0.0, t0: 0.0, ..Default::default() };
/// let mut opt = Asgd::from_parameters([p.clone()], options)?;
/// for _ in 0..3 {
///     p.set_grad(Some([1.0].into()));
///     opt.step()?; // 0.9, 0.8, 0.7
/// }
/// let state = opt.parameter_state("0").unwrap();
/// assert!((state.array("ax").unwrap().item() - 0.75).abs() < 1e-7); // mean of 0.8 and 0.7
/// # Ok::<(), gradus_optim::OptimError>(())
/// ```
pub type Asgd = Optim<AsgdOptions>;

/// The options of [`Asgd`]; the defaults are PyTorch's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AsgdOptions {
    /// Learning rate.
    pub lr: f64,
    /// Pulls every parameter to 0, and lets the rate fall.
    pub lambd: f64,
    /// The power the rate falls with.
    pub alpha: f64,
    /// The step at which averaging begins.
    pub t0: f64,
    /// `λ`: pulls every parameter to 0, through the gradient.
    pub weight_decay: f64,
    /// Climb instead of descend.
    pub maximize: bool,
}

impl Default for AsgdOptions {
    fn default() -> Self {
        AsgdOptions {
            lr: 1e-2,
            lambd: 1e-4,
            alpha: 0.75,
            t0: 1e6,
            weight_decay: 0.0,
            maximize: false,
        }
    }
}

/// The constants of one step.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct AsgdStep {
    sign: f64,
    weight_decay: f64,
    /// `1 − lambd·η`
    shrink: f64,
    eta: f64,
    mu: f64,
}

impl Update for AsgdStep {
    type State<R: Real> = [R; 1];
    #[inline(always)]
    fn f<R: Real>(self, x: R, g: R, [ax]: &mut [R; 1]) -> R {
        let g = R::of(self.sign) * g;
        let g = R::select(self.weight_decay != 0.0, R::of(self.weight_decay).mul_add(x, g), g);
        let x = R::of(-self.eta).mul_add(g, x * R::of(self.shrink));
        *ax = R::select(self.mu == 1.0, x, *ax + R::of(self.mu) * (x - *ax));
        x
    }
}

impl Rule for AsgdOptions {
    const NAME: &'static str = "ASGD";
    const SLOTS: &'static [&'static str] = &["ax"];
    const SCALARS: &'static [&'static str] = &["eta", "mu"];

    fn check(&self) -> Result<(), OptimError> {
        let check = |option, value, ok, allowed| in_range("ASGD", option, value, ok, allowed);
        check("lr", self.lr, self.lr >= 0.0, "lr ≥ 0")?;
        check("lambd", self.lambd, self.lambd >= 0.0, "lambd ≥ 0")?;
        check("alpha", self.alpha, self.alpha >= 0.0, "alpha ≥ 0")?;
        check("t0", self.t0, true, "finite")?;
        check("weight_decay", self.weight_decay, self.weight_decay >= 0.0, "weight_decay ≥ 0")
    }
    fn lr(&self) -> f64 {
        self.lr
    }
    fn set_lr(&mut self, lr: f64) {
        self.lr = lr;
    }
    fn initial_scalar(&self, i: usize) -> f64 {
        [self.lr, 1.0][i]
    }
    fn advance(jobs: Jobs<'_, Self>) {
        jobs.by_element();
    }
}

impl ElementRule for AsgdOptions {
    type Step = AsgdStep;

    fn step(&self, at: Progress<'_>) -> AsgdStep {
        let t = at.t as f64;
        let next = [
            self.lr / (1.0 + self.lambd * self.lr * t).powf(self.alpha),
            1.0 / (t - self.t0).max(1.0),
        ];
        let [eta, mu] = [at.scalars[0], at.scalars[1]];
        at.scalars.copy_from_slice(&next);
        AsgdStep {
            sign: if self.maximize { -1.0 } else { 1.0 },
            weight_decay: self.weight_decay,
            shrink: 1.0 - self.lambd * eta,
            eta,
            mu,
        }
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<AsgdOptions> {
    let plain = AsgdOptions { lr: 0.05, ..Default::default() };
    vec![
        AsgdOptions { lambd: 0.05, alpha: 0.5, t0: 2.0, ..plain.clone() },
        AsgdOptions { weight_decay: 0.1, maximize: true, t0: 0.0, ..plain.clone() },
        plain,
    ]
}
