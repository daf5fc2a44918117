//! `y = eˣ / Σ eˣ` along one axis.

use crate::{Layer, Module, Site};
use gradus_autodiff::Tensor;

/// `eˣ / Σ eˣ` along one axis, without overflow.
///
/// # Shape      `[*]`  →  `[*]`
/// # Panics     `forward`, if the axis does not exist or the dtype is not floating point
/// # PyTorch    `torch.nn.Softmax`; the axis must be said
/// # Example
/// ```
/// use gradus_autodiff::Tensor;
/// use gradus_nn::{Layer, Softmax};
/// let y = Softmax::new(-1).forward(&Tensor::from([[1.0, 1.0]]));
/// assert_eq!(y.to_vec::<f64>(), [0.5, 0.5]);
/// ```
#[derive(Module)]
#[module(crate = "crate")]
pub struct Softmax {
    #[module(skip)]
    dim: isize,
    site: Site,
}

impl Softmax {
    /// Along axis `dim`; a negative one counts from the end.
    pub fn new(dim: isize) -> Self {
        Softmax { dim, site: Site::described("Softmax", format!("dim={dim}")) }
    }
}

impl Layer for Softmax {
    fn forward(&self, x: &Tensor) -> Tensor {
        let call = self.site.enter();
        let y = x.softmax(self.dim);
        call.leave(y)
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<crate::testing::Case> {
    use crate::testing::Case;
    vec![
        Case::layer(&[4, 3], || Softmax::new(-1)).empty(&[0, 3], &[0, 3]),
        Case::layer(&[2, 3, 2], || Softmax::new(2)).refuses(&[4, 9]),
    ]
}
