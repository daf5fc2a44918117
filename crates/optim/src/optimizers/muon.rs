//! Muon: the momentum's nearest orthogonal matrix in the place of the momentum.

use crate::arithmetic::{Times, sum, toward};
use crate::clip::norm_of_array;
use crate::error::in_range;
use crate::in_place::change;
use crate::{Jobs, Optim, OptimError, Progress, Rule, TensorRule, TensorStep};
use gradus_tensor::{Array, Meta};
use serde::{Deserialize, Serialize};

/// Muon ("momentum, orthogonalised by Newton–Schulz"), for the weight matrices of hidden layers.
///
/// ```text
/// b ← b + (1 − μ)·(g − b)                     μ = momentum
/// u = g + μ·(b − g)  if nesterov, else b
/// X = u/max(‖u‖, ε)                           its transpose if it has more rows than columns
/// X ← a·X + (b·A + c·A²)·X,  A = X·Xᵀ          ns_steps times; (a, b, c) = ns_coefficients
/// θ ← θ·(1 − lr·λ)                            λ = weight_decay
/// θ ← θ − lr·s·X                              s: see [`AdjustLr`]
/// ```
/// All singular values of `u` come near 1, so that no direction of a matrix waits behind another. With the
/// default coefficients they end between about 0.7 and 1.2, which is enough. Biases, gains and embeddings go to
/// another optimizer.
///
/// # Shape      parameters with two axes
/// # Units      `lr` per step
/// # Numerics   in the type of the parameter, in f32 for half types; PyTorch iterates in bf16
/// # Errors     `lr`, `momentum`, `weight_decay` < 0; `ns_steps` ≥ 100; a parameter without two axes
/// # PyTorch    `torch.optim.Muon`; differences: precision; infinite and NaN options are refused
/// # Source     Jordan et al. 2024, <https://kellerjordan.github.io/posts/muon/>
/// # Example
/// ```
/// use gradus_autodiff::Parameter;
/// use gradus_optim::{Muon, MuonOptions, Optimizer};
/// let p = Parameter::new([[0.0, 0.0], [0.0, 0.0]]);
/// // Coefficients under which the iteration converges: 1.5·x − 0.5·x³.
/// let options = MuonOptions {
///     lr: 1.0,
///     ns_coefficients: (1.5, -0.5, 0.0),
///     ns_steps: 50,
///     ..Default::default()
/// };
/// let mut opt = Muon::from_parameters([p.clone()], options)?;
/// p.set_grad(Some([[3.0, 0.0], [0.0, -0.01]].into()));
/// opt.step()?; // both directions count alike
/// let after = p.to_vec::<f64>();
/// assert!([-1.0, 0.0, 0.0, 1.0].iter().zip(after).all(|(want, got)| (want - got).abs() < 1e-9));
/// # Ok::<(), gradus_optim::OptimError>(())
/// ```
pub type Muon = Optim<MuonOptions>;

/// The options of [`Muon`]; the defaults are PyTorch's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MuonOptions {
    /// Learning rate.
    pub lr: f64,
    /// `λ`: pulls every parameter to 0, not through the gradient.
    pub weight_decay: f64,
    /// `μ`: how much of the mean of gradients is left after a step.
    pub momentum: f64,
    /// Look ahead by one step of the mean.
    pub nesterov: bool,
    /// The polynomial of the iteration.
    pub ns_coefficients: (f64, f64, f64),
    /// `ε`: keeps the norm off 0.
    pub eps: f64,
    /// How often the polynomial is applied.
    pub ns_steps: u32,
    /// How the rate depends on the shape; `None` is [`AdjustLr::Original`].
    pub adjust_lr_fn: Option<AdjustLr>,
}

/// The factor `s` of a matrix with `A` rows and `B` columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AdjustLr {
    /// `√max(1, A/B)`
    Original,
    /// `0.2·√max(A, B)`: steps as long as AdamW's, so that its `lr` fits (Liu et al. 2025,
    /// <https://arxiv.org/abs/2502.16982>).
    MatchRmsAdamw,
    /// `√(A/B)` (Bernstein 2025, <https://jeremybernste.in/writing/deriving-muon>).
    SpectralUnclamped,
}

impl Default for MuonOptions {
    fn default() -> Self {
        MuonOptions {
            lr: 1e-3,
            weight_decay: 0.1,
            momentum: 0.95,
            nesterov: true,
            ns_coefficients: (3.4445, -4.7750, 2.0315),
            eps: 1e-7,
            ns_steps: 5,
            adjust_lr_fn: None,
        }
    }
}

impl Rule for MuonOptions {
    const NAME: &'static str = "Muon";
    const SLOTS: &'static [&'static str] = &["momentum_buffer"];
    const HAS_STEP: bool = false;

    fn check(&self) -> Result<(), OptimError> {
        let check = |option, value, ok, allowed| in_range("Muon", option, value, ok, allowed);
        let (a, b, c) = self.ns_coefficients;
        check("lr", self.lr, self.lr >= 0.0, "lr ≥ 0")?;
        check("momentum", self.momentum, self.momentum >= 0.0, "momentum ≥ 0")?;
        check("weight_decay", self.weight_decay, self.weight_decay >= 0.0, "weight_decay ≥ 0")?;
        check("ns_steps", self.ns_steps.into(), self.ns_steps < 100, "ns_steps < 100")?;
        check("eps", self.eps, true, "finite")?;
        [a, b, c].into_iter().try_for_each(|v| check("ns_coefficients", v, true, "finite"))
    }
    fn accepts(&self, parameter: &Meta) -> Result<(), &'static str> {
        if parameter.shape.rank() == 2 { Ok(()) } else { Err("it must have two axes") }
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
    fn advance(jobs: Jobs<'_, Self>) {
        jobs.by_tensor();
    }
}

impl TensorRule for MuonOptions {
    fn step(&self, _at: Progress<'_>, TensorStep { mut x, grad, state, .. }: TensorStep<'_>) {
        if x.numel() == 0 {
            return;
        }
        let mean = state[0].as_mut().expect("made before the step");
        change(mean, |mean| toward(mean, grad.clone(), 1.0 - self.momentum));
        let ahead = match self.nesterov {
            true => toward(grad.copy(), mean.clone(), self.momentum),
            false => mean.clone(),
        };
        let to = self.orthogonal(ahead);
        let (shrink, lr) = (1.0 - self.lr * self.weight_decay, self.adjusted_lr(&x));
        x.update(|x| sum(shrink, x, -lr, to));
    }
}

impl MuonOptions {
    fn adjusted_lr(&self, x: &Array) -> f64 {
        let (a, b) = (x.shape()[0] as f64, x.shape()[1] as f64);
        self.lr
            * match self.adjust_lr_fn.unwrap_or(AdjustLr::Original) {
                AdjustLr::Original => (a / b).max(1.0).sqrt(),
                AdjustLr::MatchRmsAdamw => 0.2 * a.max(b).sqrt(),
                AdjustLr::SpectralUnclamped => (a / b).sqrt(),
            }
    }
    /// A matrix with the singular vectors of `u`, and singular values near 1.
    fn orthogonal(&self, u: Array) -> Array {
        let tall = u.shape()[0] > u.shape()[1];
        let norm = norm_of_array(u.clone(), 2.0).max(self.eps);
        let mut x = if tall { u.transpose(0, 1).contiguous() } else { u };
        let (a, b, c) = self.ns_coefficients;
        x = x.map(Times(1.0 / norm));
        for _ in 0..self.ns_steps {
            let gram = x.matmul(&x.transpose(0, 1));
            let square = gram.matmul(&gram);
            let by = sum(c, square, b, gram).matmul(&x);
            x = sum(1.0, by, a, x);
        }
        if tall { x.transpose(0, 1) } else { x }
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<MuonOptions> {
    let plain = MuonOptions { lr: 0.05, ..Default::default() };
    let match_rms = Some(AdjustLr::MatchRmsAdamw);
    vec![
        MuonOptions { nesterov: false, adjust_lr_fn: match_rms, ..plain.clone() },
        MuonOptions {
            ns_steps: 3,
            adjust_lr_fn: Some(AdjustLr::SpectralUnclamped),
            ..plain.clone()
        },
        plain,
    ]
}
