//! Adafactor: a mean of squares kept as one row and one column, and steps relative to the parameter.

use crate::arithmetic::{Product, Times, sum, toward};
use crate::clip::norm_of_array;
use crate::error::in_range;
use crate::in_place::change;
use crate::{Jobs, Optim, OptimError, Progress, Rule, TensorRule, TensorStep, fused};
use gradus_tensor::kernels::element::Zip;
use gradus_tensor::kernels::real::Real;
use gradus_tensor::kernels::update::Update;
use gradus_tensor::{Array, DType, Shape};
use serde::{Deserialize, Serialize};

/// Adafactor: as Adam without a first moment, with the second one in `rows + columns` numbers.
///
/// ```text
/// g ← −g                          if maximize
/// w = t^β                         β = beta2_decay
/// ρ = min(lr, 1/√t)
/// α = max(ε₂, rms(θ))·ρ
/// θ ← θ·(1 − lr·λ)                λ = weight_decay
/// r ← r + w·(mean of g² along a row − r)
/// c ← c + w·(mean of g² along a column − c)
/// v = r·c/max(mean(r), ε₁)        with fewer than two axes:  v ← v + w·(g² − v)
/// u = g/√max(v, ε₁²)
/// θ ← θ − α/max(1, rms(u)/d)·u
/// ```
/// Rows and columns are the last two axes; further ones are a batch.
///
/// # Units      `lr`: the length of a step relative to the parameter
/// # Numerics   norms in f64; without ε₁ it is the machine epsilon of the type the step is computed in
/// # Errors     `lr`, `eps`, `weight_decay` < 0; `beta2_decay` > 0; `d` < 1
/// # PyTorch    `torch.optim.Adafactor`; differences: infinite and NaN options are refused
/// # Source     Shazeer & Stern 2018, Algorithms 4 and 5, <https://arxiv.org/abs/1804.04235>
/// # Example
/// ```
/// use gradus_autodiff::Parameter;
/// use gradus_optim::{Adafactor, AdafactorOptions, Optimizer};
/// let p = Parameter::new([[2.0, 2.0], [2.0, 2.0]]);
/// let mut opt = Adafactor::from_parameters([p.clone()], AdafactorOptions::default())?;
/// p.set_grad(Some([[1.0, 1.0], [-1.0, 1.0]].into()));
/// opt.step()?; // every element moves by lr·rms(θ)
/// assert_eq!(p.to_vec::<f64>(), [1.98, 1.98, 2.02, 1.98]);
/// # Ok::<(), gradus_optim::OptimError>(())
/// ```
pub type Adafactor = Optim<AdafactorOptions>;

/// The options of [`Adafactor`]; the defaults are PyTorch's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AdafactorOptions {
    /// Learning rate, an upper bound of the relative length of a step.
    pub lr: f64,
    /// `β`: the mean of squares takes the share `t^β` of the newest.
    pub beta2_decay: f64,
    /// `ε₁`: keeps the mean of squares off 0; `ε₂`: the least scale of a parameter.
    pub eps: (Option<f64>, f64),
    /// `d`: steps whose root mean square is larger are shortened.
    pub d: f64,
    /// `λ`: pulls every parameter to 0, not through the gradient.
    pub weight_decay: f64,
    /// Climb instead of descend.
    pub maximize: bool,
}

impl Default for AdafactorOptions {
    fn default() -> Self {
        AdafactorOptions {
            lr: 1e-2,
            beta2_decay: -0.8,
            eps: (None, 1e-3),
            d: 1.0,
            weight_decay: 0.0,
            maximize: false,
        }
    }
}

impl Rule for AdafactorOptions {
    const NAME: &'static str = "Adafactor";
    const SLOTS: &'static [&'static str] = &["row_var", "col_var", "variance"];

    fn check(&self) -> Result<(), OptimError> {
        let check = |option, value, ok, allowed| in_range("Adafactor", option, value, ok, allowed);
        let (eps1, eps2) = (self.eps.0.unwrap_or(0.0), self.eps.1);
        check("lr", self.lr, self.lr >= 0.0, "lr ≥ 0")?;
        check("beta2_decay", self.beta2_decay, self.beta2_decay <= 0.0, "beta2_decay ≤ 0")?;
        check("eps.0", eps1, eps1 >= 0.0, "eps.0 ≥ 0")?;
        check("eps.1", eps2, eps2 >= 0.0, "eps.1 ≥ 0")?;
        check("d", self.d, self.d >= 1.0, "d ≥ 1")?;
        check("weight_decay", self.weight_decay, self.weight_decay >= 0.0, "weight_decay ≥ 0")
    }
    fn lr(&self) -> f64 {
        self.lr
    }
    fn set_lr(&mut self, lr: f64) {
        self.lr = lr;
    }
    fn shape(&self, slot: usize, of: &Shape) -> Option<Shape> {
        match (slot, of.rank()) {
            (2, 0 | 1) => Some(of.clone()),
            (_, 0 | 1) | (2, _) => None,
            (slot, rank) => Some(of.with(rank - 1 - slot, 1)),
        }
    }
    fn advance(jobs: Jobs<'_, Self>) {
        jobs.by_tensor();
    }
}

impl TensorRule for AdafactorOptions {
    fn step(&self, at: Progress<'_>, TensorStep { mut x, grad, state, .. }: TensorStep<'_>) {
        let t = at.t as f64;
        let eps1 = self.eps.0.unwrap_or(epsilon(x.dtype()));
        let mut grad = if self.maximize { grad.map(Times(-1.0)) } else { grad };
        let scale = self.eps.1.max(rms(&x)) * self.lr.min(1.0 / t.sqrt());
        if self.weight_decay != 0.0 {
            x.update(|x| x.map(Times(1.0 - self.lr * self.weight_decay)));
        }
        let squares = grad.clone().zip(grad.clone(), Product);
        let mut by = mean_squares(state, squares, t.powf(self.beta2_decay), eps1);
        fused::pass(&RootUnder(eps1 * eps1), &mut by, &mut grad, fused::StateArrays::default());
        let length = scale / (rms(&by) / self.d).max(1.0);
        x.update(|x| sum(1.0, x, -length, by));
    }
}

/// Takes `squares` into the state with this weight; what it estimates now.
fn mean_squares(state: &mut [Option<Array>], squares: Array, weight: f64, eps1: f64) -> Array {
    let mut keep = |slot: usize, new: Array| {
        let kept = state[slot].as_mut().expect("made before the step");
        change(kept, |old| toward(old, new, weight));
        kept.copy()
    };
    let rank = squares.rank();
    if rank < 2 {
        return keep(2, squares);
    }
    let row = keep(0, mean(&squares, rank - 1));
    let column = keep(1, mean(&squares, rank - 2));
    let total = mean(&row, rank - 2);
    row.matmul(&column).zip(total, OverAtLeast(eps1))
}

fn mean(x: &Array, axis: usize) -> Array {
    x.sum_axes(&[axis]).map(Times(1.0 / x.shape()[axis] as f64))
}

/// The root of the mean square; 0 of nothing.
fn rms(x: &Array) -> f64 {
    norm_of_array(x.clone(), 2.0) / (x.numel().max(1) as f64).sqrt()
}

fn epsilon(dtype: DType) -> f64 {
    if dtype == DType::F64 { f64::EPSILON } else { f32::EPSILON.into() }
}

/// `a/max(b, c)`
#[derive(Clone, Copy)]
struct OverAtLeast(f64);

impl Zip for OverAtLeast {
    #[inline(always)]
    fn f<R: Real>(self, a: R, b: R) -> R {
        a / b.maximum(R::of(self.0))
    }
}

/// `g/√max(v, c)` in the place of `v`.
#[derive(Clone, Copy)]
struct RootUnder(f64);

impl Update for RootUnder {
    type State<R: Real> = [R; 0];
    #[inline(always)]
    fn f<R: Real>(self, v: R, g: R, _: &mut [R; 0]) -> R {
        g / v.maximum(R::of(self.0)).sqrt()
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<AdafactorOptions> {
    let plain = AdafactorOptions { lr: 0.05, ..Default::default() };
    vec![
        AdafactorOptions { eps: (Some(1e-3), 0.1), d: 1.5, beta2_decay: -0.5, ..plain.clone() },
        AdafactorOptions { weight_decay: 0.5, maximize: true, ..plain.clone() },
        plain,
    ]
}
