//! `y = mean` over as many windows of one axis as are asked for.

use crate::{Layer, Module, Site};
use gradus_autodiff::Tensor;
use gradus_tensor::AdaptiveSize;

/// The mean of so many windows of the last axis, of the same size as nearly as can be.
///
/// # Shape      `[N, C, L]` or `[C, L]`  →  the same with the new size
/// # Panics     `forward`, if the shape does not fit
/// # PyTorch    `torch.nn.AdaptiveAvgPool1d`
/// # Example
/// ```
/// use gradus_autodiff::Tensor;
/// use gradus_nn::{AdaptiveAvgPool1d, Layer};
/// let x = Tensor::from([[1.0, 3.0, 5.0, 5.0]]);
/// assert_eq!(AdaptiveAvgPool1d::new(2).forward(&x).to_vec::<f64>(), [2.0, 5.0]);
/// ```
#[derive(Module)]
#[module(crate = "crate")]
pub struct AdaptiveAvgPool1d {
    #[module(skip)]
    output_size: AdaptiveSize,
    site: Site,
}

impl AdaptiveAvgPool1d {
    /// So many windows on each axis.
    ///
    /// ```
    /// use gradus_nn::{AdaptiveAvgPool1d, Module};
    /// assert_eq!(AdaptiveAvgPool1d::new(2).describe(), "AdaptiveAvgPool1d(output_size=2)");
    /// ```
    pub fn new(output_size: impl Into<AdaptiveSize>) -> Self {
        let output_size = output_size.into();
        let arguments = format!("output_size={output_size}");
        AdaptiveAvgPool1d { output_size, site: Site::described("AdaptiveAvgPool1d", arguments) }
    }
}

impl Layer for AdaptiveAvgPool1d {
    fn forward(&self, x: &Tensor) -> Tensor {
        let call = self.site.enter();
        let y = x.adaptive_avg_pool1d(self.output_size);
        call.leave(y)
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<crate::testing::Case> {
    use crate::testing::Case;
    vec![
        Case::layer(&[2, 2, 7], || AdaptiveAvgPool1d::new(3)).empty(&[0, 2, 6], &[0, 2, 3]),
        Case::layer(&[2, 5], || AdaptiveAvgPool1d::new(1)),
    ]
}
