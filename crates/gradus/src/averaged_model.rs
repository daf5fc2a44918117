//! A model whose weights are the average of another one's.

use crate::autodiff::{Buffer, Tensor};
use crate::nn::{DeepCopy, Layer, Module};
use crate::optim::{Averaging, OptimError};
use crate::tensor::{Array, DType};

/// A copy of a model that holds the running average of its weights, to evaluate and to save.
///
/// ```text
/// update_parameters(model)    a ← average of the snapshots so far; buffers ← those of the model
/// ```
/// With batch normalisation, compute the statistics of the average anew before it is used:
/// [`crate::nn::update_bn`]. An average of half weights is better kept in f32: `average.module.to(DType::F32)`.
///
/// # PyTorch    `torch.optim.swa_utils.AveragedModel`, with its keys: `module.…` and `n_averaged`
/// # Source     Izmailov et al. 2018, <https://arxiv.org/abs/1803.05407>
/// # Example
/// ```
/// use gradus::prelude::*;
/// let net = Linear::new(2, 1);
/// let mut ema = AveragedModel::new(&net, Averaging::Ema { decay: 0.9 })?;
/// let mut opt = Sgd::new(net.named_parameters(), SgdOptions { lr: 0.1, ..Default::default() })?;
/// for _ in 0..5 {
///     opt.zero_grad();
///     net.forward(&Tensor::from([[1.0_f32, 2.0]])).square().sum().backward();
///     opt.step()?;
///     ema.update_parameters(&net);
/// }
/// assert_eq!(ema.n_averaged(), 5);
/// let y = ema.forward(&Tensor::from([[1.0_f32, 2.0]]));
/// assert_eq!(y.shape().dims(), [1, 1]);
/// # Ok::<(), gradus::Error>(())
/// ```
#[derive(Module)]
#[module(crate = "crate::nn")]
pub struct AveragedModel<M> {
    n_averaged: Buffer,
    /// The averaged model.
    pub module: M,
    #[module(skip)]
    averaging: Averaging,
    #[module(skip)]
    use_buffers: bool,
}

impl<M: Module + DeepCopy> AveragedModel<M> {
    /// A copy of `model`; its weights count from the first [`AveragedModel::update_parameters`] on.
    ///
    /// # Errors
    /// If the decay is out of range.
    pub fn new(model: &M, averaging: Averaging) -> Result<Self, OptimError> {
        averaging.check()?;
        let n_averaged = Buffer::new(Array::scalar(0, DType::I64));
        Ok(AveragedModel { n_averaged, module: model.deep_copy(), averaging, use_buffers: false })
    }
    /// Average the floating-point buffers too, instead of copying them.
    #[must_use]
    pub fn use_buffers(self) -> Self {
        AveragedModel { use_buffers: true, ..self }
    }
    /// Takes a snapshot of the weights, and the buffers as they are.
    ///
    /// # Panics
    /// If `model` is not built like the one this is a copy of.
    #[track_caller]
    pub fn update_parameters(&mut self, model: &M) {
        let n = self.n_averaged();
        let (own, other) = (self.module.named_parameters(), model.named_parameters());
        let equal = own.iter().zip(&other).all(|(a, b)| a.0 == b.0) && own.len() == other.len();
        assert!(equal, "update_parameters: the model breaks the rule: the names of the average");
        let pairs = own.iter().zip(&other).map(|((_, a), (_, b))| (a, b));
        self.averaging.update(pairs, n);
        // The first snapshot of an average is a copy; so is every one of a buffer that is not averaged.
        let before = if self.use_buffers { n } else { 0 };
        for (own, other) in self.module.buffers().iter().zip(model.buffers()) {
            own.update(|a| self.averaging.update_array(a, other.array(), before));
        }
        self.n_averaged.update(|count| *count = Array::scalar(n as i64 + 1, DType::I64));
    }
    /// How many snapshots are in it.
    pub fn n_averaged(&self) -> u64 {
        self.n_averaged.array().item_i64().max(0) as u64
    }
}

impl<M: Layer + DeepCopy + 'static> Layer for AveragedModel<M> {
    fn forward(&self, x: &Tensor) -> Tensor {
        self.module.forward(x)
    }
}
