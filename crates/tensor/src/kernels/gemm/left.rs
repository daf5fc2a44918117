//! The left factor, as tiles read it: where it lies, or packed.

use std::ops::Range;

use super::kernel::Summand;
use super::matrix::Lying;
use super::pack::Source;
use crate::storage::Scratch;
use crate::threads;

/// Row groups that are packed at a time: 32 rows of a half type are a cache line if they are contiguous, of f32
/// two.
pub(super) const GROUPS: usize = 4;

/// Bytes that a thread packs per ns, for the choice of threads.
const PACKED_BYTES_PER_NS: f64 = 4.0;

/// Where rows of the left factor are.
#[derive(Clone, Copy)]
pub(super) enum Left<P> {
    /// Where they lie, from a row and step on.
    Lying(Lying<P>, (usize, usize)),
    /// Packed row after row, each so long.
    Rows(*const P, usize),
    /// Packed group after group, each a panel so deep.
    Groups(*const P, usize),
}

impl<P> Left<P> {
    /// Address and strides in bytes of a group, which begins so many rows after the first.
    #[inline]
    pub(super) fn group(self, row: usize, count: usize) -> (*const P, isize, isize) {
        let size = size_of::<P>() as isize;
        match self {
            Self::Lying(here, (first, step)) => (here.at(first + row, step), here.lane, here.step),
            Self::Rows(at, length) => (at.wrapping_add(row * length), length as isize * size, size),
            Self::Groups(at, length) => {
                (at.wrapping_add(row * length), size, count as isize * size)
            }
        }
    }
}

/// First rows and sizes of the groups of some rows: full ones, then powers of two, or what is left if
/// a tile has any number of rows.
#[inline]
pub(super) fn groups(
    rows: Range<usize>,
    most: usize,
    any: bool,
) -> impl Iterator<Item = (usize, usize)> {
    let mut row = rows.start;
    std::iter::from_fn(move || {
        let rest = rows.end - row;
        let part = 1 << rest.checked_ilog2()?;
        let count = if any || rest >= most { rest.min(most) } else { part };
        row += count;
        Some((row - count, count))
    })
}

/// Packs rows from the start of a group on, in groups of `most` rows.
pub(super) fn pack<P: Summand>(
    source: &dyn Source<P>,
    (rows, depth): (Range<usize>, &Range<usize>),
    most: usize,
    out: &mut [P],
) -> Left<P> {
    let length = depth.len();
    let out = &mut out[..rows.len() * length];
    if source.by_rows() {
        source.rows(rows, depth.clone(), out);
        return Left::Rows(out.as_ptr(), length);
    }
    let full = rows.len() - rows.len() % most;
    let (together, rest) = out.split_at_mut(full * length);
    let behind = rows.start + full..rows.end;
    if full > 0 {
        source.groups(rows.start..behind.start, depth.clone(), most, together);
    }
    for (row, count) in groups(behind.clone(), most, false) {
        let group = &mut rest[(row - behind.start) * length..][..count * length];
        source.groups(row..row + count, depth.clone(), count, group);
    }
    Left::Groups(out.as_ptr(), length)
}

/// All rows of a block, packed by all threads before its tasks begin.
pub(super) struct Whole<P> {
    packed: Scratch<P>,
    by_rows: bool,
    start: usize,
    length: usize,
}

impl<P: Summand> Whole<P> {
    pub(super) fn new(
        source: &dyn Source<P>,
        (rows, depth): (&Range<usize>, &Range<usize>),
        most: usize,
    ) -> Self {
        let length = depth.len();
        let mut packed = Scratch::new(rows.len() * length);
        let each = GROUPS * most;
        let cost_ns = (packed.len() * size_of::<P>()) as f64 / PACKED_BYTES_PER_NS;
        threads::run_chunks(&mut packed, each * length, cost_ns, &|i, out| {
            let first = rows.start + i * each;
            pack(source, (first..rows.end.min(first + each), depth), most, out);
        });
        Whole { packed, by_rows: source.by_rows(), start: rows.start, length }
    }

    /// From the row on, which begins a group.
    #[inline]
    pub(super) fn from(&self, row: usize) -> Left<P> {
        let at = self.packed[(row - self.start) * self.length..].as_ptr();
        if self.by_rows { Left::Rows(at, self.length) } else { Left::Groups(at, self.length) }
    }
}
