//! One file per optimizer: formula, options, constants, cases for the common tests.
//!
//! To add one: write the file and its words in the catalog below. Nothing else.

/// Declares the modules, exports the types and puts them in the common tests: an optimizer without
/// `cases()` does not compile under test.
///
/// `catalog![sgd: Sgd, SgdOptions]` expands to
///
/// ```text
/// mod sgd;
/// pub use sgd::{Sgd, SgdOptions};
/// pub const OPTIMIZERS: &[&str] = &["sgd"];
/// #[cfg(test)]
/// fn for_each_case(visit: &mut impl Visit) {
///     for options in sgd::cases() { visit.case("sgd", options); }
/// }
/// ```
macro_rules! catalog {
    ($($file:ident: $Optimizer:ident, $Options:ident;)*) => {
        $(mod $file;)*
        $(pub use $file::{$Optimizer, $Options};)*

        /// Every optimizer, by the name of its file. Fixtures and documentation must have each.
        pub const OPTIMIZERS: &[&str] = &[$(stringify!($file)),*];

        /// Every optimizer with each of its option sets.
        #[cfg(test)]
        fn for_each_case(visit: &mut impl tests::Visit) {
            $(for options in $file::cases() {
                visit.case(stringify!($file), options);
            })*
        }
    };
}

catalog! {
    adam: Adam, AdamOptions;
    adamw: AdamW, AdamWOptions;
    sgd: Sgd, SgdOptions;
}

#[cfg(test)]
mod tests;
