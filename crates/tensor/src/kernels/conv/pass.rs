//! A pass over an image: results that read their sources in the same pattern, and the tables of that
//! pattern.
//!
//! ```text
//! result[i] = bias + Σ_s weight[s] · source[place[i] + step[s]]
//! ```
//! A table for the places and one for the steps is all that strides, dilations, padding and the number
//! of axes come to: no patch of an image is ever copied.

use super::axis::{self, Line};
use super::frame::Frame;
use super::tile::Entry;
use super::tiles::{Extent, Rows};
use crate::{ConvAxis, ConvGeometry};
use std::ops::Range;

/// The results that a line of each axis gives.
#[derive(Clone, Debug)]
pub(super) struct Pass {
    pub(super) lines: [Line; 3],
    /// Sizes of the whole image of results.
    pub(super) results: [usize; 3],
}

/// Three axes, of which the first may be none.
fn axes(by: &ConvGeometry) -> [ConvAxis; 3] {
    let missing = 3 - by.axes.len();
    std::array::from_fn(|a| if a < missing { axis::NONE } else { by.axes[a - missing] })
}

/// The sizes of an input and of an output image, and the taps of a kernel.
pub(super) fn sizes(by: &ConvGeometry) -> ([usize; 3], [usize; 3], usize) {
    let axes = axes(by);
    let taps = axes.iter().map(|a| a.kernel).product();
    (axes.map(|a| a.input), axes.map(|a| a.output), taps)
}

/// The one pass from inputs to outputs.
pub(super) fn forward(by: &ConvGeometry) -> Vec<Pass> {
    all(axes(by).map(|a| axis::forward(&a)), axes(by).map(|a| a.output))
}

/// The passes from outputs to inputs, as many as a stride has elements.
pub(super) fn backward(by: &ConvGeometry) -> Vec<Pass> {
    all(axes(by).map(|a| axis::backward(&a)), axes(by).map(|a| a.input))
}

fn all(lines: [Vec<Line>; 3], results: [usize; 3]) -> Vec<Pass> {
    triples(lines.each_ref())
        .map(|lines| Pass { lines: lines.map(Clone::clone), results })
        .collect()
}

/// Every choice of one element for each axis, in order.
fn triples<T>([x, y, z]: [&Vec<T>; 3]) -> impl Iterator<Item = [&T; 3]> {
    x.iter().flat_map(move |x| y.iter().flat_map(move |y| z.iter().map(move |z| [x, y, z])))
}

impl Pass {
    /// How many results there are along each axis.
    pub(super) fn counts(&self) -> [usize; 3] {
        [0, 1, 2].map(|a| self.lines[a].count)
    }

    /// Results.
    pub(super) fn count(&self) -> usize {
        self.counts().iter().product()
    }

    /// Taps of a result.
    pub(super) fn taps(&self) -> usize {
        self.lines.iter().map(|line| line.taps.len()).product()
    }

    /// Calls `f(k, shifts)` for every tap, in order, with its number in the kernel of these sizes.
    fn each_tap(&self, kernel: [usize; 3], mut f: impl FnMut(usize, [isize; 3])) {
        for taps in triples(self.lines.each_ref().map(|line| &line.taps)) {
            let [x, y, z] = taps.map(|tap| tap.index);
            f((x * kernel[1] + y) * kernel[2] + z, taps.map(|tap| tap.shift));
        }
    }

    /// The numbers of the taps.
    pub(super) fn tap_numbers(&self, by: &ConvGeometry) -> Vec<usize> {
        let mut numbers = Vec::with_capacity(self.taps());
        self.each_tap(axes(by).map(|a| a.kernel), |index, _| numbers.push(index));
        numbers
    }

    /// Steps to the taps of `channels` channels, channel by channel.
    pub(super) fn steps(&self, frame: &Frame, channels: usize, out: &mut [u32]) {
        let taps = self.taps();
        for channel in 0..channels {
            let mut at = channel * taps;
            self.each_tap([0; 3], |_, shifts| {
                out[at] = (channel * frame.channel + frame.tap(shifts)) as u32;
                at += 1;
            });
        }
    }

    /// For each tap, the results for which it reads the source.
    pub(super) fn served(&self, frame: &Frame) -> Vec<Extent> {
        let served = [0, 1, 2].map(|a| {
            let (line, size) = (&self.lines[a], frame.source[a]);
            line.taps.iter().map(|&tap| line.served(tap, size)).collect()
        });
        triples(served.each_ref()).map(Extent::new).collect()
    }

    /// Taps along each axis.
    pub(super) fn tap_counts(&self) -> [usize; 3] {
        [0, 1, 2].map(|a| self.lines[a].taps.len())
    }

    /// Some results of the first images of a frame, which are `image` elements apart: those that read
    /// with the same taps one after the other.
    pub(super) fn rows(
        &self,
        frame: &Frame,
        (images, image): (usize, usize),
        results: &Range<usize>,
        rows: &mut Rows,
    ) {
        let (counts, pitches) = (self.counts(), frame.pitches());
        let steps = [0, 1, 2].map(|a| self.lines[a].step * pitches[a]);
        let bands = [0, 1, 2].map(|a| self.lines[a].bands(frame.source[a]));
        for [x, y, z] in triples(bands.each_ref()) {
            for i in 0..images {
                let lines = x.results.clone().flat_map(|x| y.results.clone().map(move |y| (x, y)));
                for (x, y) in lines {
                    let first = ((i * counts[0] + x) * counts[1] + y) * counts[2];
                    let start = results.start.max(first + z.results.start);
                    let end = results.end.min(first + z.results.end);
                    let from = i * image + x * steps[0] + y * steps[1];
                    rows.extend((start..end.max(start)).map(|number| Entry {
                        from: (from + (number - first) * steps[2]) as u32,
                        number: (number - results.start) as u32,
                    }));
                }
            }
            rows.close(Extent::new([&x.taps, &y.taps, &z.taps]));
        }
    }

    /// Places of the results in a frame that is not cut into phases, from `first` on.
    pub(super) fn places(&self, frame: &Frame, first: usize, out: &mut [u32]) {
        let pitches = frame.pitches();
        let steps = [0, 1, 2].map(|a| self.lines[a].step * pitches[a]);
        self.each_result(steps, first, out);
    }

    /// Where the results belong in their image.
    pub(super) fn targets(&self, out: &mut [u32]) {
        let (every, first) = self.in_results();
        self.each_result(every, first.iter().sum(), out);
    }

    /// Elements of the image of results from one result to the next along each axis, and before the
    /// first.
    pub(super) fn in_results(&self) -> ([usize; 3], [usize; 3]) {
        let pitches = [self.results[1] * self.results[2], self.results[2], 1];
        let line = |a: usize| &self.lines[a];
        let every = [0, 1, 2].map(|a| line(a).every * pitches[a]);
        (every, [0, 1, 2].map(|a| line(a).first * pitches[a]))
    }

    fn each_result(&self, every: [usize; 3], start: usize, out: &mut [u32]) {
        let [x, y, z] = self.counts();
        let mut out = out.iter_mut();
        for x in 0..x {
            for y in 0..y {
                let row = start + x * every[0] + y * every[1];
                for (z, out) in (0..z).zip(&mut out) {
                    *out = (row + z * every[2]) as u32;
                }
            }
        }
    }

    /// Are its results the whole image, in order?
    pub(super) fn is_whole(&self) -> bool {
        self.counts() == self.results
    }
}
