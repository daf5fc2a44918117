//! What a program that trains a model needs: `use gradus::prelude::*;`.

pub use crate::nn::*;
pub use gradus_autodiff::{CrossEntropyOptions, NllLossOptions, Reduction};
pub use gradus_autodiff::{
    Parameter, Sweep, Tensor, cross_entropy, cross_entropy_with, enable_grad, grad, mse_loss,
    mse_loss_with, nll_loss, nll_loss_with, no_grad,
};
pub use gradus_data::{DataLoader, Dataset, Mnist, TensorDataset};
pub use gradus_optim::{
    Adam, AdamOptions, AdamW, AdamWOptions, CosineAnnealingLr, CosineAnnealingLrOptions, Optimizer,
    Sgd, SgdOptions, StepLr, StepLrOptions, StepOutcome, clip_grad_norm, clip_grad_value,
};
pub use gradus_tensor::threads::{num_threads, set_num_threads};
pub use gradus_tensor::{Array, DType, Generator, manual_seed};
