//! `y = max(x, 0)`, element by element.

use crate::{Layer, Module, Site};
use gradus_autodiff::Tensor;

/// The positive part.
///
/// ```text
/// y = max(x, 0)
/// ```
/// # Shape      `[*]`  →  `[*]`
/// # PyTorch    `torch.nn.ReLU`
/// # Example
/// ```
/// use gradus_autodiff::Tensor;
/// use gradus_nn::{Relu, Layer};
/// let y = Relu::new().forward(&Tensor::from([-1.0, 2.0]));
/// assert_eq!(y.to_vec::<f64>(), [0.0, 2.0]);
/// ```
#[derive(Module)]
#[module(crate = "crate")]
pub struct Relu {
    site: Site,
}

impl Relu {
    /// The layer.
    pub fn new() -> Self {
        Relu { site: Site::new("Relu") }
    }
}

impl Default for Relu {
    fn default() -> Self {
        Self::new()
    }
}

impl Layer for Relu {
    fn forward(&self, x: &Tensor) -> Tensor {
        let call = self.site.enter();
        let y = x.relu();
        call.leave(y)
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<crate::testing::Case> {
    use crate::testing::Case;
    vec![Case::layer(&[2, 3], Relu::new).empty(&[0, 3], &[0, 3])]
}
