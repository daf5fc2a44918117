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
use super::results::Results;
use super::tile::{Dots, Entry};
use super::tiles::{self, Border, Extent, Lists, Operands, Rows, Tiles};
use super::weights::Block;
use crate::ConvGeometry;
use crate::kernels::gemm::Cpu;
use crate::kernels::gemm::pack::fill;
use crate::kernels::gemm::plan::even;
use crate::kernels::gemm::tile::Last;
use crate::kernels::level::Level;
use crate::storage::Scratch;
use crate::threads;
use std::ops::Range;

/// The batch is cut into so many parts, each with sums of its own, and added up in order.
const PARTS: usize = 8;
/// But the sums of all parts have at most so many elements.
const MOST_SUMS: usize = 16 << 20;
/// Rows of a part that is cut once more have at least so many rows: each packs the gradient anew.
const LEAST_ROWS: usize = 64;
/// Places that are summed before the sums go back to memory: 32 channels of them take 32 KiB and stay in
/// L1. 64 images, 32 to 64 channels of 26 x 26: 134 GF/s, with 1024 places 117 (48 KiB of L1).
const MOST_PLACES: usize = 256;
/// Rows of sums are turned in squares.
const SQUARE: usize = 16;
/// Rows of tiles that each hold one tap, at most, for a row of weights.
const MOST_HEIGHTS: f64 = 1.1;
/// Groups with fewer outputs are summed along places: a vector would be mostly empty.
const FEW: usize = 4;

/// All that is the same for all tasks.
struct Plan<'a, T: Element> {
    level: Level,
    kernels: &'static Kernels<T>,
    by: &'a ConvGeometry,
    pass: &'a Pass,
    frame: Frame,
    /// Channels of a group.
    ins: usize,
    outs: usize,
    /// Weights of an output.
    rows: usize,
    steps: Scratch<u32>,
    /// For each cut of the rows.
    tiles: Vec<Tiles>,
    lists: Lists,
    blocks: Vec<Block>,
    parts: usize,
    /// Rows of a task, and of all.
    cut: usize,
    x: &'a [T],
    g: &'a [T],
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
        let image = by.in_channels * frame.channel + frame.before();
        assert!(u32::try_from(image).is_ok(), "a convolution of images of {image} elements");
        let rows = ins * pass.taps();
        let (mut steps, mut places) = (Scratch::new(rows), Scratch::new(pass.count()));
        pass.steps(&frame, ins, &mut steps);
        if !few {
            pass.places(&frame, &mut places);
        }
        let blocks = blocks(kernels, Way::Across, by.groups, outs);
        let sums = rows * blocks.last().map_or(0, |block| block.start + block.width);
        let parts = PARTS.min(by.batch).min(MOST_SUMS / sums.max(1)).max(1);
        let cuts = PARTS.div_ceil(parts).min(rows.div_ceil(LEAST_ROWS)).max(1);
        let cut = even(rows, rows.div_ceil(cuts), SQUARE).max(1);
        let (mut tiles, mut lists) = (Vec::new(), Lists::default());
        if !few {
            let each = (0..rows.max(1)).step_by(cut).map(|first| first..rows.min(first + cut));
            tiles.extend(each.map(|rows| {
                let ordered = ordered(pass, &frame, &steps, &rows);
                let steps = |extent| tiles::inside(&places, pass.counts(), extent);
                Tiles::new(shape, &ordered, border, &mut lists, &steps)
            }));
        }
        Plan {
            level,
            kernels,
            by,
            pass,
            frame,
            ins,
            outs,
            rows,
            steps,
            tiles,
            lists,
            blocks,
            parts,
            cut,
            x,
            g,
        }
    }

    fn cost_ns(&self) -> f64 {
        let products = self.by.batch * self.by.out_channels * self.rows * self.pass.count();
        2.0 * products as f64 / T::flops_per_ns(Cpu::from(self.level))
    }

    /// The images of a part.
    fn images(&self, part: usize) -> Range<usize> {
        let at = |part: usize| part * self.by.batch / self.parts;
        at(part)..at(part + 1)
    }

    /// An image in its frame, or where it lies; `room` has space for it.
    fn framed<'r>(&self, image: usize, room: &'r mut Scratch<T>) -> &'r [T]
    where
        'a: 'r,
    {
        let size = self.by.in_channels * self.frame.source_channel();
        let from = &self.x[image * size..][..size];
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
        let zeros = Scratch::filled(self.pass.count(), 0);
        let steps = |extent| tiles::inside(&zeros, counts, extent);
        Ones { tiles: Tiles::new(shape, &rows, Border::Alone, &mut lists, &steps), lists }
    }

    /// The sums of some rows over the images of a part; those of a block start at `start·high`.
    fn part(&self, part: usize, tiles: &Tiles, ones: Option<&Ones>, high: usize, sums: &mut [T]) {
        let count = self.pass.count();
        let framed = self.frame.room(self.kernels, self.by.in_channels);
        let mut room = Scratch::new(if self.frame.copied { framed } else { 0 });
        let chunk = even(count, MOST_PLACES, 8);
        let widest = self.blocks.iter().map(|block| block.width).max().unwrap_or(0);
        let (mut panel, one) = (Scratch::new(chunk * widest), [T::ONE]);
        for image in self.images(part) {
            let x = self.framed(image, &mut room);
            for first in (0..count).step_by(chunk) {
                let places = first..count.min(first + chunk);
                for block in &self.blocks {
                    self.pack(image, block, places.clone(), &mut panel);
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

    /// Gradients of the channels of a block at some places, transposed.
    fn pack(&self, image: usize, block: &Block, places: Range<usize>, out: &mut [T]) {
        let count = self.pass.count();
        let channel = (image * self.by.groups + block.group) * self.outs + block.first;
        let from = &self.g[channel * count..][..block.count * count];
        let size = size_of::<T>() as isize;
        let from = (from[places.start..].as_ptr(), (count as isize * size, size));
        let table = T::gemm_kernels(self.level);
        // SAFETY: `block.count` channels of `count` elements, of which the places are some.
        unsafe { fill(table, from, block.count, places.len(), block.width, out) };
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

    /// Dot products along places, for each weight.
    fn along(&self, w: &mut [T], b: &mut [T]) {
        let each = w.len() + b.len();
        let mut sums = Scratch::<T>::new(self.parts * each);
        let cost = self.cost_ns();
        threads::run_chunks(&mut sums, each, cost, &|part, sums| {
            sums.fill(T::ZERO);
            let (w, b) = sums.split_at_mut(w.len());
            self.dots(part, w, b);
        });
        for sums in sums.chunks_exact(each) {
            let all = w.iter_mut().chain(&mut *b);
            all.zip(sums).for_each(|(x, &y)| *x = y.times_plus(T::ONE, *x));
        }
    }

    fn dots(&self, part: usize, w: &mut [T], b: &mut [T]) {
        let (lanes, counts) = (self.kernels.lanes, self.pass.counts());
        let (count, pitches) = (self.pass.count(), self.frame.pitches());
        let length = self.frame.flat(self.pass).next_multiple_of(lanes);
        let mut room = Scratch::filled(self.frame.room(self.kernels, self.by.in_channels), T::ZERO);
        // The gradient of one output, with zeros where the frame has no result.
        let mut with = Scratch::filled(length, T::ZERO);
        let ones = Scratch::filled(if b.is_empty() { 0 } else { length }, T::ONE);
        for image in self.images(part) {
            let x = self.framed(image, &mut room);
            for output in 0..self.by.out_channels {
                let from = &self.g[(image * self.by.out_channels + output) * count..][..count];
                for (i, row) in from.chunks_exact(counts[2]).enumerate() {
                    let at = i / counts[1] * pitches[0] + i % counts[1] * pitches[1];
                    with[at..at + counts[2]].copy_from_slice(row);
                }
                let x = &x[output / self.outs * self.ins * self.frame.channel..];
                // SAFETY: from each step on there are `length` elements of the frame and the slack
                // behind it; `with` has as many, `w` one for each step.
                unsafe { self.dot(x, &self.steps, &with, &mut w[output * self.rows..]) };
                if let Some(b) = b.get_mut(output..=output) {
                    // SAFETY: as many ones as `with` has elements, and one step.
                    unsafe { self.dot(&ones, &[0], &with, b) };
                }
            }
        }
    }

    /// # Safety
    /// From each step on `from` has as many elements as `with`, whole vectors; `to` has one for each step.
    unsafe fn dot(&self, from: &[T], steps: &[u32], with: &[T], to: &mut [T]) {
        let dots = Dots {
            from: from.as_ptr(),
            steps: steps.as_ptr(),
            depth: steps.len(),
            with: with.as_ptr(),
            length: with.len(),
            to: to.as_mut_ptr(),
        };
        // SAFETY: the caller's promise.
        unsafe { (self.kernels.dots)(&dots) };
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
