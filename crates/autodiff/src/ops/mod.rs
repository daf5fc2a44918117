//! One file per op: formula, shape rule, forward, backward rule, method, cases.
//!
//! A file begins with its formula and holds a type that implements [`crate::Op`] (its fields are the
//! op's attributes), the `Tensor` method, and `cases()` for the common tests. To add one: write the file
//! and its word in the catalog below. Nothing else.

mod pooling;
mod prelude;
mod shapes;
mod targets;

/// Declares the modules and puts them in the common tests: what is compiled is checked, and an op
/// without `cases()` does not compile under test.
///
/// `catalog![neg]` expands to
///
/// ```text
/// mod neg;
/// pub const OPS: &[&str] = &["neg"];
/// #[cfg(test)]
/// pub(crate) fn all_cases() -> Vec<(&'static str, Vec<Case>)> { vec![("neg", neg::cases())] }
/// ```
macro_rules! catalog {
    ($($op:ident),* $(,)?) => {
        $(mod $op;)*

        /// Every op, by the name of its file. Fixtures and documentation must have each.
        pub const OPS: &[&str] = &[$(stringify!($op)),*];

        /// Every op with its cases.
        #[cfg(test)]
        pub(crate) fn all_cases() -> Vec<(&'static str, Vec<crate::testing::Case>)> {
            vec![$((stringify!($op), $op::cases())),*]
        }
    };
}

catalog![
    abs,
    adaptive_avg_pool1d,
    adaptive_avg_pool2d,
    adaptive_max_pool1d,
    adaptive_max_pool2d,
    add,
    addmm,
    amax,
    amin,
    argmax,
    argmin,
    avg_pool1d,
    avg_pool2d,
    batch_norm,
    bmm,
    cat,
    ceil,
    clamp,
    compare,
    conv1d,
    conv2d,
    conv_transpose1d,
    conv_transpose2d,
    convolution,
    copy,
    cos,
    cross_entropy,
    cumsum,
    div,
    dot,
    dropout,
    erf,
    exp,
    expand,
    expm1,
    floor,
    gather,
    gelu,
    index_select,
    isfinite,
    isinf,
    isnan,
    layer_norm,
    linear,
    log,
    log1p,
    log_softmax,
    logical_not,
    logsumexp,
    lstm_cell,
    matmul,
    max,
    max_dim,
    max_pool1d,
    max_pool2d,
    maximum,
    mean,
    min,
    min_dim,
    minimum,
    mse_loss,
    mul,
    mv,
    narrow,
    neg,
    nll_loss,
    pad,
    permute,
    pow,
    prod,
    reciprocal,
    relu,
    reshape,
    rsqrt,
    scale,
    sigmoid,
    sign,
    sin,
    softmax,
    sqrt,
    square,
    std,
    sub,
    sum,
    sum_to,
    tanh,
    to_dtype,
    transpose,
    var,
    where_,
];

pub(crate) use add::Add;
pub use cross_entropy::{
    CrossEntropyOptions, cross_entropy, cross_entropy_with, try_cross_entropy,
};
pub use gelu::GeluApproximate;
pub use mse_loss::{mse_loss, mse_loss_with, try_mse_loss};
pub use nll_loss::{NllLossOptions, nll_loss, nll_loss_with, try_nll_loss};
pub use pooling::{AvgPoolOptions, MaxPoolOptions};
pub(crate) use scale::Times;
pub use targets::Reduction;

#[cfg(test)]
mod tests;
