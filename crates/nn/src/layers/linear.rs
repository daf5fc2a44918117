//! `y = x·Wᵀ + b`.

use crate::{Layer, Module, Parameter, Site, init};
use gradus_autodiff::Tensor;

/// An affine map.
///
/// ```text
/// y = x·Wᵀ + b
/// ```
/// # Shape      `x: [*, in]`  →  `[*, out]`
/// # PyTorch    `torch.nn.Linear`; both parameters start from U(−1/√in, 1/√in), as there
/// # Example
/// ```
/// use gradus_autodiff::Tensor;
/// use gradus_nn::{Layer, Linear, Module};
/// let layer = Linear::new(784, 128);
/// assert_eq!(layer.forward(&Tensor::from([[0.5_f32; 784]])).shape().dims(), [1, 128]);
/// assert_eq!(layer.describe(), "Linear(in_features=784, out_features=128, bias=true)");
/// ```
#[derive(Module)]
#[module(crate = "crate")]
pub struct Linear {
    /// `[out, in]`.
    pub weight: Parameter,
    /// `[out]`.
    pub bias: Option<Parameter>,
    site: Site,
}

/// What [`Linear::with`] takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinearOptions {
    /// Add a bias?
    pub bias: bool,
}

impl Default for LinearOptions {
    fn default() -> Self {
        LinearOptions { bias: true }
    }
}

impl Linear {
    /// A layer with a bias, in f32.
    pub fn new(in_features: usize, out_features: usize) -> Self {
        Linear::with(in_features, out_features, LinearOptions::default())
    }
    /// A layer with these options.
    ///
    /// ```
    /// use gradus_nn::{Linear, LinearOptions, Module};
    /// let layer = Linear::with(3, 2, LinearOptions { bias: false });
    /// assert_eq!(layer.num_parameters(), 6);
    /// ```
    pub fn with(in_features: usize, out_features: usize, options: LinearOptions) -> Self {
        let LinearOptions { bias } = options;
        let arguments =
            format!("in_features={in_features}, out_features={out_features}, bias={bias}");
        let bound = init::inverse_root(in_features);
        Linear {
            weight: init::uniform_parameter(bound, [out_features, in_features]),
            bias: bias.then(|| init::uniform_parameter(bound, [out_features])),
            site: Site::described("Linear", arguments),
        }
    }
}

impl Layer for Linear {
    fn forward(&self, x: &Tensor) -> Tensor {
        let call = self.site.enter();
        let y = x.linear(&self.weight, self.bias.as_deref());
        call.leave(y)
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<crate::testing::Case> {
    use crate::testing::Case;
    let plain = LinearOptions { bias: false };
    vec![
        Case::layer(&[4, 3], || Linear::new(3, 2)).empty(&[0, 3], &[0, 2]).refuses(&[4, 9]),
        Case::layer(&[2, 2, 3], move || Linear::with(3, 2, plain)).empty(&[2, 0, 3], &[2, 0, 2]),
        Case::layer(&[3], || Linear::new(3, 2)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use gradus_tensor::{DType, manual_seed};

    #[test]
    fn both_parameters_start_within_one_over_the_root_of_in() {
        manual_seed(3);
        let layer = Linear::new(100, 200);
        for p in layer.parameters() {
            assert_eq!(p.dtype(), DType::F32);
            let values = p.to_vec::<f64>();
            let most = values.iter().fold(0.0_f64, |m, v| m.max(v.abs()));
            assert!((0.095..0.1).contains(&most), "{most}");
        }
        // Moments of U(−0.1, 0.1) over 20,000 numbers: mean 0 ± 4·0.0577/141, std 0.0577.
        let weight = layer.weight.to_vec::<f64>();
        let mean = weight.iter().sum::<f64>() / 2e4;
        let std = (weight.iter().map(|v| v * v).sum::<f64>() / 2e4).sqrt();
        assert!(mean.abs() < 1.7e-3, "{mean}");
        assert!((std - 0.057_735).abs() < 1e-3, "{std}");
    }

    #[test]
    fn a_layer_without_inputs_has_zero_bias() {
        assert_eq!(Linear::new(0, 2).bias.expect("default").to_vec::<f32>(), [0.0, 0.0]);
    }
}
