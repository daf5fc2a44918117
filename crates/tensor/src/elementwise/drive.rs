//! The driver of all element-wise loops: cuts the result for threads, and feeds each loop stretches of
//! contiguous operands.

use super::feed::{Feed, TILE};
use super::stored::Stored;
use crate::kernels::element::Lane;
use crate::kernels::level::level;
use crate::kernels::loops::{self, Answers, Loops, Numbers, Operand, Way};
use crate::kernels::stream::{self, Write};
use crate::storage::{Scratch, as_uninit};
use crate::strided::Turn;
use crate::{Array, Shape, threads};
use smallvec::SmallVec;
use std::mem::MaybeUninit;
use std::ops::Range;

/// Elements of one task. A multiple of every block and tile; from kernels.md: halves of 32k pay.
const CHUNK: usize = 16 << 10;
/// Serial nanoseconds for each element and operand, measured on cache-resident arrays (0.1 for a sum,
/// 0.3 for a tanh); only the switch between serial and parallel reads it.
const NS_PER_ELEMENT: f64 = 0.15;

/// A call of a loop: operands of `n` elements from `at` on, counted from the start of the task.
type Call<'c, L> = dyn FnMut(&[Operand<L>], usize, usize) + 'c;

/// The operands, and how the result is cut.
struct Plan<'a, S: Stored> {
    feeds: SmallVec<[Feed<'a, S>; 3]>,
    /// Of the first operand that is transposed.
    turn: Option<Turn>,
    /// Elements of the rows that operands have, if it is the same for all.
    row: Option<usize>,
    /// Elements of a task.
    chunk: usize,
    cost: f64,
    how: Write,
    /// Whether operands are fetched ahead.
    fetch: bool,
}

impl<'a, S: Stored> Plan<'a, S> {
    /// For a result of `bytes` an element, which is one of the operands if it is `written_over`.
    fn new(inputs: &'a [Array], shape: &Shape, bytes: usize, written_over: bool) -> Self {
        let n = shape.numel();
        let how = if written_over { Write::Cached } else { Write::of(n * bytes) };
        let apart = !written_over && how == Write::Cached;
        let feed = |x| Feed::<S>::new(x, shape, apart);
        let feeds: SmallVec<[_; 3]> = inputs.iter().map(feed).collect();
        let turn = feeds.iter().find_map(Feed::turn);
        let row = feeds.iter().find_map(Feed::row);
        let row = row.filter(|row| feeds.iter().all(|f| f.row().is_none_or(|r| r == *row)));
        let chunk = turn.map_or(CHUNK, |turn| turn.task() * turn.row());
        let cost = (n * (inputs.len() + 1)) as f64 * NS_PER_ELEMENT;
        let fetch = stream::comes_from_far(n * size_of::<S>());
        Plan { feeds, turn, row, chunk, cost, how, fetch }
    }
    /// Call the loop for one task, as often as the operands need it.
    fn each(&self, start: usize, len: usize, call: &mut Call<'_, S::Lane>) {
        let size = self.turn.map_or(TILE, |turn| turn.task() * turn.pitch());
        let tile = |f: &Feed<'_, S>| Scratch::new(if f.copies() { size } else { 0 });
        let mut tiles: SmallVec<[Scratch<S::Lane>; 3]> = self.feeds.iter().map(tile).collect();
        match self.turn {
            None => self.stretch(start, start..start + len, &mut tiles, None, call),
            Some(turn) => self.parts(turn, start, len, &mut tiles, call),
        }
    }
    /// Whole rows of a transposed operand: it is copied in parts of many rows and few columns, so that
    /// each cache line is read once; short rows all before one call.
    fn parts(
        &self,
        turn: Turn,
        start: usize,
        len: usize,
        tiles: &mut [Scratch<S::Lane>],
        call: &mut Call<'_, S::Lane>,
    ) {
        let row = turn.row();
        let (first, count) = (start / row, len / row);
        let copy = |part: &Range<usize>, at: usize, tiles: &mut [Scratch<S::Lane>]| {
            for (feed, tile) in self.feeds.iter().zip(tiles) {
                let Feed::Turned(x, walk, t) = feed else { continue };
                let (Some(x), true) = (S::as_lane(x), *t == turn) else { continue };
                walk.turned(x, turn, (first, count), part, &mut tile[at..]);
            }
        };
        if turn.is_short() && self.row == Some(row) {
            turn.parts().for_each(|part| copy(&part, part.start, tiles));
            return self.stretch(start, start..start + len, tiles, Some(0), call);
        }
        for part in turn.parts() {
            copy(&part, 0, tiles);
            for r in 0..count {
                let at = (first + r) * row;
                let range = at + part.start..at + part.end;
                if self.fetch && r + 1 < count {
                    self.feeds.iter().for_each(|feed| feed.fetch_head(range.start + row));
                }
                self.stretch(start, range, tiles, Some(r * turn.pitch()), call);
            }
        }
    }
    /// A range of the result; with `part` transposed operands are in their tiles already, from there on.
    fn stretch(
        &self,
        start: usize,
        range: Range<usize>,
        tiles: &mut [Scratch<S::Lane>],
        part: Option<usize>,
        call: &mut Call<'_, S::Lane>,
    ) {
        let most = if S::DIRECT { usize::MAX } else { TILE };
        let copied = |f: &Feed<'_, S>| part.filter(|_| f.turn().is_some() && f.turn() == self.turn);
        let mut at = range.start;
        while at < range.end {
            let rows = self.row.is_some();
            let reach = |f| if copied(f).is_some() { usize::MAX } else { f.reach(at, rows) };
            let n = self.feeds.iter().map(reach).fold(most, usize::min).min(range.end - at);
            // Rows, or a part of one.
            let n = self.row.filter(|&row| row < n).map_or(n, |row| n - n % row);
            let mut operands: SmallVec<[Operand<'_, S::Lane>; 3]> = SmallVec::new();
            for (feed, tile) in self.feeds.iter().zip(&mut *tiles) {
                operands.push(match copied(feed) {
                    Some(from) => self.turned(&tile[from..], at - range.start, n),
                    None => feed.fetch(at, n, tile),
                });
            }
            call(&operands, at - start, n);
            at += n;
        }
    }
    /// So many elements of a tile of rows, or of a part of one row.
    fn turned<'t>(&self, tile: &'t [S::Lane], at: usize, n: usize) -> Operand<'t, S::Lane> {
        match (self.row, self.turn) {
            (Some(row), Some(turn)) if turn.is_short() && turn.pitch() > row => {
                let (from, pitch) = (&tile[at / row * turn.pitch() + at % row..], turn.pitch());
                if n > row {
                    Operand::Rows { from, row, pitch }
                } else {
                    Operand::Slice(&from[..n])
                }
            }
            _ => Operand::Slice(&tile[at..][..n]),
        }
    }
}

/// A new array of this shape, `f` of the inputs.
pub(super) fn produce<S: Stored>(inputs: &[Array], shape: &Shape, f: &dyn Loops<Numbers>) -> Array {
    let plan = Plan::<S>::new(inputs, shape, size_of::<S>(), false);
    let level = level();
    Array::build::<S>(shape, |out| {
        threads::run_chunks(out, plan.chunk, plan.cost, &|i, out| {
            let mut result = vec![S::Lane::default(); if S::DIRECT { 0 } else { TILE }];
            plan.how.fenced(|fence| {
                let way = Way { fence, level, fetch: plan.fetch };
                plan.each(i * plan.chunk, out.len(), &mut |x, at, n| {
                    let out = &mut out[at..at + n];
                    match S::as_lane_mut(out) {
                        Some(out) => fill(way, f, x, as_uninit(out)),
                        None => {
                            loops::run(level, f, x, as_uninit(&mut result[..n]).into());
                            S::narrow(&result[..n], out);
                        }
                    }
                });
            });
        });
    })
}

/// Runs the loop; of one element repeated the result is computed once.
fn fill<T: Lane>(
    way: Way<'_>,
    f: &dyn Loops<Numbers>,
    x: &[Operand<T>],
    to: &mut [MaybeUninit<T>],
) {
    let &[Operand::Same(x)] = x else { return loops::run_in(way, f, x, to) };
    let mut one = [x];
    loops::update(f, &mut one, 0, &[]);
    to.fill(MaybeUninit::new(one[0]));
}

/// Write `f` over its input number `at`, which is `x`, if that is given up, row-major and of a type that is
/// computed in; `rest` are the other inputs.
pub(super) fn in_place<S: Stored>(
    x: &mut Array,
    f: &dyn Loops<Numbers>,
    at: usize,
    rest: &[Array],
) -> bool {
    if !S::DIRECT || !x.is_reusable() {
        return false;
    }
    let shape = x.shape().clone();
    let plan = Plan::<S>::new(rest, &shape, size_of::<S>(), true);
    threads::run_chunks(x.elements_mut::<S>(), plan.chunk, plan.cost, &|i, out| {
        plan.each(i * plan.chunk, out.len(), &mut |operands, start, n| {
            if let Some(out) = S::as_lane_mut(&mut out[start..start + n]) {
                loops::update_from(plan.fetch, f, out, at, operands);
            }
        });
    });
    true
}

/// A new `bool` array of this shape, `f` of the inputs.
pub(super) fn judge<S: Stored>(inputs: &[Array], shape: &Shape, f: &dyn Loops<Answers>) -> Array {
    let plan = Plan::<S>::new(inputs, shape, 1, false);
    let level = level();
    Array::build::<bool>(shape, |out| {
        threads::run_chunks(out, plan.chunk, plan.cost, &|i, out| {
            plan.how.fenced(|fence| {
                let way = Way { fence, level, fetch: plan.fetch };
                plan.each(i * plan.chunk, out.len(), &mut |x, at, n| {
                    loops::run_in(way, f, x, as_uninit(&mut out[at..at + n]));
                });
            });
        });
    })
}
