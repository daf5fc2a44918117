//! `y = x − log Σ eˣ` along one axis.

use crate::{Layer, Module, Site};
use gradus_autodiff::Tensor;

/// `x − log Σ eˣ` along one axis, without overflow.
///
/// # Shape      `[*]`  →  `[*]`
/// # Panics     `forward`, if the axis does not exist or the dtype is not floating point
/// # PyTorch    `torch.nn.LogSoftmax`; the axis must be said
/// # Example
/// ```
/// use gradus_autodiff::Tensor;
/// use gradus_nn::{Layer, LogSoftmax};
/// let y = LogSoftmax::new(-1).forward(&Tensor::from([[3.0, 3.0]]));
/// assert_eq!(y.to_vec::<f64>(), [-(2f64.ln()); 2]);
/// ```
#[derive(Module)]
#[module(crate = "crate")]
pub struct LogSoftmax {
    #[module(skip)]
    dim: isize,
    site: Site,
}

impl LogSoftmax {
    /// Along axis `dim`; a negative one counts from the end.
    pub fn new(dim: isize) -> Self {
        LogSoftmax { dim, site: Site::described("LogSoftmax", format!("dim={dim}")) }
    }
}

impl Layer for LogSoftmax {
    fn forward(&self, x: &Tensor) -> Tensor {
        let call = self.site.enter();
        let y = x.log_softmax(self.dim);
        call.leave(y)
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<crate::testing::Case> {
    use crate::testing::Case;
    vec![
        Case::layer(&[4, 3], || LogSoftmax::new(-1)).empty(&[0, 3], &[0, 3]),
        Case::layer(&[2, 3, 2], || LogSoftmax::new(2)).refuses(&[4, 9]),
    ]
}
