//! `y = (x − μ)/√(σ² + ε)·w + b` by channel: what [`BatchNorm1d`](crate::BatchNorm1d) and
//! [`BatchNorm2d`](crate::BatchNorm2d) share.

use crate::update_bn::is_cumulative;
use crate::{Buffer, Module, Parameter, Site};
use gradus_autodiff::{Tensor, no_grad};
use gradus_tensor::{Array, DType};
use std::ops::RangeInclusive;

/// Parameters, running statistics and options of a batch normalisation.
#[derive(Module)]
#[module(crate = "crate")]
pub struct BatchNorm {
    /// `[C]`, starts as ones; none if not `affine`.
    pub weight: Option<Parameter>,
    /// `[C]`, starts as zeros; none if not `affine`.
    pub bias: Option<Parameter>,
    /// `[C]`, starts as zeros; none if not `track_running_stats`.
    pub running_mean: Option<Buffer>,
    /// `[C]`, starts as ones; none if not `track_running_stats`.
    pub running_var: Option<Buffer>,
    /// How many batches the running statistics have seen, int64.
    pub num_batches_tracked: Option<Buffer>,
    #[module(skip)]
    num_features: usize,
    #[module(skip)]
    options: BatchNormOptions,
    site: Site,
}

/// Options of [`BatchNorm1d`](crate::BatchNorm1d) and [`BatchNorm2d`](crate::BatchNorm2d).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BatchNormOptions {
    /// Added to the variance, under the root.
    pub eps: f64,
    /// Weight of the new batch in the running statistics; `None` is the mean over all batches.
    pub momentum: Option<f64>,
    /// Have `weight` and `bias`?
    pub affine: bool,
    /// Keep running statistics? Without them, evaluation uses those of the batch, too.
    pub track_running_stats: bool,
}

impl Default for BatchNormOptions {
    fn default() -> Self {
        let (affine, track_running_stats) = (true, true);
        BatchNormOptions { eps: 1e-5, momentum: Some(0.1), affine, track_running_stats }
    }
}

impl BatchNorm {
    pub(super) fn new(kind: &'static str, num_features: usize, options: BatchNormOptions) -> Self {
        let BatchNormOptions { eps, momentum, affine, track_running_stats: tracked } = options;
        let momentum = momentum.map_or_else(|| "None".to_owned(), |m| m.to_string());
        let arguments = format!(
            "{num_features}, eps={eps:e}, momentum={momentum}, affine={affine}, \
             track_running_stats={tracked}"
        );
        let ones = || Array::ones([num_features], DType::F32);
        let zeros = || Array::zeros([num_features], DType::F32);
        BatchNorm {
            weight: affine.then(|| Parameter::new(ones())),
            bias: affine.then(|| Parameter::new(zeros())),
            running_mean: tracked.then(|| Buffer::new(zeros())),
            running_var: tracked.then(|| Buffer::new(ones())),
            num_batches_tracked: tracked.then(|| Buffer::new(Array::scalar(0, DType::I64))),
            num_features,
            options,
            site: Site::described(kind, arguments),
        }
    }
    /// `x: [N, C, *]` with a number of axes in `ranks`.
    #[track_caller]
    pub(super) fn forward(&self, x: &Tensor, ranks: RangeInclusive<usize>, rule: &str) -> Tensor {
        let call = self.site.enter();
        let (affine, tracked) = (self.options.affine, self.options.track_running_stats);
        let channels = self.num_features;
        if !ranks.contains(&x.rank()) || ((affine || tracked) && x.size(1) != channels) {
            call.refuse(x, rule.replace('C', &channels.to_string()), "");
        }
        let (weight, bias) = (self.weight.as_deref(), self.bias.as_deref());
        let running = self.running_mean.as_ref().zip(self.running_var.as_ref());
        let y = match running {
            Some((mean, var)) if !call.training() => {
                x.batch_norm_eval(mean, var, weight, bias, self.options.eps)
            }
            _ => {
                let (y, mean, var) = x.batch_norm_train(weight, bias, self.options.eps);
                self.track(x, &mean, &var);
                y
            }
        };
        call.leave(y)
    }
    /// Take the statistics of this batch into the running ones, if there are any; they are numbers
    /// without history.
    fn track(&self, x: &Tensor, mean: &Tensor, var: &Tensor) {
        let (Some(running_mean), Some(running_var), Some(count)) =
            (&self.running_mean, &self.running_var, &self.num_batches_tracked)
        else {
            return;
        };
        let batches = count.array().item_i64() + 1;
        count.update(|x| *x = Array::scalar(batches, DType::I64));
        let values = x.numel() / self.num_features.max(1);
        if values < 2 {
            return; // a batch of nothing says nothing
        }
        // While statistics are computed anew, every batch counts alike.
        let momentum = self.options.momentum.filter(|_| !is_cumulative());
        let share = momentum.unwrap_or(1.0 / batches as f64);
        let unbiased = values as f64 / (values - 1) as f64;
        for (running, new, factor) in [(running_mean, mean, 1.0), (running_var, var, unbiased)] {
            let value = no_grad(|| running.tensor() * (1.0 - share) + new * (share * factor));
            running.set(value.into_array()).expect("one number for each channel");
        }
    }
}
