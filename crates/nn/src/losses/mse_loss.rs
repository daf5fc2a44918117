//! `(x − y)²`, averaged.

use super::{Reduction, mse_loss_with};
use crate::{Module, Site};
use gradus_autodiff::Tensor;

/// [`mse_loss`](super::mse_loss) as a module.
///
/// # Shape      `x`, `y: [*]`  →  `[]`, or `[*]` with [`Reduction::None`]
/// # PyTorch    `torch.nn.MSELoss`
/// # Example
/// ```
/// use gradus_autodiff::Tensor;
/// use gradus_nn::MseLoss;
/// let loss = MseLoss::new().forward(&Tensor::from([1.0, 2.0]), &Tensor::from([0.0, 4.0]));
/// assert_eq!(loss.item(), 2.5);
/// ```
#[derive(Module)]
#[module(crate = "crate")]
pub struct MseLoss {
    #[module(skip)]
    reduction: Reduction,
    site: Site,
}

impl MseLoss {
    /// The mean.
    pub fn new() -> Self {
        MseLoss::with(Reduction::Mean)
    }
    /// With this reduction.
    pub fn with(reduction: Reduction) -> Self {
        MseLoss { reduction, site: Site::new("MseLoss") }
    }
    /// The loss of `x` against `y`.
    ///
    /// # Panics
    /// If the shapes do not fit.
    #[track_caller]
    pub fn forward(&self, x: &Tensor, y: &Tensor) -> Tensor {
        let call = self.site.enter();
        let loss = mse_loss_with(x, y, self.reduction);
        call.leave(loss)
    }
}

impl Default for MseLoss {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<crate::testing::Case> {
    use crate::testing::Case;
    [Reduction::Mean, Reduction::Sum, Reduction::None]
        .map(|r| {
            Case::new(&[&[2, 3], &[2, 3]], move || MseLoss::with(r), |f, x| f.forward(&x[0], &x[1]))
        })
        .into()
}
