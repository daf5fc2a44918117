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
mod convolution;
pub use convolution::{ConvOptions, ConvPadding, ConvTransposeOptions};

catalog![
    adaptive_avg_pool1d: AdaptiveAvgPool1d,
    adaptive_avg_pool2d: AdaptiveAvgPool2d,
    adaptive_max_pool1d: AdaptiveMaxPool1d,
    adaptive_max_pool2d: AdaptiveMaxPool2d,
    avg_pool1d: AvgPool1d,
    avg_pool2d: AvgPool2d,
    batch_norm1d: BatchNorm1d,
    batch_norm2d: BatchNorm2d,
    conv1d: Conv1d,
    conv2d: Conv2d,
    conv_transpose1d: ConvTranspose1d,
    conv_transpose2d: ConvTranspose2d,
    dropout: Dropout,
    flatten: Flatten,
    gelu: Gelu,
    identity: Identity,
    layer_norm: LayerNorm,
    linear: Linear,
    log_softmax: LogSoftmax,
    lstm_cell: LstmCell,
    max_pool1d: MaxPool1d,
    max_pool2d: MaxPool2d,
    relu: Relu,
    sequential: Sequential,
    sigmoid: Sigmoid,
    softmax: Softmax,
    tanh: Tanh,
];

#[cfg(test)]
mod tests;
