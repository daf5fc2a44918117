//! Reading the elements of a view in row-major order, a stretch at a time.

use crate::kernels::level;
use crate::kernels::loops::BLOCK;
use crate::kernels::stream::{self, Write};
use crate::kernels::turn::turn;
use crate::shape::Axes;
use crate::{Array, Element, threads};
use std::ops::Range;

/// Copy the elements `start..start + out.len()` of `x`, counted in row-major order.
///
/// # Panics
/// If the dtype is not `T`'s, or the stretch is out of range.
pub(crate) fn gather<T: Element>(x: &Array, start: usize, out: &mut [T]) {
    assert!(start + out.len() <= x.numel(), "gather: out of range");
    if !out.is_empty() {
        Walk::new(x).copy(x.stored::<T>(), start, out);
    }
}

/// Elements of a task that copies what is not transposed.
const CHUNK: usize = 16 << 10;
/// Serial nanoseconds to copy an element.
const NS_PER_ELEMENT: f64 = 0.5;

/// Copy all elements of `x` in row-major order, on all threads.
///
/// # Panics
/// If the dtype is not `T`'s, or `out` has another length.
pub(crate) fn row_major<T: Element>(x: &Array, out: &mut [T]) {
    assert!(out.len() == x.numel(), "row_major: {} elements for {}", out.len(), x.numel());
    if out.is_empty() {
        return;
    }
    let (walk, from) = (Walk::new(x), x.stored::<T>());
    let cost = out.len() as f64 * NS_PER_ELEMENT;
    let Some(turn) = walk.turn() else {
        return threads::run_chunks(out, CHUNK, cost, &|i, out| walk.copy(from, i * CHUNK, out));
    };
    let (rows, row) = (turn.task(), turn.row());
    let how = Write::of(size_of_val(out));
    threads::run_chunks(out, rows * row, cost, &|i, out| {
        let mut tile = vec![T::default(); rows * turn.pitch()];
        let (first, count) = (i * rows, out.len() / row);
        how.fenced(|fence| {
            for part in turn.parts() {
                walk.turned(from, turn, (first, count), &part, &mut tile);
                for (tile, out) in tile.chunks_exact(turn.pitch()).zip(out.chunks_exact_mut(row)) {
                    stream::copy(&tile[..part.len()], &mut out[part.clone()], fence);
                }
            }
        });
    });
}

/// Sizes and strides of a view, with neighbouring axes merged where one stride serves both.
pub(crate) struct Walk {
    sizes: Axes<usize>,
    strides: Axes<isize>,
    offset: usize,
}

impl Walk {
    pub(crate) fn new(x: &Array) -> Self {
        let (mut sizes, mut strides): (Axes<usize>, Axes<isize>) = (Axes::new(), Axes::new());
        for (&n, s) in x.shape().iter().zip(x.strides()) {
            match (sizes.last_mut(), strides.last_mut()) {
                _ if n == 1 => {}
                (Some(m), Some(t)) if *t == s * n as isize => {
                    *m *= n;
                    *t = s;
                }
                _ => {
                    sizes.push(n);
                    strides.push(s);
                }
            }
        }
        Walk { sizes, strides, offset: x.offset() }
    }
    /// Size and stride of the innermost axis; `None` if there is one element only.
    pub(crate) fn row(&self) -> Option<(usize, isize)> {
        Some((*self.sizes.last()?, *self.strides.last()?))
    }
    /// After how many elements they begin anew.
    pub(crate) fn period(&self) -> Option<usize> {
        let repeats = self.strides.first() == Some(&0);
        repeats.then(|| self.sizes[1..].iter().product())
    }
    /// Where element `at` lies in the storage, and how many are left in its row.
    pub(crate) fn place(&self, at: usize) -> (usize, usize) {
        let (mut rest, mut place) = (at, self.offset as isize);
        for (&n, &s) in self.sizes.iter().zip(&self.strides).rev() {
            place += (rest % n) as isize * s;
            rest /= n;
        }
        (place as usize, self.left(at))
    }
    /// How many elements are left in a row.
    pub(crate) fn left(&self, at: usize) -> usize {
        self.row().map_or(1, |(n, _)| n - at % n)
    }
    /// From the start of a row on, the elements of the rows that are as far apart as it is from the next; within a row
    /// those that are left in it.
    pub(crate) fn rows(&self, at: usize) -> usize {
        match self.sizes[..] {
            [.., rows, row] if at.is_multiple_of(row) && self.pitch().is_some() => {
                (rows - at / row % rows) * row
            }
            _ => self.left(at),
        }
    }
    /// Elements from the start of a row to that of the next; `None` if that lies before, or there is none.
    pub(crate) fn pitch(&self) -> Option<usize> {
        let before = self.strides.len().checked_sub(2)?;
        usize::try_from(self.strides[before]).ok()
    }
    /// How a transposed view lies, if it is one.
    pub(crate) fn turn(&self) -> Option<Turn> {
        let (columns, stride) = self.row()?;
        let axis = self.strides.iter().position(|&s| s == 1)?;
        if stride <= 1 || axis + 1 == self.sizes.len() {
            return None;
        }
        let middle = &self.sizes[axis + 1..self.sizes.len() - 1];
        let outer: usize = self.sizes[..axis].iter().product();
        Some(Turn { outer, rows: self.sizes[axis], middle: middle.iter().product(), columns })
    }
    /// Copy some columns, a part of [`Turn::parts`], of `count` rows from `first` on:
    /// `to[r·pitch + c]`. What comes from far is fetched ahead: a column is a page of its own, which the CPU does not
    /// follow into the next.
    pub(crate) fn turned<T: Element>(
        &self,
        from: &[T],
        by: Turn,
        (first, count): (usize, usize),
        part: &Range<usize>,
        to: &mut [T],
    ) {
        let stride = self.row().map_or(0, |(_, s)| s as usize);
        let mut row = 0;
        while row < count {
            // Rows that lie side by side.
            let rows = (by.rows - (first + row) % by.rows).min(count - row);
            let at = (first + row) * by.row() + part.start;
            let from = &from[self.place(at).0..];
            let to = &mut to[row * by.pitch()..];
            if stream::comes_from_far(by.bytes::<T>()) {
                turn_fetching(from, stride, [rows, part.len(), by.pitch()], to);
            } else {
                turn(level(), from, stride, [rows, part.len(), by.pitch()], to);
            }
            row += rows;
        }
    }
    /// Copy the stretch that begins at `start` from `from`, the whole storage.
    pub(crate) fn copy<T: Copy>(&self, from: &[T], start: usize, out: &mut [T]) {
        let Some((&row, outer)) = self.sizes.split_last() else {
            out.fill(from[self.offset]);
            return;
        };
        let stride = self.strides[outer.len()];
        let mut index: Axes<usize> = smallvec::smallvec![0; outer.len()];
        let (mut rest, mut column) = (start / row, start % row);
        for (i, &n) in outer.iter().enumerate().rev() {
            (index[i], rest) = (rest % n, rest / n);
        }
        let step = |i: usize, s: isize| i as isize * s;
        let base = |index: &[usize]| -> isize {
            index.iter().zip(&self.strides).map(|(&i, &s)| step(i, s)).sum()
        };
        let mut out = out;
        while !out.is_empty() {
            let take = (row - column).min(out.len());
            let (part, after) = out.split_at_mut(take);
            let at = self.offset as isize + base(&index) + step(column, stride);
            copy_row(from, at as usize, stride, part);
            (out, column) = (after, 0);
            advance(&mut index, outer);
        }
    }
}

/// A transposed view: `[outer, rows, middle, columns]`, where elements of neighbouring rows are neighbours
/// in memory, and those of neighbouring columns are not.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Turn {
    pub(crate) outer: usize,
    pub(crate) rows: usize,
    pub(crate) middle: usize,
    pub(crate) columns: usize,
}

impl Turn {
    /// Rows of a task.
    pub(crate) fn task(&self) -> usize {
        (self.outer * self.rows / TASKS).clamp(1, ROWS)
    }
    /// Elements from a row of copied columns to the next: rows a power of two apart would meet in one set of
    /// the cache.
    pub(crate) fn pitch(&self) -> usize {
        match self.row() {
            row if self.is_short() && !row.is_multiple_of(BLOCK) => row,
            row if self.is_short() => row + BLOCK,
            _ => self.columns.min(PART) + BLOCK,
        }
    }
    /// Elements of a row.
    pub(crate) fn row(&self) -> usize {
        self.middle * self.columns
    }
    /// Of the whole view.
    fn bytes<T>(&self) -> usize {
        self.outer * self.rows * self.row() * size_of::<T>()
    }
    /// Are all columns of a task copied before any is used?
    pub(crate) fn is_short(&self) -> bool {
        self.row() <= SHORT
    }
    /// The columns that are copied at a time, of all axes after that of the rows.
    pub(crate) fn parts(&self) -> impl Iterator<Item = Range<usize>> + use<> {
        let columns = self.columns;
        (0..self.middle).flat_map(move |m| {
            (0..columns)
                .step_by(PART)
                .map(move |c| m * columns + c..m * columns + columns.min(c + PART))
        })
    }
}

/// Rows that are copied at a time, at most: four neighbouring cache lines of f32 from each column, so that
/// the CPU's prefetch and an open page of memory serve more than one. `x + yᵀ` of 4096 x 4096, one thread, by
/// rows and columns: 64 x 1024 12 ms, 128 x 512 and 128 x 1024 14, 64 x 512 18; `x + y` 6.5.
const ROWS: usize = 64;
/// Columns that are copied at a time: with `ROWS` rows 256 KiB of f32, in the second-level cache.
const PART: usize = 1024;
/// Elements of a row up to which a task is one call of a loop: a call for each row takes 80 ns. `x + yᵀ` of 128 x 128
/// 8.4 µs with a call for each row, 3.9 with one; `x + y` 2.0 (Ice Lake, one thread). Of 1024 x 1024 407 µs with 512
/// here, 319 with 1024 (Zen 4).
const SHORT: usize = 1024;
/// Tasks that transposed views are cut into, at least, if they have so many rows.
const TASKS: usize = 4;

/// Columns that are turned at a time while later ones are fetched: a block of registers of f32. `x + yᵀ` of 4096 x 4096
/// without 15.1 ms; fetching what is 16 columns away 10.4, 32 10.0, 48 10.1 (Zen 4, one thread).
const TOGETHER: usize = 16;
const AHEAD: usize = 32;

/// [`turn`], with columns fetched before their turn.
fn turn_fetching<T: Element>(
    from: &[T],
    stride: usize,
    [rows, columns, pitch]: [usize; 3],
    to: &mut [T],
) {
    for first in (0..columns).step_by(TOGETHER) {
        let next = first + AHEAD;
        for column in next..columns.min(next + TOGETHER) {
            stream::fetch_all(&from[column * stride..][..rows]);
        }
        let count = TOGETHER.min(columns - first);
        turn(level(), &from[first * stride..], stride, [rows, count, pitch], &mut to[first..]);
    }
}

/// One step of an odometer.
fn advance(index: &mut [usize], sizes: &[usize]) {
    for (i, &n) in index.iter_mut().zip(sizes).rev() {
        *i += 1;
        if *i < n {
            return;
        }
        *i = 0;
    }
}

fn copy_row<T: Copy>(from: &[T], at: usize, stride: isize, out: &mut [T]) {
    match stride {
        1 => out.copy_from_slice(&from[at..at + out.len()]),
        0 => out.fill(from[at]),
        2 => every::<T, 2>(&from[at..], out),
        3 => every::<T, 3>(&from[at..], out),
        4 => every::<T, 4>(&from[at..], out),
        _ if stride > 0 => {
            let source = from[at..].iter().step_by(stride as usize);
            out.iter_mut().zip(source).for_each(|(o, &v)| *o = v);
        }
        _ => {
            for (i, o) in out.iter_mut().enumerate() {
                *o = from[(at as isize + i as isize * stride) as usize];
            }
        }
    }
}

/// Every `N`-th element: a loop of a fixed step becomes vector code.
fn every<T: Copy, const N: usize>(from: &[T], out: &mut [T]) {
    let Some((last, out)) = out.split_last_mut() else { return };
    let before = out.len();
    let groups = &from.as_chunks::<N>().0[..before];
    out.iter_mut().zip(groups).for_each(|(o, group)| *o = group[0]);
    *last = from[before * N];
}
