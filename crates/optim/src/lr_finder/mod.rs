//! Which learning rate? A short run with a rate that grows from step to step says where to look.

mod curve;
mod snapshot;

pub use curve::LrCurve;

use crate::error::in_range;
use crate::{OptimError, Optimizer};
use gradus_autodiff::{Buffer, Tensor};
use snapshot::Snapshot;

/// The options of an [`LrFinder`].
#[derive(Clone, Debug, PartialEq)]
pub struct LrFinderOptions {
    /// The rate of the first step.
    pub start_lr: f64,
    /// The rate of the last step.
    pub end_lr: f64,
    /// How many steps there are.
    pub steps: usize,
    /// `β`: how much of the average loss is kept at a step.
    pub smoothing: f64,
    /// The run ends when the average loss is so many times the least one.
    pub diverges_at: f64,
}

/// Those of fastai's `lr_find`, with a lighter average.
impl Default for LrFinderOptions {
    fn default() -> Self {
        LrFinderOptions {
            start_lr: 1e-7,
            end_lr: 10.0,
            steps: 100,
            smoothing: 0.9,
            diverges_at: 4.0,
        }
    }
}

/// Trains for some steps with rates that grow exponentially, and puts everything back.
///
/// ```text
/// lr(i) = start·(end/start)^(i/(steps − 1))
/// average ← β·average + (1 − β)·loss,  divided by 1 − β^(i + 1)
/// ```
/// Groups keep the ratio of their rates; the largest one has `lr(i)`. Afterwards parameters, gradients,
/// optimizer (rates, state, counts of steps), the buffers that were named and the default generator of
/// the thread are as they were, to the bit; also if a step fails or panics. A scheduler that the steps
/// do not call sees nothing of it.
///
/// # Source     Smith 2017, Section 3.3, <https://arxiv.org/abs/1506.01186>
/// # Example
/// ```
/// use gradus_autodiff::Parameter;
/// use gradus_optim::{LrFinder, LrFinderOptions, OptimError, Optimizer, Sgd, SgdOptions};
/// let w = Parameter::new([1.0]);
/// let mut opt = Sgd::from_parameters([w.clone()], SgdOptions { lr: 0.5, ..Default::default() })?;
/// let curve = LrFinder::new(LrFinderOptions::default())?
///     .run(&mut opt, |_step| Ok::<_, OptimError>(w.square().sum()))?;
/// let suggested = curve.suggestion().unwrap();
/// assert!(suggested > 1e-3 && suggested < 1.0, "{suggested}");
/// assert_eq!((w.item(), opt.lrs()), (1.0, vec![0.5]));
/// println!("{}", curve.plot());
/// # Ok::<(), OptimError>(())
/// ```
#[derive(Clone, Debug)]
pub struct LrFinder {
    options: LrFinderOptions,
    buffers: Vec<Buffer>,
}

impl LrFinder {
    /// With these options.
    ///
    /// # Errors
    /// If one is out of range.
    pub fn new(options: LrFinderOptions) -> Result<Self, OptimError> {
        let check = |option, value, ok, allowed| in_range("LrFinder", option, value, ok, allowed);
        let LrFinderOptions { start_lr, end_lr, steps, smoothing, diverges_at } = options;
        check("start_lr", start_lr, start_lr > 0.0, "start_lr > 0")?;
        check("end_lr", end_lr, end_lr > start_lr, "end_lr > start_lr")?;
        check("steps", steps as f64, steps >= 2, "steps ≥ 2")?;
        check("smoothing", smoothing, (0.0..1.0).contains(&smoothing), "0 ≤ smoothing < 1")?;
        check("diverges_at", diverges_at, diverges_at > 1.0, "diverges_at > 1")?;
        Ok(LrFinder { options, buffers: Vec::new() })
    }
    /// What else a forward pass changes and must be put back: `net.buffers()`.
    #[must_use]
    pub fn buffers(mut self, buffers: impl IntoIterator<Item = Buffer>) -> Self {
        self.buffers.extend(buffers);
        self
    }
    /// Runs the steps. `loss` is given the number of the step and returns the loss of a batch, of another
    /// one each time; gradients, steps and rates are done here.
    ///
    /// It ends when the average loss diverges or is no number.
    ///
    /// # Errors
    /// What `loss` returns, and what a step refuses.
    pub fn run<E: From<OptimError>>(
        &self,
        opt: &mut dyn Optimizer,
        mut loss: impl FnMut(usize) -> Result<Tensor, E>,
    ) -> Result<LrCurve, E> {
        let mut snapshot = Snapshot::take(opt, &self.buffers);
        let ratios = ratios(&snapshot.opt().lrs());
        let LrFinderOptions { start_lr, end_lr, steps, smoothing, diverges_at } = self.options;
        let (mut curve, mut average) = (LrCurve::default(), 0.0);
        for i in 0..steps {
            let lr = start_lr * (end_lr / start_lr).powf(i as f64 / (steps - 1) as f64);
            for (group, ratio) in ratios.iter().enumerate() {
                snapshot.opt().set_lr(group, lr * ratio);
            }
            snapshot.opt().zero_grad();
            let loss = loss(i)?;
            let value = loss.item();
            average = smoothing * average + (1.0 - smoothing) * value;
            let smoothed = average / (1.0 - smoothing.powi(i as i32 + 1));
            if !smoothed.is_finite() {
                break;
            }
            curve.push(lr, value, smoothed);
            if smoothed > diverges_at * curve.least() {
                break;
            }
            loss.backward();
            let _ = snapshot.opt().step()?;
        }
        Ok(curve)
    }
}

/// What the rate of each group is of the largest.
fn ratios(lrs: &[f64]) -> Vec<f64> {
    let most = lrs.iter().fold(0.0_f64, |m, lr| m.max(*lr));
    lrs.iter().map(|lr| if most > 0.0 { lr / most } else { 1.0 }).collect()
}
