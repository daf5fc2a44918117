//! The definition of a convolution, pair by pair: the twin of the loops.

use super::levels::Element;
use crate::ConvGeometry;

pub(super) fn forward<T: Element>(
    by: &ConvGeometry,
    x: &[T],
    w: &[T],
    b: Option<&Vec<T>>,
    y: &mut [T],
) {
    bias(b, by.batch * by.out_channels, y);
    pairs(by, |i, j, o| y[o] = x[i].times_plus(w[j], y[o]));
}

pub(super) fn input_gradient<T: Element>(
    by: &ConvGeometry,
    g: &[T],
    w: &[T],
    b: Option<&Vec<T>>,
    x: &mut [T],
) {
    bias(b, by.batch * by.in_channels, x);
    pairs(by, |i, j, o| x[i] = g[o].times_plus(w[j], x[i]));
}

pub(super) fn weight_gradient<T: Element>(by: &ConvGeometry, x: &[T], g: &[T], w: &mut [T]) {
    w.fill(T::ZERO);
    pairs(by, |i, j, o| w[j] = x[i].times_plus(g[o], w[j]));
}

pub(super) fn bias_gradient<T: Element>(by: &ConvGeometry, g: &[T], b: &mut [T]) {
    b.fill(T::ZERO);
    let plane = g.len() / (by.batch * by.out_channels).max(1);
    for (i, plane) in g.chunks_exact(plane.max(1)).enumerate() {
        let b = &mut b[i % by.out_channels];
        plane.iter().for_each(|g| *b = g.times_plus(T::ONE, *b));
    }
}

/// Fills `planes` planes with the bias of their channel.
fn bias<T: Element>(b: Option<&Vec<T>>, planes: usize, out: &mut [T]) {
    let plane = out.len() / planes.max(1);
    for (i, out) in out.chunks_mut(plane.max(1)).enumerate() {
        out.fill(b.map_or(T::ZERO, |b| b[i % b.len()]));
    }
}

/// Calls `pair(x, w, y)` with the positions of every product `x·w` that is a summand of `y`.
fn pairs(by: &ConvGeometry, mut pair: impl FnMut(usize, usize, usize)) {
    let count = |size: fn(&crate::ConvAxis) -> usize| by.axes.iter().map(size).product::<usize>();
    let (inputs, taps, outputs) = (count(|a| a.input), count(|a| a.kernel), count(|a| a.output));
    let (ins, outs) = (by.in_channels / by.groups, by.out_channels / by.groups);
    let reads: Vec<(usize, usize, usize)> = (0..outputs)
        .flat_map(|p| (0..taps).map(move |k| (p, k)))
        .filter_map(|(p, k)| Some((p, k, read(by, p, k)?)))
        .collect();
    for n in 0..by.batch {
        for o in 0..by.out_channels {
            for c in 0..ins {
                let x = (n * by.in_channels + o / outs * ins + c) * inputs;
                let w = (o * ins + c) * taps;
                let y = (n * by.out_channels + o) * outputs;
                reads.iter().for_each(|&(p, k, q)| pair(x + q, w + k, y + p));
            }
        }
    }
}

/// The input position that output position `p` reads with tap `k`; `None` in the padding.
fn read(by: &ConvGeometry, mut p: usize, mut k: usize) -> Option<usize> {
    let (mut at, mut step) = (0, 1);
    for axis in by.axes.iter().rev() {
        let q = p % axis.output * axis.stride + k % axis.kernel * axis.dilation;
        let q = q.checked_sub(axis.padding).filter(|q| *q < axis.input)?;
        at += q * step;
        step *= axis.input;
        (p, k) = (p / axis.output, k / axis.kernel);
    }
    Some(at)
}
