//! `−log softmax(x)ₜ` of the target class.

use super::{CrossEntropyOptions, Reduction, cross_entropy_with};
use crate::{Buffer, Module, Site};
use gradus_autodiff::Tensor;

/// [`cross_entropy`](super::cross_entropy) as a module; its class weights are a buffer.
///
/// # Shape      `logits: [N, C]`, `target: [N]`  →  `[]`; more axes, and probabilities as targets, as in [`cross_entropy_with`]
/// # PyTorch    `torch.nn.CrossEntropyLoss`
/// # Example
/// ```
/// use gradus_autodiff::Tensor;
/// use gradus_nn::CrossEntropyLoss;
/// let (logits, target) = (Tensor::from([[0.0, 0.0], [0.0, 0.0]]), Tensor::from([0_i64, 1]));
/// assert_eq!(CrossEntropyLoss::new().forward(&logits, &target).item(), 2f64.ln());
/// ```
#[derive(Module)]
#[module(crate = "crate")]
pub struct CrossEntropyLoss {
    /// `[C]`.
    pub weight: Option<Buffer>,
    #[module(skip)]
    ignore_index: i64,
    #[module(skip)]
    reduction: Reduction,
    #[module(skip)]
    label_smoothing: f64,
    site: Site,
}

impl CrossEntropyLoss {
    /// With the default options.
    pub fn new() -> Self {
        CrossEntropyLoss::with(CrossEntropyOptions::default())
    }
    /// With these options.
    ///
    /// # Panics
    /// If the label smoothing is not in `0..=1`.
    #[track_caller]
    pub fn with(options: CrossEntropyOptions) -> Self {
        let CrossEntropyOptions { weight, ignore_index, reduction, label_smoothing } = options;
        assert!(
            (0.0..=1.0).contains(&label_smoothing),
            "CrossEntropyLoss: label_smoothing is {label_smoothing}, not a share in 0..=1"
        );
        let weight = weight.map(|w| Buffer::new(w.into_array()));
        let site = Site::new("CrossEntropyLoss");
        CrossEntropyLoss { weight, ignore_index, reduction, label_smoothing, site }
    }
    /// The loss of `logits` against class indices or probabilities.
    ///
    /// # Panics
    /// If shapes, dtypes or an index do not fit.
    #[track_caller]
    pub fn forward(&self, logits: &Tensor, target: &Tensor) -> Tensor {
        let call = self.site.enter();
        let options = CrossEntropyOptions {
            weight: self.weight.as_ref().map(Tensor::from),
            ignore_index: self.ignore_index,
            reduction: self.reduction,
            label_smoothing: self.label_smoothing,
        };
        let loss = cross_entropy_with(logits, target, options);
        call.leave(loss)
    }
}

impl Default for CrossEntropyLoss {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<crate::testing::Case> {
    use crate::testing::Case;
    let options = |reduction, label_smoothing| {
        let weight = Some(Tensor::from([0.5, 1.0, 2.0]));
        CrossEntropyOptions { weight, ignore_index: 1, reduction, label_smoothing }
    };
    let call =
        |f: &CrossEntropyLoss, x: &[Tensor]| f.forward(&x[0], &Tensor::from([2_i64, 1, 0, 2]));
    let with = |reduction, smoothing| {
        Case::new(&[&[4, 3]], move || CrossEntropyLoss::with(options(reduction, smoothing)), call)
    };
    vec![
        Case::new(&[&[4, 3]], CrossEntropyLoss::new, call),
        with(Reduction::Mean, 0.0),
        with(Reduction::Mean, 0.2),
        with(Reduction::None, 0.2),
    ]
}
