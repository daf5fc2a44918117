//! What pools share: PyTorch's options, the rule for the input, and the names of the ops.

use super::prelude::*;
use gradus_tensor::kernels::pool::Windows;
use gradus_tensor::{Axes, Divisor, PerAxis, Pool, PoolError};
use std::sync::Arc;

/// Options of [`Tensor::max_pool1d`] and [`Tensor::max_pool2d`], with PyTorch's defaults.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MaxPoolOptions {
    /// Steps from one window to the next; `None` is the size of the window.
    pub stride: Option<PerAxis>,
    /// Entries of −∞ before and behind each axis, at most half a window.
    pub padding: PerAxis,
    /// Steps from one entry of a window to the next.
    pub dilation: PerAxis,
    /// Is there a last window that leaves the input at its end?
    pub ceil_mode: bool,
}

impl Default for MaxPoolOptions {
    fn default() -> Self {
        let (padding, dilation) = (0.into(), 1.into());
        MaxPoolOptions { stride: None, padding, dilation, ceil_mode: false }
    }
}

impl MaxPoolOptions {
    pub(super) fn pool(self, kernel: PerAxis) -> Pool {
        let MaxPoolOptions { stride, padding, dilation, ceil_mode } = self;
        Pool { kernel, stride, padding, dilation, ceil_mode, divisor: Divisor::default() }
    }
}

/// Options of [`Tensor::avg_pool1d`] and [`Tensor::avg_pool2d`], with PyTorch's defaults.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AvgPoolOptions {
    /// Steps from one window to the next; `None` is the size of the window.
    pub stride: Option<PerAxis>,
    /// Zeros before and behind each axis, at most half a window.
    pub padding: PerAxis,
    /// Is there a last window that leaves the input at its end?
    pub ceil_mode: bool,
    /// Does the padding count among the entries that are averaged?
    pub count_include_pad: bool,
    /// What the sums are divided by instead of the number of entries.
    pub divisor_override: Option<i64>,
}

impl Default for AvgPoolOptions {
    fn default() -> Self {
        let (stride, padding, ceil_mode) = (None, 0.into(), false);
        let (count_include_pad, divisor_override) = (true, None);
        AvgPoolOptions { stride, padding, ceil_mode, count_include_pad, divisor_override }
    }
}

impl AvgPoolOptions {
    pub(super) fn pool(self, kernel: PerAxis) -> Pool {
        let AvgPoolOptions { stride, padding, ceil_mode, .. } = self;
        let divisor = match self.divisor_override {
            Some(number) => Divisor::Fixed(number),
            None if self.count_include_pad => Divisor::WithPadding,
            None => Divisor::Inside,
        };
        Pool { kernel, stride, padding, dilation: 1.into(), ceil_mode, divisor }
    }
}

/// The windows of `x` over its last `AXES` axes, or what is wrong, in the name of `op`.
pub(super) fn windows<const AXES: usize>(
    op: &'static str,
    x: &Tensor,
    find: impl FnOnce(&[usize]) -> Result<Windows, PoolError>,
) -> Result<Arc<Windows>, OpError> {
    let outer = x.rank().checked_sub(AXES).filter(|n| (1..=2).contains(n));
    let Some(outer) = outer.filter(|_| x.dtype().is_float()) else {
        let rule = match AXES {
            1 => "x: [N, C, L] or [C, L], floating point",
            2 => "x: [N, C, H, W] or [C, H, W], floating point",
            _ => "x: [N, C, D, H, W] or [C, D, H, W], floating point",
        };
        return Err(OpError::rule(rule).at(op, x));
    };
    let spatial: Axes<usize> = x.shape()[outer..].into();
    match find(&spatial) {
        Ok(windows) => Ok(Arc::new(windows)),
        Err(PoolError { rule, hint }) => Err(OpError::rule(rule).hint(hint).at(op, x)),
    }
}

/// A pool with indices needs something to point at: only the batch may be empty.
pub(super) fn filled<const AXES: usize>(op: &'static str, x: &Tensor) -> Result<(), OpError> {
    let inner = x.rank().saturating_sub(AXES + 1);
    match x.shape()[inner..].contains(&0) {
        true => Err(OpError::rule("all sizes but N are positive").at(op, x)),
        false => Ok(()),
    }
}

/// The result for an input like `x`.
pub(super) fn pooled(x: &Meta, windows: &Windows) -> Meta {
    resized(x, &windows.input(), &windows.output())
}

/// The input for a result like `y`.
pub(super) fn unpooled(y: &Meta, windows: &Windows) -> Meta {
    resized(y, &windows.output(), &windows.input())
}

fn resized(x: &Meta, from: &[usize], to: &[usize]) -> Meta {
    let outer = x.shape.rank() - from.len();
    x.with_shape(Shape::new(&[&x.shape[..outer], to].concat()))
}

/// `max` or `avg`, sliding or adaptive, over so many axes.
pub(super) const fn name(what: &'static str, adaptive: bool, axes: usize) -> &'static str {
    match (what.as_bytes(), adaptive, axes) {
        (b"max", false, 1) => "max_pool1d",
        (b"max", false, 2) => "max_pool2d",
        (b"max", false, _) => "max_pool3d",
        (b"max", true, 1) => "adaptive_max_pool1d",
        (b"max", true, 2) => "adaptive_max_pool2d",
        (b"max", true, _) => "adaptive_max_pool3d",
        (_, false, 1) => "avg_pool1d",
        (_, false, 2) => "avg_pool2d",
        (_, false, _) => "avg_pool3d",
        (_, true, 1) => "adaptive_avg_pool1d",
        (_, true, 2) => "adaptive_avg_pool2d",
        (_, true, _) => "adaptive_avg_pool3d",
    }
}
