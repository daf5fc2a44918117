//! What a program that trains a model needs: `use gradus::prelude::*;`.

pub use crate::AveragedModel;
pub use crate::nn::*;
pub use gradus_autodiff::{
    AvgPoolOptions, CrossEntropyOptions, GeluApproximate, MaxPoolOptions, NllLossOptions, Reduction,
};
pub use gradus_autodiff::{
    Parameter, Sweep, Tensor, cross_entropy, cross_entropy_with, enable_grad, grad, mse_loss,
    mse_loss_with, nll_loss, nll_loss_with, no_grad, profile,
};
pub use gradus_data::{DataLoader, Dataset, Mnist, TensorDataset};
pub use gradus_optim::lr_scheduler::{
    Anneal, ChainedScheduler, ChainedSchedulerOptions, ConstantLr, ConstantLrOptions,
    CosineAnnealingLr, CosineAnnealingLrOptions, CosineAnnealingWarmRestarts,
    CosineAnnealingWarmRestartsOptions, CyclicLr, CyclicLrOptions, ExponentialLr,
    ExponentialLrOptions, LambdaLr, LambdaLrOptions, LinearLr, LinearLrOptions, LrScheduler,
    MultiStepLr, MultiStepLrOptions, MultiplicativeLr, MultiplicativeLrOptions, NoamLr,
    NoamLrOptions, OneCycleLr, OneCycleLrOptions, PolynomialLr, PolynomialLrOptions,
    ReduceLrOnPlateau, ReduceLrOnPlateauOptions, SequentialLr, SequentialLrOptions, StepLr,
    StepLrOptions, SwaLr, SwaLrOptions, WarmupLr, WarmupLrOptions, WarmupStableDecayLr,
    WarmupStableDecayLrOptions,
};
pub use gradus_optim::optimizers::*;
pub use gradus_optim::{
    Accumulator, Averaging, GradScaler, GradScalerOptions, LrFinder, LrFinderOptions,
};
pub use gradus_optim::{
    ClimbOutcome, Optimizer, StepOutcome, StepReport, clip_grad_norm, clip_grad_value,
};
pub use gradus_tensor::threads::{num_threads, set_num_threads};
pub use gradus_tensor::{
    AdaptiveSize, Array, Convolution, DType, Generator, PadMode, PerAxis, manual_seed,
};
