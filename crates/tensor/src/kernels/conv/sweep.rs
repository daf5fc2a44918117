//! Results from sources, image by image: the forward direction, and the gradient of the input.

use super::frame::{Around, Frame};
use super::levels::Element;
use super::pass::Pass;
use super::ready::{Ready, Way};
use super::results::{Places, Results};
use super::tiles::Tiles;
use super::weights::Weights;
use crate::kernels::gemm::Cpu;
use crate::kernels::gemm::plan::even;
use crate::kernels::level::Level;
use crate::storage::Scratch;
use crate::threads;
use std::ops::Range;

/// Images of one task have at least so many places together: the packed weights are then read from
/// memory for enough of them.
const LEAST_PLACES: usize = 64;
/// With so many places together, those at the borders of small images fill tiles of their own: 64 to 128
/// channels of 8 x 8, forward, with 512 places 5.05 ms, with 64 places 5.47 (Zen 4).
const GOOD_PLACES: usize = 512;
/// Places of one piece, at most: their sums, 48 channels wide, take 192 KiB and stay in L2.
const MOST_PLACES: usize = 1024;
/// So many tasks are enough. With fewer, images are cut into pieces that are tasks of their own.
const ENOUGH: usize = 8;

/// One map of a convolution, of sources to results.
pub(super) struct Sweep<'a, T> {
    pub(super) level: Level,
    pub(super) passes: Vec<Pass>,
    pub(super) source: &'a [T],
    /// Sizes of a channel of the sources.
    pub(super) size: [usize; 3],
    pub(super) weights: Weights<'a, T>,
    pub(super) bias: Option<&'a [T]>,
}

/// Some places of one pass, and some blocks of results.
struct Piece {
    pass: usize,
    places: Range<usize>,
    /// None if vectors lie along places.
    tiles: Option<Tiles>,
    blocks: Range<usize>,
}

impl<T: Element> Sweep<'_, T> {
    /// Computes all results.
    pub(super) fn run(&self, to: &mut [T]) {
        let by = self.weights.by;
        if to.is_empty() {
            return;
        }
        let way = Way::choose(self);
        let around = if way == Way::Along { Around::Phases } else { Around::Nothing };
        let frame = Frame::new(self.size, &self.passes, around);
        let together = if way == Way::Across { self.together() } else { 1 };
        let mut ready: Vec<Ready<'_, T>> =
            self.passes.iter().map(|pass| Ready::new(self, pass, &frame, way, together)).collect();
        let tasks = by.batch.div_ceil(together);
        let alone = tasks >= ENOUGH;
        let images = |task: usize| task * together..by.batch.min((task + 1) * together);
        let full = self.pieces(&mut ready, way, together, alone);
        // The last task has less if the batch is no multiple.
        let rest = by.batch % together;
        let last = (rest > 0).then(|| self.pieces(&mut ready, way, rest, alone));
        let pieces = |task: usize| last.as_ref().filter(|_| task + 1 == tasks).unwrap_or(&full);
        let to = Results(to.as_mut_ptr());
        if alone {
            threads::run(tasks, self.cost_ns(), &|task| {
                let images = images(task);
                let source = self.framed(&frame, way, images.clone());
                for piece in pieces(task) {
                    self.piece(&ready, piece, &source, images.start, &to);
                }
            });
        } else {
            let each: Vec<_> = (0..tasks).map(|t| self.framed(&frame, way, images(t))).collect();
            let all: Vec<_> =
                (0..tasks).flat_map(|t| pieces(t).iter().map(move |piece| (t, piece))).collect();
            threads::run(all.len(), self.cost_ns(), &|i| {
                let (task, piece) = all[i];
                self.piece(&ready, piece, &each[task], images(task).start, &to);
            });
        }
    }

    /// Images of a task.
    fn together(&self) -> usize {
        let batch = self.weights.by.batch;
        let most = self.passes.iter().map(Pass::count).max().unwrap_or(0).max(1);
        let enough = (GOOD_PLACES / most).min(batch / ENOUGH);
        LEAST_PLACES.div_ceil(most).max(enough).clamp(1, batch)
    }

    /// The pieces of the first `images` images.
    fn pieces(
        &self,
        ready: &mut [Ready<'_, T>],
        way: Way,
        images: usize,
        alone: bool,
    ) -> Vec<Piece> {
        let mut pieces = Vec::new();
        for (pass, ready) in ready.iter_mut().enumerate() {
            let (count, blocks) = (ready.pass.count() * images, ready.blocks.len());
            if way == Way::Along {
                let size = if alone { blocks } else { blocks.div_ceil(ENOUGH) }.max(1);
                pieces.extend((0..blocks).step_by(size).map(|first| {
                    let blocks = first..blocks.min(first + size);
                    Piece { pass, places: 0..count, tiles: None, blocks }
                }));
                continue;
            }
            let size = even(count, MOST_PLACES, ready.shape.rows).max(1);
            pieces.extend((0..count).step_by(size).map(|first| {
                let places = first..count.min(first + size);
                let tiles = Some(ready.tiles(images, &places));
                Piece { pass, places, tiles, blocks: 0..blocks }
            }));
        }
        pieces
    }

    fn piece(
        &self,
        ready: &[Ready<'_, T>],
        piece: &Piece,
        source: &Source<'_, T>,
        first_image: usize,
        to: &Results<T>,
    ) {
        let (pass, source) = (&ready[piece.pass], source.elements());
        match &piece.tiles {
            Some(tiles) => {
                let places = Places { range: piece.places.clone(), each: pass.pass.count() };
                pass.across(source, &places, tiles, first_image, to);
            }
            None => pass.along(source, piece.blocks.clone(), first_image, to),
        }
    }

    /// Some images in their frames.
    fn framed(&self, frame: &Frame, way: Way, images: Range<usize>) -> Source<'_, T> {
        let channels = self.weights.channels().0 * self.weights.by.groups;
        let image = channels * frame.source_channel();
        let from = &self.source[images.start * image..images.end * image];
        if way == Way::Across {
            return Source::Given(from);
        }
        let (kernels, channels) = (T::conv_kernels(self.level), images.len() * channels);
        let mut room = Scratch::new(frame.room(kernels, channels));
        frame.copy(kernels, from, &mut room);
        room[channels * frame.channel..].fill(T::ZERO);
        Source::Framed(room)
    }

    /// Products and sums of all results.
    fn cost_ns(&self) -> f64 {
        let (by, (sources, results)) = (self.weights.by, self.weights.channels());
        let each: usize = self.passes.iter().map(|pass| pass.count() * pass.taps()).sum();
        let products = by.batch as f64 * (by.groups * sources * results * each) as f64;
        2.0 * products / T::flops_per_ns(Cpu::from(self.level))
    }
}

/// Images, given as they are wanted or copied into frames.
enum Source<'a, T: Element> {
    Given(&'a [T]),
    Framed(Scratch<T>),
}

impl<T: Element> Source<'_, T> {
    fn elements(&self) -> &[T] {
        match self {
            Source::Given(elements) => elements,
            Source::Framed(room) => room,
        }
    }
}
