//! `y = tanh x`, element by element.

use crate::{Layer, Module, Site};
use gradus_autodiff::Tensor;

/// The hyperbolic tangent.
///
/// ```text
/// y = tanh x
/// ```
/// # Shape      `[*]`  →  `[*]`
/// # PyTorch    `torch.nn.Tanh`
/// # Example
/// ```
/// use gradus_autodiff::Tensor;
/// use gradus_nn::{Tanh, Layer};
/// let y = Tanh::new().forward(&Tensor::from([0.0, 40.0]));
/// assert_eq!(y.to_vec::<f64>(), [0.0, 1.0]);
/// ```
#[derive(Module)]
#[module(crate = "crate")]
pub struct Tanh {
    site: Site,
}

impl Tanh {
    /// The layer.
    pub fn new() -> Self {
        Tanh { site: Site::new("Tanh") }
    }
}

impl Default for Tanh {
    fn default() -> Self {
        Self::new()
    }
}

impl Layer for Tanh {
    fn forward(&self, x: &Tensor) -> Tensor {
        let call = self.site.enter();
        let y = x.tanh();
        call.leave(y)
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<crate::testing::Case> {
    use crate::testing::Case;
    vec![Case::layer(&[2, 3], Tanh::new).empty(&[0, 3], &[0, 3])]
}
