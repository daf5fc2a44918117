//! The element-wise loops over contiguous slices, serial; the caller cuts ranges for threads.
//!
//! All go through one function, `run` of `blocks.rs`, that loads a block of each input, computes, and
//! stores a block. So the output may be the memory of an input, and an element has the same bits
//! wherever it stands: a last, partial block goes through a short one on the stack.

use super::element::{Compare, Lane, Map, Zip, Zip3};
use super::level::{Level, level};
use super::stream::Write;
use blocks::{BLOCK, Formula, Source, run};
use std::marker::PhantomData;
use std::mem::MaybeUninit;

mod blocks;
#[cfg(test)]
mod tests;

/// An input of a loop.
#[derive(Clone, Copy, Debug)]
pub enum Operand<'a, T> {
    /// One element for each output element.
    Slice(&'a [T]),
    /// The same element for all.
    Same(T),
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
        }
    }
}

/// `y[i] = op(x[i])`.
///
/// # Panics
///
/// If the lengths differ.
pub fn map<'a, O: Map, T: Lane>(op: O, x: &[T], y: impl Into<Out<'a, T>>) {
    map_at(level(), op, x, y.into());
}

/// [`map`] with the instructions of `level`.
#[doc(hidden)]
pub fn map_at<'a, O: Map, T: Lane>(level: Level, op: O, x: &[T], y: impl Into<Out<'a, T>>) {
    let Out { to, how } = y.into();
    assert_eq!(x.len(), to.len(), "input and output differ in length");
    let source = Source { at: x.as_ptr(), step: 1 };
    let f = Mapped::<O, T>(op, PhantomData);
    // SAFETY: `source` has `to.len()` readable elements, `to` as many writable ones.
    unsafe { run(level, f, [source], to.as_mut_ptr().cast(), to.len(), how) }
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
    let source = Source { at: x.as_mut_ptr().cast_const(), step: 1 };
    // SAFETY: `source` and the output are the same `x.len()` elements, which `run` allows.
    unsafe {
        let f = Mapped::<O, T>(op, PhantomData);
        run(level(), f, [source], x.as_mut_ptr(), x.len(), Write::Cached);
    }
}

/// `out[i] = op(a[i], b[i])`.
///
/// # Panics
///
/// If the lengths differ.
pub fn zip<'a, O: Zip, T: Lane>(op: O, a: Operand<T>, b: Operand<T>, out: impl Into<Out<'a, T>>) {
    zip_at(level(), op, a, b, out.into());
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
    let Out { to, how } = out.into();
    let (mut room_a, mut room_b) = (MaybeUninit::uninit(), MaybeUninit::uninit());
    let inputs = [a.source(to.len(), &mut room_a), b.source(to.len(), &mut room_b)];
    let f = Zipped::<O, T>(op, PhantomData);
    // SAFETY: `source` checked that the inputs have `to.len()` readable elements.
    unsafe { run(level, f, inputs, to.as_mut_ptr().cast(), to.len(), how) }
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
    let mut room = MaybeUninit::uninit();
    let own = Source { at: a.as_mut_ptr().cast_const(), step: 1 };
    let inputs = [own, b.source(a.len(), &mut room)];
    // SAFETY: both inputs have `a.len()` readable elements; `own` is the output, which is allowed.
    unsafe {
        let f = Zipped::<O, T>(op, PhantomData);
        run(level(), f, inputs, a.as_mut_ptr(), a.len(), Write::Cached);
    }
}

/// `b[i] = op(a[i], b[i])`.
///
/// # Panics
///
/// If the lengths differ.
pub fn zip_into_b<O: Zip, T: Lane>(op: O, a: Operand<T>, b: &mut [T]) {
    let mut room = MaybeUninit::uninit();
    let own = Source { at: b.as_mut_ptr().cast_const(), step: 1 };
    let inputs = [a.source(b.len(), &mut room), own];
    // SAFETY: both inputs have `b.len()` readable elements; `own` is the output, which is allowed.
    unsafe {
        let f = Zipped::<O, T>(op, PhantomData);
        run(level(), f, inputs, b.as_mut_ptr(), b.len(), Write::Cached);
    }
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
    zip3_at(level(), op, [a, b, c], out.into());
}

/// [`zip3`] with the instructions of `level`.
#[doc(hidden)]
pub fn zip3_at<'a, O: Zip3, T: Lane>(
    level: Level,
    op: O,
    [a, b, c]: [Operand<T>; 3],
    out: impl Into<Out<'a, T>>,
) {
    let Out { to, how } = out.into();
    let mut rooms = [MaybeUninit::uninit(); 3];
    let [room_a, room_b, room_c] = &mut rooms;
    let len = to.len();
    let inputs = [a.source(len, room_a), b.source(len, room_b), c.source(len, room_c)];
    let f = Zipped3::<O, T>(op, PhantomData);
    // SAFETY: `source` checked that the inputs have `len` readable elements.
    unsafe { run(level, f, inputs, to.as_mut_ptr().cast(), len, how) }
}

/// `a[i] = op(a[i], b[i], c[i])`.
///
/// # Panics
///
/// If the lengths differ.
pub fn zip3_into_a<O: Zip3, T: Lane>(op: O, a: &mut [T], b: Operand<T>, c: Operand<T>) {
    let mut rooms = [MaybeUninit::uninit(); 2];
    let [room_b, room_c] = &mut rooms;
    let own = Source { at: a.as_mut_ptr().cast_const(), step: 1 };
    let inputs = [own, b.source(a.len(), room_b), c.source(a.len(), room_c)];
    // SAFETY: all inputs have `a.len()` readable elements; `own` is the output, which is allowed.
    unsafe {
        let f = Zipped3::<O, T>(op, PhantomData);
        run(level(), f, inputs, a.as_mut_ptr(), a.len(), Write::Cached);
    }
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
    compare_at(level(), op, a, b, out.into());
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
    let Out { to, how } = out.into();
    let (mut room_a, mut room_b) = (MaybeUninit::uninit(), MaybeUninit::uninit());
    let inputs = [a.source(to.len(), &mut room_a), b.source(to.len(), &mut room_b)];
    let f = Compared::<O, T>(op, PhantomData);
    // SAFETY: `source` checked that the inputs have `to.len()` readable elements.
    unsafe { run(level, f, inputs, to.as_mut_ptr().cast(), to.len(), how) }
}

/// The four kinds of op, each with its element type.
#[derive(Clone, Copy)]
struct Mapped<O, T>(O, PhantomData<T>);
#[derive(Clone, Copy)]
struct Zipped<O, T>(O, PhantomData<T>);
#[derive(Clone, Copy)]
struct Zipped3<O, T>(O, PhantomData<T>);
#[derive(Clone, Copy)]
struct Compared<O, T>(O, PhantomData<T>);

impl<O: Map, T: Lane> Formula<1> for Mapped<O, T> {
    type In = T;
    type Out = T;
    #[inline(always)]
    fn f<const FMA: bool>(self, [x]: [T; 1]) -> T {
        T::map::<O, FMA>(self.0, x)
    }
    #[inline(always)]
    fn is_rare(self, [x]: [T; 1]) -> bool {
        T::is_rare(self.0, x)
    }
    #[inline(always)]
    fn rare<const FMA: bool>(self, [x]: [T; 1]) -> T {
        T::map_rare::<O, FMA>(self.0, x)
    }
}

impl<O: Zip, T: Lane> Formula<2> for Zipped<O, T> {
    type In = T;
    type Out = T;
    #[inline(always)]
    fn f<const FMA: bool>(self, [a, b]: [T; 2]) -> T {
        T::zip::<O, FMA>(self.0, a, b)
    }
}

impl<O: Zip3, T: Lane> Formula<3> for Zipped3<O, T> {
    type In = T;
    type Out = T;
    #[inline(always)]
    fn f<const FMA: bool>(self, [a, b, c]: [T; 3]) -> T {
        T::zip3::<O, FMA>(self.0, a, b, c)
    }
}

impl<O: Compare, T: Lane> Formula<2> for Compared<O, T> {
    type In = T;
    type Out = bool;
    #[inline(always)]
    fn f<const FMA: bool>(self, [a, b]: [T; 2]) -> bool {
        T::compare::<O, FMA>(self.0, a, b)
    }
}
