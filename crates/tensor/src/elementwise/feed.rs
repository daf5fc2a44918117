//! The operands of a loop, in the row-major order of its result: where they lie if that will do, else
//! copied in small parts.

use super::stored::Stored;
use crate::kernels::loops::{BLOCK, Operand};
use crate::kernels::stream;
use crate::strided::{Turn, Walk};
use crate::{Array, Shape};

/// Elements of a tile: four tiles of f64 fill a 32 KiB first-level cache.
pub(super) const TILE: usize = 1 << 10;
/// Rows of at least so many elements are gone through where they lie, whatever else there is.
const LONG_ROW: usize = 1 << 10;
/// Rows that are copied otherwise, from so many elements on, if there are many: a call of a loop takes 140 ns, a row
/// of it 3, a copied row 20 and 0.05 an element. `x + column` of 1024 x 64, one thread: 24.1 µs with copies, 7.5 by rows
/// (Zen 4); `x + y` 8.4.
const ROW: usize = BLOCK;
const MANY: usize = 8;
/// Where a pattern is the other choice, with fewer than so many elements its calls of a tile are cheaper. `x + row` of
/// 4096 x 16: 10.2 µs by the pattern, 12.2 by rows; of 1024 x 64 9.6 and 6.6.
const PATTERN_ROW: usize = 1 << 5;
/// Elements of an operand that is written out once because the result repeats it: 128 KiB of f32 stay in
/// the second-level cache.
const PATTERN: usize = 32 << 10;

/// An operand, ready to be read.
pub(super) enum Feed<'a, S: Stored> {
    /// All in order.
    Flat(&'a [S]),
    /// One element for all.
    Same(S::Lane),
    /// Begins anew after so many elements, written out a tile longer than that: a small bias, channels of small images.
    Periodic(usize, Vec<S::Lane>),
    /// Rows, each in order or of one element: a bias, a column, a narrowed matrix.
    Rows(&'a [S], Walk),
    /// Transposed.
    Turned(&'a [S], Walk, Turn),
    /// Otherwise.
    Walk(&'a [S], Walk),
}

impl<'a, S: Stored> Feed<'a, S> {
    /// `x` as large as a result of this shape, which lies `apart` if it is not written over an operand, nor past the
    /// caches.
    pub(super) fn new(x: &'a Array, shape: &Shape, apart: bool) -> Self {
        if x.shape() == shape && x.is_contiguous() {
            return Feed::Flat(x.elements());
        }
        if x.numel() == 1 {
            return Feed::Same(x.stored::<S>()[x.offset()].to_lane());
        }
        let (data, total) = (x.stored::<S>(), shape.numel());
        let walk = Walk::new(&x.expand(shape));
        let period = walk.period();
        let fits = period.is_some_and(|n| n <= PATTERN && n + TILE <= total);
        match (walk.row(), period) {
            _ if total == 0 => Feed::Flat(&[]),
            (None, _) | (_, Some(1)) => Feed::Same(data[walk.place(0).0].to_lane()),
            _ if S::DIRECT && by_rows(&walk, fits, apart) => Feed::Rows(data, walk),
            (_, Some(n)) if fits => {
                let mut pattern = vec![S::default(); n + TILE];
                walk.copy(data, 0, &mut pattern);
                let mut lanes = vec![S::Lane::default(); n + TILE];
                S::widen(&pattern, &mut lanes);
                Feed::Periodic(n, lanes)
            }
            _ => match walk.turn() {
                Some(turn) if S::DIRECT => Feed::Turned(data, walk, turn),
                _ => Feed::Walk(data, walk),
            },
        }
    }
    /// Elements of a row, if it has rows that a loop can go through one by one.
    pub(super) fn row(&self) -> Option<usize> {
        match self {
            Feed::Rows(_, walk) => walk.row().map(|(row, _)| row),
            Feed::Turned(.., turn) if turn.is_short() => Some(turn.row()),
            _ => None,
        }
    }
    pub(super) fn turn(&self) -> Option<Turn> {
        match self {
            Feed::Turned(.., turn) => Some(*turn),
            _ => None,
        }
    }
    /// Does it need a tile to copy to?
    pub(super) fn copies(&self) -> bool {
        match self {
            Feed::Flat(_) => !S::DIRECT,
            Feed::Same(_) | Feed::Periodic(..) | Feed::Rows(..) => false,
            Feed::Turned(..) | Feed::Walk(..) => true,
        }
    }
    /// How many elements from `start` on [`Feed::fetch`] can give at once, whole rows if `rows` are wanted.
    pub(super) fn reach(&self, start: usize, rows: bool) -> usize {
        match self {
            Feed::Same(_) => usize::MAX,
            Feed::Flat(_) if S::DIRECT => usize::MAX,
            Feed::Rows(_, walk) if rows => walk.rows(start),
            Feed::Rows(_, walk) => walk.left(start),
            _ => TILE,
        }
    }
    /// Fetches what a loop that begins at `start` will not have fetched ahead.
    pub(super) fn fetch_head(&self, start: usize) {
        if let Feed::Flat(x) = self {
            stream::fetch_all(&x[start..x.len().min(start + stream::AHEAD / size_of::<S>())]);
        }
    }
    /// The operand for `len` elements from `start` on, no more than it can give; copied to `tile` if need
    /// be.
    pub(super) fn fetch<'t>(
        &'t self,
        start: usize,
        len: usize,
        tile: &'t mut [S::Lane],
    ) -> Operand<'t, S::Lane> {
        match self {
            Feed::Same(v) => return Operand::Same(*v),
            Feed::Periodic(n, pattern) => return Operand::Slice(&pattern[start % n..][..len]),
            Feed::Flat(x) => match S::as_lane(&x[start..start + len]) {
                Some(x) => return Operand::Slice(x),
                None => S::widen(&x[start..start + len], &mut tile[..len]),
            },
            Feed::Rows(x, walk) => {
                let (at, left) = walk.place(start);
                let (Some((row, step)), Some(x)) = (walk.row(), S::as_lane(x)) else {
                    return Operand::Same(x[at].to_lane());
                };
                let from = &x[at..];
                return match (step, walk.pitch().filter(|_| len > left)) {
                    (1, None) => Operand::Slice(&from[..len]),
                    (1, Some(pitch)) => Operand::Rows { from, row, pitch },
                    (_, None) => Operand::Same(from[0]),
                    (_, Some(pitch)) => Operand::Column { from, row, pitch },
                };
            }
            Feed::Turned(x, walk, _) | Feed::Walk(x, walk) => match S::as_lane(x) {
                Some(x) => walk.copy(x, start, &mut tile[..len]),
                None => {
                    let mut part = [S::default(); TILE];
                    walk.copy(x, start, &mut part[..len]);
                    S::widen(&part[..len], &mut tile[..len]);
                }
            },
        }
        Operand::Slice(&tile[..len])
    }
}

/// Does a loop go from row to row, rather than over a pattern, if `fits`, or copies? Rows that end within a block go
/// well only if the output lies `apart`.
fn by_rows(walk: &Walk, fits: bool, apart: bool) -> bool {
    let Some((row, 0 | 1)) = walk.row() else { return false };
    if row >= LONG_ROW || !(apart || row.is_multiple_of(BLOCK)) {
        return row >= LONG_ROW;
    }
    // Elements of rows that one call goes through.
    let together = walk.rows(0);
    if fits {
        row >= PATTERN_ROW && together >= 2 * TILE
    } else {
        row >= ROW && together >= TILE.min(MANY * row)
    }
}
