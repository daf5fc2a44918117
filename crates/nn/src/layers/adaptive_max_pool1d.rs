//! `y = max` over as many windows of one axis as are asked for.

use crate::{Layer, Module, Site};
use gradus_autodiff::Tensor;
use gradus_tensor::AdaptiveSize;

/// The maximum of so many windows of the last axis, of the same size as nearly as can be.
///
/// # Shape      `[N, C, L]` or `[C, L]`  →  the same with the new size
/// # Panics     `forward`, if the shape does not fit
/// # PyTorch    `torch.nn.AdaptiveMaxPool1d`; `return_indices` is [`AdaptiveMaxPool1d::forward_with_indices`]
/// # Example
/// ```
/// use gradus_autodiff::Tensor;
/// use gradus_nn::{AdaptiveMaxPool1d, Layer};
/// let x = Tensor::from([[1.0, 3.0, 5.0, 5.0]]);
/// assert_eq!(AdaptiveMaxPool1d::new(2).forward(&x).to_vec::<f64>(), [3.0, 5.0]);
/// ```
#[derive(Module)]
#[module(crate = "crate")]
pub struct AdaptiveMaxPool1d {
    #[module(skip)]
    output_size: AdaptiveSize,
    site: Site,
}

impl AdaptiveMaxPool1d {
    /// So many windows on each axis.
    ///
    /// ```
    /// use gradus_nn::{AdaptiveMaxPool1d, Module};
    /// assert_eq!(AdaptiveMaxPool1d::new(2).describe(), "AdaptiveMaxPool1d(output_size=2)");
    /// ```
    pub fn new(output_size: impl Into<AdaptiveSize>) -> Self {
        let output_size = output_size.into();
        let arguments = format!("output_size={output_size}");
        AdaptiveMaxPool1d { output_size, site: Site::described("AdaptiveMaxPool1d", arguments) }
    }
    /// As `forward`; also where each maximum stands: see [`Tensor::max_pool1d_with_indices`].
    ///
    /// # Panics
    /// If the shape does not fit.
    #[track_caller]
    pub fn forward_with_indices(&self, x: &Tensor) -> (Tensor, Tensor) {
        let call = self.site.enter();
        let (y, indices) = x.adaptive_max_pool1d_with_indices(self.output_size);
        (call.leave(y), indices)
    }
}

impl Layer for AdaptiveMaxPool1d {
    fn forward(&self, x: &Tensor) -> Tensor {
        let call = self.site.enter();
        let y = x.adaptive_max_pool1d(self.output_size);
        call.leave(y)
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<crate::testing::Case> {
    use crate::testing::Case;
    vec![
        Case::layer(&[2, 2, 7], || AdaptiveMaxPool1d::new(3)).empty(&[0, 2, 6], &[0, 2, 3]),
        Case::layer(&[2, 5], || AdaptiveMaxPool1d::new(1)),
        Case::new(
            &[&[2, 5]],
            || AdaptiveMaxPool1d::new(2),
            |layer, x| layer.forward_with_indices(&x[0]).0,
        ),
    ]
}
