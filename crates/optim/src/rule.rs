//! What an optimizer is that moves every element by itself: options, and one formula.

use crate::OptimError;
use gradus_tensor::kernels::update::Update;
use serde::{Serialize, de::DeserializeOwned};

/// An optimizer that moves every element by itself, implemented by its options.
///
/// [`crate::Optim`] makes an optimizer of it. The formula is the [`Update`] of `Step`, written once
/// for all types and instruction levels; everything that is the same for all elements of a step is
/// computed before, in f64.
///
/// # Example
/// Sign descent, `x ← x − lr·sign(g)`:
/// ```
/// use gradus_autodiff::Parameter;
/// use gradus_optim::{ElementRule, Optim, OptimError, Optimizer, Progress};
/// use gradus_tensor::kernels::{real::Real, update::Update};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
/// struct SignOptions { lr: f64 }
///
/// #[derive(Clone, Copy)]
/// struct SignStep { lr: f64 }
///
/// impl Update for SignStep {
///     type State<R: Real> = [R; 0];
///     #[inline(always)]
///     fn f<R: Real>(self, x: R, g: R, _: &mut [R; 0]) -> R {
///         let by = R::of(self.lr).copysign(g);
///         x - R::select(g == R::of(0.0), g, by)
///     }
/// }
///
/// impl ElementRule for SignOptions {
///     const NAME: &'static str = "Sign";
///     const SLOTS: &'static [&'static str] = &[];
///     type Step = SignStep;
///     fn check(&self) -> Result<(), OptimError> { Ok(()) }
///     fn lr(&self) -> f64 { self.lr }
///     fn set_lr(&mut self, lr: f64) { self.lr = lr }
///     fn step(&self, _: Progress) -> SignStep { SignStep { lr: self.lr } }
/// }
///
/// let p = Parameter::new([1.0_f32, 1.0, 1.0]);
/// p.set_grad(Some([0.3_f32, -2.0, 0.0].into()));
/// let mut opt = Optim::from_parameters([p.clone()], SignOptions { lr: 0.5 })?;
/// opt.step()?;
/// assert_eq!(p.to_vec::<f32>(), [0.5, 1.5, 1.0]);
/// # Ok::<(), OptimError>(())
/// ```
pub trait ElementRule: Clone + Serialize + DeserializeOwned + Send + Sync + 'static {
    /// PyTorch's name of the optimizer.
    const NAME: &'static str;
    /// The names of the state arrays, as PyTorch's state dicts have them; as many as [`Update::State`]
    /// has.
    const SLOTS: &'static [&'static str];
    /// The names of numbers that are remembered of a parameter.
    const SCALARS: &'static [&'static str] = &[];
    /// Does PyTorch's state have the key `step`?
    const HAS_STEP: bool = true;
    /// One step: the constants, and the formula on one element.
    type Step: Update;

    /// Are all options in range? Invalid is what PyTorch refuses, and what is not finite.
    ///
    /// # Errors
    /// [`OptimError::Option`], naming the option, its value and what is allowed.
    fn check(&self) -> Result<(), OptimError>;
    /// The learning rate.
    fn lr(&self) -> f64;
    /// Change the learning rate.
    fn set_lr(&mut self, lr: f64);
    /// What a schedule of momenta changes: the momentum, or the first of the betas.
    fn momentum(&mut self) -> Option<&mut f64> {
        None
    }
    /// Is state array `slot` in use with these options? One that is not reads as 0.
    fn uses(&self, slot: usize) -> bool {
        let _ = slot;
        true
    }
    /// What the elements of state array `slot` are before the first step.
    fn initial(&self, slot: usize) -> f64 {
        let _ = slot;
        0.0
    }
    /// What number `i` of [`ElementRule::SCALARS`] is before the first step.
    fn initial_scalar(&self, i: usize) -> f64 {
        let _ = i;
        0.0
    }
    /// The next step of a parameter.
    fn step(&self, at: Progress<'_>) -> Self::Step;
}

/// Where a parameter stands.
#[derive(Debug)]
pub struct Progress<'a> {
    /// The number of its step; 1 is the first.
    pub t: u64,
    /// Was the first state array made just now? Not the same as `t = 1`, if an option changed.
    pub fresh: bool,
    /// The numbers of [`ElementRule::SCALARS`], to be changed by the step.
    pub scalars: &'a mut [f64],
}
