//! The loops around the micro-kernel: blocks of depth and width, packing, tasks.

use std::ops::Range;

use super::epilogue::Finish;
use super::kernel::{GemmElement, Kernels};
use super::matrix::View;
use super::pack::Pack;
use super::panels::Panels;
use super::plan;
use super::scratch::Scratch;
use super::tile::Tile;
use crate::threads;

/// A factor, and where its panels come from.
#[derive(Clone, Copy)]
pub(super) enum Side<'a, T> {
    /// Read where it lies.
    Direct(View<'a, T>),
    /// Through a buffer.
    Packed(&'a dyn Pack<T>),
}

/// `out = finish(beta·out + left·right)`, tile by tile. The lanes of `left` are rows of a tile, those
/// of `right` its columns.
pub(super) struct Product<'a, T: 'static> {
    pub(super) kernels: &'static Kernels<T>,
    pub(super) left: Side<'a, T>,
    pub(super) right: Side<'a, T>,
    pub(super) rows: usize,
    pub(super) cols: usize,
    pub(super) depth: usize,
    pub(super) out: Output<'a, T>,
}

/// Where tiles go. Tasks write disjoint tiles of it.
pub(super) struct Output<'a, T> {
    /// `rows · cols` elements, borrowed for writing by the caller as long as this lives.
    pub(super) to: *mut T,
    /// Elements from a row to the next.
    pub(super) row: usize,
    /// Whether rows of a tile are columns of the output.
    pub(super) turned: bool,
    pub(super) finish: Finish<'a, T>,
}

// SAFETY: tasks write disjoint tiles through `to`; the rest is shared for reading.
unsafe impl<T: Send + Sync> Sync for Output<'_, T> {}

/// Columns of the right factor that are in use together, and their packed panels.
struct Band<'a, T> {
    cols: Range<usize>,
    panels: Panels,
    /// Elements of depth of one block.
    depth_block: usize,
    /// Block by block of depth, the panels of the right factor, unless it is read directly.
    packed: Option<&'a [T]>,
}

/// Tasks to aim at: enough to share evenly between a few dozen threads.
const TASKS: usize = 32;

/// ns to pack an element, for the choice of threads.
const PACK_NS: f64 = 0.1;

/// A product that takes less (ns) is one task: cutting it up would take longer than it saves.
const ONE_TASK_NS: f64 = 10_000.0;

impl<T: GemmElement> Product<'_, T> {
    pub(super) fn run(&self) {
        let Kernels { lanes, vectors, wide, .. } = *self.kernels;
        let direct = matches!(self.right, Side::Direct(_));
        let most = if self.rows == 1 && direct { wide } else { vectors };
        let depth_block = plan::depth_block(self.depth);
        let width = if direct {
            self.cols
        } else {
            plan::even(self.cols, plan::PACKED_BYTES / (size_of::<T>() * self.depth), lanes * most)
        };
        for first in (0..self.cols).step_by(width) {
            let cols = first..self.cols.min(first + width);
            let panels = Panels::new(cols.len().div_ceil(lanes), most);
            let mut band = Band { cols, panels, depth_block, packed: None };
            match self.right {
                Side::Direct(_) => self.run_band(&band),
                Side::Packed(right) => {
                    let packed = self.pack_right(right, &band);
                    band.packed = Some(&packed);
                    self.run_band(&band);
                }
            }
        }
    }

    /// Packs a band: for each block of depth its panels one behind the other.
    fn pack_right(&self, right: &dyn Pack<T>, band: &Band<'_, T>) -> Scratch<T> {
        let lanes = self.kernels.lanes;
        let width = band.cols.len().next_multiple_of(lanes);
        let mut packed = Scratch::<T>::new(width * self.depth);
        let (count, blocks) = (band.panels.count(), self.depth.div_ceil(band.depth_block));
        let cost_ns = packed.len() as f64 * PACK_NS;
        let to = Shared(packed.as_mut_ptr());
        threads::run(count * blocks, cost_ns, &|task| {
            let (first, vectors) = band.panels.get(task % count);
            let start = task / count * band.depth_block;
            let depth = start..self.depth.min(start + band.depth_block);
            let lane = band.cols.start + first * lanes;
            let lanes = lane..band.cols.end.min(lane + vectors * lanes);
            // SAFETY: panels are disjoint and lie within `packed`, which outlives the call.
            let out = unsafe {
                let at = width * start + first * self.kernels.lanes * depth.len();
                let len = vectors * self.kernels.lanes * depth.len();
                std::slice::from_raw_parts_mut(to.get().add(at), len)
            };
            right.pack(lanes, depth, vectors * self.kernels.lanes, out);
        });
        packed
    }

    /// One block of depth after the other.
    fn run_band(&self, band: &Band<'_, T>) {
        for start in (0..self.depth).step_by(band.depth_block) {
            self.run_block(band, start..self.depth.min(start + band.depth_block));
        }
    }

    /// Cuts a block of a band into tasks, rows by columns. A task takes so many columns that a block of
    /// them stays in L2, and fewer if there are few rows.
    fn run_block(&self, band: &Band<'_, T>, depth: Range<usize>) {
        let (group, panels) = (self.kernels.rows, band.panels.count());
        let flops = 2.0 * (self.rows * band.cols.len()) as f64 * depth.len() as f64;
        let bytes = (band.cols.len() * depth.len() * size_of::<T>()) as f64;
        let cost_ns = (flops / self.kernels.flops_per_ns).max(bytes / plan::BYTES_PER_NS);
        if cost_ns < ONE_TASK_NS {
            return self.run_task(band, &depth, 0..self.rows, 0..panels);
        }
        let groups = self.rows.div_ceil(group);
        let panel_bytes = self.pitch() * size_of::<T>() * depth.len();
        // If there is one row group, nothing is read twice.
        let fit = if groups == 1 { panels } else { (plan::RIGHT_BYTES / panel_bytes).max(1) };
        let panels_each = plan::even(panels, fit.min(panels.div_ceil(TASKS.div_ceil(groups))), 1);
        let panel_tasks = panels.div_ceil(panels_each);
        let groups_each = (groups * panel_tasks / TASKS).clamp(1, groups);
        let row_tasks = groups.div_ceil(groups_each);
        threads::run(row_tasks * panel_tasks, cost_ns, &|task| {
            let (row, panel) = (task % row_tasks * groups_each * group, task / row_tasks);
            let rows = row..self.rows.min(row + groups_each * group);
            let panels = panel * panels_each..panels.min((panel + 1) * panels_each);
            self.run_task(band, &depth, rows, panels);
        });
    }

    fn run_task(
        &self,
        band: &Band<'_, T>,
        depth: &Range<usize>,
        rows: Range<usize>,
        panels: Range<usize>,
    ) {
        let most = self.kernels.rows;
        let mut packed = match self.left {
            Side::Direct(_) => None,
            Side::Packed(_) => Some(Scratch::new(most * depth.len())),
        };
        let mut turned =
            self.out.turned.then(|| Scratch::new(most.next_multiple_of(16) * self.pitch()));
        let mut row = rows.start;
        while row < rows.end {
            let left = rows.end - row;
            let count = if left >= most { most } else { 1 << left.ilog2() };
            let a = self.left_rows(row..row + count, depth, packed.as_deref_mut());
            for panel in panels.clone() {
                let tile = self.tile(band, panel, depth, (row, count), a);
                // SAFETY: see `tile`; its part of the output belongs to this task alone.
                unsafe { self.compute(&tile, turned.as_deref_mut()) };
            }
            row += count;
        }
    }

    /// Address and strides of some rows of the left factor, which are packed into the buffer if need
    /// be.
    #[inline]
    fn left_rows(
        &self,
        rows: Range<usize>,
        depth: &Range<usize>,
        buffer: Option<&mut [T]>,
    ) -> (*const T, isize, isize) {
        match self.left {
            Side::Direct(view) => (view.at(rows.start, depth.start), view.lane, view.step),
            Side::Packed(source) => {
                let width = rows.len();
                let buffer = buffer.expect("a buffer for a packed side");
                let buffer = &mut buffer[..width * depth.len()];
                source.pack(rows, depth.clone(), width, buffer);
                (buffer.as_ptr(), 1, width as isize)
            }
        }
    }

    /// The tile of some rows and one panel. Its pointers are good for its sizes: the left ones come
    /// from a view or a packed buffer, the right ones from a view that need not be padded or a packed
    /// panel, and the output is `rows · cols` long.
    #[inline]
    fn tile(
        &self,
        band: &Band<'_, T>,
        panel: usize,
        depth: &Range<usize>,
        (row, rows): (usize, usize),
        (a, a_row, a_step): (*const T, isize, isize),
    ) -> Tile<T> {
        let lanes = self.kernels.lanes;
        let (first, vectors) = band.panels.get(panel);
        let col = band.cols.start + first * lanes;
        let (b, b_step) = match (self.right, band.packed) {
            (_, Some(packed)) => {
                let width = band.cols.len().next_multiple_of(lanes);
                let at = width * depth.start + first * lanes * depth.len();
                (packed[at..].as_ptr(), (vectors * lanes) as isize)
            }
            (Side::Direct(view), None) => (view.at(col, depth.start), view.step),
            (Side::Packed(_), None) => unreachable!("a band of a packed side is packed"),
        };
        let last = depth.end == self.depth;
        let bias = self.out.finish.epilogue.bias().filter(|_| last);
        // Rows and columns as the output sees them.
        let (at_row, at_col) = if self.out.turned { (col, row) } else { (row, col) };
        Tile {
            depth: depth.len(),
            rows,
            cols: (band.cols.end - col).min(vectors * lanes),
            a,
            a_row,
            a_step,
            b,
            b_step,
            b_padded: band.packed.is_some() || !self.kernels.masked,
            out: self.out.to.wrapping_add(at_row * self.out.row + at_col),
            out_row: self.out.row,
            keep: self.out.finish.keep(depth.start == 0),
            bias: bias.map_or(std::ptr::null(), |bias| bias[at_col..].as_ptr()),
            relu: last && self.out.finish.epilogue.relu(),
        }
    }

    /// Elements from a row of a tile to the next before it is turned.
    fn pitch(&self) -> usize {
        self.kernels.lanes * self.kernels.vectors
    }

    /// Computes a tile, and turns it if its rows are columns of the output.
    ///
    /// # Safety
    /// `tile` is from [`Self::tile`], and no other task touches its part of the output.
    #[inline]
    unsafe fn compute(&self, tile: &Tile<T>, turned: Option<&mut [T]>) {
        let Some(sums) = turned else {
            // SAFETY: the caller's promise; `kernels` were chosen for this CPU.
            return unsafe { (self.kernels.tile)(tile) };
        };
        let (to, pitch) = (sums.as_mut_ptr(), self.pitch());
        let plain = Tile {
            out: to,
            out_row: pitch,
            keep: None,
            bias: std::ptr::null(),
            relu: false,
            ..*tile
        };
        // SAFETY: as above; the buffer holds a tile of whole blocks.
        unsafe {
            (self.kernels.tile)(&plain);
            (self.kernels.turn)(tile, to, pitch);
        }
    }
}

/// A pointer that tasks write disjoint parts through.
#[derive(Clone, Copy)]
struct Shared<T>(*mut T);

// SAFETY: who makes one promises that the parts are disjoint.
unsafe impl<T: Send> Sync for Shared<T> {}

impl<T> Shared<T> {
    fn get(&self) -> *mut T {
        self.0
    }
}
