//! What an optimizer is: options, names of its state, and one formula for an element or a tensor.

use crate::{Jobs, OptimError};
use gradus_tensor::kernels::update::Update;
use gradus_tensor::{Array, Meta, Shape};
use serde::{Serialize, de::DeserializeOwned};

/// What [`crate::Optim`] must know of an optimizer; implemented by its options.
///
/// The formula is an [`ElementRule`] or a [`TensorRule`], and [`Rule::advance`] says which of them.
pub trait Rule: Clone + Serialize + DeserializeOwned + Send + Sync + 'static {
    /// PyTorch's name of the optimizer.
    const NAME: &'static str;
    /// The names of the state arrays, as PyTorch's state dicts have them. An element rule has as many
    /// as its [`Update::State`].
    const SLOTS: &'static [&'static str];
    /// The names of numbers that are remembered of a parameter.
    const SCALARS: &'static [&'static str] = &[];
    /// Does PyTorch's state have the key `step`?
    const HAS_STEP: bool = true;
    /// Does the state exist before the first gradient? It does of PyTorch's Adagrad.
    const EAGER: bool = false;
    /// Does a step go by the rows that a gradient has? It must be told which.
    const BY_ROWS: bool = false;

    /// Are all options in range? Invalid is what PyTorch refuses, and what is not finite.
    ///
    /// # Errors
    /// [`OptimError::Option`], naming the option, its value and what is allowed.
    fn check(&self) -> Result<(), OptimError>;
    /// Can parameters like this one be optimized? `Err` says which can.
    ///
    /// # Errors
    /// The rule, as a short text.
    fn accepts(&self, parameter: &Meta) -> Result<(), &'static str> {
        let _ = parameter;
        Ok(())
    }
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
    /// The shape of state array `slot` of a parameter of shape `of`, if it is in use. Those of an element
    /// rule have the shape of the parameter.
    fn shape(&self, slot: usize, of: &Shape) -> Option<Shape> {
        self.uses(slot).then(|| of.clone())
    }
    /// What the elements of state array `slot` are before the first step.
    fn initial(&self, slot: usize) -> f64 {
        let _ = slot;
        0.0
    }
    /// What number `i` of [`Rule::SCALARS`] is before the first step.
    fn initial_scalar(&self, i: usize) -> f64 {
        let _ = i;
        0.0
    }
    /// Takes one step of every job: `jobs.by_element()` or `jobs.by_tensor()`. It stands with the rule
    /// so that its loops are compiled in the crate of the rule, once.
    fn advance(jobs: Jobs<'_, Self>);
}

/// An optimizer that moves every element by itself: one fused pass over memory.
///
/// The formula is the [`Update`] of `Step`, written once for all types and instruction levels;
/// everything that is the same for all elements of a step is computed before, in f64.
///
/// # Example
/// Sign descent, `x ← x − lr·sign(g)`:
/// ```
/// use gradus_autodiff::Parameter;
/// use gradus_optim::{ElementRule, Jobs, Optim, OptimError, Optimizer, Progress, Rule};
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
/// impl Rule for SignOptions {
///     const NAME: &'static str = "Sign";
///     const SLOTS: &'static [&'static str] = &[];
///     fn check(&self) -> Result<(), OptimError> { Ok(()) }
///     fn lr(&self) -> f64 { self.lr }
///     fn set_lr(&mut self, lr: f64) { self.lr = lr }
///     fn advance(jobs: Jobs<'_, Self>) { jobs.by_element() }
/// }
///
/// impl ElementRule for SignOptions {
///     type Step = SignStep;
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
pub trait ElementRule: Rule {
    /// One step: the constants, and the formula on one element.
    type Step: Update;
    /// The next step of a parameter.
    fn step(&self, at: Progress<'_>) -> Self::Step;
}

/// An optimizer that moves a tensor as a whole: by its norms, its rows and columns, its singular values.
///
/// # Example
/// Steps of equal length, `x ← x − lr·g/‖g‖`:
/// ```
/// use gradus_autodiff::Parameter;
/// use gradus_optim::{Jobs, Optim, OptimError, Optimizer, Progress, Rule, TensorRule, TensorStep};
/// use gradus_tensor::kernels::{element::Zip, real::Real};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
/// struct NormalizedOptions { lr: f64 }
///
/// impl Rule for NormalizedOptions {
///     const NAME: &'static str = "Normalized";
///     const SLOTS: &'static [&'static str] = &[];
///     fn check(&self) -> Result<(), OptimError> { Ok(()) }
///     fn lr(&self) -> f64 { self.lr }
///     fn set_lr(&mut self, lr: f64) { self.lr = lr }
///     fn advance(jobs: Jobs<'_, Self>) { jobs.by_tensor() }
/// }
///
/// impl TensorRule for NormalizedOptions {
///     fn step(&self, _: Progress<'_>, TensorStep { mut x, grad, .. }: TensorStep<'_>) {
///         let norm = grad.to_vec::<f64>().iter().map(|g| g * g).sum::<f64>().sqrt();
///         x.update(|x| x.zip(grad, Minus(self.lr / norm)));
///     }
/// }
///
/// #[derive(Clone, Copy)]
/// struct Minus(f64);
///
/// impl Zip for Minus {
///     fn f<R: Real>(self, x: R, g: R) -> R { x - R::of(self.0) * g }
/// }
///
/// let p = Parameter::new([1.0, 1.0]);
/// p.set_grad(Some([3.0, -4.0].into()));
/// let mut opt = Optim::from_parameters([p.clone()], NormalizedOptions { lr: 0.5 })?;
/// opt.step()?;
/// assert_eq!(p.to_vec::<f64>(), [0.7, 1.4]);
/// # Ok::<(), OptimError>(())
/// ```
pub trait TensorRule: Rule {
    /// The next step of a parameter.
    fn step(&self, at: Progress<'_>, tensor: TensorStep<'_>);
}

/// One parameter during a step, in the type the step is computed in: f32 for half parameters.
#[derive(Debug)]
pub struct TensorStep<'a> {
    /// The parameter, or its master weights.
    pub x: TensorValue<'a>,
    /// The gradient: of the shape of the parameter, or the rows that [`TensorStep::rows`] names.
    pub grad: Array,
    /// The arrays of [`Rule::SLOTS`]; `None` if not in use.
    pub state: &'a mut [Option<Array>],
    /// Which rows of the parameter the gradient has, each once, in rising order; of a rule that goes
    /// by rows.
    pub rows: &'a [usize],
}

/// A value that is changed by operations that take it by value.
#[derive(Debug)]
pub struct TensorValue<'a>(pub(crate) &'a mut Array);

impl TensorValue<'_> {
    /// `x = f(x)`; in place if `f` is.
    pub fn update(&mut self, f: impl FnOnce(Array) -> Array) {
        crate::in_place::change(self.0, f);
    }
}

impl std::ops::Deref for TensorValue<'_> {
    type Target = Array;
    fn deref(&self) -> &Array {
        self.0
    }
}

impl std::ops::DerefMut for TensorValue<'_> {
    fn deref_mut(&mut self) -> &mut Array {
        self.0
    }
}

/// Where a parameter stands.
#[derive(Debug)]
pub struct Progress<'a> {
    /// The number of its step; 1 is the first.
    pub t: u64,
    /// Was the first state array made just now? Not the same as `t = 1`, if an option changed.
    pub fresh: bool,
    /// The numbers of [`Rule::SCALARS`], to be changed by the step.
    pub scalars: &'a mut [f64],
}
