//! Learning-rate schedules: one file each; construction, steps and state are shared.
//!
//! To add one: write the file and its words in the catalog below. Nothing else.

mod anneal;
mod function;
mod per_group;
mod reduce_lr_on_plateau;
mod schedule;
mod scheduler;

pub use anneal::Anneal;
pub use cyclic_lr::{CyclicMode, ScaleFn, ScaleMode};
pub use one_cycle_lr::PastEnd;
pub use per_group::PerGroup;
pub use reduce_lr_on_plateau::{
    PlateauMode, ReduceLrOnPlateau, ReduceLrOnPlateauOptions, ThresholdMode,
};
pub use schedule::{At, BoxedSchedule, Schedule};
pub use scheduler::{LrScheduler, Scheduler};
pub use warmup_stable_decay_lr::Decay;

/// Declares the modules, exports the types and puts them in the common tests: a schedule without
/// `cases()` does not compile under test.
///
/// `catalog![step_lr: StepLr, StepLrOptions]` expands to
///
/// ```text
/// mod step_lr;
/// pub use step_lr::{StepLr, StepLrOptions};
/// pub const SCHEDULES: &[&str] = &["step_lr"];
/// #[cfg(test)]
/// fn for_each_case(visit: &mut impl Visit) {
///     for options in step_lr::cases() { visit.case("step_lr", options); }
/// }
/// ```
macro_rules! catalog {
    ($($file:ident: $Scheduler:ident, $Options:ident;)*) => {
        $(mod $file;)*
        $(pub use $file::{$Scheduler, $Options};)*

        /// Every schedule that is a function of the epoch, by the name of its file. Fixtures and
        /// documentation must have each.
        pub const SCHEDULES: &[&str] = &[$(stringify!($file)),*];

        /// Every schedule with each of its option sets.
        #[cfg(test)]
        pub(crate) fn for_each_case(visit: &mut impl tests::Visit) {
            $(for options in $file::cases() {
                visit.case(stringify!($file), options);
            })*
        }
    };
}

catalog! {
    chained_scheduler: ChainedScheduler, ChainedSchedulerOptions;
    constant_lr: ConstantLr, ConstantLrOptions;
    cosine_annealing_lr: CosineAnnealingLr, CosineAnnealingLrOptions;
    cosine_annealing_warm_restarts: CosineAnnealingWarmRestarts, CosineAnnealingWarmRestartsOptions;
    cyclic_lr: CyclicLr, CyclicLrOptions;
    exponential_lr: ExponentialLr, ExponentialLrOptions;
    lambda_lr: LambdaLr, LambdaLrOptions;
    linear_lr: LinearLr, LinearLrOptions;
    multi_step_lr: MultiStepLr, MultiStepLrOptions;
    multiplicative_lr: MultiplicativeLr, MultiplicativeLrOptions;
    noam_lr: NoamLr, NoamLrOptions;
    one_cycle_lr: OneCycleLr, OneCycleLrOptions;
    polynomial_lr: PolynomialLr, PolynomialLrOptions;
    sequential_lr: SequentialLr, SequentialLrOptions;
    step_lr: StepLr, StepLrOptions;
    swa_lr: SwaLr, SwaLrOptions;
    warmup_lr: WarmupLr, WarmupLrOptions;
    warmup_stable_decay_lr: WarmupStableDecayLr, WarmupStableDecayLrOptions;
}

#[cfg(test)]
pub(crate) mod tests;
