//! `y = x·Φ(x)`, element by element.

use crate::{Layer, Module, Site};
use gradus_autodiff::{GeluApproximate, Tensor};

/// Options of [`Gelu`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GeluOptions {
    /// How Φ is computed; exactly by default.
    pub approximate: GeluApproximate,
}

/// The input weighted by its quantile of the normal distribution.
///
/// ```text
/// y = x·Φ(x)                             Φ(x) = ½·(1 + erf(x/√2))
///                          approximate:  Φ(x) ≈ ½·(1 + tanh(√(2/π)·(x + 0.044715·x³)))
/// ```
/// # Shape      `[*]`  →  `[*]`
/// # PyTorch    `torch.nn.GELU`
/// # Source     Hendrycks & Gimpel 2016, <https://arxiv.org/abs/1606.08415>
/// # Example
/// ```
/// use gradus_autodiff::{GeluApproximate, Tensor};
/// use gradus_nn::{Gelu, GeluOptions, Layer};
/// let x = Tensor::from([-1.0]);
/// let y = Gelu::new().forward(&x);
/// assert!((y.item() + 0.158655).abs() < 1e-6);
/// let y = Gelu::with(GeluOptions { approximate: GeluApproximate::Tanh }).forward(&x);
/// assert!((y.item() + 0.158808).abs() < 1e-6);
/// ```
#[derive(Module)]
#[module(crate = "crate")]
pub struct Gelu {
    #[module(skip)]
    approximate: GeluApproximate,
    site: Site,
}

impl Gelu {
    /// The exact form.
    pub fn new() -> Self {
        Self::with(GeluOptions::default())
    }
    /// The layer with options.
    pub fn with(options: GeluOptions) -> Self {
        let approximate = match options.approximate {
            GeluApproximate::None => "none",
            GeluApproximate::Tanh => "tanh",
        };
        let site = Site::described("Gelu", format!("approximate={approximate}"));
        Gelu { approximate: options.approximate, site }
    }
}

impl Default for Gelu {
    fn default() -> Self {
        Self::new()
    }
}

impl Layer for Gelu {
    fn forward(&self, x: &Tensor) -> Tensor {
        let call = self.site.enter();
        let y = x.gelu_with(self.approximate);
        call.leave(y)
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<crate::testing::Case> {
    use crate::testing::Case;
    let tanh = || Gelu::with(GeluOptions { approximate: GeluApproximate::Tanh });
    vec![
        Case::layer(&[2, 3], Gelu::new).empty(&[0, 3], &[0, 3]),
        Case::layer(&[2, 3], tanh).empty(&[0], &[0]),
    ]
}
