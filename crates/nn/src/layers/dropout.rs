//! `y = x·m/(1 − p)` in training, `y = x` in evaluation.

use crate::{Layer, Module, Site};
use gradus_autodiff::Tensor;

/// In training, zeros in place of a random share `p` of the elements; the others grow, so that the
/// expectation stays. In evaluation it passes its input on.
///
/// ```text
/// y = x·m/(1 − p),   m = 1 with probability 1 − p, else 0
/// ```
/// # Shape      `[*]`  →  `[*]`
/// # Numerics   `p = 1` gives zeros
/// # PyTorch    `torch.nn.Dropout`; other random numbers
/// # Source     Srivastava et al. 2014, <https://jmlr.org/papers/v15/srivastava14a.html>
/// # Example
/// ```
/// use gradus_autodiff::Tensor;
/// use gradus_nn::{Dropout, Layer, Module};
/// let (layer, x) = (Dropout::new(0.5), Tensor::from([1.0; 100]));
/// assert!(layer.forward(&x).to_vec::<f64>().iter().all(|&v| v == 0.0 || v == 2.0));
/// layer.eval();
/// assert_eq!(layer.forward(&x).to_vec::<f64>(), [1.0; 100]);
/// ```
#[derive(Module)]
#[module(crate = "crate")]
pub struct Dropout {
    #[module(skip)]
    p: f64,
    site: Site,
}

impl Dropout {
    /// A layer that drops the share `p`.
    ///
    /// # Panics
    /// If `p` is not in `0..=1`.
    #[track_caller]
    pub fn new(p: f64) -> Self {
        assert!((0.0..=1.0).contains(&p), "Dropout: p is {p}, not a probability in 0..=1");
        Dropout { p, site: Site::described("Dropout", format!("p={p}")) }
    }
    /// The share that is dropped.
    pub fn p(&self) -> f64 {
        self.p
    }
}

/// Drops one half.
impl Default for Dropout {
    fn default() -> Self {
        Dropout::new(0.5)
    }
}

impl Layer for Dropout {
    fn forward(&self, x: &Tensor) -> Tensor {
        let call = self.site.enter();
        let y = x.dropout(self.p, call.training());
        call.leave(y)
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<crate::testing::Case> {
    use crate::testing::Case;
    vec![
        Case::layer(&[4, 5], || Dropout::new(0.3)).empty(&[0, 2], &[0, 2]),
        Case::layer(&[4, 5], || Dropout::new(0.3)).eval(),
        Case::layer(&[4], || Dropout::new(1.0)),
        Case::layer(&[4], || Dropout::new(0.0)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use gradus_tensor::manual_seed;

    #[test]
    fn b43_evaluation_is_the_identity_and_training_keeps_the_expectation() {
        manual_seed(2);
        let (layer, x) = (Dropout::new(0.3), Tensor::from(vec![1.0; 20_000]));
        let y = layer.forward(&x).to_vec::<f64>();
        let kept = y.iter().filter(|v| **v != 0.0).count() as f64 / 2e4;
        assert!((kept - 0.7).abs() < 0.013, "{kept}"); // four standard deviations
        assert!(y.iter().all(|v| *v == 0.0 || (v - 1.0 / 0.7).abs() < 1e-15));
        layer.eval();
        assert_eq!(layer.forward(&x).array(), x.array());
    }

    #[test]
    fn b43_dropping_everything_gives_zeros_and_no_nan() {
        let x = Tensor::from([1.0, -2.0]).requires_grad_();
        let y = Dropout::new(1.0).forward(&x);
        assert_eq!(y.to_vec::<f64>(), [0.0, 0.0]);
        y.sum().backward();
        assert_eq!(x.grad().expect("tracked").to_vec::<f64>(), [0.0, 0.0]);
    }

    #[test]
    fn the_same_seed_drops_the_same_elements() {
        let (layer, x) = (Dropout::new(0.5), Tensor::from([1.0; 50]));
        let drawn = |seed| {
            manual_seed(seed);
            layer.forward(&x).array()
        };
        assert_eq!(drawn(1), drawn(1));
        assert_ne!(drawn(1), drawn(2));
    }

    #[test]
    #[should_panic(expected = "Dropout: p is 1.5, not a probability in 0..=1")]
    fn a_p_beyond_one_is_refused() {
        Dropout::new(1.5);
    }
}
