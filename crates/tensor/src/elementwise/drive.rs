//! The driver of all element-wise loops: cuts the result for threads, and feeds each loop stretches of
//! contiguous operands.

use super::stored::Stored;
use crate::kernels::loops::Operand;
use crate::strided::Walk;
use crate::{Array, Shape, threads};
use smallvec::SmallVec;

/// Elements of one task. A multiple of every block and tile; from kernels.md: halves of 32k pay.
const CHUNK: usize = 16 << 10;
/// Elements of a tile: four tiles of f64 fill a 32 KiB first-level cache.
const TILE: usize = 1 << 10;
/// Serial nanoseconds for each element and operand, measured on cache-resident arrays (0.1 for a sum,
/// 0.3 for a tanh); only the switch between serial and parallel reads it.
const NS_PER_ELEMENT: f64 = 0.15;

/// A loop over contiguous operands; the op is behind `dyn`, so that this file is compiled once for each
/// element type and not for each op.
type Loop<'k, L> = dyn Fn(&[Operand<L>], &mut [L]) + Sync + 'k;
/// A loop that writes over its first operand.
type Update<'k, L> = dyn Fn(&mut [L], &[Operand<L>]) + Sync + 'k;
/// A loop that answers yes or no.
type Question<'k, L> = dyn Fn(&[Operand<L>], &mut [bool]) + Sync + 'k;

/// An operand, ready to be read in the row-major order of the result.
enum Feed<'a, S> {
    Flat(&'a [S]),
    Same(S),
    Walk(&'a [S], Walk),
}

type Feeds<'a, S> = SmallVec<[Feed<'a, S>; 3]>;

fn feeds<'a, S: Stored>(inputs: &'a [Array], shape: &Shape) -> Feeds<'a, S> {
    let feed = |x: &'a Array| {
        if x.shape() == shape && x.is_contiguous() {
            Feed::Flat(x.elements())
        } else if x.numel() == 1 {
            Feed::Same(x.stored::<S>()[x.offset()])
        } else {
            Feed::Walk(x.stored(), Walk::new(&x.expand(shape)))
        }
    };
    inputs.iter().map(feed).collect()
}

impl<S: Stored> Feed<'_, S> {
    /// The operand of a loop over `start..start + len`, if no conversion and no gathering is needed.
    fn direct(&self, start: usize, len: usize) -> Option<Operand<'_, S::Lane>> {
        match self {
            Feed::Flat(x) => S::as_lane(&x[start..start + len]).map(Operand::Slice),
            Feed::Same(v) => Some(Operand::Same(v.to_lane())),
            Feed::Walk(..) => None,
        }
    }
    /// The same stretch, converted or gathered into `tile`.
    fn fetch<'t>(
        &'t self,
        start: usize,
        len: usize,
        tile: &'t mut [S::Lane; TILE],
    ) -> Operand<'t, S::Lane> {
        let tile = &mut tile[..len];
        match self {
            Feed::Same(v) => return Operand::Same(v.to_lane()),
            Feed::Flat(x) => match S::as_lane(&x[start..start + len]) {
                Some(x) => return Operand::Slice(x),
                None => S::widen(&x[start..start + len], tile),
            },
            Feed::Walk(x, walk) => match S::as_lane(x) {
                Some(x) => walk.copy(x, start, tile),
                None => {
                    let mut part = [S::default(); TILE];
                    walk.copy(x, start, &mut part[..len]);
                    S::widen(&part[..len], tile);
                }
            },
        }
        Operand::Slice(tile)
    }
}

fn cost(elements: usize, operands: usize) -> f64 {
    elements as f64 * operands as f64 * NS_PER_ELEMENT
}

/// The loop over one stretch, by direct operands or tile by tile; `done(range, tile)` takes a result
/// that had to be computed in a tile.
fn stretch<S: Stored>(
    feeds: &Feeds<'_, S>,
    start: usize,
    len: usize,
    mut call: impl FnMut(&[Operand<S::Lane>], usize, usize),
) {
    let direct: Option<SmallVec<[_; 3]>> = feeds.iter().map(|f| f.direct(start, len)).collect();
    if let Some(operands) = direct {
        return call(&operands, 0, len);
    }
    let mut tiles = [[S::Lane::default(); TILE]; 3];
    for at in (0..len).step_by(TILE) {
        let n = TILE.min(len - at);
        let tiles = tiles.iter_mut();
        let operands: SmallVec<[_; 3]> =
            feeds.iter().zip(tiles).map(|(f, t)| f.fetch(start + at, n, t)).collect();
        call(&operands, at, n);
    }
}

/// A new array of this shape, filled by `kernel` from the inputs.
pub(super) fn produce<S: Stored>(
    inputs: &[Array],
    shape: &Shape,
    kernel: &Loop<'_, S::Lane>,
) -> Array {
    let feeds = feeds::<S>(inputs, shape);
    Array::build::<S>(shape, |out| {
        let part = |i: usize, out: &mut [S]| {
            let len = out.len();
            match S::as_lane_mut(out) {
                Some(out) => stretch(&feeds, i * CHUNK, len, |x, at, n| {
                    kernel(x, &mut out[at..at + n]);
                }),
                None => convert_back(&feeds, i * CHUNK, out, kernel),
            }
        };
        threads::run_chunks(out, CHUNK, cost(shape.numel(), inputs.len() + 1), &part);
    })
}

/// A stretch of a type that is not computed in: tile by tile.
fn convert_back<S: Stored>(
    feeds: &Feeds<'_, S>,
    start: usize,
    out: &mut [S],
    kernel: &Loop<'_, S::Lane>,
) {
    let mut result = [S::Lane::default(); TILE];
    for at in (0..out.len()).step_by(TILE) {
        let n = TILE.min(out.len() - at);
        stretch(feeds, start + at, n, |x, from, len| kernel(x, &mut result[from..from + len]));
        S::narrow(&result[..n], &mut out[at..at + n]);
    }
}

/// Write over `x` if it is given up, contiguous and of a type that is computed in, and the other
/// operands need no gathering.
pub(super) fn in_place<S: Stored>(
    x: &mut Array,
    rest: &[Array],
    kernel: &Update<'_, S::Lane>,
) -> bool {
    let shape = x.shape();
    let plain = |r: &Array| r.numel() == 1 || (r.shape() == shape && r.is_contiguous());
    if !S::DIRECT || !x.is_reusable() || !rest.iter().all(plain) {
        return false;
    }
    let feeds = feeds::<S>(rest, shape);
    let n = shape.numel();
    let part = |i: usize, out: &mut [S]| {
        let len = out.len();
        let operands: SmallVec<[_; 3]> =
            feeds.iter().filter_map(|f| f.direct(i * CHUNK, len)).collect();
        if let Some(out) = S::as_lane_mut(out) {
            kernel(out, &operands);
        }
    };
    threads::run_chunks(x.elements_mut::<S>(), CHUNK, cost(n, rest.len() + 1), &part);
    true
}

/// A new `bool` array of this shape, filled by `kernel` from the inputs.
pub(super) fn judge<S: Stored>(
    inputs: &[Array],
    shape: &Shape,
    kernel: &Question<'_, S::Lane>,
) -> Array {
    let feeds = feeds::<S>(inputs, shape);
    Array::build::<bool>(shape, |out| {
        let part = |i: usize, out: &mut [bool]| {
            stretch(&feeds, i * CHUNK, out.len(), |x, at, n| kernel(x, &mut out[at..at + n]));
        };
        threads::run_chunks(out, CHUNK, cost(shape.numel(), inputs.len() + 1), &part);
    })
}
