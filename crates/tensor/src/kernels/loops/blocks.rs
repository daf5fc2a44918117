//! How a loop runs: whole blocks, which are all that a formula is compiled for, and a block on the stack for
//! what is left.

use super::super::dispatch::Kernel;
use super::super::element::Lane;
use super::super::stream::{self, Write};
use super::compiled::{Call, Formula, Kind, Loops, MOST};
use std::mem::MaybeUninit;
use std::ptr;

/// Elements a block: two AVX2 registers of `f32`, four of `f64`.
///
/// The loop over a block is unrolled, so this is how much code a formula is. With 64 all formulas took four
/// times as long to compile and ran no faster, for a CPU computes several blocks at once; with 8 the compiler
/// unrolls some before it could make vectors of them.
pub(super) const BLOCK: usize = 16;

/// Where an input lies: element `i` at `at + i·step`; with step 0 a block of equal ones at `at`.
#[derive(Clone, Copy)]
pub(super) struct Source<T> {
    pub(super) at: *const T,
    pub(super) step: usize,
}

impl<T> Source<T> {
    /// Of an input that there is not.
    pub(super) const NONE: Source<T> = Source { at: ptr::null(), step: 0 };

    fn after(self, elements: usize) -> Source<T> {
        Source { at: self.at.wrapping_add(elements * self.step), step: self.step }
    }
}

/// `len` elements by `f`: what stands before an aligned place, if the output is streamed, whole blocks, and what
/// is left.
///
/// # Safety
///
/// As [`Loops::f32s`], with `len` elements in place of whole blocks; `call.blocks` is not read.
pub(super) unsafe fn drive<T: Lane, K: Kind>(f: &dyn Loops<K>, mut call: Call<T, K>, len: usize) {
    if !stream::is_streamable::<K::Of<T>>(BLOCK) {
        call.write = Write::Cached;
    }
    if call.write == Write::Streamed {
        let head = stream::head(call.out).min(len);
        if head > 0 {
            // SAFETY: of the caller's elements the first.
            unsafe { part(f, call, head) };
            // SAFETY: the caller's, less those.
            return unsafe { aligned(f, call.after(head), len - head) };
        }
    }
    // SAFETY: the caller's; the output is aligned if it is streamed.
    unsafe { aligned(f, call, len) }
}

/// # Safety
///
/// As [`drive`], and an output that is streamed is aligned.
unsafe fn aligned<T: Lane, K: Kind>(f: &dyn Loops<K>, call: Call<T, K>, len: usize) {
    let (blocks, rest) = (len / BLOCK, len % BLOCK);
    if blocks > 0 {
        // SAFETY: the caller's; so many blocks are within `len`.
        unsafe { T::run_loop(f, Call { blocks, ..call }) };
    }
    if rest > 0 {
        // SAFETY: the caller's elements after those.
        unsafe { part(f, call.after(len - rest), rest) };
    }
}

/// `count` elements, fewer than a block, through a block on the stack.
///
/// # Safety
///
/// As [`drive`], with `0 < count < BLOCK` elements.
unsafe fn part<T: Lane, K: Kind>(f: &dyn Loops<K>, mut call: Call<T, K>, count: usize) {
    let mut rooms = [MaybeUninit::<[T; BLOCK]>::uninit(); MOST];
    let mut room = MaybeUninit::<[K::Of<T>; BLOCK]>::uninit();
    for (input, room) in call.inputs.iter_mut().zip(&mut rooms).take(f.inputs()) {
        if input.step > 0 {
            // SAFETY: `count` elements are readable, the room holds more.
            input.at = unsafe { fill(input.at, count, room) };
        }
    }
    let to = room.as_mut_ptr().cast();
    let out = std::mem::replace(&mut call.out, to);
    // SAFETY: a block is readable in each room, or of equal elements, and writable in the room of the output;
    // then `count` elements of it are written, and writable at `out`.
    unsafe {
        T::run_loop(f, Call { blocks: 1, write: Write::Cached, ..call });
        copy(to.cast_const(), out, count);
    }
}

impl<T: Lane, K: Kind> Call<T, K> {
    fn after(self, elements: usize) -> Self {
        let inputs = self.inputs.map(|input| input.after(elements));
        Call { inputs, out: self.out.wrapping_add(elements), ..self }
    }
}

struct Loop<F: Formula<N>, T: Lane, const N: usize> {
    f: F,
    call: Call<T, F::Kind>,
}

/// What formula `F` gives for elements of `T`.
type Given<F, T, const N: usize> = <<F as Formula<N>>::Kind as Kind>::Of<T>;

/// Runs `f` over blocks of `BLOCK` elements.
///
/// # Safety
///
/// As [`Loops::f32s`].
#[inline]
pub(super) unsafe fn run<F: Formula<N>, T: Lane, const N: usize>(f: F, call: Call<T, F::Kind>) {
    T::run_at(call.level, Loop { f, call });
}

impl<F: Formula<N>, T: Lane, const N: usize> Kernel for Loop<F, T, N> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(self) {
        let Call { inputs, mut out, blocks, write, .. } = self.call;
        let mut from = [ptr::null(); N];
        let mut steps = [0; N];
        for k in 0..N {
            from[k] = inputs[k].at;
            steps[k] = inputs[k].step * BLOCK;
        }
        for _ in 0..blocks {
            // SAFETY: the caller's.
            unsafe { block::<F, T, N, FMA>(self.f, from, out, write) };
            for k in 0..N {
                from[k] = from[k].wrapping_add(steps[k]);
            }
            out = out.wrapping_add(BLOCK);
        }
    }
}

/// `to[j] = f(from[0][j], …)` for one block; all loads come before all stores.
///
/// # Safety
///
/// `BLOCK` elements are readable at each of `from` and writable at `to`.
#[inline(always)]
#[allow(clippy::needless_range_loop, reason = "an iterator more is a function more in every loop")]
unsafe fn block<F: Formula<N>, T: Lane, const N: usize, const FMA: bool>(
    f: F,
    from: [*const T; N],
    to: *mut Given<F, T, N>,
    write: Write,
) {
    // Plain loops: a closure is a function of its own, without the instructions of the level, and
    // whether it is inlined would depend on the length of the formula. Each also takes its time to compile.
    let mut out = [Given::<F, T, N>::default(); BLOCK];
    let mut rare = false;
    for j in 0..BLOCK {
        let mut x = [T::default(); N];
        for k in 0..N {
            // SAFETY: the caller's.
            x[k] = unsafe { *from[k].add(j) };
        }
        out[j] = f.f::<T, FMA>(x);
        if F::HAS_RARE {
            rare |= f.is_rare(x);
        }
    }
    if F::HAS_RARE && rare {
        // SAFETY: the caller's.
        return unsafe { one_by_one::<F, T, N, FMA>(f, from, to) };
    }
    // SAFETY: the caller's; numbers and bools have no padding.
    unsafe { stream::store::<Given<F, T, N>, BLOCK, FMA>(to, out, write) };
}

/// A block with rare elements. Those of `f` get the bits that [`block`] gives them.
///
/// # Safety
///
/// `BLOCK` elements are readable at each of `from` and writable at `to`.
#[cold]
#[inline(never)]
unsafe fn one_by_one<F: Formula<N>, T: Lane, const N: usize, const FMA: bool>(
    f: F,
    from: [*const T; N],
    to: *mut Given<F, T, N>,
) {
    for j in 0..BLOCK {
        let mut x = [T::default(); N];
        for k in 0..N {
            // SAFETY: the caller's.
            x[k] = unsafe { *from[k].add(j) };
        }
        // SAFETY: the caller's; where an input is the output, element `j` was read before.
        unsafe {
            *to.add(j) = if f.is_rare(x) { f.rare::<T, FMA>(x) } else { f.f::<T, FMA>(x) };
        }
    }
}

/// A room with the first `count` elements at `from`, and the first again in the rest: not zeros, by which
/// an integer formula could divide.
///
/// # Safety
///
/// `0 < count < BLOCK` elements are readable at `from`.
#[inline]
unsafe fn fill<T: Copy>(
    from: *const T,
    count: usize,
    room: &mut MaybeUninit<[T; BLOCK]>,
) -> *const T {
    // SAFETY: the first of the caller's elements.
    let room = room.write([unsafe { *from }; BLOCK]).as_mut_ptr();
    // SAFETY: the caller's; the room holds more than `count`.
    unsafe { copy(from, room, count) };
    room
}

/// `count` elements, fewer than [`BLOCK`], as 8, 4, 2 and 1: a call of `memcpy` takes longer.
///
/// # Safety
///
/// `count` elements are readable at `from` and writable at `to`.
#[inline]
unsafe fn copy<T: Copy>(from: *const T, to: *mut T, count: usize) {
    let mut at = 0;
    // SAFETY: the parts add up to `count`.
    unsafe {
        if count & 8 != 0 {
            to.cast::<[T; 8]>().write(from.cast::<[T; 8]>().read());
            at = 8;
        }
        if count & 4 != 0 {
            to.add(at).cast::<[T; 4]>().write(from.add(at).cast::<[T; 4]>().read());
            at += 4;
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
