//! `y = mean` over as many windows of two axes as are asked for.

use crate::{Layer, Module, Site};
use gradus_autodiff::Tensor;
use gradus_tensor::AdaptiveSize;

/// The mean of so many windows of two axes, of the same size as nearly as can be.
///
/// # Shape      `[N, C, H, W]` or `[C, H, W]`  →  the same with the new sizes, of which `None` keeps one
/// # Panics     `forward`, if the shape does not fit
/// # PyTorch    `torch.nn.AdaptiveAvgPool2d`
/// # Example
/// ```
/// use gradus_autodiff::Tensor;
/// use gradus_nn::{AdaptiveAvgPool2d, Layer};
/// let x = Tensor::from([[[1.0, 2.0], [3.0, 6.0]]]);
/// assert_eq!(AdaptiveAvgPool2d::new(1).forward(&x).to_vec::<f64>(), [3.0]);
/// ```
#[derive(Module)]
#[module(crate = "crate")]
pub struct AdaptiveAvgPool2d {
    #[module(skip)]
    output_size: AdaptiveSize,
    site: Site,
}

impl AdaptiveAvgPool2d {
    /// So many windows on each axis.
    ///
    /// ```
    /// use gradus_nn::{AdaptiveAvgPool2d, Module};
    /// assert_eq!(AdaptiveAvgPool2d::new([None, Some(2)]).describe(), "AdaptiveAvgPool2d(output_size=(None, 2))");
    /// ```
    pub fn new(output_size: impl Into<AdaptiveSize>) -> Self {
        let output_size = output_size.into();
        let arguments = format!("output_size={output_size}");
        AdaptiveAvgPool2d { output_size, site: Site::described("AdaptiveAvgPool2d", arguments) }
    }
}

impl Layer for AdaptiveAvgPool2d {
    fn forward(&self, x: &Tensor) -> Tensor {
        let call = self.site.enter();
        let y = x.adaptive_avg_pool2d(self.output_size);
        call.leave(y)
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<crate::testing::Case> {
    use crate::testing::Case;
    vec![
        Case::layer(&[2, 2, 5, 4], || AdaptiveAvgPool2d::new([2, 3]))
            .empty(&[0, 2, 4, 4], &[0, 2, 2, 3]),
        Case::layer(&[2, 5, 4], || AdaptiveAvgPool2d::new([None, Some(1)])).refuses(&[4, 9]),
    ]
}
