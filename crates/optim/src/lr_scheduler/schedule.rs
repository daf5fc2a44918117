//! What a schedule is: options, and a rate for each epoch.

use crate::{OptimError, Plot};
use serde_json::Value;

/// The arithmetic of a schedule, implemented by its options.
///
/// [`crate::Scheduler`] makes a scheduler of it. A schedule is a function of where it stands and
/// remembers nothing: that is why [`crate::SequentialLr`] and [`crate::ChainedScheduler`] can be made of
/// any others, and why a saved scheduler goes on to the bit.
///
/// # Example
/// Halve the rate at every power of two:
/// ```
/// use gradus_autodiff::Parameter;
/// use gradus_optim::{At, LrScheduler, OptimError, Optimizer, Schedule, Scheduler, Value};
/// use gradus_optim::{Sgd, SgdOptions};
///
/// #[derive(Clone, Debug)]
/// struct Doubling;
///
/// impl Schedule for Doubling {
///     const NAME: &'static str = "Doubling";
///     fn check(&self, _groups: usize) -> Result<(), OptimError> { Ok(()) }
///     fn rate(&self, at: At) -> f64 {
///         if at.epoch.is_power_of_two() { at.lr / 2.0 } else { at.lr }
///     }
///     fn save(&self) -> Value { Value::Null }
///     fn load(&self, _saved: &Value) -> Result<Self, OptimError> { Ok(Doubling) }
/// }
///
/// let options = SgdOptions { lr: 1.0, ..Default::default() };
/// let mut opt = Sgd::from_parameters([Parameter::new([0.0])], options)?;
/// let mut sched = Scheduler::new(&mut opt, Doubling)?;
/// let mut lrs = vec![];
/// for _ in 0..5 {
///     lrs.push(opt.lrs()[0]);
///     opt.step()?;
///     sched.step(&mut opt);
/// }
/// assert_eq!(lrs, [1.0, 0.5, 0.25, 0.25, 0.125]);
/// # Ok::<(), OptimError>(())
/// ```
pub trait Schedule: Clone + Send + Sync + 'static {
    /// PyTorch's name of the scheduler.
    const NAME: &'static str;
    /// Are all options in range, for an optimizer with so many groups?
    ///
    /// # Errors
    /// [`OptimError::Option`], naming the option, its value and what is allowed.
    fn check(&self, groups: usize) -> Result<(), OptimError>;
    /// The rate at an epoch, from the one before: a rate set by hand is kept where the formula allows.
    fn rate(&self, at: At) -> f64;
    /// The rate at an epoch from the first rate alone, if there is such a formula.
    fn closed_form(&self, epoch: f64, base: f64) -> Option<f64> {
        let _ = (epoch, base);
        None
    }
    /// The momentum (or first beta) at an epoch, if the schedule moves it.
    fn momentum(&self, at: At) -> Option<f64> {
        let _ = at;
        None
    }
    /// The rate that a group with the rate `lr` begins with, if no schedule has acted on it before.
    fn start(&self, group: usize, lr: f64) -> f64 {
        let _ = group;
        lr
    }
    /// What the initial rate of a group becomes: `base`, unless the schedule brings its own.
    fn rebase(&self, group: usize, base: f64) -> f64 {
        let _ = group;
        base
    }
    /// A chart of the rates of so many steps, for a group whose rate is `lr`.
    ///
    /// # Errors
    /// If an option is out of range.
    fn plot(&self, lr: f64, steps: u64) -> Result<Plot, OptimError> {
        super::scheduler::plot(self.clone(), lr, steps)
    }
    /// The options as JSON; what cannot be saved (closures) is left out.
    fn save(&self) -> Value;
    /// These options with the saved ones in their places.
    ///
    /// # Errors
    /// If they are not those of such a schedule.
    fn load(&self, saved: &Value) -> Result<Self, OptimError>;
}

/// Where a schedule stands, for one group.
#[derive(Clone, Copy, Debug)]
pub struct At {
    /// The number of the group.
    pub group: usize,
    /// The epoch (or step) whose rate is asked for; 0 is the first.
    pub epoch: u64,
    /// The same with the fraction that [`crate::LrScheduler::step_to`] was given.
    pub position: f64,
    /// How many steps were taken since construction: other than `epoch` after
    /// [`crate::LrScheduler::step_to`] and [`crate::Scheduler::resume`].
    pub calls: u64,
    /// The rate the group has.
    pub lr: f64,
    /// The rate the group began with.
    pub base: f64,
    /// Is this the step that construction takes?
    pub initial: bool,
}

/// A [`Schedule`] of any type: what [`crate::SequentialLr`] and [`crate::ChainedScheduler`] are made of.
///
/// Made by `into()` from the options of a schedule.
pub struct BoxedSchedule(Box<dyn Any>);

/// [`Schedule`], without what a pointer cannot have.
trait Any: Send + Sync {
    fn name(&self) -> &'static str;
    fn check(&self, groups: usize) -> Result<(), OptimError>;
    fn rate(&self, at: At) -> f64;
    fn closed_form(&self, epoch: f64, base: f64) -> Option<f64>;
    fn momentum(&self, at: At) -> Option<f64>;
    fn start(&self, group: usize, lr: f64) -> f64;
    fn rebase(&self, group: usize, base: f64) -> f64;
    fn save(&self) -> Value;
    fn load(&self, saved: &Value) -> Result<BoxedSchedule, OptimError>;
    fn boxed(&self) -> BoxedSchedule;
}

impl<S: Schedule> Any for S {
    fn name(&self) -> &'static str {
        S::NAME
    }
    fn check(&self, groups: usize) -> Result<(), OptimError> {
        Schedule::check(self, groups)
    }
    fn rate(&self, at: At) -> f64 {
        Schedule::rate(self, at)
    }
    fn closed_form(&self, epoch: f64, base: f64) -> Option<f64> {
        Schedule::closed_form(self, epoch, base)
    }
    fn momentum(&self, at: At) -> Option<f64> {
        Schedule::momentum(self, at)
    }
    fn start(&self, group: usize, lr: f64) -> f64 {
        Schedule::start(self, group, lr)
    }
    fn rebase(&self, group: usize, base: f64) -> f64 {
        Schedule::rebase(self, group, base)
    }
    fn save(&self) -> Value {
        Schedule::save(self)
    }
    fn load(&self, saved: &Value) -> Result<BoxedSchedule, OptimError> {
        Schedule::load(self, saved).map(BoxedSchedule::from)
    }
    fn boxed(&self) -> BoxedSchedule {
        self.clone().into()
    }
}

impl<S: Schedule> From<S> for BoxedSchedule {
    fn from(options: S) -> Self {
        BoxedSchedule(Box::new(options))
    }
}

impl Clone for BoxedSchedule {
    fn clone(&self) -> Self {
        self.0.boxed()
    }
}

impl std::fmt::Debug for BoxedSchedule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.name(), self.0.save())
    }
}

impl BoxedSchedule {
    /// PyTorch's name of the scheduler.
    pub fn name(&self) -> &'static str {
        self.0.name()
    }
    pub(super) fn check(&self, groups: usize) -> Result<(), OptimError> {
        self.0.check(groups)
    }
    pub(super) fn rate(&self, at: At) -> f64 {
        self.0.rate(at)
    }
    pub(super) fn closed_form(&self, epoch: f64, base: f64) -> Option<f64> {
        self.0.closed_form(epoch, base)
    }
    pub(super) fn momentum(&self, at: At) -> Option<f64> {
        self.0.momentum(at)
    }
    pub(super) fn start(&self, group: usize, lr: f64) -> f64 {
        self.0.start(group, lr)
    }
    pub(super) fn rebase(&self, group: usize, base: f64) -> f64 {
        self.0.rebase(group, base)
    }
    /// Its kind and its options.
    pub(super) fn save(&self) -> Value {
        serde_json::json!({ "scheduler": self.name(), "options": self.0.save() })
    }
    /// Takes what [`BoxedSchedule::save`] made, if it is of the same kind.
    pub(super) fn load(&self, saved: &Value) -> Result<Self, OptimError> {
        let name = saved["scheduler"].as_str().unwrap_or("nothing");
        if name != self.name() {
            let text = format!("an inner scheduler is {name}, not {}", self.name());
            return Err(OptimError::Malformed(text));
        }
        self.0.load(&saved["options"])
    }
}
