//! Gradients divided by the scale.

use super::ScalerError;
use super::stage::Checked;
use crate::arithmetic::Times;
use crate::in_place::change;
use gradus_autodiff::Parameter;
use gradus_tensor::DType;

/// What becomes of gradients of a half type, which would lose in it what the scale has saved.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Halves {
    /// f32 gradients.
    BecomeWide,
    /// They stay scaled: the step unscales them in f32.
    Stay,
}

/// Divides the gradients by the scale, and says what is in them. Infinite ones are divided too, as
/// PyTorch does.
pub(super) fn unscale(
    parameters: &[(String, Parameter)],
    inverse: f32,
    halves: Halves,
) -> Result<Checked, ScalerError> {
    let mut checked = Checked::default();
    let (mut plain, mut scaled) = (Vec::new(), Vec::new());
    for (name, p) in parameters {
        let Some(grad) = p.grad() else { continue };
        let grad = grad.into_array();
        checked.gradients += 1;
        if !grad.all_finite() {
            checked.non_finite.push(name.clone());
        }
        match p.grad_is_scaled() {
            true => scaled.push((p, grad.dtype())),
            // Zeros that nothing was added to are right under any scale.
            false if grad.all_zero() => {}
            false => plain.push(name.clone()),
        }
    }
    if !plain.is_empty() {
        return Err(ScalerError::NotScaled(plain));
    }
    for (p, dtype) in scaled {
        if dtype.is_half() && halves == Halves::Stay {
            continue;
        }
        if dtype.is_half() {
            p.update_grad(|g| change(g, |g| g.cast(DType::F32).map(Times(inverse.into()))));
        } else {
            p.scale_grad(inverse.into());
        }
        p.set_grad_scaled(false);
    }
    Ok(checked)
}
