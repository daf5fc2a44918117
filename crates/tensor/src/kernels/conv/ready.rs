//! A pass with its tables and packed weights, and the loops over its tiles.

use super::frame::{Around, Frame};
use super::levels::{Element, Kernels, Shape};
use super::pass::Pass;
use super::results::{Places, Results};
use super::sweep::Sweep;
use super::tile::Along;
use super::tiles::{self, Border, Lists, Operands, Rows, Tiles};
use super::weights::Block;
use crate::kernels::gemm::kernel::Access;
use crate::kernels::gemm::panels::Panels;
use crate::kernels::gemm::plan::even;
use crate::storage::Scratch;
use std::ops::Range;

/// What vectors lie along.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// Channels of the result.
    Across,
    /// Places: where a group has few channels of the result.
    Along,
}

/// Sums are turned in square blocks of up to so many places.
const SQUARE: usize = 16;
/// Cycles of a tile apart from its products.
const TILE: f64 = 20.0;
/// Cycles to turn a vector of sums, and to copy one.
const TURN: f64 = 4.0;
const COPY: f64 = 2.0;
/// Elements that rows may take for each that lies between the first result and the last. 3 to 32 channels
/// of 32 x 32: 1.13 ms by rows, 1.40 with a copy; 1 to 32 of 26 x 26, where the ratio is 1.146: 0.32 and 0.43 ms (Zen 4).
const MOST_BY_ROWS: f64 = 1.15;

/// What a multiplication along places takes of the time of one across channels, at the least. 64 to 128 channels
/// of 8 x 8, where both multiply as often: 12.2 ms along, 6.4 across (Zen 3).
const ALONG: f64 = 1.15;

impl Way {
    /// By the cycles that each is expected to take for a pass of a group.
    pub(super) fn choose<T: Element>(sweep: &Sweep<'_, T>) -> Way {
        let kernels = T::conv_kernels(sweep.level);
        let ((sources, results), pass) = (sweep.weights.channels(), &sweep.passes[0]);
        let (lanes, shape) = (kernels.lanes as f64, kernels.shape(results));
        let (places, depth) = (pass.count() as f64, (sources * pass.taps()) as f64);
        let wide = (results as f64 / lanes).ceil();
        let tiles = places / shape.rows as f64 * (wide / shape.vectors as f64).ceil();
        let across =
            places * depth * wide / 2.0 + tiles * TILE + places * results as f64 / lanes * TURN;
        let frame = Frame::new(sweep.size, &sweep.passes, Around::Phases);
        let (vectors, copied) = if frame.by_rows(pass, kernels.lanes) {
            (pass.vectors(kernels.lanes) as f64, 0.0)
        } else {
            (frame.flat(pass) as f64 / lanes, COPY)
        };
        let along = vectors * (depth * ALONG / 2.0 + copied) * results as f64;
        if along < across { Way::Along } else { Way::Across }
    }
}

impl Pass {
    /// Vectors of all results, if each row has its own.
    fn vectors(&self, lanes: usize) -> usize {
        let [x, y, z] = self.counts();
        x * y * z.div_ceil(lanes)
    }
}

impl Frame {
    /// Elements from the first to the last result of a pass in a channel.
    pub(super) fn flat(&self, pass: &Pass) -> usize {
        let (pitches, counts) = (self.pitches(), pass.counts());
        if pass.count() == 0 {
            return 0;
        }
        (0..3).map(|a| (counts[a] - 1) * pitches[a]).sum::<usize>() + 1
    }

    /// Do rows of results, each for itself, come to fewer vectors than all that lies from the first result
    /// to the last, and the copy of what belongs to them?
    fn by_rows(&self, pass: &Pass, lanes: usize) -> bool {
        let rows = (pass.vectors(lanes) * lanes) as f64;
        pass.lines[2].every == 1
            && pass.counts()[2] >= lanes
            && rows <= self.flat(pass) as f64 * MOST_BY_ROWS
    }
}

/// All that the tiles of a pass need.
pub(super) struct Ready<'a, T: Element> {
    pub(super) pass: &'a Pass,
    pub(super) blocks: Vec<Block>,
    /// Of the tiles across channels.
    pub(super) shape: &'static Shape,
    kernels: &'static Kernels<T>,
    pub(super) access: &'static Access<T>,
    frame: &'a Frame,
    /// Channels of a group.
    sources: usize,
    results: usize,
    groups: usize,
    depth: usize,
    steps: Scratch<u32>,
    lists: Lists,
    /// Elements of the sources of an image.
    image: usize,
    /// Where the results of an image belong.
    pub(super) targets: Scratch<u32>,
    /// For each block: `depth` rows of weights, and a row of bias.
    weights: Scratch<T>,
    starts: Scratch<T>,
}

impl<'a, T: Element> Ready<'a, T> {
    pub(super) fn new(
        sweep: &Sweep<'_, T>,
        pass: &'a Pass,
        frame: &'a Frame,
        way: Way,
        together: usize,
    ) -> Self {
        let kernels = T::conv_kernels(sweep.level);
        let ((sources, results), groups) = (sweep.weights.channels(), sweep.weights.by.groups);
        let depth = sources * pass.taps();
        let image = sources * groups * frame.channel;
        assert!(
            u32::try_from(image * together + frame.before()).is_ok(),
            "a convolution of images of {image} elements"
        );
        let mut steps = Scratch::new(depth);
        pass.steps(frame, sources, &mut steps);
        let count = if way == Way::Across { pass.count() } else { 0 };
        let mut targets = Scratch::new(if pass.is_whole() { 0 } else { count });
        if !pass.is_whole() && way == Way::Across {
            pass.targets(&mut targets);
        }
        let blocks = blocks(kernels, way, groups, results);
        let room = blocks.last().map_or(0, |block| block.start + block.width);
        let (mut weights, mut starts) = (Scratch::new(room * depth), Scratch::new(room));
        starts.fill(T::ZERO);
        for block in &blocks {
            let out = &mut weights[block.start * depth..][..block.width * depth];
            sweep.weights.pack(sweep.level, pass, block, out);
            if let Some(bias) = sweep.bias {
                let bias = &bias[block.group * results + block.first..][..block.count];
                starts[block.start..][..block.count].copy_from_slice(bias);
            }
        }
        Ready {
            pass,
            blocks,
            shape: kernels.shape(results),
            kernels,
            access: T::access(sweep.level),
            frame,
            sources,
            results,
            groups,
            depth,
            steps,
            lists: Lists::default(),
            image,
            targets,
            weights,
            starts,
        }
    }

    /// The tiles of some places of `images` images.
    pub(super) fn tiles(&mut self, images: usize, places: &Range<usize>) -> Tiles {
        let mut rows = Rows::new(places.len());
        self.pass.rows(self.frame, (images, self.image), places, &mut rows);
        let sizes = self.pass.tap_counts();
        let steps = |extent| tiles::inside(&self.steps, sizes, extent);
        Tiles::new(self.shape, &rows, Border::Alone, &mut self.lists, &steps)
    }

    /// The sums of some places, for all blocks.
    pub(super) fn across(
        &self,
        source: &[T],
        places: &Places,
        tiles: &Tiles,
        first_image: usize,
        to: &Results<T>,
    ) {
        let widest = self.blocks.iter().map(|block| block.width).max().unwrap_or(0);
        // Squares of the last image may begin in the middle of one.
        let room = places.range.len().next_multiple_of(SQUARE) + SQUARE;
        let mut sums = Scratch::new(room * widest);
        for block in &self.blocks {
            let first = self.channel(block, first_image);
            let fetch = |tile| self.fetch(places, block, (tile, tiles.len()), first, to);
            self.sum(source, tiles, block, &mut sums, &fetch);
            let mut rows = &sums[..];
            for image in places.images() {
                let part = places.of(image);
                let next = part.len() * block.width;
                self.write(rows, block, part, self.channel(block, first_image + image), to);
                rows = &rows[next..];
            }
        }
    }

    /// The first channel of a block in the results of all images.
    pub(super) fn channel(&self, block: &Block, image: usize) -> usize {
        (image * self.groups + block.group) * self.results + block.first
    }

    /// From the results of one image to the next, in channels.
    pub(super) fn channels(&self) -> usize {
        self.groups * self.results
    }

    /// The sums of all rows, panel by panel; `fetch` is told which tile comes to an end next.
    fn sum(
        &self,
        source: &[T],
        tiles: &Tiles,
        block: &Block,
        sums: &mut [T],
        fetch: &dyn Fn(usize),
    ) {
        let row = block.width * size_of::<T>();
        let from = source[block.group * self.sources * self.frame.channel..].as_ptr();
        let part = even(self.depth, (self.kernels.panel_bytes() / row).max(1), 8).max(1);
        let mut steps = 0..self.depth.min(part);
        loop {
            let bias = self.starts[block.start..].as_ptr();
            let operands = Operands {
                from: from.wrapping_sub(self.frame.before()),
                panel: &self.weights[block.start * self.depth + steps.start * block.width..],
                vectors: block.width / self.kernels.lanes,
                start: if steps.start == 0 { bias } else { std::ptr::null() },
            };
            let before = if steps.end == self.depth { fetch } else { &|_| () };
            // SAFETY: tiles of one border take the steps that stay within the images of `source`; the block has
            // its weights and its bias; `sums` has room for all rows.
            unsafe { tiles.multiply(self.kernels, &self.lists, &steps, &operands, sums, before) };
            steps = steps.end..self.depth.min(steps.end + part);
            if steps.is_empty() {
                return;
            }
        }
    }

    /// All places of some blocks.
    pub(super) fn along(&self, source: &[T], blocks: Range<usize>, image: usize, to: &Results<T>) {
        let length = self.frame.flat(self.pass).next_multiple_of(self.kernels.lanes);
        if length == 0 {
            return;
        }
        let by_rows = self.frame.by_rows(self.pass, self.kernels.lanes);
        let widest = self.blocks.iter().map(|block| block.width).max().unwrap_or(0);
        let mut sums = Scratch::new(length * widest);
        for block in &self.blocks[blocks] {
            let tile = Along {
                from: source[block.group * self.sources * self.frame.channel..].as_ptr(),
                from_row: 0,
                steps: self.steps.as_ptr(),
                depth: self.depth,
                weights: self.weights[block.start * self.depth..].as_ptr(),
                start: self.starts[block.start..].as_ptr(),
                to: sums.as_mut_ptr(),
                pitch: length,
                to_row: 0,
                rows: 1,
                length,
            };
            if by_rows && block.count == block.width {
                self.rows(tile, block, image, to);
                continue;
            }
            // SAFETY: from each step on there are `length` elements of the frame and the slack behind
            // it; the block has its weights and its bias; `sums` has room for its rows.
            unsafe { (self.kernels.along)(block.width, &tile) };
            self.pick(&sums, length, block, image, to);
        }
    }

    /// The sums of a block, row by row to where they belong.
    fn rows(&self, tile: Along<T>, block: &Block, image: usize, to: &Results<T>) {
        let size: usize = self.pass.results.iter().product();
        let channel = self.channel(block, image);
        let ((every, first), counts) = (self.pass.in_results(), self.pass.counts());
        let start = channel * size + first.iter().sum::<usize>();
        let pitches = self.frame.pitches();
        for x in 0..counts[0] {
            // SAFETY: from each step on there are the rows of a plane in the frame; targets of the pass
            // lie in the image of results, in channels of the block, which has all that a tile writes.
            unsafe {
                let tile = Along {
                    from: tile.from.add(x * pitches[0]),
                    from_row: pitches[1],
                    to: to.0.add(start + x * every[0]),
                    pitch: size,
                    to_row: every[1],
                    rows: counts[1],
                    length: counts[2],
                    ..tile
                };
                (self.kernels.along)(block.width, &tile);
            }
        }
    }

    /// Takes the results of a pass out of what lies between the first and the last.
    fn pick(&self, sums: &[T], pitch: usize, block: &Block, image: usize, to: &Results<T>) {
        let size: usize = self.pass.results.iter().product();
        let channel = self.channel(block, image);
        let ((every, first), counts) = (self.pass.in_results(), self.pass.counts());
        let start: usize = first.iter().sum();
        let pitches = self.frame.pitches();
        for (i, sums) in sums.chunks_exact(pitch).take(block.count).enumerate() {
            for x in 0..counts[0] {
                let from = &sums[x * pitches[0]..];
                let at = (channel + i) * size + start + x * every[0];
                // SAFETY: targets of the pass lie in the image of results, in channels of the block;
                // rows of results are as far apart as the frame's in `sums`.
                unsafe {
                    let to = to.0.add(at);
                    if every[2] == 1 {
                        let (rows, count) = (counts[1], counts[2]);
                        let last = (rows - 1) * pitches[1] + count;
                        assert!(last <= from.len());
                        (self.kernels.copy)(rows, count, from.as_ptr(), pitches[1], to, every[1]);
                        continue;
                    }
                    for y in 0..counts[1] {
                        for z in 0..counts[2] {
                            *to.add(y * every[1] + z * every[2]) = from[y * pitches[1] + z];
                        }
                    }
                }
            }
        }
    }
}

/// Blocks of the results of all groups, as wide as tiles can be.
pub(super) fn blocks<T>(
    kernels: &'static Kernels<T>,
    way: Way,
    groups: usize,
    results: usize,
) -> Vec<Block> {
    let (mut blocks, mut start) = (Vec::new(), 0);
    for group in 0..groups {
        let mut push = |first: usize, width: usize| {
            blocks.push(Block { group, first, count: width.min(results - first), width, start });
            start += width;
        };
        match way {
            Way::Across => {
                let vectors = kernels.shape(results).vectors;
                let panels = Panels::new(results.div_ceil(kernels.lanes), vectors);
                for i in 0..panels.count() {
                    let (first, width) = panels.get(i);
                    push(first * kernels.lanes, width * kernels.lanes);
                }
            }
            Way::Along => {
                let mut first = 0;
                while first < results {
                    let width = match results - first {
                        1 => 1,
                        2..=4 => 4,
                        _ => kernels.channels,
                    };
                    push(first, width);
                    first += width;
                }
            }
        }
    }
    blocks
}
