//! One axis of a convolution, seen from its results: which sources each result reads, and with which
//! taps.

use crate::ConvAxis;
use std::ops::Range;

/// Results `first + i·every` for `i < count`, which read source `i·step + shift` with every tap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) first: usize,
    pub(super) every: usize,
    pub(super) count: usize,
    pub(super) step: usize,
    pub(super) taps: Vec<Tap>,
}

/// Tap `index` of the kernel, and how far from the start of the source its first element is; below 0
/// in the padding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tap {
    pub(super) index: usize,
    pub(super) shift: isize,
}

/// Neighbouring results that read the source with the same taps, and the padding with the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Band {
    pub(super) results: Range<usize>,
    /// Positions among the taps of the line.
    pub(super) taps: Range<usize>,
}

impl Line {
    /// The results for which a tap reads one of `size` sources.
    pub(super) fn served(&self, tap: Tap, size: usize) -> Range<usize> {
        let before = |end: isize| (end.max(0) as usize).div_ceil(self.step).min(self.count);
        let end = before(size as isize - tap.shift);
        before(-tap.shift).min(end)..end
    }

    /// All results. Which taps read one of `size` sources is a range, because shifts ascend or descend.
    pub(super) fn bands(&self, size: usize) -> Vec<Band> {
        let served: Vec<_> = self.taps.iter().map(|&tap| self.served(tap, size)).collect();
        let mut ends: Vec<usize> = served.iter().flat_map(|r| [r.start, r.end]).collect();
        ends.push(self.count);
        ends.sort_unstable();
        let (mut bands, mut start) = (Vec::new(), 0);
        for end in ends {
            if start < end {
                let reads = |range: &Range<usize>| range.contains(&start);
                let first = served.iter().position(reads).unwrap_or(0);
                let after = served.iter().rposition(reads).map_or(first, |last| last + 1);
                bands.push(Band { results: start..end, taps: first..after });
                start = end;
            }
        }
        bands
    }
}

/// Outputs from inputs: output `i` reads input `i·stride + k·dilation − padding`.
pub(super) fn forward(axis: &ConvAxis) -> Vec<Line> {
    let shift = |k: usize| (k * axis.dilation) as isize - axis.padding as isize;
    let taps = (0..axis.kernel).map(|index| Tap { index, shift: shift(index) }).collect();
    vec![Line { first: 0, every: 1, count: axis.output, step: axis.stride, taps }]
}

/// Inputs from outputs: input `q` reads output `p` with tap `k` if `q + padding − k·dilation = p·stride`.
/// Inputs that are a stride apart have the same taps, so they are a line, and there are `stride` lines.
pub(super) fn backward(axis: &ConvAxis) -> Vec<Line> {
    let &ConvAxis { input, kernel, stride, padding, dilation, .. } = axis;
    let line = |first: usize| {
        let reach = |k: usize| (first + padding) as isize - (k * dilation) as isize;
        let taps = (0..kernel)
            .filter(|&k| reach(k).rem_euclid(stride as isize) == 0)
            .map(|k| Tap { index: k, shift: reach(k).div_euclid(stride as isize) })
            .collect();
        Line { first, every: stride, count: (input - first).div_ceil(stride), step: 1, taps }
    };
    (0..stride.min(input)).map(line).collect()
}

/// An axis that is not there.
pub(super) const NONE: ConvAxis =
    ConvAxis { input: 1, kernel: 1, output: 1, stride: 1, padding: 0, dilation: 1 };

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_hold_every_pair_of_an_axis_once() {
        for (input, kernel, stride, padding, dilation) in
            [(7, 3, 1, 0, 1), (7, 3, 2, 1, 1), (9, 2, 3, 0, 2), (5, 1, 4, 3, 1), (8, 3, 3, 4, 3)]
        {
            let output = (input + 2 * padding - dilation * (kernel - 1) - 1) / stride + 1;
            let axis = ConvAxis { input, kernel, output, stride, padding, dilation };
            let mut want = Vec::new();
            for (p, k) in (0..output).flat_map(|p| (0..kernel).map(move |k| (p, k))) {
                if let Some(q) = (p * stride + k * dilation).checked_sub(padding) {
                    want.extend((q < input).then_some((q, p, k)));
                }
            }
            want.sort_unstable();
            let pairs = |lines: Vec<Line>, sources: usize| {
                let mut pairs = Vec::new();
                for line in lines {
                    for i in 0..line.count {
                        for tap in &line.taps {
                            let at = (i * line.step) as isize + tap.shift;
                            if (0..sources as isize).contains(&at) {
                                pairs.push((line.first + i * line.every, at as usize, tap.index));
                            }
                        }
                    }
                }
                pairs
            };
            let mut back = pairs(backward(&axis), output);
            back.sort_unstable();
            assert_eq!(back, want, "{axis:?}");
            let ahead = pairs(forward(&axis), input);
            for (lines, size) in [(forward(&axis), input), (backward(&axis), output)] {
                lines.iter().for_each(|line| bands_hold_the_taps_that_read(line, size));
            }
            let mut ahead: Vec<_> = ahead.into_iter().map(|(p, q, k)| (q, p, k)).collect();
            ahead.sort_unstable();
            assert_eq!(ahead, want, "{axis:?}");
        }
    }
    fn bands_hold_the_taps_that_read(line: &Line, size: usize) {
        let mut results = 0;
        for Band { results: range, taps } in line.bands(size) {
            assert_eq!((range.start, range.is_empty()), (results, false), "{line:?}");
            results = range.end;
            for (i, (k, tap)) in
                range.flat_map(|i| line.taps.iter().enumerate().map(move |t| (i, t)))
            {
                let at = (i * line.step) as isize + tap.shift;
                let reads = (0..size as isize).contains(&at);
                assert_eq!(
                    (taps.contains(&k), line.served(*tap, size).contains(&i)),
                    (reads, reads)
                );
            }
        }
        assert_eq!(results, line.count);
    }
}
