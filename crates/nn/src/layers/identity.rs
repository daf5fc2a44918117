//! `y = x`.

use crate::{Layer, Module, Site};
use gradus_autodiff::Tensor;

/// Passes its input on.
///
/// # Shape      `[*]`  →  `[*]`
/// # PyTorch    `torch.nn.Identity`
/// # Example
/// ```
/// use gradus_autodiff::Tensor;
/// use gradus_nn::{Identity, Layer};
/// assert_eq!(Identity::new().forward(&Tensor::from([1.5])).item(), 1.5);
/// ```
#[derive(Module)]
#[module(crate = "crate")]
pub struct Identity {
    site: Site,
}

impl Identity {
    /// The layer.
    pub fn new() -> Self {
        Identity { site: Site::new("Identity") }
    }
}

impl Default for Identity {
    fn default() -> Self {
        Self::new()
    }
}

impl Layer for Identity {
    fn forward(&self, x: &Tensor) -> Tensor {
        self.site.enter().leave(x.clone())
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<crate::testing::Case> {
    use crate::testing::Case;
    vec![Case::layer(&[2, 3], Identity::new).empty(&[0], &[0])]
}
