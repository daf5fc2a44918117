//! `y = x·m/(1 − p)`, `mᵢ = 1` with probability `1 − p`, else 0.

use super::prelude::*;
use gradus_tensor::{Generator, with_default_generator};

struct Dropout {
    scale: f64,
}

/// `(x, m) -> x·(m·scale)`, rounded as PyTorch's, which divides the mask.
#[derive(Clone, Copy)]
struct Masked {
    scale: f64,
}

impl Zip for Masked {
    #[inline(always)]
    fn f<R: Real>(self, x: R, mask: R) -> R {
        x * (mask * R::of(self.scale))
    }
}

impl Op for Dropout {
    const NAME: &'static str = "dropout";
    const AUTOCAST: Autocast = Autocast::Input;
    const PROMOTION: Promotion = Promotion::Keep;
    type In<T> = [T; 2];
    type Out<T> = T;

    fn infer(&self, [x, _]: [&Meta; 2]) -> Result<Meta, OpError> {
        super::softmax::floating(x)
    }
    fn forward(&self, [x, mask]: [Array; 2], save: &mut Save<'_>) -> Array {
        save.cache(0, &mask);
        x.zip(mask, Masked { scale: self.scale })
    }
    /// `x̄ = ȳ·m/(1 − p)`
    fn vjp(&self, saved: &Saved<'_>, g: Tensor) -> [Option<Tensor>; 2] {
        let mask = Tensor::new(saved.cache(0).clone());
        [Some(Tensor::apply(Dropout { scale: self.scale }, [g, mask])), None]
    }
}

impl Tensor {
    /// Zeros in place of a random share `p` of the elements; the others grow, so that the expectation
    /// stays.
    ///
    /// ```text
    /// y = x·m/(1 − p),   m = 1 with probability 1 − p, else 0
    /// ```
    /// The mask comes from the thread's default generator ([`gradus_tensor::manual_seed`]). Without
    /// `training`, and with `p` 0, the result is `self`.
    ///
    /// # Shape      `self: [*]`  →  `[*]`
    /// # Gradient   `x̄ = ȳ·m/(1 − p)`, with the same mask
    /// # Numerics   `p` 1 gives zeros
    /// # Panics     if `p` is not in 0..=1, or the dtype is not floating point
    /// # PyTorch    `torch.nn.functional.dropout`; other random numbers
    /// # Source     Srivastava et al. 2014, <https://jmlr.org/papers/v15/srivastava14a.html>
    /// # Example
    /// ```
    /// use gradus_autodiff::Tensor;
    /// let x = Tensor::from([1.0; 100]);
    /// assert!(x.dropout(0.5, true).to_vec::<f64>().iter().all(|&v| v == 0.0 || v == 2.0));
    /// assert_eq!(x.dropout(0.5, false).to_vec::<f64>(), [1.0; 100]);
    /// ```
    #[track_caller]
    pub fn dropout(&self, p: f64, training: bool) -> Tensor {
        must(self.try_dropout(p, training))
    }
    /// As [`Tensor::dropout`].
    ///
    /// # Errors
    /// If `p` is not in 0..=1, or the dtype is not floating point.
    #[track_caller]
    pub fn try_dropout(&self, p: f64, training: bool) -> Result<Tensor, OpError> {
        if !training {
            return self.checked_probability(p).cloned();
        }
        with_default_generator(|generator| self.try_dropout_with(p, generator))
    }
    /// As [`Tensor::dropout`] in training, with a mask from `generator`.
    ///
    /// # Panics
    /// If `p` is not in 0..=1, or the dtype is not floating point.
    #[track_caller]
    pub fn dropout_with(&self, p: f64, generator: &mut Generator) -> Tensor {
        must(self.try_dropout_with(p, generator))
    }
    /// As [`Tensor::dropout_with`].
    ///
    /// # Errors
    /// If `p` is not in 0..=1, or the dtype is not floating point.
    #[track_caller]
    pub fn try_dropout_with(&self, p: f64, generator: &mut Generator) -> Result<Tensor, OpError> {
        self.checked_probability(p)?;
        if p == 0.0 {
            return Ok(self.clone());
        }
        let mask = Array::bernoulli_with(1.0 - p, self.shape(), self.dtype(), generator);
        let scale = if p == 1.0 { 0.0 } else { 1.0 / (1.0 - p) };
        Tensor::try_apply(Dropout { scale }, [self, &Tensor::new(mask)])
    }
    fn checked_probability(&self, p: f64) -> Result<&Tensor, OpError> {
        if (0.0..=1.0).contains(&p) {
            return Ok(self);
        }
        Err(OpError::rule("0 <= p <= 1").hint(format!("p is {p}")).at("dropout", self))
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new(&[&[4, 5]], |x| x[0].dropout_with(0.4, &mut Generator::new(3))),
        Case::new(&[&[4, 5]], |x| x[0].tanh().dropout_with(0.6, &mut Generator::new(4)) * &x[0]),
        Case::new(&[&[3]], |x| x[0].dropout(1.0, true)),
        Case::new(&[&[3]], |x| x[0].dropout(0.3, false) * x[0].dropout(0.0, true)),
        Case::new(&[&[]], |x| x[0].dropout_with(0.5, &mut Generator::new(1))),
        Case::new(&[&[0, 2]], |x| x[0].dropout(0.5, true)),
    ]
}
