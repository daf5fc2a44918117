//! The operands of a loop, in the row-major order of its result: where they lie if that will do, else
//! copied in small parts.

use super::stored::Stored;
use crate::kernels::loops::Operand;
use crate::kernels::stream;
use crate::strided::{Turn, Walk};
use crate::{Array, Shape};

/// Elements of a tile: four tiles of f64 fill a 32 KiB first-level cache.
pub(super) const TILE: usize = 1 << 10;
/// Elements of a row from which on a call for each row is cheaper than copying, at 0.05 ns an element: with
/// rows of 256 a call and the fence after its streamed stores took 75 ns.
const LONG_ROW: usize = 1 << 10;
/// Elements of an operand that is written out once because the result repeats it: 128 KiB of f32 stay in
/// the second-level cache.
const PATTERN: usize = 32 << 10;

/// An operand, ready to be read.
pub(super) enum Feed<'a, S: Stored> {
    /// All in order.
    Flat(&'a [S]),
    /// One element for all.
    Same(S::Lane),
    /// Begins anew after so many elements, written out a tile longer than that: a bias, a channel.
    Periodic(usize, Vec<S::Lane>),
    /// Long rows, each in order or of one element: a large bias, a column, a narrowed matrix.
    Rows(&'a [S], Walk),
    /// Transposed.
    Turned(&'a [S], Walk, Turn),
    /// Otherwise.
    Walk(&'a [S], Walk),
}

impl<'a, S: Stored> Feed<'a, S> {
    pub(super) fn new(x: &'a Array, shape: &Shape) -> Self {
        if x.shape() == shape && x.is_contiguous() {
            return Feed::Flat(x.elements());
        }
        if x.numel() == 1 {
            return Feed::Same(x.stored::<S>()[x.offset()].to_lane());
        }
        let (data, total) = (x.stored::<S>(), shape.numel());
        let walk = Walk::new(&x.expand(shape));
        match (walk.row(), walk.period()) {
            _ if total == 0 => Feed::Flat(&[]),
            (None, _) | (_, Some(1)) => Feed::Same(data[walk.place(0).0].to_lane()),
            (Some((row, 0 | 1)), _) if S::DIRECT && row >= LONG_ROW => Feed::Rows(data, walk),
            (_, Some(n)) if n <= PATTERN && n + TILE <= total => {
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
    /// How many elements from `start` on [`Feed::fetch`] can give at once.
    pub(super) fn reach(&self, start: usize) -> usize {
        match self {
            Feed::Same(_) => usize::MAX,
            Feed::Flat(_) if S::DIRECT => usize::MAX,
            Feed::Rows(_, walk) => walk.place(start).1,
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
                let at = walk.place(start).0;
                match (walk.row(), S::as_lane(x)) {
                    (Some((_, 1)), Some(x)) => return Operand::Slice(&x[at..at + len]),
                    _ => return Operand::Same(x[at].to_lane()),
                }
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
