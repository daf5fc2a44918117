//! The loops around the micro-kernel: blocks of depth and width, packing, tasks.

use std::ops::Range;

use super::kernel::{GemmElement, Kernels, Summand};
use super::left::{self, GROUPS, Left, Whole, groups};
use super::matrix::Lying;
use super::output::Output;
use super::pack::{Source, parts};
use super::panels::{PanelSets, Part};
use super::parking::Parking;
use super::plan;
use super::tile::Tile;
use crate::storage::Scratch;
use crate::threads;

/// A factor, and where its panels come from.
#[derive(Clone, Copy)]
pub(super) enum Side<'a, P> {
    /// Read where it lies.
    Direct(Lying<P>),
    /// Through a buffer.
    Packed(&'a dyn Source<P>),
}

/// `out = finish(beta·out + left·right)`, tile by tile. The lanes of `left` are rows of a tile, those
/// of `right` its columns.
pub(super) struct Product<'a, P: Summand, O: GemmElement> {
    pub(super) kernels: &'static Kernels<P>,
    pub(super) left: Side<'a, P>,
    pub(super) right: Side<'a, P>,
    pub(super) rows: usize,
    pub(super) cols: usize,
    /// In elements of panels.
    pub(super) depth: usize,
    pub(super) out: Output<'a, O>,
}

/// A part of the depth: what is summed before the output is touched.
struct Block<'p, P> {
    depth: Range<usize>,
    /// Whether the depth begins and ends here.
    ends: (bool, bool),
    /// The part of the tiles.
    rows: Range<usize>,
    strip: Range<usize>,
    panels: PanelSets,
    /// The rows of the left factor, if they are packed for all tasks.
    left: Option<&'p Whole<P>>,
    /// Where threads keep packed panels, if the block is cut into tasks.
    parking: Option<&'p Parking<P>>,
}

/// Steps of a tile from which on its output is fetched while it is summed: with fewer it is there as soon as it is
/// asked for. Turned, 512x1024x1024 at 126 GF/s where it was 119, on two threads 252 and 221; straight the same.
const FETCHED_FROM: usize = 64;

/// And bytes of the output: a smaller one is in L2. Fetched and not, in GF/s on Granite Rapids: 256x64x784 198 and 204,
/// 256x256x256 210 and 214, 512x512x512 the same, 2048x128x512 210 and 205, 512x1024x784 204 and 200.
const FETCHED_OVER: usize = 1 << 20;

impl<P: Summand, O: GemmElement<Sum = P::Sum>> Product<'_, P, O> {
    pub(super) fn run(&mut self) {
        let Kernels { lanes, vectors, rows: group, .. } = *self.kernels;
        let step = plan::depth_block(self.depth, self.kernels.depth);
        let width = self.cols.div_ceil(lanes);
        let panels = PanelSets::new(width, vectors, self.set_width(width, step));
        let (rows, count) = (self.rows, panels.count());
        if !self.out.needs_sums(step < self.depth) {
            return self.run_strip(0..rows, 0..count, panels, step);
        }
        // Sums that do not fit the output are kept beside it, for a strip of its rows at a time.
        let (turned, fit) = (self.out.turned(), self.out.strip());
        let (all, unit) = if turned { (count, lanes * vectors) } else { (rows, 1) };
        let each = (fit / unit).max(if turned { 1 } else { group });
        for start in (0..all).step_by(each) {
            let part = start..all.min(start + each);
            let (rows, strip) = if turned { (0..rows, part) } else { (part, 0..count) };
            let range = if turned { self.columns(&panels, &strip) } else { rows.clone() };
            self.out.begin_strip(range);
            self.run_strip(rows, strip, panels, step);
        }
    }

    fn run_strip(&self, rows: Range<usize>, strip: Range<usize>, panels: PanelSets, step: usize) {
        for start in (0..self.depth).step_by(step) {
            let depth = start..self.depth.min(start + step);
            let ends = (start == 0, depth.end == self.depth);
            let (rows, strip) = (rows.clone(), strip.clone());
            self.run_block(Block { depth, ends, rows, strip, panels, left: None, parking: None });
        }
    }

    /// The columns of some panels.
    fn columns(&self, panels: &PanelSets, strip: &Range<usize>) -> Range<usize> {
        let lanes = self.kernels.lanes;
        let sets = panels.sets(strip);
        let first = panels.part(sets.start, strip).vectors().start;
        let end = panels.part(sets.end - 1, strip).vectors().end;
        first * lanes..self.cols.min(end * lanes)
    }

    /// Vectors of a set of columns, by which a block of `depth` steps is cut if it is worth that.
    fn set_width(&self, vectors: usize, depth: usize) -> usize {
        if self.cost_ns(self.rows, self.cols, depth) < threads::GEMM_SERIAL_BELOW_NS {
            return vectors;
        }
        let is_packed = [&self.left, &self.right].map(|side| matches!(side, Side::Packed(_)));
        plan::set_width(self.kernels, (self.rows, vectors, depth), is_packed)
    }

    /// An estimate of the serial time.
    fn cost_ns(&self, rows: usize, cols: usize, depth: usize) -> f64 {
        let flops = 2.0 * (rows * cols) as f64 * (depth * self.kernels.summands) as f64;
        let bytes = (cols * depth * size_of::<P>()) as f64;
        (flops / self.kernels.flops_per_ns).max(bytes / threads::BYTES_PER_NS)
    }

    /// Cuts a block into tasks, rows by sets of columns.
    fn run_block(&self, block: Block<'_, P>) {
        let group = self.kernels.rows;
        let (depth, rows) = (block.depth.len(), block.rows.len());
        let cols = self.columns(&block.panels, &block.strip).len();
        let cost_ns = self.cost_ns(rows, cols, depth);
        let sets = block.panels.sets(&block.strip);
        if cost_ns < threads::GEMM_SERIAL_BELOW_NS {
            for set in sets {
                let part = block.panels.part(set, &block.strip);
                self.run_task(&block, block.rows.clone(), (set, part));
            }
            return;
        }
        let groups = rows.div_ceil(group);
        let groups_each = (groups * sets.len() / plan::TASKS).clamp(1, groups);
        let row_tasks = groups.div_ceil(groups_each);
        let left = match self.left {
            Side::Packed(source) if sets.len() > 1 => {
                Some(Whole::new(source, (&block.rows, &block.depth), group))
            }
            _ => None,
        };
        let parking = Parking::new();
        let block = Block { left: left.as_ref(), parking: Some(&parking), ..block };
        // Neighbouring tasks have the same columns.
        threads::run(row_tasks * sets.len(), cost_ns, &|task| {
            let row = block.rows.start + task % row_tasks * groups_each * group;
            let rows = row..block.rows.end.min(row + groups_each * group);
            let set = task / row_tasks;
            self.run_task(&block, rows, (set, block.panels.part(sets.start + set, &block.strip)));
        });
    }

    /// Some rows times the panels of a set.
    fn run_task(&self, block: &Block<'_, P>, rows: Range<usize>, (set, part): (usize, Part)) {
        let most = self.kernels.rows;
        let mut left = match self.left {
            Side::Packed(_) if block.left.is_none() => {
                Some(Scratch::new(GROUPS * most * block.depth.len()))
            }
            _ => None,
        };
        let right = match self.right {
            Side::Direct(_) => None,
            Side::Packed(source) => Some(self.pack_right(source, block, (set, &part))),
        };
        if let Some([enter, _]) = self.kernels.session {
            // SAFETY: `kernels` were chosen for this CPU; `leave` follows below.
            unsafe { enter() };
        }
        let fetched = block.depth.len() >= FETCHED_FROM
            && self.rows * self.cols * size_of::<P::Sum>() > FETCHED_OVER;
        let buffered = self.out.buffered(block.ends.1);
        let mut sums =
            buffered.then(|| Scratch::<P::Sum>::new(most.next_multiple_of(16) * self.pitch()));
        for start in rows.clone().step_by(GROUPS * most) {
            let rows = start..rows.end.min(start + GROUPS * most);
            let left = self.left(rows.clone(), block, left.as_deref_mut());
            for (row, count) in groups(rows, most, self.kernels.by_rows) {
                let a = left.group(row - start, count);
                for panel in part.range() {
                    let at = (row, part.get(panel).0 * self.kernels.lanes);
                    // SAFETY: `tile` says what is readable; this part of the output belongs to this
                    // task alone; `kernels` were chosen for this CPU.
                    unsafe {
                        let tile =
                            self.tile(block, (&part, panel), right.as_deref(), (row, count), a);
                        if fetched {
                            self.out.fetch(at, (count, tile.last.cols));
                        }
                        match sums.as_deref_mut() {
                            None => (self.kernels.tile)(&tile),
                            Some(sums) => self.buffered(block, tile, at, sums),
                        }
                    }
                }
            }
        }
        if let Some([_, leave]) = self.kernels.session {
            // SAFETY: as for `enter`.
            unsafe { leave() };
        }
        if let (Some(right), Some(parking)) = (right, block.parking) {
            parking.park(set, right);
        }
    }

    /// Computes a tile into a buffer, from which it is turned or rounded on its way out.
    ///
    /// # Safety
    /// As the tile of the table; `sums` has room for a tile of whole blocks.
    unsafe fn buffered(
        &self,
        block: &Block<'_, P>,
        tile: Tile<P, P::Sum>,
        at: (usize, usize),
        sums: &mut [P::Sum],
    ) {
        let (to, pitch) = (sums.as_mut_ptr(), self.pitch());
        let size = (tile.last.rows, tile.last.cols);
        // Whole vectors, of which those on the right may be filled with anything.
        let cols = if tile.b_padded { size.1.next_multiple_of(self.kernels.lanes) } else { size.1 };
        let plain = Tile { last: Output::<O>::plain((size.0, cols), to, pitch), ..tile };
        // SAFETY: the caller's promise.
        unsafe {
            (self.kernels.tile)(&plain);
            self.out.write(at, size, block.ends, (to, pitch));
        }
    }

    /// The packed panels of a task, one behind the other.
    ///
    /// Every thread packs what it needs for itself, and keeps it for its next task: as fast as to wait
    /// for one that packs for all, and a thread reads nothing that another core has just written.
    /// 256x256x256 on two threads took 70 µs in some hours and 110 in others when one packed for all,
    /// and takes 70 always since. On Granite Rapids it is the same if who comes later uses what another thread has packed.
    fn pack_right(
        &self,
        source: &dyn Source<P>,
        block: &Block<'_, P>,
        (set, part): (usize, &Part),
    ) -> Scratch<P> {
        let (lanes, depth) = (self.kernels.lanes, block.depth.len());
        let len = part.vectors().len() * lanes * depth;
        let parked = block.parking.and_then(|parking| parking.take(set, len));
        let (mut packed, ready) = parked.unwrap_or_else(|| (Scratch::new(len), false));
        if ready {
            return packed;
        }
        for (first, steps) in parts(&block.depth, source.steps()) {
            let mut rest = &mut packed[..];
            for panel in part.range() {
                let (vector, vectors) = part.get(panel);
                let (lane, width) = (vector * lanes, vectors * lanes);
                let (out, behind) = rest.split_at_mut(width * depth);
                let out = &mut out[first * width..][..steps.len() * width];
                source.pack(lane..self.cols.min(lane + width), steps.clone(), width, out);
                rest = behind;
            }
        }
        packed
    }

    /// Some rows of the left factor, which are packed into the buffer if need be.
    #[inline]
    fn left(&self, rows: Range<usize>, block: &Block<'_, P>, buffer: Option<&mut [P]>) -> Left<P> {
        let depth = &block.depth;
        let source = match self.left {
            Side::Direct(here) => return Left::Lying(here, (rows.start, depth.start)),
            Side::Packed(source) => source,
        };
        if let Some(all) = block.left {
            return all.from(rows.start);
        }
        let buffer = buffer.expect("a buffer for a packed side");
        left::pack(source, (rows, depth), self.kernels.rows, buffer)
    }

    /// The tile of some rows and one panel. Its pointers are good for its sizes: the left ones come
    /// from a view or a packed buffer, the right ones from a view that need not be padded or a packed
    /// panel, and the output is `rows · cols` long.
    #[inline]
    fn tile(
        &self,
        block: &Block<'_, P>,
        (part, panel): (&Part, usize),
        packed: Option<&[P]>,
        (row, rows): (usize, usize),
        (a, a_row, a_step): (*const P, isize, isize),
    ) -> Tile<P, P::Sum> {
        let (lanes, depth) = (self.kernels.lanes, &block.depth);
        let (vector, vectors) = part.get(panel);
        let col = vector * lanes;
        let (b, b_step) = match (self.right, packed) {
            (_, Some(packed)) => {
                let at = (vector - part.first()) * lanes * depth.len();
                (packed[at..].as_ptr(), (vectors * lanes * size_of::<P>()) as isize)
            }
            (Side::Direct(here), None) => (here.at(col, depth.start), here.step),
            (Side::Packed(_), None) => unreachable!("a packed side comes with its panels"),
        };
        let cols = (self.cols - col).min(vectors * lanes);
        Tile {
            depth: depth.len(),
            a,
            a_row,
            a_step,
            b,
            b_step,
            b_padded: packed.is_some() || !self.kernels.masked,
            last: self.out.sums((row, col), (rows, cols), block.ends),
        }
    }

    /// Elements from a row of a tile to the next in a buffer.
    fn pitch(&self) -> usize {
        self.kernels.lanes * self.kernels.vectors
    }
}
