//! Schedule-free AdamW: an average of the path in the place of a falling learning rate.

use crate::arithmetic::toward;
use crate::error::in_range;
use crate::group::Member;
use crate::{ElementRule, Jobs, Optim, OptimError, Progress, Rule};
use gradus_autodiff::Parameter;
use gradus_tensor::Array;
use gradus_tensor::kernels::real::Real;
use gradus_tensor::kernels::update::{Update, lerp};
use serde::{Deserialize, Serialize};

/// AdamW without a schedule: gradients are taken at `y`, between the fast iterate `z` and its average `x`.
///
/// ```text
/// γ = lr·min(1, t/warmup_steps)
/// w = tʳ·(largest γ so far)^p                 p = weight_lr_power
/// c = w/(sum of all w)
/// v ← β₂·v + (1 − β₂)·g²
/// ĝ = g/(√(v/(1 − β₂ᵗ)) + ε) + λ·y            λ = weight_decay
/// y ← y + c·(z − y) − γ·(1 − β₁·(1 − c))·ĝ
/// z ← z − γ·ĝ                                 z starts at y
/// x = y + (1 − 1/β₁)·(z − y)                  what is evaluated and saved
/// ```
/// The parameters hold `y`, which is for training only. [`AdamWScheduleFree::averaged`] puts `x` there for
/// evaluation. Batch-norm statistics belong to `x`: update them there before the evaluation.
///
/// # Units      `lr` per step, one to ten times AdamW's; `warmup_steps` in steps
/// # Errors     `lr`, `eps`, `weight_decay` < 0; `betas.0` outside `(0, 1)`, `betas.1` outside `[0, 1)`
/// # PyTorch    has none; the state has the names of the authors' `AdamWScheduleFree`
/// # Source     Defazio et al. 2024, Algorithm 1, <https://arxiv.org/abs/2405.15682>
/// # Example
/// ```
/// use gradus_autodiff::Parameter;
/// use gradus_optim::{AdamWScheduleFree, AdamWScheduleFreeOptions, Optimizer};
/// let p = Parameter::new([1.0]);
/// let options = AdamWScheduleFreeOptions { lr: 0.1, ..Default::default() };
/// let mut opt = AdamWScheduleFree::from_parameters([p.clone()], options)?;
/// for _ in 0..200 {
///     opt.step_with(&mut || (p.tensor() * p.tensor()).sum())?;
/// }
/// let trained = p.item();
/// {
///     let _averaged = opt.averaged(); // opt cannot step while this lives
///     assert!(p.item().abs() < 0.02 && p.item() != trained);
/// }
/// assert_eq!(p.item(), trained);
/// # Ok::<(), gradus_optim::OptimError>(())
/// ```
pub type AdamWScheduleFree = Optim<AdamWScheduleFreeOptions>;

/// The options of [`AdamWScheduleFree`]; the defaults are the authors'.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AdamWScheduleFreeOptions {
    /// Learning rate.
    pub lr: f64,
    /// `β₁`: where between `z` and `x` gradients are taken; `β₂`: how much of the mean of squares is left
    /// after a step.
    pub betas: (f64, f64),
    /// `ε`: keeps the denominator off 0.
    pub eps: f64,
    /// `λ`: pulls every parameter to 0.
    pub weight_decay: f64,
    /// Steps until the rate is `lr`.
    pub warmup_steps: u64,
    /// Late steps count more in the average: the power of `t` in their weights.
    pub r: f64,
    /// Steps of a large rate count more: the power of the rate in their weights.
    pub weight_lr_power: f64,
    /// Climb instead of descend.
    pub maximize: bool,
}

impl Default for AdamWScheduleFreeOptions {
    fn default() -> Self {
        AdamWScheduleFreeOptions {
            lr: 2.5e-3,
            betas: (0.9, 0.999),
            eps: 1e-8,
            weight_decay: 0.0,
            warmup_steps: 0,
            r: 0.0,
            weight_lr_power: 2.0,
            maximize: false,
        }
    }
}

/// The constants of one step.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct AdamWScheduleFreeStep {
    fresh: bool,
    sign: f64,
    weight_decay: f64,
    beta2: f64,
    /// `√(1 − β₂ᵗ)`: fraction and denominator times it.
    root: f64,
    /// `ε·√(1 − β₂ᵗ)`
    eps: f64,
    /// `c`
    share: f64,
    /// `γ·(1 − β₁·(1 − c))`
    step_of_y: f64,
    /// `γ`
    step_of_z: f64,
}

impl Update for AdamWScheduleFreeStep {
    type State<R: Real> = [R; 2];
    #[inline(always)]
    fn f<R: Real>(self, y: R, g: R, [z, v]: &mut [R; 2]) -> R {
        let g = R::of(self.sign) * g;
        let old = R::select(self.fresh, y, *z);
        *v = (R::of(1.0 - self.beta2) * g).mul_add(g, *v * R::of(self.beta2));
        let by = R::of(self.root) * g / (v.sqrt() + R::of(self.eps));
        let by = R::of(self.weight_decay).mul_add(y, by);
        *z = R::of(-self.step_of_z).mul_add(by, old);
        R::of(-self.step_of_y).mul_add(by, lerp(y, old, self.share))
    }
}

impl Rule for AdamWScheduleFreeOptions {
    const NAME: &'static str = "AdamWScheduleFree";
    const SLOTS: &'static [&'static str] = &["z", "exp_avg_sq"];
    const SCALARS: &'static [&'static str] = &["weight_sum", "lr_max"];

    fn check(&self) -> Result<(), OptimError> {
        let check = |option, value, ok, allowed| in_range(Self::NAME, option, value, ok, allowed);
        let (b1, b2) = self.betas;
        check("lr", self.lr, self.lr >= 0.0, "lr ≥ 0")?;
        check("eps", self.eps, self.eps >= 0.0, "eps ≥ 0")?;
        check("betas.0", b1, 0.0 < b1 && b1 < 1.0, "0 < betas.0 < 1")?;
        check("betas.1", b2, (0.0..1.0).contains(&b2), "0 ≤ betas.1 < 1")?;
        check("weight_decay", self.weight_decay, self.weight_decay >= 0.0, "weight_decay ≥ 0")?;
        check("r", self.r, true, "finite")?;
        check("weight_lr_power", self.weight_lr_power, true, "finite")
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

impl ElementRule for AdamWScheduleFreeOptions {
    type Step = AdamWScheduleFreeStep;

    fn step(&self, at: Progress<'_>) -> AdamWScheduleFreeStep {
        let ((b1, b2), t) = (self.betas, at.t as f64);
        let [weight_sum, lr_max] = at.scalars else { unreachable!("there are two") };
        let warm = if at.t < self.warmup_steps { t / self.warmup_steps as f64 } else { 1.0 };
        let lr = self.lr * warm;
        *lr_max = lr_max.max(lr);
        let weight = t.powf(self.r) * lr_max.powf(self.weight_lr_power);
        *weight_sum += weight;
        let share = if *weight_sum == 0.0 { 0.0 } else { weight / *weight_sum };
        let root = (1.0 - b2.powf(t)).sqrt();
        AdamWScheduleFreeStep {
            fresh: at.fresh,
            sign: if self.maximize { -1.0 } else { 1.0 },
            weight_decay: self.weight_decay,
            beta2: b2,
            root,
            eps: self.eps * root,
            share,
            step_of_y: lr * (1.0 - b1 * (1.0 - share)),
            step_of_z: lr,
        }
    }
}

impl Optim<AdamWScheduleFreeOptions> {
    /// Puts the average `x` into the parameters, until what is returned is dropped: the loss of the model is
    /// to be measured there, and its weights are to be saved there.
    pub fn averaged(&mut self) -> Averaged<'_> {
        let mut training = Vec::new();
        for group in &self.groups {
            let weight = 1.0 - 1.0 / group.options.betas.0;
            for Member { parameter, state, .. } in &group.members {
                let Some(state) = state else { continue };
                let Some(z) = &state.slots[0] else { continue };
                let y = parameter.array();
                let wide = state.master.as_ref().unwrap_or(&y).copy().cast(z.dtype());
                let x = toward(wide, z.clone(), weight).cast(y.dtype());
                parameter.update(|value| *value = x);
                training.push((parameter.clone(), y));
            }
        }
        Averaged { _optim: self, training }
    }
}

/// While it lives, the parameters hold their averages: [`AdamWScheduleFree::averaged`]. The optimizer is
/// borrowed, so that no step can be taken from there.
#[must_use]
pub struct Averaged<'a> {
    _optim: &'a mut Optim<AdamWScheduleFreeOptions>,
    training: Vec<(Parameter, Array)>,
}

impl Averaged<'_> {
    /// Leaves the averages in the parameters, for good: training is over.
    pub fn keep(mut self) {
        self.training.clear();
    }
}

impl Drop for Averaged<'_> {
    fn drop(&mut self) {
        for (parameter, y) in self.training.drain(..) {
            parameter.update(|value| *value = y);
        }
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<AdamWScheduleFreeOptions> {
    let plain = AdamWScheduleFreeOptions { lr: 0.01, ..Default::default() };
    vec![
        AdamWScheduleFreeOptions { weight_decay: 0.5, warmup_steps: 3, ..plain.clone() },
        AdamWScheduleFreeOptions { betas: (0.5, 0.9), r: 1.0, maximize: true, ..plain.clone() },
        plain,
    ]
}
