//! Where tiles go: into the output, perhaps transposed, perhaps rounded to a half type.

use std::ops::Range;

use super::epilogue::Finish;
use super::kernel::{Access, GemmElement, Sum};
use super::tile::Last;
use crate::kernels::Level;
use crate::kernels::stream::{LINE, fetch};
use crate::storage::Scratch;

/// Sums that are kept beside an output of a half type: 4 MiB, which stay in L3.
const STRIP: usize = 1 << 20;

/// Sums beside the output: their memory, its address for tasks, and the first row.
type Strip<S> = (Scratch<S>, *mut S, usize);

/// The output of a product. Tasks write disjoint tiles of it.
pub(super) struct Output<'a, O: GemmElement> {
    /// `rows · row` elements, borrowed for writing as long as this lives.
    to: *mut O,
    len: usize,
    /// Elements from a row to the next.
    row: usize,
    /// Whether rows of a tile are columns of the output.
    turned: bool,
    finish: Finish<'a, O::Sum>,
    access: &'static Access<O>,
    sums_access: &'static Access<O::Sum>,
    /// The output itself if its elements are sums.
    own: Option<*mut O::Sum>,
    /// The sums of a strip, from which row of the output on.
    strip: Option<Strip<O::Sum>>,
}

// SAFETY: tasks write disjoint tiles through the pointers; the rest is shared for reading.
unsafe impl<O: GemmElement> Sync for Output<'_, O> {}

impl<'a, O: GemmElement> Output<'a, O> {
    pub(super) fn new(
        c: &'a mut [O],
        row: usize,
        turned: bool,
        finish: Finish<'a, O::Sum>,
        level: Level,
    ) -> Self {
        let len = c.len();
        let (own, to) = match O::sums_mut(c) {
            Some(sums) => {
                let sums = sums.as_mut_ptr();
                (Some(sums), sums.cast::<O>())
            }
            None => (None, c.as_mut_ptr()),
        };
        let (access, sums_access) = (O::access(level), O::Sum::access(level));
        Self { to, len, row, turned, finish, access, sums_access, own, strip: None }
    }

    #[inline]
    pub(super) fn turned(&self) -> bool {
        self.turned
    }

    /// Whether there are sums that the output cannot hold: between blocks of depth, or what it held
    /// before.
    #[inline]
    pub(super) fn needs_sums(&self, blocks: bool) -> bool {
        self.own.is_none() && (blocks || self.finish.keep().is_some())
    }

    /// Rows of the output in a strip.
    pub(super) fn strip(&self) -> usize {
        STRIP / self.row
    }

    /// Makes room for the sums of some rows, and begins with what the output holds if it counts.
    pub(super) fn begin_strip(&mut self, rows: Range<usize>) {
        let len = rows.len() * self.row;
        // Strips do not grow: the buffer of the first is large enough for all.
        let mut scratch = match self.strip.take() {
            Some((scratch, _, _)) => scratch,
            None => Scratch::new(len),
        };
        if let Some(keep) = self.finish.keep() {
            let (start, zero) = (rows.start * self.row, O::Sum::ZERO);
            assert!(start + len <= self.len);
            // SAFETY: inside the output, which is borrowed for writing, and no task runs now.
            let held = unsafe { std::slice::from_raw_parts(self.to.add(start), len) };
            for (x, y) in scratch.iter_mut().zip(held) {
                *x = y.widen().times_plus(keep, zero);
            }
        }
        let to = scratch.as_mut_ptr();
        self.strip = Some((scratch, to, rows.start));
    }

    /// Whether a tile goes through a buffer.
    #[inline]
    pub(super) fn buffered(&self, last: bool) -> bool {
        self.turned || (last && self.own.is_none())
    }

    /// A tile without any epilogue, into a buffer.
    #[inline]
    pub(super) fn plain(
        (rows, cols): (usize, usize),
        to: *mut O::Sum,
        to_row: usize,
    ) -> Last<O::Sum, O::Sum> {
        Last {
            rows,
            cols,
            to,
            to_row,
            keep: None,
            kept: to,
            kept_row: 0,
            bias: std::ptr::null(),
            relu: false,
        }
    }

    /// The tile at a row and column of the tiles, for sums: in the output if that holds them, else in
    /// the strip.
    #[inline]
    pub(super) fn sums(
        &self,
        (row, col): (usize, usize),
        (rows, cols): (usize, usize),
        ends: (bool, bool),
    ) -> Last<O::Sum, O::Sum> {
        let to = self.sums_at((row, col));
        self.last(to, to, (row, col), (rows, cols), ends)
    }

    /// Writes a tile from a buffer whose rows are `pitch` apart.
    ///
    /// # Safety
    /// The tile lies in the output, and no other task touches it; the buffer holds whole blocks; the
    /// CPU has the instructions of the level.
    #[inline]
    pub(super) unsafe fn write(
        &self,
        at: (usize, usize),
        size: (usize, usize),
        ends: (bool, bool),
        (sums, pitch): (*const O::Sum, usize),
    ) {
        let kept = self.sums_at(at);
        // SAFETY: the caller's promise.
        unsafe {
            if ends.1 && self.own.is_none() {
                let to = self.to.wrapping_add(self.index(at));
                let last = self.last(to, kept, at, size, ends);
                let write = if self.turned { self.access.turn } else { self.access.store };
                write(&last, sums, pitch);
            } else {
                let last = self.last(kept, kept, at, size, ends);
                (self.sums_access.turn)(&last, sums, pitch);
            }
        }
    }

    /// Fetches the lines that a tile will be added to, or written to.
    #[inline]
    pub(super) fn fetch(&self, at: (usize, usize), (rows, cols): (usize, usize)) {
        let Some(own) = self.own else { return };
        let (rows, cols) = if self.turned { (cols, rows) } else { (rows, cols) };
        let first = own.wrapping_add(self.index(at));
        for row in 0..rows {
            for col in (0..cols).step_by(LINE / size_of::<O>()) {
                fetch(first.wrapping_add(row * self.row + col));
            }
        }
    }

    /// Index in the output of a tile's first element.
    #[inline]
    fn index(&self, (row, col): (usize, usize)) -> usize {
        let (row, col) = if self.turned { (col, row) } else { (row, col) };
        row * self.row + col
    }

    /// Where the sums of a tile are kept. Without any such place, an address that nobody uses.
    #[inline]
    fn sums_at(&self, at: (usize, usize)) -> *mut O::Sum {
        let index = self.index(at);
        match (self.own, &self.strip) {
            (Some(own), _) => own.wrapping_add(index),
            (None, Some((_, sums, first))) => sums.wrapping_add(index - first * self.row),
            (None, None) => std::ptr::null_mut(),
        }
    }

    #[inline]
    fn last<D>(
        &self,
        to: *mut D,
        kept: *const O::Sum,
        (row, col): (usize, usize),
        (rows, cols): (usize, usize),
        (first, end): (bool, bool),
    ) -> Last<O::Sum, D> {
        let bias = self.finish.epilogue.bias().filter(|_| end);
        let at = if self.turned { row } else { col };
        let keep = match (first, self.own) {
            (true, Some(_)) => self.finish.keep(),
            // The strip has been filled with what counts.
            (true, None) => self.finish.keep().map(|_| O::Sum::ONE),
            (false, _) => Some(O::Sum::ONE),
        };
        Last {
            rows,
            cols,
            to,
            to_row: self.row,
            keep,
            kept,
            kept_row: self.row,
            bias: bias.map_or(std::ptr::null(), |bias| bias[at..].as_ptr()),
            relu: end && self.finish.epilogue.relu(),
        }
    }
}
