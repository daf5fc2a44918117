//! `(x − y)²`, reduced.

use super::prelude::*;
use crate::Reduction;

#[derive(Clone, Copy)]
struct SquaredError;

impl Zip for SquaredError {
    #[inline(always)]
    fn f<R: Real>(self, x: R, y: R) -> R {
        let d = x - y;
        d * d
    }
}

impl Op for SquaredError {
    const NAME: &'static str = "mse_loss";
    const AUTOCAST: Autocast = Autocast::F32;
    type In<T> = [T; 2];
    type Out<T> = T;

    fn infer(&self, [x, y]: [&Meta; 2]) -> Result<Meta, OpError> {
        super::softmax::floating(x)?;
        broadcast(x, y)
    }
    fn forward(&self, [x, y]: [Array; 2], save: &mut Save<'_>) -> Array {
        save.input(0, &x);
        save.input(1, &y);
        x.zip(y, SquaredError)
    }
    /// `x̄ = 2·ȳ·(x − y)`, `y̅ = −x̄`
    fn vjp(&self, saved: &Saved<'_>, g: Tensor) -> [Option<Tensor>; 2] {
        let d = (saved.input(0) - saved.input(1)) * (g * 2.0);
        match (saved.need(0), saved.need(1)) {
            (true, true) => [Some(d.clone()), Some(-d)],
            (true, false) => [Some(d), None],
            (false, y) => [None, y.then(|| -d)],
        }
    }
}

/// The mean of `(x − y)²`; see [`mse_loss_with`].
///
/// # Panics
/// If the shapes do not broadcast, or the dtypes are not floating point.
#[track_caller]
pub fn mse_loss(x: &Tensor, y: &Tensor) -> Tensor {
    mse_loss_with(x, y, Reduction::Mean)
}

/// Squared error.
///
/// ```text
/// lossᵢ = (xᵢ − yᵢ)²
/// ```
/// # Shape      `x`, `y` broadcast to `[*]`  →  `[]`, or `[*]` if nothing is reduced
/// # Numerics   a mean over nothing is NaN
/// # Panics     if the shapes do not broadcast, or the dtypes are not floating point
/// # PyTorch    `torch.nn.functional.mse_loss`
/// # Example
/// ```
/// use gradus_autodiff::{Tensor, mse_loss};
/// assert_eq!(mse_loss(&Tensor::from([1.0, 2.0]), &Tensor::from([1.0, 4.0])).item(), 2.0);
/// ```
#[track_caller]
pub fn mse_loss_with(x: &Tensor, y: &Tensor, reduction: Reduction) -> Tensor {
    must(try_mse_loss(x, y, reduction))
}

/// As [`mse_loss_with`].
///
/// # Errors
/// If the shapes do not broadcast, or the dtypes are not floating point.
#[track_caller]
pub fn try_mse_loss(x: &Tensor, y: &Tensor, reduction: Reduction) -> Result<Tensor, OpError> {
    let all = Tensor::try_apply(SquaredError, [x, y])?;
    Ok(match reduction {
        Reduction::None => all,
        Reduction::Mean => all.sum() / all.numel() as f64,
        Reduction::Sum => all.sum(),
    })
}

#[cfg(test)]
pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new(&[&[2, 3], &[2, 3]], |x| mse_loss(&x[0], &x[1])),
        Case::new(&[&[2, 1], &[3]], |x| mse_loss_with(&x[0], &x[1], Reduction::None)),
        Case::new(&[&[2, 3]], |x| mse_loss_with(&x[0].tanh(), &x[0], Reduction::Sum)),
        Case::new(&[&[2]], |x| mse_loss(&x[0], &Tensor::from([0.5, -0.25]))),
        Case::new(&[&[2]], |x| mse_loss(&Tensor::from([0.5, -0.25]), &x[0])),
        Case::new(&[&[], &[]], |x| mse_loss(&x[0], &x[1])),
        Case::new(&[&[0], &[0]], |x| mse_loss_with(&x[0], &x[1], Reduction::Sum)),
    ]
}
