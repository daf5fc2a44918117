//! The element-wise loops over contiguous slices, serial; the caller cuts ranges for threads.
//!
//! All go through one function, `drive` of `blocks.rs`; a formula loads a block of each input, computes, and
//! stores a block. So the output may be the memory of an input, and an element has the same bits
//! wherever it stands: a last, partial block goes through one on the stack. Rows that do not follow each other in an
//! input (`rows.rs`) are one call of a formula, too.
//!
//! A formula comes as `dyn Loops` (`compiled.rs`): three functions, one for each lane. The functions here
//! that take it are compiled once; those that take the formula itself are their typed front.

use super::element::{Compare, Lane, Map, Rare, Zip, Zip3};
use super::level::{Level, level};
use super::stream::{Fence, Write};
pub(crate) use blocks::BLOCK;
use blocks::{Source, drive};
use compiled::MOST;
use std::mem::MaybeUninit;

mod blocks;
mod compiled;
mod rows;
#[cfg(test)]
mod tests;

pub use compiled::{Answers, Call, Kind, Loops, Numbers};
pub(crate) use compiled::{compared, mapped, mapped_rare, zipped, zipped3};

/// An input of a loop.
#[derive(Clone, Copy, Debug)]
pub enum Operand<'a, T> {
    /// One element for each output element.
    Slice(&'a [T]),
    /// The same element for all.
    Same(T),
    /// Rows of so many elements, `pitch` from one to the next.
    Rows {
        /// From the first on.
        from: &'a [T],
        /// Elements of a row; the same for all inputs of a loop that have any.
        row: usize,
        /// Elements from the start of a row to that of the next.
        pitch: usize,
    },
    /// As [`Operand::Rows`], but the first element of a row is that of the whole row.
    Column {
        /// From the first on.
        from: &'a [T],
        /// Elements of a row; the same for all inputs of a loop that have any.
        row: usize,
        /// Elements from the start of a row to that of the next.
        pitch: usize,
    },
}

/// Where a loop writes, and how.
#[derive(Debug)]
pub struct Out<'a, T> {
    /// The elements to set.
    pub to: &'a mut [MaybeUninit<T>],
    /// Whether they pass the caches.
    pub how: Write,
}

/// Through the caches.
impl<'a, T> From<&'a mut [MaybeUninit<T>]> for Out<'a, T> {
    fn from(to: &'a mut [MaybeUninit<T>]) -> Self {
        Out { to, how: Write::Cached }
    }
}

impl<'a, T> From<&'a [T]> for Operand<'a, T> {
    fn from(slice: &'a [T]) -> Self {
        Operand::Slice(slice)
    }
}

impl<T: Lane> Operand<'_, T> {
    /// A pointer and how far it moves per element; `room` is where a single value is spread.
    #[inline]
    fn source(self, len: usize, room: &mut MaybeUninit<[T; BLOCK]>) -> Source<T> {
        match self {
            Operand::Slice(x) => {
                assert_eq!(x.len(), len, "an input and the output differ in length");
                Source { at: x.as_ptr(), step: 1 }
            }
            Operand::Same(v) => Source { at: room.write([v; BLOCK]).as_ptr(), step: 0 },
            Operand::Rows { .. } | Operand::Column { .. } => unreachable!("rows are for `rows.rs`"),
        }
    }
}

/// `out[i] = f(inputs[0][i], …)`, with the instructions of `level`.
///
/// # Panics
///
/// If lengths differ, or the number of inputs is not the formula's.
pub fn run<T: Lane, K: Kind>(
    level: Level,
    f: &dyn Loops<K>,
    inputs: &[Operand<T>],
    out: Out<K::Of<T>>,
) {
    out.how.fenced(|fence| run_in(Way { fence, level, fetch: false }, f, inputs, out.to));
}

/// How one of many runs goes.
#[derive(Clone, Copy)]
pub(crate) struct Way<'a> {
    /// That they share: it takes as long as a thousand elements.
    pub(crate) fence: &'a Fence,
    pub(crate) level: Level,
    /// Whether inputs come from so far that they are fetched ahead.
    pub(crate) fetch: bool,
}

/// [`run`] as one of many.
pub(crate) fn run_in<T: Lane, K: Kind>(
    Way { fence, level, fetch }: Way<'_>,
    f: &dyn Loops<K>,
    inputs: &[Operand<T>],
    to: &mut [MaybeUninit<K::Of<T>>],
) {
    assert_eq!(inputs.len(), f.inputs(), "inputs of a formula");
    if let Some(row) = rows::row(inputs) {
        return rows::run(Way { fence, level, fetch }, f, inputs, to, row);
    }
    let mut rooms = [MaybeUninit::uninit(); MOST];
    let mut call = Call::new(level, to.as_mut_ptr().cast(), fence.how(), fetch);
    for (k, &input) in inputs.iter().enumerate() {
        call.inputs[k] = input.source(to.len(), &mut rooms[k]);
    }
    // SAFETY: `source` checked that the inputs have as many readable elements as `to` has writable ones.
    unsafe { drive(f, &mut call, to.len()) }
}

/// `own[i] = f(…)`, where `own` is input number `at` and `others` are the rest.
///
/// # Panics
///
/// As [`run`].
pub fn update<T: Lane>(f: &dyn Loops<Numbers>, own: &mut [T], at: usize, others: &[Operand<T>]) {
    update_from(false, f, own, at, others);
}

/// [`update`]; whether inputs come from so far that they are fetched ahead, is given.
pub(crate) fn update_from<T: Lane>(
    fetch: bool,
    f: &dyn Loops<Numbers>,
    own: &mut [T],
    at: usize,
    others: &[Operand<T>],
) {
    assert!(others.len() + 1 == f.inputs() && at <= others.len(), "inputs of a formula");
    if let Some(row) = rows::row(others) {
        return rows::update(fetch, f, own, at, others, row);
    }
    let (len, out) = (own.len(), own.as_mut_ptr());
    let mut rooms = [MaybeUninit::uninit(); MOST];
    let mut call = Call::new(level(), out, Write::Cached, fetch);
    call.inputs[at] = Source { at: out.cast_const(), step: 1 };
    for (k, &other) in others.iter().enumerate() {
        call.inputs[k + usize::from(k >= at)] = other.source(len, &mut rooms[k]);
    }
    // SAFETY: all inputs have `len` readable elements; one of them is the output, which is allowed.
    unsafe { drive(f, &mut call, len) }
}

/// `y[i] = op(x[i])`.
///
/// # Panics
///
/// If the lengths differ.
pub fn map<'a, O: Map, T: Lane>(op: O, x: &[T], y: impl Into<Out<'a, T>>) {
    map_at(level(), op, x, y);
}

/// [`map`] with the instructions of `level`.
#[doc(hidden)]
pub fn map_at<'a, O: Map, T: Lane>(level: Level, op: O, x: &[T], y: impl Into<Out<'a, T>>) {
    run(level, &mapped(op), &[x.into()], y.into());
}

/// [`map_at`] for a formula with rare elements.
#[doc(hidden)]
pub fn map_rare_at<'a, O: Rare, T: Lane>(level: Level, op: O, x: &[T], y: impl Into<Out<'a, T>>) {
    run(level, &mapped_rare(op), &[x.into()], y.into());
}

/// `x[i] = op(x[i])`.
///
/// # Example
///
/// ```
/// use gradus_tensor::kernels::{element::Map, loops::map_in_place, real::Real};
///
/// #[derive(Clone, Copy)]
/// struct Clamp {
///     min: f64,
///     max: f64,
/// }
///
/// impl Map for Clamp {
///     #[inline(always)]
///     fn f<R: Real>(self, x: R) -> R {
///         x.maximum(R::of(self.min)).minimum(R::of(self.max))
///     }
/// }
///
/// let mut x = [-3.0f32, 0.5, 7.0];
/// map_in_place(Clamp { min: -1.0, max: 1.0 }, &mut x);
/// assert_eq!(x, [-1.0, 0.5, 1.0]);
/// ```
pub fn map_in_place<O: Map, T: Lane>(op: O, x: &mut [T]) {
    update(&mapped(op), x, 0, &[]);
}

/// `out[i] = op(a[i], b[i])`.
///
/// # Panics
///
/// If the lengths differ.
pub fn zip<'a, O: Zip, T: Lane>(op: O, a: Operand<T>, b: Operand<T>, out: impl Into<Out<'a, T>>) {
    zip_at(level(), op, a, b, out);
}

/// [`zip`] with the instructions of `level`.
#[doc(hidden)]
pub fn zip_at<'a, O: Zip, T: Lane>(
    level: Level,
    op: O,
    a: Operand<T>,
    b: Operand<T>,
    out: impl Into<Out<'a, T>>,
) {
    run(level, &zipped(op), &[a, b], out.into());
}

/// `a[i] = op(a[i], b[i])`.
///
/// # Panics
///
/// If the lengths differ.
///
/// # Example
///
/// ```
/// use gradus_tensor::kernels::{element::Zip, loops::{Operand, zip_into_a}, real::Real};
///
/// #[derive(Clone, Copy)]
/// struct Mul;
///
/// impl Zip for Mul {
///     #[inline(always)]
///     fn f<R: Real>(self, a: R, b: R) -> R {
///         a * b
///     }
/// }
///
/// let mut a = [1.0f64, 2.0, 3.0];
/// zip_into_a(Mul, &mut a, Operand::Slice(&[2.0, 2.0, 0.5]));
/// zip_into_a(Mul, &mut a, Operand::Same(10.0));
/// assert_eq!(a, [20.0, 40.0, 15.0]);
/// ```
pub fn zip_into_a<O: Zip, T: Lane>(op: O, a: &mut [T], b: Operand<T>) {
    update(&zipped(op), a, 0, &[b]);
}

/// `b[i] = op(a[i], b[i])`.
///
/// # Panics
///
/// If the lengths differ.
pub fn zip_into_b<O: Zip, T: Lane>(op: O, a: Operand<T>, b: &mut [T]) {
    update(&zipped(op), b, 1, &[a]);
}

/// `out[i] = op(a[i], b[i], c[i])`.
///
/// # Panics
///
/// If the lengths differ.
pub fn zip3<'a, O: Zip3, T: Lane>(
    op: O,
    a: Operand<T>,
    b: Operand<T>,
    c: Operand<T>,
    out: impl Into<Out<'a, T>>,
) {
    zip3_at(level(), op, [a, b, c], out);
}

/// [`zip3`] with the instructions of `level`.
#[doc(hidden)]
pub fn zip3_at<'a, O: Zip3, T: Lane>(
    level: Level,
    op: O,
    inputs: [Operand<T>; 3],
    out: impl Into<Out<'a, T>>,
) {
    run(level, &zipped3(op), &inputs, out.into());
}

/// `a[i] = op(a[i], b[i], c[i])`.
///
/// # Panics
///
/// If the lengths differ.
pub fn zip3_into_a<O: Zip3, T: Lane>(op: O, a: &mut [T], b: Operand<T>, c: Operand<T>) {
    update(&zipped3(op), a, 0, &[b, c]);
}

/// `out[i] = op(a[i], b[i])`, a yes or no.
///
/// # Panics
///
/// If the lengths differ.
pub fn compare<'a, O: Compare, T: Lane>(
    op: O,
    a: Operand<T>,
    b: Operand<T>,
    out: impl Into<Out<'a, bool>>,
) {
    compare_at(level(), op, a, b, out);
}

/// [`compare`] with the instructions of `level`.
#[doc(hidden)]
pub fn compare_at<'a, O: Compare, T: Lane>(
    level: Level,
    op: O,
    a: Operand<T>,
    b: Operand<T>,
    out: impl Into<Out<'a, bool>>,
) {
    run(level, &compared(op), &[a, b], out.into());
}
