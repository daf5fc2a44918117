//! Rprop: only the sign of the gradient counts, every element has a step size of its own.

use crate::error::in_range;
use crate::{ElementRule, Jobs, Optim, OptimError, Progress, Rule};
use gradus_tensor::kernels::{real::Real, update::Update};
use serde::{Deserialize, Serialize};

/// Resilient backpropagation, for gradients of a whole data set.
///
/// ```text
/// g ← −g                      if maximize
/// s ← s·η⁺  if g·p > 0,   s·η⁻  if g·p < 0,   else s        s starts at lr
/// s ← clamp(s, step_sizes)
/// g ← 0                       where g·p < 0
/// θ ← θ − sign(g)·s
/// p ← g
/// ```
/// Where the gradient turns round, the element waits for one step. `lr` is read when a parameter gets
/// its first gradient, and not again, as in PyTorch.
///
/// # Units      `lr`, `step_sizes`: how far an element moves in one step
/// # Errors     `lr` < 0; not `0 < etas.0 < 1 < etas.1`
/// # PyTorch    `torch.optim.Rprop`; differences: infinite and NaN options are refused
/// # Source     Riedmiller & Braun 1993, <https://doi.org/10.1109/ICNN.1993.298623>; this variant: iRprop⁻,
/// Igel & Hüsken 2000
/// # Example
/// ```
/// use gradus_autodiff::Parameter;
/// use gradus_optim::{Optimizer, Rprop, RpropOptions};
/// let p = Parameter::new([1.0]);
/// let mut opt = Rprop::from_parameters([p.clone()], RpropOptions { lr: 0.1, ..Default::default() })?;
/// for g in [3.0, 1e-4, -2.0, -7.0] {
///     p.set_grad(Some([g].into()));
///     opt.step()?; // −0.1, −0.12, 0, +0.06
/// }
/// assert!((p.item() - 0.84).abs() < 1e-15);
/// # Ok::<(), gradus_optim::OptimError>(())
/// ```
pub type Rprop = Optim<RpropOptions>;

/// The options of [`Rprop`]; the defaults are PyTorch's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RpropOptions {
    /// The first step size.
    pub lr: f64,
    /// `η⁻`, `η⁺`: what a step size is multiplied by when the sign changes, and when it stays.
    pub etas: (f64, f64),
    /// The smallest and the largest step size.
    pub step_sizes: (f64, f64),
    /// Climb instead of descend.
    pub maximize: bool,
}

impl Default for RpropOptions {
    fn default() -> Self {
        RpropOptions { lr: 1e-2, etas: (0.5, 1.2), step_sizes: (1e-6, 50.0), maximize: false }
    }
}

/// The constants of one step.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct RpropStep {
    sign: f64,
    etas: (f64, f64),
    step_sizes: (f64, f64),
}

impl Update for RpropStep {
    type State<R: Real> = [R; 2];
    #[inline(always)]
    fn f<R: Real>(self, x: R, g: R, [p, s]: &mut [R; 2]) -> R {
        let (zero, one) = (R::of(0.0), R::of(1.0));
        let g = R::of(self.sign) * g;
        let agree = g * *p;
        let (turned, stays) = (agree < zero, agree > zero);
        // A product that is NaN is passed on.
        let neutral = R::select(agree == zero, one, agree);
        let by = R::select(stays, R::of(self.etas.1), neutral);
        let by = R::select(turned, R::of(self.etas.0), by);
        let (least, most) = self.step_sizes;
        *s = (*s * by).maximum(R::of(least)).minimum(R::of(most));
        *p = R::select(turned, zero, g);
        let sign = R::select(*p > zero, one, R::select(*p < zero, -one, *p));
        (-sign).mul_add(*s, x)
    }
}

impl Rule for RpropOptions {
    const NAME: &'static str = "Rprop";
    const SLOTS: &'static [&'static str] = &["prev", "step_size"];

    fn check(&self) -> Result<(), OptimError> {
        let check = |option, value, ok, allowed| in_range("Rprop", option, value, ok, allowed);
        let (less, more) = self.etas;
        check("lr", self.lr, self.lr >= 0.0, "lr ≥ 0")?;
        check("etas.0", less, 0.0 < less && less < 1.0, "0 < etas.0 < 1")?;
        check("etas.1", more, more > 1.0, "etas.1 > 1")?;
        check("step_sizes.0", self.step_sizes.0, true, "finite")?;
        check("step_sizes.1", self.step_sizes.1, true, "finite")
    }
    fn lr(&self) -> f64 {
        self.lr
    }
    fn set_lr(&mut self, lr: f64) {
        self.lr = lr;
    }
    fn initial(&self, slot: usize) -> f64 {
        [0.0, self.lr][slot]
    }
    fn advance(jobs: Jobs<'_, Self>) {
        jobs.by_element();
    }
}

impl ElementRule for RpropOptions {
    type Step = RpropStep;

    fn step(&self, _at: Progress<'_>) -> RpropStep {
        RpropStep {
            sign: if self.maximize { -1.0 } else { 1.0 },
            etas: self.etas,
            step_sizes: self.step_sizes,
        }
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<RpropOptions> {
    let plain = RpropOptions { lr: 0.01, ..Default::default() };
    vec![
        RpropOptions { etas: (0.3, 1.5), step_sizes: (1e-3, 0.05), ..plain.clone() },
        RpropOptions { maximize: true, ..plain.clone() },
        plain,
    ]
}
