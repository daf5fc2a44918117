//! The gradient of the weight: every pair of an input and an output, summed over images.
//!
//! ```text
//! w̄[o, c, k] = Σ_n Σ_p x[n, c, place(p) + step(k)] · ȳ[n, o, p]
//! ```
//! It is the forward sum with places and steps exchanged: rows are weights, and the sum goes over places.
//! The gradient of the bias is one more row, that of a source of ones: the panel is in cache for it.

use super::frame::{Around, Frame};
use super::levels::{Element, Kernels, Shape};
use super::pass::{self, Pass};
use super::ready::{Way, blocks};
use super::results::{Places, Results};
use super::tile::Entry;
use super::tiles::{self, Border, Extent, Lists, Operands, Rows, Tiles};
use super::weights::Block;
use crate::ConvGeometry;
use crate::kernels::gemm::Cpu;
use crate::kernels::gemm::pack::fill;
use crate::kernels::gemm::plan::even;
use crate::kernels::gemm::tile::Last;
use crate::kernels::level::{Level, in_halves};
use crate::storage::Scratch;
use crate::threads;
use std::ops::Range;

/// The batch is cut into so many parts, each with sums of its own, and added up in order.
const PARTS: usize = 8;
/// But the sums of all parts have at most so many elements.
const MOST_SUMS: usize = 16 << 20;
/// Rows of a part that is cut once more have at least so many rows: each packs the gradient anew.
const LEAST_ROWS: usize = 64;
/// Places that are summed before the sums go back to memory, of several images if they are small: 32 channels of
/// them take 32 KiB and stay in L1. 64 images, 32 to 64 channels of 26 x 26: 134 GF/s, with 1024 places 117 (48 KiB of
/// L1).
const MOST_PLACES: usize = 256;
/// On a CPU that computes in halves: the same in 12.9 ms with 256 places, 12.4 with 1024 (Zen 4).
const MOST_IN_HALVES: usize = 1024;
/// Rows of sums are turned in squares.
const SQUARE: usize = 16;
/// Rows of tiles that each hold one tap, at most, for a row of weights.
const MOST_HEIGHTS: f64 = 1.1;
/// Groups with fewer outputs are summed along places: a vector would be mostly empty.
const FEW: usize = 4;

/// All that is the same for all tasks.
pub(super) struct Plan<'a, T: Element> {
    level: Level,
    pub(super) kernels: &'static Kernels<T>,
    pub(super) by: &'a ConvGeometry,
    pub(super) pass: &'a Pass,
    pub(super) frame: Frame,
    /// Channels of a group.
    pub(super) ins: usize,
    pub(super) outs: usize,
    /// Weights of an output.
    pub(super) rows: usize,
    pub(super) steps: Scratch<u32>,
    /// For each cut of the rows.
    tiles: Vec<Tiles>,
    lists: Lists,
    blocks: Vec<Block>,
    pub(super) parts: usize,
    /// Rows of a task, and of all.
    cut: usize,
    /// Places that are summed before the sums go back to memory, and the images that have them.
    chunk: usize,
    together: usize,
    x: &'a [T],
    pub(super) g: &'a [T],
}

/// The row of the bias.
struct Ones {
    tiles: Tiles,
    lists: Lists,
}

/// `w̄` in all of `w`, and `b̄[o] = Σ_n Σ_p ȳ[n, o, p]` in all of `b`.
pub(super) fn gradient<T: Element>(
    level: Level,
    by: &ConvGeometry,
    x: &[T],
    g: &[T],
    w: &mut [T],
    b: Option<&mut [T]>,
) {
    let b = b.unwrap_or_default();
    w.fill(T::ZERO);
    b.fill(T::ZERO);
    let passes = pass::forward(by);
    if (w.is_empty() && b.is_empty()) || by.batch * passes[0].count() == 0 {
        return;
    }
    let plan = Plan::new(level, by, &passes, x, g);
    if plan.outs < FEW { plan.along(w, b) } else { plan.across(w, b) }
}

impl<'a, T: Element> Plan<'a, T> {
    fn new(level: Level, by: &'a ConvGeometry, passes: &'a [Pass], x: &'a [T], g: &'a [T]) -> Self {
        let (kernels, pass) = (T::conv_kernels(level), &passes[0]);
        let (ins, outs) = (by.in_channels / by.groups, by.out_channels / by.groups);
        let few = outs < FEW;
        let shape = kernels.shape(outs);
        let border = border(shape, ins);
        let around = match border {
            _ if few => Around::Phases,
            Border::Alone => Around::Nothing,
            Border::Mixed => Around::Zeros,
        };
        let frame = Frame::new(pass::sizes(by).0, passes, around);
        let rows = ins * pass.taps();
        let mut steps = Scratch::new(rows);
        pass.steps(&frame, ins, &mut steps);
        let blocks = blocks(kernels, Way::Across, by.groups, outs);
        let sums = rows * blocks.last().map_or(0, |block| block.start + block.width);
        let parts = PARTS.min(by.batch).min(MOST_SUMS / sums.max(1)).max(1);
        let cuts = PARTS.div_ceil(parts).min(rows.div_ceil(LEAST_ROWS)).max(1);
        let cut = even(rows, rows.div_ceil(cuts), SQUARE).max(1);
        let most = if in_halves() { MOST_IN_HALVES } else { MOST_PLACES };
        let together =
            if few { 1 } else { (most / pass.count()).clamp(1, by.batch.div_ceil(parts)) };
        let chunk = together * even(pass.count(), most, 8);
        let image = by.in_channels * frame.channel;
        assert!(
            u32::try_from(image * together + frame.before()).is_ok(),
            "a convolution of images of {image} elements"
        );
        let mut plan = Plan {
            level,
            kernels,
            by,
            pass,
            frame,
            ins,
            outs,
            rows,
            steps,
            tiles: Vec::new(),
            lists: Lists::default(),
            blocks,
            parts,
            cut,
            chunk,
            together,
            x,
            g,
        };
        if !few {
            plan.tile(shape, border);
        }
        plan
    }

    /// Tiles of the rows of each cut.
    fn tile(&mut self, shape: &Shape, border: Border) {
        let (pass, frame) = (self.pass, &self.frame);
        let mut places = Scratch::new(self.together * pass.count());
        for (i, places) in places.chunks_exact_mut(pass.count()).enumerate() {
            pass.places(frame, i * self.by.in_channels * frame.channel, places);
        }
        let steps = |extent| tiles::inside(&places, pass.counts(), extent);
        for first in (0..self.rows.max(1)).step_by(self.cut) {
            let rows = first..self.rows.min(first + self.cut);
            let ordered = ordered(pass, frame, &self.steps, &rows);
            self.tiles.push(Tiles::new(shape, &ordered, border, &mut self.lists, &steps));
        }
    }

    pub(super) fn cost_ns(&self) -> f64 {
        let products = self.by.batch * self.by.out_channels * self.rows * self.pass.count();
        2.0 * products as f64 / T::flops_per_ns(Cpu::from(self.level))
    }

    /// The images of a part.
    pub(super) fn images(&self, part: usize) -> Range<usize> {
        let at = |part: usize| part * self.by.batch / self.parts;
        at(part)..at(part + 1)
    }

    /// Images in their frames, or where they lie; `room` has space for them.
    pub(super) fn framed<'r>(&self, images: &Range<usize>, room: &'r mut Scratch<T>) -> &'r [T]
    where
        'a: 'r,
    {
        let size = self.by.in_channels * self.frame.source_channel();
        let from = &self.x[images.start * size..images.end * size];
        if room.is_empty() {
            return from;
        }
        self.frame.copy(self.kernels, from, room);
        room
    }

    /// Tiles of rows by channels; places are the depth.
    fn across(&self, w: &mut [T], b: &mut [T]) {
        let width = self.blocks.last().map_or(0, |block| block.start + block.width);
        let cuts = self.tiles.len();
        let ones = (!b.is_empty()).then(|| self.ones());
        let high = (self.cut + usize::from(ones.is_some())).next_multiple_of(SQUARE);
        let mut sums = Scratch::<T>::new(self.parts * cuts * high * width);
        let cost = self.cost_ns();
        threads::run_chunks(&mut sums, high * width, cost, &|task, sums| {
            let (part, cut) = (task / cuts, task % cuts);
            sums.fill(T::ZERO);
            self.part(part, &self.tiles[cut], ones.as_ref().filter(|_| cut == 0), high, sums);
        });
        let to = Results(w.as_mut_ptr());
        let (each, rest) = sums.split_at_mut(cuts * high * width);
        threads::run_chunks(each, high * width, each_cost(rest.len()), &|cut, sums| {
            for other in rest.chunks_exact(cuts * high * width) {
                let other = &other[cut * high * width..][..high * width];
                sums.iter_mut().zip(other).for_each(|(x, &y)| *x = y.times_plus(T::ONE, *x));
            }
            let rows = cut * self.cut..self.rows.min((cut + 1) * self.cut);
            for block in &self.blocks {
                self.write(&sums[block.start * high..], block, rows.clone(), &to);
            }
        });
        for block in self.blocks.iter().filter(|_| ones.is_some()) {
            let sums = &each[block.start * high + self.cut * block.width..][..block.count];
            b[block.group * self.outs + block.first..][..block.count].copy_from_slice(sums);
        }
    }

    /// The row behind those of a cut, which reads 1 at all places.
    fn ones(&self) -> Ones {
        let shape = self.kernels.shape(self.outs);
        let (mut rows, mut lists) = (Rows::new(1), Lists::default());
        let number = self.cut as u32;
        rows.extend(std::iter::once(Entry { from: 0, number }));
        let counts = self.pass.counts();
        let all = Extent { first: [0; 3], end: counts };
        rows.close(all);
        let zeros = Scratch::filled(self.together * self.pass.count(), 0);
        let steps = |extent| tiles::inside(&zeros, counts, extent);
        Ones { tiles: Tiles::new(shape, &rows, Border::Alone, &mut lists, &steps), lists }
    }

    /// The sums of some rows over the images of a part; those of a block start at `start·high`.
    fn part(&self, part: usize, tiles: &Tiles, ones: Option<&Ones>, high: usize, sums: &mut [T]) {
        let framed = self.frame.room(self.kernels, self.together * self.by.in_channels);
        let mut room = Scratch::new(if self.frame.copied { framed } else { 0 });
        let widest = self.blocks.iter().map(|block| block.width).max().unwrap_or(0);
        let (mut panel, one) = (Scratch::new(self.chunk * widest), [T::ONE]);
        for images in self.groups(part) {
            let x = self.framed(&images, &mut room);
            for places in self.chunks(images.len()) {
                for block in &self.blocks {
                    self.pack(images.start, block, &places, &mut panel);
                    let operands = |from: *const T| Operands {
                        from,
                        panel: &panel,
                        vectors: block.width / self.kernels.lanes,
                        start: std::ptr::null(),
                    };
                    let x = x[block.group * self.ins * self.frame.channel..].as_ptr();
                    let x = operands(x.wrapping_sub(self.frame.before()));
                    let sums = &mut sums[block.start * high..][..high * block.width];
                    // SAFETY: places of a tap, or all if there are zeros around it, stay within `x`, and those
                    // of the bias read one element; the panel has a row for each place, and `sums` one for
                    // each row.
                    unsafe {
                        tiles.multiply(self.kernels, &self.lists, &places, &x, sums, &|_| ());
                        if let Some(Ones { tiles, lists }) = ones {
                            let one = operands(one.as_ptr());
                            tiles.multiply(self.kernels, lists, &places, &one, sums, &|_| ());
                        }
                    }
                }
            }
        }
    }

    /// The images of a part, as many as are summed together.
    fn groups(&self, part: usize) -> impl Iterator<Item = Range<usize>> {
        let (images, together) = (self.images(part), self.together);
        images.clone().step_by(together).map(move |first| first..images.end.min(first + together))
    }

    /// The places of so many images, as many as are summed before the sums go back to memory.
    fn chunks(&self, images: usize) -> impl Iterator<Item = Range<usize>> {
        let (count, chunk) = (images * self.pass.count(), self.chunk);
        (0..count).step_by(chunk).map(move |first| first..count.min(first + chunk))
    }

    /// Gradients of the channels of a block at some places, counted on from an image to the next, transposed.
    fn pack(&self, first: usize, block: &Block, places: &Range<usize>, mut out: &mut [T]) {
        let count = self.pass.count();
        let places = Places { range: places.clone(), each: count };
        for image in places.images() {
            let part = places.of(image);
            let channel =
                ((first + image) * self.by.groups + block.group) * self.outs + block.first;
            let from = &self.g[channel * count..][..block.count * count];
            let size = size_of::<T>() as isize;
            let from = (from[part.start..].as_ptr(), (count as isize * size, size));
            let table = T::gemm_kernels(self.level);
            let (to, rest) = out.split_at_mut(part.len() * block.width);
            // SAFETY: `block.count` channels of `count` elements, of which the places are some.
            unsafe { fill(table, from, block.count, part.len(), block.width, to) };
            out = rest;
        }
    }

    /// Writes the sums of some rows of a block, turned.
    fn write(&self, sums: &[T], block: &Block, rows: Range<usize>, to: &Results<T>) {
        let output = block.group * self.outs + block.first;
        // SAFETY: these rows of the weights of the block's outputs, which no other task writes; the
        // sums are there up to whole squares.
        unsafe {
            let last = Last {
                rows: rows.len(),
                cols: block.count,
                to: to.0.add(output * self.rows + rows.start),
                to_row: self.rows,
                keep: None,
                kept: std::ptr::null(),
                kept_row: 0,
                bias: std::ptr::null(),
                relu: false,
            };
            (T::access(self.level).turn)(&last, sums.as_ptr(), block.width);
        }
    }
}

/// Some rows of weights: those of one tap are neighbours, because they see the same places.
fn ordered(pass: &Pass, frame: &Frame, steps: &[u32], rows: &Range<usize>) -> Rows {
    let mut ordered = Rows::new(rows.len());
    let taps = pass.taps();
    for (tap, extent) in pass.served(frame).into_iter().enumerate() {
        let channels = |end: usize| (end + taps - 1 - tap) / taps;
        let channels = channels(rows.start)..channels(rows.end);
        ordered.extend(
            channels
                .map(|channel| channel * taps + tap)
                .map(|row| Entry { from: steps[row], number: (row - rows.start) as u32 }),
        );
        ordered.close(extent);
    }
    ordered
}

/// With few rows for each tap tiles of one tap would repeat too many.
fn border(shape: &Shape, channels: usize) -> Border {
    let alone = shape.heights(channels) as f64 <= channels as f64 * MOST_HEIGHTS;
    if alone { Border::Alone } else { Border::Mixed }
}

/// Nanoseconds to add up so many sums, at 40 GB/s.
fn each_cost(sums: usize) -> f64 {
    sums as f64 * 0.1
}
