//! One file per optimizer: formula, options, constants, cases for the common tests.
//!
//! To add one: write the file and its words in the catalog below. Nothing else.

/// Declares the modules, exports the types and puts them in the common tests: an optimizer without
/// `cases()` does not compile under test.
///
/// `catalog! { rules { sgd: Sgd, SgdOptions; } whole { sam: Sam, SamOptions; } }` expands to
///
/// ```text
/// mod sgd;
/// pub use sgd::{Sgd, SgdOptions};
/// mod sam;
/// pub use sam::{Sam, SamOptions};
/// pub const OPTIMIZERS: &[&str] = &["sgd", "sam"];
/// #[cfg(test)]
/// fn for_each_rule(visit: &mut impl Visit) {
///     for options in sgd::cases() { visit.case("sgd", options); }
/// }
/// #[cfg(test)]
/// fn for_each_whole(visit: &mut dyn FnMut(&str, tests::Build)) {
///     for build in sam::cases() { visit("sam", build); }
/// }
/// ```
macro_rules! catalog {
    (
        rules { $($rule:ident: $Rule:ident, $RuleOptions:ident;)* }
        whole { $($whole:ident: $Whole:ident, $WholeOptions:ident;)* }
    ) => {
        $(mod $rule;)*
        $(pub use $rule::{$Rule, $RuleOptions};)*
        $(mod $whole;)*
        $(pub use $whole::{$Whole, $WholeOptions};)*

        /// Every optimizer, by the name of its file. Fixtures and documentation must have each.
        pub const OPTIMIZERS: &[&str] = &[$(stringify!($rule),)* $(stringify!($whole)),*];

        /// Every optimizer of elements or tensors with each of its option sets.
        #[cfg(test)]
        fn for_each_rule(visit: &mut impl tests::Visit) {
            $(for options in $rule::cases() {
                visit.case(stringify!($rule), options);
            })*
        }
        /// Every optimizer of whole models with each of its option sets.
        #[cfg(test)]
        fn for_each_whole(visit: &mut dyn FnMut(&str, tests::Build)) {
            $(for build in $whole::cases() {
                visit(stringify!($whole), build);
            })*
        }
    };
}

catalog! {
    rules {
        adadelta: Adadelta, AdadeltaOptions;
        adafactor: Adafactor, AdafactorOptions;
        adagrad: Adagrad, AdagradOptions;
        adam: Adam, AdamOptions;
        adamax: Adamax, AdamaxOptions;
        adamw: AdamW, AdamWOptions;
        adamw_schedule_free: AdamWScheduleFree, AdamWScheduleFreeOptions;
        asgd: Asgd, AsgdOptions;
        lamb: Lamb, LambOptions;
        lion: Lion, LionOptions;
        muon: Muon, MuonOptions;
        nadam: NAdam, NAdamOptions;
        radam: RAdam, RAdamOptions;
        rmsprop: RmsProp, RmsPropOptions;
        rprop: Rprop, RpropOptions;
        sgd: Sgd, SgdOptions;
        sparse_adam: SparseAdam, SparseAdamOptions;
    }
    whole {
        lbfgs: Lbfgs, LbfgsOptions;
        lookahead: Lookahead, LookaheadOptions;
        newton: Newton, NewtonOptions;
        sam: Sam, SamOptions;
    }
}

pub use adamw_schedule_free::Averaged;
pub use lbfgs::LineSearch;
pub use muon::AdjustLr;
pub use newton::NewtonMethod;

#[cfg(test)]
mod tests;
