//! The loops around the micro-kernel: blocks of depth and width, packing, tasks.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::epilogue::Finish;
use super::kernel::{GemmElement, Kernels};
use super::matrix::View;
use super::pack::Pack;
use super::panels::Panels;
use super::plan;
use super::scratch::{Key, Scratch};
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

/// A part of the depth: what is summed before the output is touched.
struct Block {
    depth: Range<usize>,
    panels: Panels,
    /// Names this block among all that are cut into tasks.
    name: Option<u64>,
}

/// Tasks to aim at: enough to share evenly between a few dozen threads.
const TASKS: usize = 32;

/// A product that takes less (ns) is one task: cutting it up would take longer than it saves.
const ONE_TASK_NS: f64 = 10_000.0;

static BLOCKS: AtomicU64 = AtomicU64::new(0);

impl<T: GemmElement> Product<'_, T> {
    pub(super) fn run(&self) {
        let Kernels { lanes, vectors, wide, .. } = *self.kernels;
        let direct = matches!(self.right, Side::Direct(_));
        let most = if self.rows == 1 && direct { wide } else { vectors };
        let panels = Panels::new(self.cols.div_ceil(lanes), most);
        let depth_block = plan::depth_block(self.depth);
        for start in (0..self.depth).step_by(depth_block) {
            let depth = start..self.depth.min(start + depth_block);
            self.run_block(Block { depth, panels, name: None });
        }
    }

    /// Cuts a block into tasks, rows by columns. A task takes so many columns that its part of the right
    /// factor stays in L2, and fewer if there are few rows.
    fn run_block(&self, mut block: Block) {
        let (group, panels) = (self.kernels.rows, block.panels.count());
        let depth = block.depth.len();
        let flops = 2.0 * (self.rows * self.cols) as f64 * depth as f64;
        let bytes = (self.cols * depth * size_of::<T>()) as f64;
        let cost_ns = (flops / self.kernels.flops_per_ns).max(bytes / plan::BYTES_PER_NS);
        if cost_ns < ONE_TASK_NS {
            return self.run_task(&block, 0..self.rows, 0..panels);
        }
        block.name = Some(BLOCKS.fetch_add(1, Relaxed));
        let groups = self.rows.div_ceil(group);
        let panel_bytes = self.pitch() * size_of::<T>() * depth;
        // If there is one row group, nothing is read twice.
        let fit = if groups == 1 { panels } else { (plan::RIGHT_BYTES / panel_bytes).max(1) };
        let panels_each = plan::even(panels, fit.min(panels.div_ceil(TASKS.div_ceil(groups))), 1);
        let panel_tasks = panels.div_ceil(panels_each);
        let groups_each = (groups * panel_tasks / TASKS).clamp(1, groups);
        let row_tasks = groups.div_ceil(groups_each);
        // Neighbouring tasks have the same columns.
        threads::run(row_tasks * panel_tasks, cost_ns, &|task| {
            let (row, panel) = (task % row_tasks * groups_each * group, task / row_tasks);
            let rows = row..self.rows.min(row + groups_each * group);
            let panels = panel * panels_each..panels.min((panel + 1) * panels_each);
            self.run_task(&block, rows, panels);
        });
    }

    fn run_task(&self, block: &Block, rows: Range<usize>, panels: Range<usize>) {
        let most = self.kernels.rows;
        let mut left = match self.left {
            Side::Direct(_) => None,
            Side::Packed(_) => Some(Scratch::new(most * block.depth.len())),
        };
        let right = match self.right {
            Side::Direct(_) => None,
            Side::Packed(source) => Some(self.pack_right(source, block, &panels)),
        };
        let mut turned =
            self.out.turned.then(|| Scratch::new(most.next_multiple_of(16) * self.pitch()));
        let mut row = rows.start;
        while row < rows.end {
            let rest = rows.end - row;
            let count = if rest >= most { most } else { 1 << rest.ilog2() };
            let a = self.left_rows(row..row + count, &block.depth, left.as_deref_mut());
            for panel in panels.clone() {
                let packed = right.as_deref().map(|right| (right, panels.start));
                let tile = self.tile(block, panel, packed, (row, count), a);
                // SAFETY: see `tile`; its part of the output belongs to this task alone.
                unsafe { self.compute(&tile, turned.as_deref_mut()) };
            }
            row += count;
        }
        if let (Some(right), Some(block)) = (right, block.name) {
            right.park(Key { block, panel: panels.start });
        }
    }

    /// The packed panels of a task, one behind the other.
    ///
    /// Every thread packs what it needs for itself, and keeps it for its next task: as fast as to wait
    /// for one that packs for all, and a thread reads nothing that another core has just written.
    /// 256x256x256 on two threads took 70 µs in some hours and 110 in others when one packed for all,
    /// and takes 70 always since.
    fn pack_right(&self, source: &dyn Pack<T>, block: &Block, panels: &Range<usize>) -> Scratch<T> {
        let (lanes, depth) = (self.kernels.lanes, block.depth.len());
        let (first, _) = block.panels.get(panels.start);
        let (last, vectors) = block.panels.get(panels.end - 1);
        let len = (last + vectors - first) * lanes * depth;
        let (mut packed, ready) = match block.name {
            Some(block) => Scratch::parked(Key { block, panel: panels.start }, len),
            None => (Scratch::new(len), false),
        };
        if ready {
            return packed;
        }
        let mut rest = &mut packed[..];
        for panel in panels.clone() {
            let (vector, vectors) = block.panels.get(panel);
            let (lane, width) = (vector * lanes, vectors * lanes);
            let (out, behind) = rest.split_at_mut(width * depth);
            let lanes = lane..self.cols.min(lane + width);
            source.pack(lanes, block.depth.clone(), width, out);
            rest = behind;
        }
        packed
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
        block: &Block,
        panel: usize,
        packed: Option<(&[T], usize)>,
        (row, rows): (usize, usize),
        (a, a_row, a_step): (*const T, isize, isize),
    ) -> Tile<T> {
        let (lanes, depth) = (self.kernels.lanes, &block.depth);
        let (vector, vectors) = block.panels.get(panel);
        let col = vector * lanes;
        let (b, b_step) = match (self.right, packed) {
            (_, Some((packed, first))) => {
                let at = (vector - block.panels.get(first).0) * lanes * depth.len();
                (packed[at..].as_ptr(), (vectors * lanes) as isize)
            }
            (Side::Direct(view), None) => (view.at(col, depth.start), view.step),
            (Side::Packed(_), None) => unreachable!("a packed side comes with its panels"),
        };
        let last = depth.end == self.depth;
        let bias = self.out.finish.epilogue.bias().filter(|_| last);
        // Rows and columns as the output sees them.
        let (at_row, at_col) = if self.out.turned { (col, row) } else { (row, col) };
        Tile {
            depth: depth.len(),
            rows,
            cols: (self.cols - col).min(vectors * lanes),
            a,
            a_row,
            a_step,
            b,
            b_step,
            b_padded: packed.is_some() || !self.kernels.masked,
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
