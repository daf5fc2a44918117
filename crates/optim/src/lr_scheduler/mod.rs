//! Learning-rate schedules: one file each; construction, steps and state are shared.
//!
//! To add one: write the file and its words in the catalog below. Nothing else.

mod scheduler;

pub use scheduler::{At, Schedule, Scheduler};

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

        /// Every schedule, by the name of its file. Fixtures and documentation must have each.
        pub const SCHEDULES: &[&str] = &[$(stringify!($file)),*];

        /// Every schedule with each of its option sets.
        #[cfg(test)]
        fn for_each_case(visit: &mut impl tests::Visit) {
            $(for options in $file::cases() {
                visit.case(stringify!($file), options);
            })*
        }
    };
}

catalog! {
    cosine_annealing_lr: CosineAnnealingLr, CosineAnnealingLrOptions;
    step_lr: StepLr, StepLrOptions;
}

#[cfg(test)]
mod tests;
