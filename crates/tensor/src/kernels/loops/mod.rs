//! The element-wise loops over contiguous slices, serial; the caller cuts ranges for threads.
//!
//! All go through one function, `Loop::run`, that loads a block of each input, computes, and
//! stores a block. So the output may be the memory of an input, and an element has the same bits
//! wherever it stands: a last, partial block goes through a full one on the stack.

use super::dispatch::Kernel;
use super::element::{Compare, Lane, Map, Zip, Zip3};
use super::level::{Level, level};
use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::ptr;

#[cfg(test)]
mod tests;

/// Elements a block: four AVX-512 registers of f32, which hides the latency of a polynomial.
const BLOCK: usize = 64;

/// Elements of a short block, one AVX2 register of f32, for what is left: eight elements take XX ns less
/// than through a whole block.
const PIECE: usize = 8;

/// An input of a loop.
#[derive(Clone, Copy, Debug)]
pub enum Operand<'a, T> {
    /// One element for each output element.
    Slice(&'a [T]),
    /// The same element for all.
    Same(T),
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
pub fn map<O: Map, T: Lane>(op: O, x: &[T], y: &mut [MaybeUninit<T>]) {
    map_at(level(), op, x, y);
}

/// [`map`] with the instructions of `level`.
#[doc(hidden)]
pub fn map_at<O: Map, T: Lane>(level: Level, op: O, x: &[T], y: &mut [MaybeUninit<T>]) {
    assert_eq!(x.len(), y.len(), "input and output differ in length");
    let source = Source { at: x.as_ptr(), step: 1 };
    // SAFETY: `source` has `y.len()` readable elements, `y` as many writable ones.
    unsafe { run(level, Mapped::<O, T>(op, PhantomData), [source], y.as_mut_ptr().cast(), y.len()) }
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
    // SAFETY: `source` and the output are the same `x.len()` elements, which `Loop` allows.
    unsafe { run(level(), Mapped::<O, T>(op, PhantomData), [source], x.as_mut_ptr(), x.len()) }
}

/// `out[i] = op(a[i], b[i])`.
///
/// # Panics
///
/// If the lengths differ.
pub fn zip<O: Zip, T: Lane>(op: O, a: Operand<T>, b: Operand<T>, out: &mut [MaybeUninit<T>]) {
    zip_at(level(), op, a, b, out);
}

/// [`zip`] with the instructions of `level`.
#[doc(hidden)]
pub fn zip_at<O: Zip, T: Lane>(
    level: Level,
    op: O,
    a: Operand<T>,
    b: Operand<T>,
    out: &mut [MaybeUninit<T>],
) {
    let (mut room_a, mut room_b) = (MaybeUninit::uninit(), MaybeUninit::uninit());
    let inputs = [a.source(out.len(), &mut room_a), b.source(out.len(), &mut room_b)];
    let f = Zipped::<O, T>(op, PhantomData);
    // SAFETY: `source` checked that the inputs have `out.len()` readable elements.
    unsafe { run(level, f, inputs, out.as_mut_ptr().cast(), out.len()) }
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
    unsafe { run(level(), Zipped::<O, T>(op, PhantomData), inputs, a.as_mut_ptr(), a.len()) }
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
    unsafe { run(level(), Zipped::<O, T>(op, PhantomData), inputs, b.as_mut_ptr(), b.len()) }
}

/// `out[i] = op(a[i], b[i], c[i])`.
///
/// # Panics
///
/// If the lengths differ.
pub fn zip3<O: Zip3, T: Lane>(
    op: O,
    a: Operand<T>,
    b: Operand<T>,
    c: Operand<T>,
    out: &mut [MaybeUninit<T>],
) {
    zip3_at(level(), op, [a, b, c], out);
}

/// [`zip3`] with the instructions of `level`.
#[doc(hidden)]
pub fn zip3_at<O: Zip3, T: Lane>(
    level: Level,
    op: O,
    [a, b, c]: [Operand<T>; 3],
    out: &mut [MaybeUninit<T>],
) {
    let mut rooms = [MaybeUninit::uninit(); 3];
    let [room_a, room_b, room_c] = &mut rooms;
    let len = out.len();
    let inputs = [a.source(len, room_a), b.source(len, room_b), c.source(len, room_c)];
    let f = Zipped3::<O, T>(op, PhantomData);
    // SAFETY: `source` checked that the inputs have `len` readable elements.
    unsafe { run(level, f, inputs, out.as_mut_ptr().cast(), len) }
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
    unsafe { run(level(), Zipped3::<O, T>(op, PhantomData), inputs, a.as_mut_ptr(), a.len()) }
}

/// `out[i] = op(a[i], b[i])`, a yes or no.
///
/// # Panics
///
/// If the lengths differ.
pub fn compare<O: Compare, T: Lane>(
    op: O,
    a: Operand<T>,
    b: Operand<T>,
    out: &mut [MaybeUninit<bool>],
) {
    compare_at(level(), op, a, b, out);
}

/// [`compare`] with the instructions of `level`.
#[doc(hidden)]
pub fn compare_at<O: Compare, T: Lane>(
    level: Level,
    op: O,
    a: Operand<T>,
    b: Operand<T>,
    out: &mut [MaybeUninit<bool>],
) {
    let (mut room_a, mut room_b) = (MaybeUninit::uninit(), MaybeUninit::uninit());
    let inputs = [a.source(out.len(), &mut room_a), b.source(out.len(), &mut room_b)];
    let f = Compared::<O, T>(op, PhantomData);
    // SAFETY: `source` checked that the inputs have `out.len()` readable elements.
    unsafe { run(level, f, inputs, out.as_mut_ptr().cast(), out.len()) }
}

/// A formula of `N` elements of one type.
trait Formula<const N: usize>: Copy {
    type In: Lane;
    type Out: Copy + Default;
    fn f<const FMA: bool>(self, x: [Self::In; N]) -> Self::Out;
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

/// Where an input lies: element `i` at `at + i·step`; with step 0 a block of equal ones at `at`.
#[derive(Clone, Copy)]
struct Source<T> {
    at: *const T,
    step: usize,
}

struct Loop<F: Formula<N>, const N: usize> {
    f: F,
    inputs: [Source<F::In>; N],
    out: *mut F::Out,
    len: usize,
}

/// # Safety
///
/// Each input has `len` readable elements (step 1) or `BLOCK` ones (step 0), `out` has `len`
/// writable ones. `out` is the same memory as an input of step 1, or does not overlap it.
#[inline]
unsafe fn run<F: Formula<N>, const N: usize>(
    level: Level,
    f: F,
    inputs: [Source<F::In>; N],
    out: *mut F::Out,
    len: usize,
) {
    F::In::run_at(level, Loop { f, inputs, out, len });
}

impl<F: Formula<N>, const N: usize> Kernel for Loop<F, N> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(self) {
        let mut i = 0;
        while self.len - i >= BLOCK {
            // SAFETY: this many elements are readable and writable from `i` on.
            unsafe { block::<F, N, FMA, BLOCK>(self.f, self.from(i), self.out.wrapping_add(i)) };
            i += BLOCK;
        }
        while self.len - i >= PIECE {
            // SAFETY: as above.
            unsafe { block::<F, N, FMA, PIECE>(self.f, self.from(i), self.out.wrapping_add(i)) };
            i += PIECE;
        }
        let count = self.len - i;
        if count > 0 {
            let mut rooms = [MaybeUninit::<[F::In; PIECE]>::uninit(); N];
            let mut from = self.from(i);
            for (from, room) in from.iter_mut().zip(&mut rooms) {
                // SAFETY: `count > 0` elements are readable at `from`, and the room holds more.
                *from = unsafe { fill(*from, count, room) };
            }
            let mut out = MaybeUninit::<[F::Out; PIECE]>::uninit();
            let to = out.as_mut_ptr().cast::<F::Out>();
            // SAFETY: the rooms hold `PIECE` elements, of which `count` are left in the output.
            unsafe {
                block::<F, N, FMA, PIECE>(self.f, from, to);
                copy(to, self.out.wrapping_add(i), count);
            }
        }
    }
}

impl<F: Formula<N>, const N: usize> Loop<F, N> {
    #[inline(always)]
    fn from(&self, i: usize) -> [*const F::In; N] {
        let mut from = [ptr::null(); N];
        for k in 0..N {
            from[k] = self.inputs[k].at.wrapping_add(i * self.inputs[k].step);
        }
        from
    }
}

/// `to[j] = f(from[0][j], …)` for one block; all loads come before all stores.
///
/// # Safety
///
/// `SIZE` elements are readable at each of `from` and writable at `to`.
#[inline(always)]
unsafe fn block<F: Formula<N>, const N: usize, const FMA: bool, const SIZE: usize>(
    f: F,
    from: [*const F::In; N],
    to: *mut F::Out,
) {
    // SAFETY: the caller's.
    let inputs = from.map(|p| unsafe { p.cast::<[F::In; SIZE]>().read() });
    // Plain loops: a closure is a function of its own, without the instructions of the level, and
    // whether it is inlined would depend on the length of the formula.
    let mut out = [F::Out::default(); SIZE];
    for j in 0..SIZE {
        let mut x = [F::In::default(); N];
        for k in 0..N {
            x[k] = inputs[k][j];
        }
        out[j] = f.f::<FMA>(x);
    }
    // SAFETY: the caller's.
    unsafe { to.cast::<[F::Out; SIZE]>().write(out) };
}

/// A room with the first `count` elements at `from`, and the first again in the rest: not zeros, by which
/// an integer formula could divide.
///
/// # Safety
///
/// `0 < count < PIECE` elements are readable at `from`.
#[inline(always)]
unsafe fn fill<T: Copy>(
    from: *const T,
    count: usize,
    room: &mut MaybeUninit<[T; PIECE]>,
) -> *const T {
    // SAFETY: the first of the caller's elements.
    let room = room.write([unsafe { *from }; PIECE]).as_mut_ptr();
    if count > 1 {
        // SAFETY: the caller's; the room holds more than `count`.
        unsafe { copy(from, room, count) };
    }
    room
}

/// `count` elements, fewer than [`PIECE`], as 4, 2 and 1: a call of `memcpy` takes longer.
///
/// # Safety
///
/// `count` elements are readable at `from` and writable at `to`.
#[inline(always)]
unsafe fn copy<T: Copy>(from: *const T, to: *mut T, count: usize) {
    let mut at = 0;
    // SAFETY: the parts add up to `count`.
    unsafe {
        if count & 4 != 0 {
            to.cast::<[T; 4]>().write(from.cast::<[T; 4]>().read());
            at = 4;
        }
        if count & 2 != 0 {
            to.add(at).cast::<[T; 2]>().write(from.add(at).cast::<[T; 2]>().read());
            at += 2;
        }
        if count & 1 != 0 {
            to.add(at).write(from.add(at).read());
        }
    }
}
