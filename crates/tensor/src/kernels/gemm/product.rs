//! The loops around the micro-kernel: blocks of depth and width, packing, tasks.

use std::ops::Range;

use super::epilogue::{Epilogue, Shift, write};
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
    pub(super) beta: T,
    pub(super) epilogue: Epilogue<'a, T>,
}

// SAFETY: tasks write disjoint tiles through `to`; the rest is shared for reading.
unsafe impl<T: Send + Sync> Sync for Output<'_, T> {}

/// Part of the product that is computed in one go: all rows, some columns, some depth.
struct Block<'a, T> {
    cols: Range<usize>,
    depth: Range<usize>,
    panels: Panels,
    /// The panels of the right factor, unless it is read directly.
    packed: Option<&'a [T]>,
}

/// Tasks to aim at for one block: enough to share evenly between a few dozen threads.
const TASKS: usize = 32;

/// ns to pack an element, for the choice of threads.
const PACK_NS: f64 = 0.1;

impl<T: GemmElement> Product<'_, T> {
    pub(super) fn run(&self) {
        let depth_block = plan::depth_block(self.depth);
        let col_block = self.col_block(depth_block);
        for first_col in (0..self.cols).step_by(col_block) {
            let cols = first_col..self.cols.min(first_col + col_block);
            for first in (0..self.depth).step_by(depth_block) {
                let depth = first..self.depth.min(first + depth_block);
                self.run_block(cols.clone(), depth);
            }
        }
    }

    /// Columns that are packed at a time: whole full panels.
    fn col_block(&self, depth_block: usize) -> usize {
        let panel = self.kernels.lanes * self.kernels.vectors;
        match self.right {
            Side::Direct(_) => self.cols,
            Side::Packed(_) => {
                let most = plan::PACKED_BYTES / (size_of::<T>() * depth_block);
                let blocks = self.cols.div_ceil(most.max(panel));
                self.cols.div_ceil(blocks).next_multiple_of(panel)
            }
        }
    }

    fn run_block(&self, cols: Range<usize>, depth: Range<usize>) {
        let Kernels { lanes, vectors, wide, .. } = *self.kernels;
        let direct = matches!(self.right, Side::Direct(_));
        let most = if self.rows == 1 && direct { wide } else { vectors };
        let panels = Panels::new(cols.len().div_ceil(lanes), most);
        let packed = match self.right {
            Side::Direct(_) => None,
            Side::Packed(right) => Some(self.pack_right(right, &cols, &depth, panels)),
        };
        self.run_tasks(&Block { cols, depth, panels, packed: packed.as_deref() });
    }

    fn pack_right(
        &self,
        right: &dyn Pack<T>,
        cols: &Range<usize>,
        depth: &Range<usize>,
        panels: Panels,
    ) -> Scratch<T> {
        let lanes = self.kernels.lanes;
        let mut packed = Scratch::<T>::new(cols.len().next_multiple_of(lanes) * depth.len());
        // One task packs this much: a full panel, except for narrow ones at the end.
        let cost_ns = packed.len() as f64 * PACK_NS;
        let to = Shared(packed.as_mut_ptr());
        threads::run(panels.count(), cost_ns, &|index| {
            let (first, vectors) = panels.get(index);
            let (start, width) = (cols.start + first * lanes, vectors * lanes);
            // SAFETY: panels are disjoint and lie within `packed`, which outlives the call.
            let out = unsafe {
                let at = to.get().add(first * lanes * depth.len());
                std::slice::from_raw_parts_mut(at, width * depth.len())
            };
            right.pack(start..cols.end.min(start + width), depth.clone(), width, out);
        });
        packed
    }

    fn run_tasks(&self, block: &Block<'_, T>) {
        let group = self.kernels.rows;
        let groups = self.rows.div_ceil(group);
        let groups_each = groups.div_ceil(TASKS);
        let row_tasks = groups.div_ceil(groups_each);
        let panels = block.panels.count();
        let panels_each = panels.div_ceil((TASKS / row_tasks).clamp(1, panels));
        let panel_tasks = panels.div_ceil(panels_each);
        let flops = 2.0 * (self.rows * block.cols.len()) as f64 * block.depth.len() as f64;
        threads::run(row_tasks * panel_tasks, flops / self.kernels.flops_per_ns, &|task| {
            let (i, j) = (task / panel_tasks, task % panel_tasks);
            let rows = i * groups_each * group..self.rows.min((i + 1) * groups_each * group);
            self.run_task(block, rows, j * panels_each..panels.min((j + 1) * panels_each));
        });
    }

    fn run_task(&self, block: &Block<'_, T>, rows: Range<usize>, panels: Range<usize>) {
        let steps = block.depth.len();
        let most = self.kernels.rows;
        let mut packed = match self.left {
            Side::Direct(_) => None,
            Side::Packed(_) => Some(Scratch::new(most * steps)),
        };
        let mut turned = self.out.turned.then(|| Scratch::new(2 * self.tile_len()));
        let mut row = rows.start;
        while row < rows.end {
            let left = rows.end - row;
            let count = if left >= most { most } else { 1 << left.ilog2() };
            let (a, a_row, a_step) = match self.left {
                Side::Direct(view) => (view.at(row, block.depth.start), view.lane, view.step),
                Side::Packed(source) => {
                    let buffer = packed.as_deref_mut().expect("made above for a packed side");
                    let buffer = &mut buffer[..count * steps];
                    source.pack(row..row + count, block.depth.clone(), count, buffer);
                    (buffer.as_ptr(), 1, count as isize)
                }
            };
            for panel in panels.clone() {
                let tile = self.tile(block, panel, (row, count), (a, a_row, a_step));
                // SAFETY: see `tile`; its element of the output belongs to this task alone.
                unsafe { self.compute(tile, block, panel, row, turned.as_deref_mut()) };
            }
            row += count;
        }
    }

    fn tile_len(&self) -> usize {
        self.kernels.rows * self.kernels.lanes * self.kernels.vectors.max(self.kernels.wide)
    }

    /// The tile of some rows and one panel. Its pointers are good for its sizes: the left ones come
    /// from a view or a packed buffer, the right ones from a view that need not be padded or a packed
    /// panel, and the output is `rows · cols` long.
    #[inline]
    fn tile(
        &self,
        block: &Block<'_, T>,
        panel: usize,
        (row, rows): (usize, usize),
        (a, a_row, a_step): (*const T, isize, isize),
    ) -> Tile<T> {
        let lanes = self.kernels.lanes;
        let depth = block.depth.len();
        let (first, vectors) = block.panels.get(panel);
        let col = block.cols.start + first * lanes;
        let (b, b_step) = match (self.right, block.packed) {
            (_, Some(packed)) => {
                (packed[first * lanes * depth..].as_ptr(), (vectors * lanes) as isize)
            }
            (Side::Direct(view), None) => (view.at(col, block.depth.start), view.step),
            (Side::Packed(_), None) => unreachable!("a block of a packed side is packed"),
        };
        let last = block.depth.end == self.depth;
        let bias = self.out.epilogue.bias().filter(|_| last && !self.out.turned);
        Tile {
            depth,
            rows,
            cols: (block.cols.end - col).min(vectors * lanes),
            a,
            a_row,
            a_step,
            b,
            b_step,
            b_padded: block.packed.is_some() || !self.kernels.masked,
            out: self.out.to.wrapping_add(row * self.out.row + col),
            out_row: self.out.row,
            keep: self.out.keep(block.depth.start == 0),
            bias: bias.map_or(std::ptr::null(), |bias| bias[col..].as_ptr()),
            relu: last && self.out.epilogue.relu(),
        }
    }

    /// Computes a tile, and turns it if its rows are columns of the output.
    ///
    /// # Safety
    /// `tile` is from [`Self::tile`], and no other task touches its part of the output.
    #[inline]
    unsafe fn compute(
        &self,
        tile: Tile<T>,
        block: &Block<'_, T>,
        panel: usize,
        row: usize,
        turned: Option<&mut [T]>,
    ) {
        let Some(buffer) = turned else {
            // SAFETY: the caller's promise; `kernels` were chosen for this CPU.
            return unsafe { (self.kernels.tile)(&tile) };
        };
        let (straight, turned) = buffer.split_at_mut(self.tile_len());
        let (rows, cols) = (tile.rows, tile.cols);
        let plain =
            Tile { out: straight.as_mut_ptr(), out_row: cols, keep: None, relu: false, ..tile };
        let col = block.cols.start + block.panels.get(panel).0 * self.kernels.lanes;
        // SAFETY: as above; the buffers hold a tile each.
        unsafe {
            (self.kernels.tile)(&plain);
            let lane = cols as isize;
            (self.kernels.pack)(straight.as_ptr(), lane, 1, rows, cols, rows, turned.as_mut_ptr());
        }
        let last = block.depth.end == self.depth;
        let shift = match self.out.epilogue.bias() {
            Some(bias) if last => Shift::Each(&bias[row..row + rows]),
            _ => Shift::None,
        };
        for (j, sums) in turned[..rows * cols].chunks_exact(rows).enumerate() {
            let at = self.out.to.wrapping_add((col + j) * self.out.row + row);
            // SAFETY: `rows` elements of row `col + j` of the output, this task's alone.
            let out = unsafe { std::slice::from_raw_parts_mut(at, rows) };
            write(out, sums, tile.keep, shift, tile.relu);
        }
    }
}

impl<T: GemmElement> Output<'_, T> {
    /// The factor for what the output holds; `None` if that is not to be read.
    #[inline]
    pub(super) fn keep(&self, first: bool) -> Option<T> {
        match first {
            true if self.beta == T::ZERO => None,
            true => Some(self.beta),
            false => Some(T::ONE),
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
