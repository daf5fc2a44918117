//! `−log pₜ` of the target class, from logarithms of probabilities.

use super::prelude::*;
use super::targets::{Classes, Rows, loss_lane};
use crate::Reduction;

/// `[m, C] -> [m]` or `[]`
struct NllLoss {
    classes: Classes,
    reduction: Reduction,
}

impl Op for NllLoss {
    const NAME: &'static str = "nll_loss";
    const AUTOCAST: Autocast = Autocast::F32;
    type In<T> = T;
    type Out<T> = T;

    fn infer(&self, x: &Meta) -> Result<Meta, OpError> {
        let x = super::softmax::floating(x)?;
        Ok(x.with_shape(self.reduction.shape(x.shape[0])))
    }
    fn forward(&self, x: Array, _: &mut Save<'_>) -> Array {
        let Classes { at, coef, total } = &self.classes;
        let picked = x.gather(1, &at.reshape(&[coef.len(), 1].into())).to_vec::<f64>();
        let items = at.elements::<i64>().iter().zip(coef).zip(picked);
        let loss = |((&at, w), x): ((&i64, &f64), f64)| if at < 0 { 0.0 } else { -w * x };
        let losses: Vec<f64> = items.map(loss).collect();
        let losses = Array::from_f64(losses.len(), loss_lane(x.dtype()), &losses);
        self.reduction.of(losses, *total).cast(x.dtype())
    }
    /// `x̄[i, tᵢ] = −ȳ·wᵢ` (over `Σ w` for a mean), 0 elsewhere.
    fn vjp(&self, saved: &Saved<'_>, g: Tensor) -> Tensor {
        let shape = saved.shape(0);
        let at = self.classes.at.reshape(&[shape[0], 1].into());
        let scale = self.classes.scale(self.reduction, loss_lane(saved.dtype(0)));
        let g = -(g * Tensor::new(scale));
        // Where the index is to be ignored, −1 takes a zero to the last class.
        g.unsqueeze(-1).scatter_zeros(1, &Tensor::new(at), shape)
    }
}

/// Options of [`nll_loss_with`].
#[derive(Clone, Debug)]
pub struct NllLossOptions {
    /// One weight for each class.
    pub weight: Option<Tensor>,
    /// Items of this class do not count.
    pub ignore_index: i64,
    /// What becomes of the losses of the items.
    pub reduction: Reduction,
}

impl Default for NllLossOptions {
    fn default() -> Self {
        NllLossOptions { weight: None, ignore_index: -100, reduction: Reduction::Mean }
    }
}

/// The mean of `−log pₜ` over the items; see [`nll_loss_with`].
///
/// # Panics
/// If shapes, dtypes or an index do not fit.
#[track_caller]
pub fn nll_loss(log_probs: &Tensor, target: &Tensor) -> Tensor {
    nll_loss_with(log_probs, target, NllLossOptions::default())
}

/// Negative log-likelihood of class indices.
///
/// ```text
/// lossᵢ = −w[tᵢ]·x[i, tᵢ];   a mean divides by Σ w[tᵢ] over the items that count
/// ```
/// # Shape
/// `log_probs: [N, C]`, `[N, C, d…]` or `[C]`; `target: [N]`, `[N, d…]` or `[]` (int64, uint8)  →  `[]`,
/// or the shape of `target` if nothing is reduced
///
/// # Gradient   to `log_probs` only
/// # Numerics   a mean over nothing is NaN
/// # Panics     if shapes, dtypes or an index do not fit
/// # PyTorch    `torch.nn.functional.nll_loss`
/// # Example
/// ```
/// use gradus_autodiff::{Tensor, nll_loss};
/// let log_probs = Tensor::from([[-0.1, -2.4], [-1.5, -0.3]]);
/// let loss = nll_loss(&log_probs, &Tensor::from([0_i64, 1]));
/// assert_eq!(loss.item(), 0.2);
/// ```
#[track_caller]
pub fn nll_loss_with(log_probs: &Tensor, target: &Tensor, options: NllLossOptions) -> Tensor {
    must(try_nll_loss(log_probs, target, options))
}

/// As [`nll_loss_with`].
///
/// # Errors
/// If shapes, dtypes or an index do not fit.
#[track_caller]
pub fn try_nll_loss(
    log_probs: &Tensor,
    target: &Tensor,
    options: NllLossOptions,
) -> Result<Tensor, OpError> {
    let NllLossOptions { weight, ignore_index, reduction } = options;
    let at = |e: OpError| e.of("nll_loss", vec![log_probs.meta(), target.meta()]);
    let rows = Rows::new(log_probs).map_err(at)?;
    let classes = Classes::new(&rows, target, weight.as_ref(), ignore_index).map_err(at)?;
    let loss = Tensor::try_apply(NllLoss { classes, reduction }, &rows.x)?;
    Ok(if reduction == Reduction::None { loss.reshape_to(&rows.items) } else { loss })
}

#[cfg(test)]
pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new(&[&[4, 3]], |x| nll_loss(&x[0], &Tensor::from([2_i64, 0, -100, 1]))),
        Case::new(&[&[3]], |x| nll_loss(&x[0], &Tensor::from(2_i64)) * &x[0].select(0, 2)),
        Case::new(&[&[4, 3]], |x| {
            let target = Tensor::from([2_i64, 0, 1, 1]);
            nll_loss_with(&x[0].tanh(), &target, weighted(Reduction::Mean))
        }),
        Case::new(&[&[2, 3, 2]], |x| {
            let target = Tensor::from([[2_i64, 0], [1, 2]]);
            nll_loss_with(&x[0].tanh(), &target, weighted(Reduction::None))
        }),
        Case::new(&[&[2, 3, 1, 2]], |x| {
            let target = Tensor::from([[[2_i64, 0]], [[1, 2]]]);
            nll_loss_with(&x[0].tanh(), &target, weighted(Reduction::Sum))
        }),
        Case::new(&[&[0, 3]], |x| {
            let target = Tensor::new(Array::zeros(0, DType::I64));
            nll_loss_with(&x[0], &target, weighted(Reduction::Sum))
        }),
    ]
}

#[cfg(test)]
fn weighted(reduction: Reduction) -> NllLossOptions {
    let weight = Some(Tensor::from([0.5, 2.0, 1.5]));
    NllLossOptions { weight, ignore_index: 1, reduction }
}
