//! Convolutions of one type, contiguous: forward, and the gradients of input and weight.
//!
//! ```text
//! mod.rs       the door
//! axis.rs      one axis: which sources each result reads, and with which taps
//! pass.rs      an image: results with one pattern, and the tables of places and steps
//! frame.rs     where sources lie: as they are given, or with zeros around
//! weights.rs   weights as tiles read them
//! tiles.rs     which rows make a tile, and its steps
//! sweep.rs     results from sources, image by image; ready.rs: the tiles of a pass
//! results.rs   where they go
//! weight.rs    the gradient of the weight; dots.rs: where a group has few outputs
//! tile.rs      the micro-kernels; levels.rs: for each instruction level
//! ```
//! A result is a sum over taps and channels of its group. The sum is that of a matrix product whose left
//! factor is never built: a tile finds its elements where they lie, by a table of places and one of
//! steps. Strides, dilation, padding and the number of axes change the tables alone. Vectors lie along
//! channels; where a group has few of them (depthwise), along places.
//!
//! Sums are cut by shape, never by threads.
//!
//! # Source
//! Dukhan 2019, *The Indirect Convolution Algorithm*, <https://arxiv.org/abs/1907.02129>; for vectors
//! along channels of an image in cache, Georganas et al. 2018, <https://arxiv.org/abs/1808.05567>

mod axis;
mod dots;
mod frame;
mod levels;
mod pass;
mod ready;
mod results;
mod sweep;
mod tile;
mod tiles;
mod weight;
mod weights;

#[cfg(test)]
mod plain;
#[cfg(test)]
mod tests;

pub(crate) use levels::Element;

use self::sweep::Sweep;
use self::weights::Weights;
use super::level::{Level, level};
use crate::ConvGeometry;

/// `y` of [`ConvGeometry`].
pub(crate) fn forward<T: Element>(
    by: &ConvGeometry,
    x: &[T],
    w: &[T],
    b: Option<&[T]>,
    y: &mut [T],
) {
    forward_at(level(), by, x, w, b, y);
}

/// `x̄` of [`crate::Array::convolution_input_gradient`].
pub(crate) fn input_gradient<T: Element>(
    by: &ConvGeometry,
    g: &[T],
    w: &[T],
    b: Option<&[T]>,
    x: &mut [T],
) {
    input_gradient_at(level(), by, g, w, b, x);
}

/// `w̄` of [`crate::Array::convolution_weight_gradient`], and `b̄` of
/// [`crate::Array::convolution_weight_bias_gradient`].
pub(crate) fn weight_gradient<T: Element>(
    by: &ConvGeometry,
    x: &[T],
    g: &[T],
    w: &mut [T],
    b: Option<&mut [T]>,
) {
    weight_gradient_at(level(), by, x, g, w, b);
}

fn forward_at<T: Element>(
    level: Level,
    by: &ConvGeometry,
    x: &[T],
    w: &[T],
    bias: Option<&[T]>,
    y: &mut [T],
) {
    check(by, x, w, y);
    let (size, _, taps) = pass::sizes(by);
    let weights = Weights { by, w, taps, back: false };
    Sweep { level, passes: pass::forward(by), source: x, size, weights, bias }.run(y);
}

fn input_gradient_at<T: Element>(
    level: Level,
    by: &ConvGeometry,
    g: &[T],
    w: &[T],
    bias: Option<&[T]>,
    x: &mut [T],
) {
    check(by, x, w, g);
    let (_, size, taps) = pass::sizes(by);
    let weights = Weights { by, w, taps, back: true };
    Sweep { level, passes: pass::backward(by), source: g, size, weights, bias }.run(x);
}

fn weight_gradient_at<T: Element>(
    level: Level,
    by: &ConvGeometry,
    x: &[T],
    g: &[T],
    w: &mut [T],
    b: Option<&mut [T]>,
) {
    check(by, x, w, g);
    assert!(
        b.as_ref().is_none_or(|b| b.len() == by.out_channels),
        "a bias for each output channel"
    );
    weight::gradient(level, by, x, g, w, b);
}

/// The loops rely on these lengths.
fn check<T>(by: &ConvGeometry, x: &[T], w: &[T], y: &[T]) {
    assert!(x.len() == by.input_shape().numel(), "an input of {} elements", x.len());
    assert!(w.len() == by.weight_shape().numel(), "a weight of {} elements", w.len());
    assert!(y.len() == by.output_shape().numel(), "an output of {} elements", y.len());
}
