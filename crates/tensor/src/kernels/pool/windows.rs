//! Which entries each window of a pool holds: the geometry that all pools share, axis by axis.

use crate::Axes;
use std::ops::Range;

/// Spatial axes at most; a pool over fewer has leading axes of one entry.
const MOST: usize = 3;

/// What one window holds of one axis: the entries `start, start + dilation, …` below `end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: usize,
    pub(super) end: usize,
    /// How many entries of the window lie before `start`, in the padding.
    pub(super) skipped: usize,
    /// Entries that an average divides by.
    pub(super) counted: usize,
}

/// The windows on one axis.
#[derive(Clone, Debug)]
pub(super) struct AxisWindows {
    /// Entries of the input.
    pub(super) input: usize,
    pub(super) spans: Vec<Span>,
    /// Entries of the widest window.
    pub(super) kernel: usize,
    /// Steps from one window to the next; 0 if they are not regular.
    pub(super) stride: usize,
    pub(super) padding: usize,
    pub(super) dilation: usize,
    /// The regular windows that lie inside the input.
    pub(super) full: Range<usize>,
}

/// How a window slides along one axis.
#[derive(Clone, Copy, Debug)]
pub struct Slide {
    /// Entries of a window.
    pub kernel: usize,
    /// Steps from one window to the next.
    pub stride: usize,
    /// Entries of nothing before and behind the axis.
    pub padding: usize,
    /// Steps from one entry of a window to the next.
    pub dilation: usize,
    /// Is there a last window that leaves the axis at its end?
    pub ceil_mode: bool,
    /// Does an average count the padding?
    pub count_padding: bool,
}

impl Slide {
    /// How many windows there are on an axis of `input` entries; 0 if it is too short.
    pub fn windows(&self, input: usize) -> usize {
        let reach = self.dilation * self.kernel.saturating_sub(1) + 1;
        let Some(room) = (input + 2 * self.padding).checked_sub(reach) else { return 0 };
        let more = if self.ceil_mode { self.stride - 1 } else { 0 };
        let count = (room + more) / self.stride + 1;
        // The last one begins in the input or before it.
        let begins_behind = (count - 1) * self.stride >= input + self.padding;
        if self.ceil_mode && begins_behind { count - 1 } else { count }
    }
    fn on(&self, input: usize) -> AxisWindows {
        let Slide { kernel, stride, padding, dilation, .. } = *self;
        let count = self.windows(input);
        let span = |i: usize| {
            // In coordinates that begin with the padding.
            let (begin, edge) = (i * stride, input + padding);
            let skipped = padding.saturating_sub(begin).div_ceil(dilation).min(kernel);
            let last = begin + (kernel - 1) * dilation + 1;
            let start = begin + skipped * dilation;
            let end = last.min(edge).max(start);
            let counted = if self.count_padding {
                last.min(edge + padding) - begin
            } else {
                end.saturating_sub(start)
            };
            // A window of nothing begins at the end of the axis, at most.
            let start = start.saturating_sub(padding).min(input);
            Span { start, end: end.saturating_sub(padding).clamp(start, input), skipped, counted }
        };
        let spans: Vec<Span> = (0..count).map(span).collect();
        let reach = (kernel - 1) * dilation + 1;
        let is_full = |s: &Span| s.skipped == 0 && s.end - s.start == reach;
        let first = spans.iter().position(is_full).unwrap_or(0);
        let full =
            first..first + spans[first.min(count)..].iter().take_while(|s| is_full(s)).count();
        AxisWindows { input, spans, kernel, stride, padding, dilation, full }
    }
}

/// `output` windows that share an axis of `input` entries: window `i` from `⌊i·input/output⌋` up to
/// `⌈(i + 1)·input/output⌉`.
fn adaptive(input: usize, output: usize) -> AxisWindows {
    if output > 0 && input > 0 && input.is_multiple_of(output) {
        let kernel = input / output;
        let (padding, dilation, ceil_mode) = (0, 1, false);
        let stride = kernel;
        return Slide { kernel, stride, padding, dilation, ceil_mode, count_padding: true }
            .on(input);
    }
    let span = |i: usize| {
        let (start, end) = (i * input / output, ((i + 1) * input).div_ceil(output));
        Span { start, end, skipped: 0, counted: end - start }
    };
    let spans: Vec<Span> = (0..output).map(span).collect();
    let kernel = spans.iter().map(|s| s.end - s.start).max().unwrap_or(0);
    AxisWindows { input, spans, kernel, stride: 0, padding: 0, dilation: 1, full: 0..0 }
}

impl AxisWindows {
    /// One entry, one window.
    fn trivial() -> Self {
        adaptive(1, 1)
    }
    /// Where entry 0 of window `i` lies; in front of the axis it is negative.
    pub(super) fn origin(&self, i: usize) -> isize {
        let span = self.spans[i];
        span.start as isize - (span.skipped * self.dilation) as isize
    }
}

/// A row of the input that windows look at.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line {
    /// Where it begins in the plane.
    pub(super) start: usize,
    /// Its number among the rows of the window.
    pub(super) number: usize,
}

/// What all windows of a row have in common.
#[derive(Clone, Debug)]
pub(super) struct Row {
    /// Its part of [`Windows::lines`].
    pub(super) lines: Range<usize>,
    /// Entries counted by an average, but for those across.
    pub(super) counted: usize,
}

/// The windows of a pool over one to three axes.
#[derive(Clone, Debug)]
pub struct Windows {
    pub(super) axes: [AxisWindows; MOST],
    rank: usize,
    /// What an average divides by, if not by the number of entries.
    pub(super) divisor: Option<f64>,
    /// The rows of windows of a plane, in order.
    pub(super) rows: Vec<Row>,
    pub(super) lines: Vec<Line>,
}

/// The rows of windows of a plane, and the lines of the input that each looks at.
fn rows([deep, down, across]: &[AxisWindows; MOST]) -> (Vec<Row>, Vec<Line>) {
    let (mut rows, mut lines) = (Vec::new(), Vec::new());
    for d in &deep.spans {
        for h in &down.spans {
            let first = lines.len();
            for (depth, i) in (d.start..d.end).step_by(deep.dilation).zip(d.skipped..) {
                let heights = (h.start..h.end).step_by(down.dilation).zip(h.skipped..);
                lines.extend(heights.map(|(height, j)| Line {
                    start: (depth * down.input + height) * across.input,
                    number: i * down.kernel + j,
                }));
            }
            rows.push(Row { lines: first..lines.len(), counted: d.counted * h.counted });
        }
    }
    (rows, lines)
}

impl Windows {
    /// Windows that slide; `divisor` is what averages divide by, if not by the number of entries.
    ///
    /// # Panics
    /// If there are more than three axes or none, or a kernel, stride or dilation is 0.
    pub fn sliding(input: &[usize], slides: &[Slide], divisor: Option<f64>) -> Windows {
        assert!(input.len() == slides.len(), "one slide for each axis");
        let positive = |s: &Slide| s.kernel > 0 && s.stride > 0 && s.dilation > 0;
        assert!(slides.iter().all(positive), "kernel, stride and dilation are positive");
        Windows::of(input.iter().zip(slides).map(|(&n, slide)| slide.on(n)), divisor)
    }
    /// So many windows on each axis, of the same size as nearly as can be.
    ///
    /// # Panics
    /// If there are more than three axes or none.
    pub fn adaptive(input: &[usize], output: &[usize]) -> Windows {
        assert!(input.len() == output.len(), "one output size for each axis");
        Windows::of(input.iter().zip(output).map(|(&n, &m)| adaptive(n, m)), None)
    }
    fn of(given: impl ExactSizeIterator<Item = AxisWindows>, divisor: Option<f64>) -> Windows {
        let rank = given.len();
        assert!((1..=MOST).contains(&rank), "a pool has one to three axes");
        let mut axes = [(); MOST].map(|()| AxisWindows::trivial());
        axes[MOST - rank..].iter_mut().zip(given).for_each(|(axis, given)| *axis = given);
        let (rows, lines) = rows(&axes);
        Windows { axes, rank, divisor, rows, lines }
    }
    /// How many windows each axis has.
    pub fn output(&self) -> Axes<usize> {
        self.axes[MOST - self.rank..].iter().map(|a| a.spans.len()).collect()
    }
    /// How many entries each axis has.
    pub fn input(&self) -> Axes<usize> {
        self.axes[MOST - self.rank..].iter().map(|a| a.input).collect()
    }
    /// Entries of one plane of the input.
    pub fn input_plane(&self) -> usize {
        self.axes.iter().map(|a| a.input).product()
    }
    /// Windows of one plane.
    pub fn output_plane(&self) -> usize {
        self.axes.iter().map(|a| a.spans.len()).product()
    }
    /// Entries of the largest window: entries have numbers below it, and a window of nothing has it
    /// as its number.
    pub fn taps(&self) -> usize {
        self.axes.iter().map(|a| a.kernel).product()
    }
    /// Do the entries of every window lie side by side?
    pub(super) fn is_dense(&self) -> bool {
        self.axes.iter().all(|a| a.dilation == 1)
    }
    /// For the number of an entry, how far it lies from the origin of its window.
    pub(super) fn distances(&self) -> Vec<isize> {
        let [deep, down, across] = &self.axes;
        let mut distances = Vec::with_capacity(self.taps() + 1);
        for d in 0..deep.kernel {
            for h in 0..down.kernel {
                let row = d * deep.dilation * down.input + h * down.dilation;
                let start = (row * across.input) as isize;
                distances
                    .extend((0..across.kernel).map(|w| start + (w * across.dilation) as isize));
            }
        }
        distances.push(NOWHERE);
        distances
    }
}

/// The distance of no entry: far beyond every plane.
const NOWHERE: isize = isize::MAX / 2;
