//! LAMB: Adam's direction, with a length in proportion to the parameter.

use crate::arithmetic::sum;
use crate::clip::norm_of_array;
use crate::error::adam_in_range;
use crate::{Jobs, Optim, OptimError, Progress, Rule, TensorRule, TensorStep, fused};
use gradus_tensor::kernels::real::Real;
use gradus_tensor::kernels::update::{Update, lerp};
use serde::{Deserialize, Serialize};

/// LAMB ("layer-wise adaptive moments"), for large batches: every tensor moves by the share `lr` of itself.
///
/// ```text
/// g ← −g                      if maximize
/// m ← m + (1 − β₁)·(g − m)
/// v ← β₂·v + (1 − β₂)·g²
/// r = m/(1 − β₁ᵗ) / (√(v/(1 − β₂ᵗ)) + ε) + λ·θ        λ = weight_decay
/// s = ‖θ‖/‖r‖                 1 if either is 0
/// θ ← θ − lr·s·r
/// ```
///
/// # Units      `lr`: the length of a step relative to the tensor
/// # Numerics   norms and bias corrections in f64
/// # Errors     `lr`, `eps`, `weight_decay` < 0; a beta outside `[0, 1)`
/// # PyTorch    has none; the state has the names of Adam's
/// # Source     You et al. 2020, Algorithm 2, <https://arxiv.org/abs/1904.00962>
/// # Example
/// ```
/// use gradus_autodiff::Parameter;
/// use gradus_optim::{Lamb, LambOptions, Optimizer};
/// let p = Parameter::new([3.0, 4.0]);
/// let options = LambOptions { lr: 0.1, eps: 0.0, ..Default::default() };
/// let mut opt = Lamb::from_parameters([p.clone()], options)?;
/// p.set_grad(Some([1e-3, -50.0].into()));
/// opt.step()?; // 0.1·‖(3, 4)‖ = 0.5 in the direction (1, −1)
/// let by = 0.5 / 2f64.sqrt();
/// let after = p.to_vec::<f64>();
/// assert!((after[0] - (3.0 - by)).abs() < 1e-12 && (after[1] - (4.0 + by)).abs() < 1e-12);
/// # Ok::<(), gradus_optim::OptimError>(())
/// ```
pub type Lamb = Optim<LambOptions>;

/// The options of [`Lamb`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LambOptions {
    /// Learning rate.
    pub lr: f64,
    /// `β₁`, `β₂`: how much of the mean of gradients and of squares is left after a step.
    pub betas: (f64, f64),
    /// `ε`: keeps the denominator off 0.
    pub eps: f64,
    /// `λ`: pulls every parameter to 0; it counts in the length of `r`.
    pub weight_decay: f64,
    /// Climb instead of descend.
    pub maximize: bool,
}

impl Default for LambOptions {
    fn default() -> Self {
        LambOptions { lr: 1e-3, betas: (0.9, 0.999), eps: 1e-6, weight_decay: 0.0, maximize: false }
    }
}

/// From a parameter to the direction of its step.
#[derive(Clone, Copy)]
struct Direction {
    sign: f64,
    betas: (f64, f64),
    /// `√(1 − β₂ᵗ)/(1 − β₁ᵗ)`: fraction and denominator times the root.
    scale: f64,
    /// `ε·√(1 − β₂ᵗ)`
    eps: f64,
    weight_decay: f64,
}

impl Update for Direction {
    type State<R: Real> = [R; 2];
    #[inline(always)]
    fn f<R: Real>(self, x: R, g: R, [m, v]: &mut [R; 2]) -> R {
        let (b1, b2) = self.betas;
        let g = R::of(self.sign) * g;
        *m = lerp(*m, g, 1.0 - b1);
        *v = (R::of(1.0 - b2) * g).mul_add(g, *v * R::of(b2));
        let by = R::of(self.scale) * *m / (v.sqrt() + R::of(self.eps));
        R::of(self.weight_decay).mul_add(x, by)
    }
}

impl Rule for LambOptions {
    const NAME: &'static str = "Lamb";
    const SLOTS: &'static [&'static str] = &["exp_avg", "exp_avg_sq"];

    fn check(&self) -> Result<(), OptimError> {
        adam_in_range("Lamb", (self.lr, self.eps), self.betas, self.weight_decay)
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
        jobs.by_tensor();
    }
}

impl TensorRule for LambOptions {
    fn step(&self, at: Progress<'_>, TensorStep { mut x, mut grad, state, .. }: TensorStep<'_>) {
        let (b1, b2) = self.betas;
        let t = at.t as f64;
        let root = (1.0 - b2.powf(t)).sqrt();
        let direction = Direction {
            sign: if self.maximize { -1.0 } else { 1.0 },
            betas: self.betas,
            scale: root / (1.0 - b1.powf(t)),
            eps: self.eps * root,
            weight_decay: self.weight_decay,
        };
        let mut by = x.copy();
        let [m, v] = state else { unreachable!("there are two") };
        fused::pass(&direction, &mut by, &mut grad, [m.as_mut(), v.as_mut(), None]);
        let norms = (norm_of_array(x.clone(), 2.0), norm_of_array(by.clone(), 2.0));
        let trust = if norms.0 > 0.0 && norms.1 > 0.0 { norms.0 / norms.1 } else { 1.0 };
        x.update(|x| sum(1.0, x, -self.lr * trust, by));
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<LambOptions> {
    let plain = LambOptions { lr: 0.05, ..Default::default() };
    vec![
        LambOptions { weight_decay: 0.5, maximize: true, ..plain.clone() },
        LambOptions { betas: (0.3, 0.5), eps: 0.01, ..plain.clone() },
        plain,
    ]
}
