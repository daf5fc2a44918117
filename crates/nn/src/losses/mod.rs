//! Losses: functions of an input and a target, and the same as modules with fixed options.
//!
//! | function | with options | module |
//! |---|---|---|
//! | [`cross_entropy`] | [`cross_entropy_with`] | [`CrossEntropyLoss`] |
//! | [`nll_loss`] | [`nll_loss_with`] | [`NllLoss`] |
//! | [`mse_loss`] | [`mse_loss_with`] | [`MseLoss`] |
//!
//! To add a loss: write its file and its word in the catalog below. Nothing else.

pub use gradus_autodiff::{
    CrossEntropyOptions, NllLossOptions, Reduction, cross_entropy, cross_entropy_with, mse_loss,
    mse_loss_with, nll_loss, nll_loss_with, try_cross_entropy, try_mse_loss, try_nll_loss,
};

/// Declares the files, exports their losses, prints them as
/// [`Module::describe`](crate::Module::describe) does, and puts them in the common tests.
///
/// `catalog![mse_loss: MseLoss]` expands to
///
/// ```text
/// mod mse_loss;
/// pub use mse_loss::*;
/// pub const LOSSES: &[&str] = &["MseLoss"];
/// impl fmt::Debug for mse_loss::MseLoss { … self.describe() … }
/// #[cfg(test)]
/// pub(crate) fn all_cases() -> Vec<(&'static str, Vec<Case>)> { vec![("MseLoss", mse_loss::cases())] }
/// ```
macro_rules! catalog {
    ($($file:ident: $Loss:ident),* $(,)?) => {
        $(
            mod $file;
            pub use $file::*;

            impl std::fmt::Debug for $file::$Loss {
                fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    f.write_str(&$crate::Module::describe(self))
                }
            }
        )*

        /// Every loss. Fixtures and documentation must have each.
        pub const LOSSES: &[&str] = &[$(stringify!($Loss)),*];

        /// Every loss with its cases.
        #[cfg(test)]
        pub(crate) fn all_cases() -> Vec<(&'static str, Vec<crate::testing::Case>)> {
            vec![$((stringify!($Loss), $file::cases())),*]
        }
    };
}

catalog![
    cross_entropy_loss: CrossEntropyLoss,
    mse_loss: MseLoss,
    nll_loss: NllLoss,
];

#[cfg(test)]
mod tests;
