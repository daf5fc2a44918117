//! Where source elements lie while they are multiplied: where they are given, if no tap reads the padding, or
//! copied into a frame of zeros wide enough that every tap of every result reads something.

use super::axis::Line;
use super::levels::{Element, Kernels};
use super::pass::Pass;

/// What of a source is copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Around {
    /// Nothing: taps in the padding are left out.
    Nothing,
    /// All, with zeros around it.
    Zeros,
    /// All, with zeros around it, cut into phases.
    Phases,
}

/// The sizes of a source image, and of the frame around it.
///
/// A frame is cut along each axis into `phases` interleaved parts, so that results a stride apart read
/// neighbours: element `i` is number `i / phases` of part `i % phases`.
#[derive(Clone, Debug)]
pub(super) struct Frame {
    /// Sizes of a channel of the source.
    pub(super) source: [usize; 3],
    /// How far before the first element taps begin.
    low: [usize; 3],
    phases: [usize; 3],
    /// Sizes of a part.
    part: [usize; 3],
    /// Elements of a channel in the frame.
    pub(super) channel: usize,
    /// Does it differ from the source?
    pub(super) copied: bool,
}

impl Frame {
    /// The frame for all passes over sources of these sizes.
    pub(super) fn new(source: [usize; 3], passes: &[Pass], around: Around) -> Self {
        let (mut low, mut size, mut phases) = ([0; 3], source, [1; 3]);
        for a in 0..3 {
            let lines = || passes.iter().map(|pass| &pass.lines[a]);
            low[a] = lines().map(Line::low).max().unwrap_or(0);
            if around == Around::Nothing {
                continue;
            }
            size[a] += low[a];
            let reach = |line: &Line| line.reach().saturating_add_signed(low[a] as isize);
            size[a] = lines().map(reach).fold(size[a], usize::max);
            if around == Around::Phases {
                phases[a] = lines().map(|line| line.step).max().unwrap_or(1);
            }
        }
        let part: [usize; 3] = std::array::from_fn(|a| size[a].div_ceil(phases[a]));
        let copied = size != source || phases != [1; 3];
        let channel = (0..3).map(|a| part[a] * phases[a]).product();
        Frame { source, low, phases, part, channel, copied }
    }

    /// Elements of a channel of the source.
    pub(super) fn source_channel(&self) -> usize {
        self.source.iter().product()
    }

    /// Elements from one number to the next along each axis of a part.
    pub(super) fn pitches(&self) -> [usize; 3] {
        [self.part[1] * self.part[2], self.part[2], 1]
    }

    /// Where the first tap of the first result reads is so many elements before the first channel.
    pub(super) fn before(&self) -> usize {
        if self.copied { 0 } else { self.index(self.low) }
    }

    /// Where in a channel a tap reads for result 0, from [`Frame::before`] on.
    pub(super) fn tap(&self, shifts: [isize; 3]) -> usize {
        let at = |a: usize| (shifts[a] + self.low[a] as isize) as usize;
        self.index([at(0), at(1), at(2)])
    }

    /// Where an element of the framed image lies.
    fn index(&self, at: [usize; 3]) -> usize {
        let (phases, part) = (self.phases, self.part);
        let phase = (0..3).fold(0, |all, a| all * phases[a] + at[a] % phases[a]);
        let number = (0..3).fold(0, |all, a| all * part[a] + at[a] / phases[a]);
        phase * part.iter().product::<usize>() + number
    }

    /// Room for so many channels, behind which a row may overrun.
    pub(super) fn room<T>(&self, kernels: &Kernels<T>, channels: usize) -> usize {
        channels * self.channel + self.low[2] + kernels.lanes
    }

    /// Copies channels into frames with [`Frame::room`].
    pub(super) fn copy<T: Element>(&self, kernels: &Kernels<T>, from: &[T], to: &mut [T]) {
        let (ours, theirs) = (self.source_channel(), self.channel);
        let channels = from.len() / ours.max(1);
        assert!(self.room(kernels, channels) <= to.len());
        if self.phases != [1; 3] {
            let frames = to.chunks_exact_mut(theirs.max(1));
            from.chunks_exact(ours).zip(frames).for_each(|(from, to)| self.interleave(from, to));
            return;
        }
        let ([planes, rows, count], [_, high, pitch]) = (self.source, self.part);
        let plane = high * pitch;
        // In order, because a row may overrun into the next, and a plane too: the zeros before a row are those
        // behind the row above.
        for (channel, from) in from.chunks_exact(ours).enumerate() {
            let to = &mut to[channel * theirs..];
            let (first, end) = (self.low[0] * plane, (self.low[0] + planes) * plane);
            to[..first].fill(T::ZERO);
            for (i, from) in from.chunks_exact(rows * count).enumerate() {
                let to = &mut to[first + i * plane..];
                let above = self.low[1] * pitch + self.low[2];
                let below = (self.low[1] + rows) * pitch;
                to[..above].fill(T::ZERO);
                // SAFETY: `rows` rows of `count`, into as many of `pitch`; behind the last of all is room for a
                // vector and for the zeros before a row.
                unsafe {
                    (kernels.frame)((rows, count), from.as_ptr(), to[above..].as_mut_ptr(), pitch);
                }
                to[below..plane].fill(T::ZERO);
            }
            to[end..theirs].fill(T::ZERO);
        }
    }

    fn interleave<T: Element>(&self, from: &[T], to: &mut [T]) {
        to.fill(T::ZERO);
        let [_, rows, count] = self.source;
        for (i, row) in from.chunks_exact(count).enumerate() {
            let (x, y) = (i / rows + self.low[0], i % rows + self.low[1]);
            for (z, &value) in row.iter().enumerate() {
                to[self.index([x, y, z + self.low[2]])] = value;
            }
        }
    }
}

impl Line {
    /// How far before the start of the source it reads.
    fn low(&self) -> usize {
        self.taps.iter().map(|tap| (-tap.shift).max(0) as usize).max().unwrap_or(0)
    }
    /// The end of what it reads.
    fn reach(&self) -> usize {
        let last = self.count.saturating_sub(1) * self.step;
        let end = |shift: isize| (last as isize + shift + 1).max(0) as usize;
        self.taps.iter().map(|tap| end(tap.shift)).max().unwrap_or(0)
    }
}
