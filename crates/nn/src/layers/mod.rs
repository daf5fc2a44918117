//! One file per layer: formula, options, parameters, forward, cases for the common tests.
//!
//! To add a layer: write the file and its word in the catalog below. Nothing else.

/// Declares the files, exports their layers, prints them as [`Module::describe`](crate::Module::describe)
/// does, and puts them in the common tests: a layer without `cases()` does not compile under test.
///
/// `catalog![relu: Relu]` expands to
///
/// ```text
/// mod relu;
/// pub use relu::*;
/// pub const LAYERS: &[&str] = &["Relu"];
/// impl fmt::Debug for relu::Relu { … self.describe() … }
/// #[cfg(test)]
/// pub(crate) fn all_cases() -> Vec<(&'static str, Vec<Case>)> { vec![("Relu", relu::cases())] }
/// ```
macro_rules! catalog {
    ($($file:ident: $Layer:ident),* $(,)?) => {
        $(
            mod $file;
            pub use $file::*;

            impl std::fmt::Debug for $file::$Layer {
                fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    f.write_str(&$crate::Module::describe(self))
                }
            }
        )*

        /// Every layer. Fixtures and documentation must have each.
        pub const LAYERS: &[&str] = &[$(stringify!($Layer)),*];

        /// Every layer with its cases.
        #[cfg(test)]
        pub(crate) fn all_cases() -> Vec<(&'static str, Vec<crate::testing::Case>)> {
            vec![$((stringify!($Layer), $file::cases())),*]
        }
    };
}

mod batch_norm;
pub use batch_norm::{BatchNorm, BatchNormOptions};

catalog![
    batch_norm1d: BatchNorm1d,
    batch_norm2d: BatchNorm2d,
    dropout: Dropout,
    flatten: Flatten,
    identity: Identity,
    linear: Linear,
    lstm_cell: LstmCell,
    relu: Relu,
    sequential: Sequential,
    sigmoid: Sigmoid,
    tanh: Tanh,
];

#[cfg(test)]
mod tests;
