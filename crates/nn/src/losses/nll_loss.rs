//! `−log pₜ` of the target class, from logarithms of probabilities.

use super::{NllLossOptions, Reduction, nll_loss_with};
use crate::{Buffer, Module, Site};
use gradus_autodiff::Tensor;

/// [`nll_loss`](super::nll_loss) as a module; its class weights are a buffer.
///
/// # Shape      `log_probs: [N, C]`, `target: [N]`  →  `[]`; more axes as in [`nll_loss_with`]
/// # PyTorch    `torch.nn.NLLLoss`
/// # Example
/// ```
/// use gradus_autodiff::Tensor;
/// use gradus_nn::NllLoss;
/// let log_probs = Tensor::from([[-0.1, -2.4], [-1.5, -0.3]]);
/// assert_eq!(NllLoss::new().forward(&log_probs, &Tensor::from([0_i64, 1])).item(), 0.2);
/// ```
#[derive(Module)]
#[module(crate = "crate")]
pub struct NllLoss {
    /// `[C]`.
    pub weight: Option<Buffer>,
    #[module(skip)]
    ignore_index: i64,
    #[module(skip)]
    reduction: Reduction,
    site: Site,
}

impl NllLoss {
    /// With the default options.
    pub fn new() -> Self {
        NllLoss::with(NllLossOptions::default())
    }
    /// With these options.
    pub fn with(options: NllLossOptions) -> Self {
        let NllLossOptions { weight, ignore_index, reduction } = options;
        let weight = weight.map(|w| Buffer::new(w.into_array()));
        NllLoss { weight, ignore_index, reduction, site: Site::new("NllLoss") }
    }
    /// The loss of `log_probs` against class indices.
    ///
    /// # Panics
    /// If shapes, dtypes or an index do not fit.
    #[track_caller]
    pub fn forward(&self, log_probs: &Tensor, target: &Tensor) -> Tensor {
        let call = self.site.enter();
        let weight = self.weight.as_ref().map(Tensor::from);
        let (ignore_index, reduction) = (self.ignore_index, self.reduction);
        let options = NllLossOptions { weight, ignore_index, reduction };
        let loss = nll_loss_with(log_probs, target, options);
        call.leave(loss)
    }
}

impl Default for NllLoss {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<crate::testing::Case> {
    use crate::testing::Case;
    let options = |reduction| {
        let weight = Some(Tensor::from([0.5, 1.0, 2.0]));
        NllLossOptions { weight, ignore_index: 1, reduction }
    };
    let call = |f: &NllLoss, x: &[Tensor]| f.forward(&x[0], &Tensor::from([2_i64, 1, 0, 2]));
    vec![
        Case::new(&[&[4, 3]], NllLoss::new, call),
        Case::new(&[&[4, 3]], move || NllLoss::with(options(Reduction::Mean)), call),
        Case::new(&[&[4, 3]], move || NllLoss::with(options(Reduction::None)), call),
    ]
}
