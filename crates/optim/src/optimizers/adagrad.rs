//! Adagrad: every element is divided by the root of the sum of its squares so far.

use crate::error::in_range;
use crate::{ElementRule, Jobs, Optim, OptimError, Progress, Rule};
use gradus_tensor::kernels::{real::Real, update::Update};
use serde::{Deserialize, Serialize};

/// Adagrad: elements that have moved much move less.
///
/// ```text
/// g ← −g                      if maximize
/// g ← g + λ·θ                 λ = weight_decay
/// s ← s + g²                  s starts at initial_accumulator_value
/// θ ← θ − lr/(1 + (t − 1)·lr_decay) · g / (√s + ε)
/// ```
/// `s` never shrinks, so steps become smaller for ever. It exists from the start, before the first
/// gradient, as in PyTorch.
///
/// # Units      `lr` per step; `lr_decay` in 1 / step
/// # Errors     `lr`, `lr_decay`, `weight_decay`, `initial_accumulator_value`, `eps` < 0
/// # PyTorch    `torch.optim.Adagrad`; differences: infinite and NaN options are refused
/// # Source     Duchi, Hazan & Singer 2011, <https://jmlr.org/papers/v12/duchi11a.html>
/// # Example
/// ```
/// use gradus_autodiff::Parameter;
/// use gradus_optim::{Adagrad, AdagradOptions, Optimizer};
/// let p = Parameter::new([1.0, 1.0]);
/// let options = AdagradOptions { lr: 0.1, ..Default::default() };
/// let mut opt = Adagrad::from_parameters([p.clone()], options)?;
/// for _ in 0..4 {
///     p.set_grad(Some([0.01, -5.0].into()));
///     opt.step()?;
/// }
/// // The same gradient four times: 1 + 1/√2 + 1/√3 + 1/√4 steps of length lr.
/// let moved = 0.1 * (1.0 + 0.5_f64.sqrt() + (1.0_f64 / 3.0).sqrt() + 0.5);
/// let after = p.to_vec::<f64>();
/// assert!((after[0] - (1.0 - moved)).abs() < 1e-7 && (after[1] - (1.0 + moved)).abs() < 1e-7);
/// # Ok::<(), gradus_optim::OptimError>(())
/// ```
pub type Adagrad = Optim<AdagradOptions>;

/// The options of [`Adagrad`]; the defaults are PyTorch's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AdagradOptions {
    /// Learning rate.
    pub lr: f64,
    /// How fast the rate falls besides: it is `lr/(1 + (t − 1)·lr_decay)`.
    pub lr_decay: f64,
    /// `λ`: pulls every parameter to 0, through the gradient.
    pub weight_decay: f64,
    /// What the sum of squares starts at.
    pub initial_accumulator_value: f64,
    /// `ε`: keeps the denominator off 0.
    pub eps: f64,
    /// Climb instead of descend.
    pub maximize: bool,
}

impl Default for AdagradOptions {
    fn default() -> Self {
        AdagradOptions {
            lr: 1e-2,
            lr_decay: 0.0,
            weight_decay: 0.0,
            initial_accumulator_value: 0.0,
            eps: 1e-10,
            maximize: false,
        }
    }
}

/// The constants of one step.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct AdagradStep {
    sign: f64,
    weight_decay: f64,
    eps: f64,
    lr: f64,
}

impl Update for AdagradStep {
    type State<R: Real> = [R; 1];
    #[inline(always)]
    fn f<R: Real>(self, x: R, g: R, [s]: &mut [R; 1]) -> R {
        let g = R::of(self.sign) * g;
        let g = R::select(self.weight_decay != 0.0, R::of(self.weight_decay).mul_add(x, g), g);
        *s = g.mul_add(g, *s);
        x - R::of(self.lr) * g / (s.sqrt() + R::of(self.eps))
    }
}

impl Rule for AdagradOptions {
    const NAME: &'static str = "Adagrad";
    const SLOTS: &'static [&'static str] = &["sum"];
    const EAGER: bool = true;

    fn check(&self) -> Result<(), OptimError> {
        let check =
            |option, value, allowed| in_range("Adagrad", option, value, value >= 0.0, allowed);
        check("lr", self.lr, "lr ≥ 0")?;
        check("lr_decay", self.lr_decay, "lr_decay ≥ 0")?;
        check("weight_decay", self.weight_decay, "weight_decay ≥ 0")?;
        let start = self.initial_accumulator_value;
        check("initial_accumulator_value", start, "initial_accumulator_value ≥ 0")?;
        check("eps", self.eps, "eps ≥ 0")
    }
    fn lr(&self) -> f64 {
        self.lr
    }
    fn set_lr(&mut self, lr: f64) {
        self.lr = lr;
    }
    fn initial(&self, _slot: usize) -> f64 {
        self.initial_accumulator_value
    }
    fn advance(jobs: Jobs<'_, Self>) {
        jobs.by_element();
    }
}

impl ElementRule for AdagradOptions {
    type Step = AdagradStep;

    fn step(&self, at: Progress<'_>) -> AdagradStep {
        AdagradStep {
            sign: if self.maximize { -1.0 } else { 1.0 },
            weight_decay: self.weight_decay,
            eps: self.eps,
            lr: self.lr / (1.0 + (at.t - 1) as f64 * self.lr_decay),
        }
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<AdagradOptions> {
    let plain = AdagradOptions { lr: 0.1, ..Default::default() };
    vec![
        AdagradOptions { lr_decay: 0.1, initial_accumulator_value: 0.5, ..plain.clone() },
        AdagradOptions { weight_decay: 0.1, eps: 0.01, maximize: true, ..plain.clone() },
        plain,
    ]
}
