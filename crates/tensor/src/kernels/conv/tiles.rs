//! Which rows make a tile, and which steps it takes.
//!
//! At the border of an image some taps read the padding alone. Rows that read the same part of the
//! kernel are neighbours here, whatever their places in the image, so that a tile leaves out the steps
//! that none of its rows needs: of 8 x 8 places with 3 x 3 taps and a padding of 1 that is a sixth. Where
//! tiles end with such rows, nothing reads the padding, and there need be none.

use super::levels::{Element, Kernels, Shape};
use super::tile::{Across, Entry};
use crate::storage::Scratch;
use std::ops::Range;

/// A range along each axis: of the taps that a result reads, or of the results that a tap serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Extent {
    pub(super) first: [usize; 3],
    pub(super) end: [usize; 3],
}

impl Extent {
    pub(super) fn new(ranges: [&Range<usize>; 3]) -> Self {
        Extent { first: ranges.map(|range| range.start), end: ranges.map(|range| range.end) }
    }

    pub(super) fn range(&self, axis: usize) -> Range<usize> {
        self.first[axis]..self.end[axis]
    }

    fn is_empty(&self) -> bool {
        (0..3).any(|a| self.first[a] >= self.end[a])
    }

    /// The smallest that holds both.
    fn with(self, other: Extent) -> Extent {
        if self.is_empty() || other.is_empty() {
            return if self.is_empty() { other } else { self };
        }
        Extent {
            first: std::array::from_fn(|a| self.first[a].min(other.first[a])),
            end: std::array::from_fn(|a| self.end[a].max(other.end[a])),
        }
    }
}

/// Steps, in ascending order of their numbers: a list for each extent that a tile has.
#[derive(Default)]
pub(super) struct Lists {
    extents: Vec<Extent>,
    steps: Vec<Scratch<Entry>>,
}

impl Lists {
    fn index(&mut self, extent: Extent, steps: &dyn Fn(Extent) -> Scratch<Entry>) -> usize {
        let known = self.extents.iter().position(|e| *e == extent);
        known.unwrap_or_else(|| {
            self.extents.push(extent);
            self.steps.push(steps(extent));
            self.steps.len() - 1
        })
    }

    /// Of each list the steps with these numbers.
    fn cut(&self, numbers: &Range<usize>) -> Vec<&[Entry]> {
        let cut = |steps: &'_ Scratch<Entry>| {
            let before = |end: usize| steps.partition_point(|step| (step.number as usize) < end);
            before(numbers.start)..before(numbers.end)
        };
        self.steps.iter().map(|steps| &steps[cut(steps)]).collect()
    }
}

/// The entries of a table `[any, sizes]` inside an extent, numbered as they lie.
pub(super) fn inside(table: &[u32], sizes: [usize; 3], extent: Extent) -> Scratch<Entry> {
    let counts = [0, 1, 2].map(|a| extent.range(a).len());
    let block: usize = sizes.iter().product();
    let blocks = table.len() / block.max(1);
    let mut entries = Scratch::new(blocks * counts.iter().product::<usize>());
    let mut out = entries.iter_mut();
    for i in 0..blocks {
        for x in extent.range(0) {
            for y in extent.range(1) {
                let row = ((i * sizes[0] + x) * sizes[1] + y) * sizes[2];
                for (z, out) in extent.range(2).zip(&mut out) {
                    *out = Entry { from: table[row + z], number: (row + z) as u32 };
                }
            }
        }
    }
    entries
}

/// What tiles do where the extent of rows changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Border {
    /// They end.
    Alone,
    /// They take the steps of all: some read the padding.
    Mixed,
}

/// Rows on their way into tiles.
pub(super) struct Rows {
    entries: Scratch<Entry>,
    len: usize,
    /// Where rows of one extent end.
    runs: Vec<(usize, Extent)>,
}

impl Rows {
    /// Room for so many.
    pub(super) fn new(count: usize) -> Self {
        Rows { entries: Scratch::new(count), len: 0, runs: Vec::new() }
    }

    pub(super) fn extend(&mut self, rows: impl ExactSizeIterator<Item = Entry>) {
        let count = rows.len();
        let room = &mut self.entries[self.len..][..count];
        room.iter_mut().zip(rows).for_each(|(to, row)| *to = row);
        self.len += count;
    }

    /// The rows since the last call have this extent.
    pub(super) fn close(&mut self, extent: Extent) {
        let before = self.runs.last().map_or(0, |run| run.0);
        match self.runs.last_mut() {
            Some(run) if run.1 == extent => run.0 = self.len,
            _ if before < self.len => self.runs.push((self.len, extent)),
            _ => (),
        }
    }

    /// Where tiles have to end.
    fn ends(&self, border: Border) -> Vec<usize> {
        match border {
            Border::Alone => self.runs.iter().map(|run| run.0).collect(),
            Border::Mixed => vec![self.len],
        }
    }

    /// The extent of some rows.
    fn extent(&self, rows: Range<usize>) -> Extent {
        let first = self.runs.partition_point(|run| run.0 <= rows.start);
        let last = self.runs.partition_point(|run| run.0 < rows.end);
        let (first, rest) = (self.runs[first].1, &self.runs[first + 1..=last]);
        rest.iter().fold(first, |all, run| all.with(run.1))
    }
}

/// Tiles that together have all rows.
pub(super) struct Tiles {
    rows: Scratch<Entry>,
    tiles: Vec<Tile>,
}

struct Tile {
    first: usize,
    height: usize,
    list: usize,
}

impl Tiles {
    /// `steps` makes the list of an extent that is not there yet.
    pub(super) fn new(
        shape: &Shape,
        rows: &Rows,
        border: Border,
        lists: &mut Lists,
        steps: &dyn Fn(Extent) -> Scratch<Entry>,
    ) -> Self {
        let ends = rows.ends(border);
        let mut entries = Scratch::new(rows.len + ends.len() * shape.rows);
        let (mut tiles, mut first, mut at) = (Vec::with_capacity(ends.len()), 0, 0);
        for end in ends {
            while first < end {
                let height = shape.height(end - first);
                let part = first..end.min(first + height);
                let to = &mut entries[at..at + height];
                to[..part.len()].copy_from_slice(&rows.entries[part.clone()]);
                // A tile too large repeats a row.
                to[part.len()..].fill(rows.entries[part.end - 1]);
                let list = lists.index(rows.extent(part.clone()), steps);
                tiles.push(Tile { first: at, height, list });
                (first, at) = (part.end, at + height);
            }
        }
        Tiles { rows: entries, tiles }
    }

    pub(super) fn len(&self) -> usize {
        self.tiles.len()
    }

    /// Adds the steps with these numbers to the sums of all rows, which begin at `start` if there is one; calls
    /// `before` with the number of each tile.
    ///
    /// # Safety
    /// Rows and steps, from `from` on, are elements; `panel` has a row of `vectors` for each number, `start` one or
    /// is null, and `sums` one for each row.
    pub(super) unsafe fn multiply<T: Element>(
        &self,
        kernels: &Kernels<T>,
        lists: &Lists,
        numbers: &Range<usize>,
        operands: &Operands<'_, T>,
        sums: &mut [T],
        before: &dyn Fn(usize),
    ) {
        let width = operands.vectors * kernels.lanes;
        let cuts = lists.cut(numbers);
        for (i, tile) in self.tiles.iter().enumerate() {
            before(i);
            let steps = cuts[tile.list];
            if steps.is_empty() && operands.start.is_null() {
                continue;
            }
            let across = Across {
                from: operands.from,
                rows: self.rows[tile.first..][..tile.height].as_ptr(),
                steps: steps.as_ptr(),
                depth: steps.len(),
                start: operands.start,
                panel: operands.panel.as_ptr().wrapping_sub(numbers.start * width),
                sums: sums.as_mut_ptr(),
            };
            // SAFETY: the caller's promise.
            unsafe { (kernels.across)(tile.height, operands.vectors, &across) };
        }
    }
}

/// What tiles are multiplied from.
pub(super) struct Operands<'a, T> {
    pub(super) from: *const T,
    /// Rows of `vectors`, from the first number on.
    pub(super) panel: &'a [T],
    pub(super) vectors: usize,
    /// A row, or null: then the sums go on.
    pub(super) start: *const T,
}
