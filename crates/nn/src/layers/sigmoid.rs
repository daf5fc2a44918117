//! `y = 1 / (1 + e⁻ˣ)`, element by element.

use crate::{Layer, Module, Site};
use gradus_autodiff::Tensor;

/// The logistic function.
///
/// ```text
/// y = 1 / (1 + e⁻ˣ)
/// ```
/// # Shape      `[*]`  →  `[*]`
/// # PyTorch    `torch.nn.Sigmoid`
/// # Example
/// ```
/// use gradus_autodiff::Tensor;
/// use gradus_nn::{Sigmoid, Layer};
/// let y = Sigmoid::new().forward(&Tensor::from([0.0, 40.0]));
/// assert_eq!(y.to_vec::<f64>(), [0.5, 1.0]);
/// ```
#[derive(Module)]
#[module(crate = "crate")]
pub struct Sigmoid {
    site: Site,
}

impl Sigmoid {
    /// The layer.
    pub fn new() -> Self {
        Sigmoid { site: Site::new("Sigmoid") }
    }
}

impl Default for Sigmoid {
    fn default() -> Self {
        Self::new()
    }
}

impl Layer for Sigmoid {
    fn forward(&self, x: &Tensor) -> Tensor {
        let call = self.site.enter();
        let y = x.sigmoid();
        call.leave(y)
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<crate::testing::Case> {
    use crate::testing::Case;
    vec![Case::layer(&[2, 3], Sigmoid::new).empty(&[0, 3], &[0, 3])]
}
