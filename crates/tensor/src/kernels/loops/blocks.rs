//! How a loop runs: whole blocks, short blocks for what is left, and a short block on the stack at the end.

use super::super::dispatch::Kernel;
use super::super::element::Lane;
use super::super::stream::{self, Write};
use super::compiled::{Call, Formula, Kind};
use std::mem::MaybeUninit;
use std::ptr;

/// Elements a block: four AVX-512 registers of f32, which hides the latency of a polynomial.
pub(super) const BLOCK: usize = 64;

/// Elements of a short block, one AVX2 register of f32, for what is left. Small ops on eight elements, with
/// all their bookkeeping, take 9 % less than through a whole block on the stack.
const PIECE: usize = 8;

/// Where an input lies: element `i` at `at + i·step`; with step 0 a block of equal ones at `at`.
#[derive(Clone, Copy)]
pub(super) struct Source<T> {
    pub(super) at: *const T,
    pub(super) step: usize,
}

impl<T> Source<T> {
    /// Of an input that there is not.
    pub(super) const NONE: Source<T> = Source { at: ptr::null(), step: 0 };
}

struct Loop<F: Formula<N>, T: Lane, const N: usize> {
    f: F,
    inputs: [Source<T>; N],
    out: *mut Given<F, T, N>,
    len: usize,
    write: Write,
}

/// What formula `F` gives for elements of `T`.
type Given<F, T, const N: usize> = <<F as Formula<N>>::Kind as Kind>::Of<T>;

/// # Safety
///
/// As [`Loops::f32s`](super::compiled::Loops::f32s).
#[inline]
pub(super) unsafe fn run<F: Formula<N>, T: Lane, const N: usize>(f: F, call: Call<T, F::Kind>) {
    let Call { level, inputs, out, len, write } = call;
    let inputs = *inputs.first_chunk::<N>().expect("no formula has more inputs than a call");
    T::run_at(level, Loop { f, inputs, out, len, write });
}

impl<F: Formula<N>, T: Lane, const N: usize> Kernel for Loop<F, T, N> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(self) {
        // Whole blocks are streamed to aligned places only: the elements before go in pieces.
        let head = if self.write == Write::Streamed { stream::head(self.out) } else { 0 };
        let mut i = 0;
        while i < self.len {
            if i >= head && self.len - i >= BLOCK {
                let to = self.out.wrapping_add(i);
                // SAFETY: this many elements are readable and writable from `i` on.
                unsafe { block::<F, T, N, FMA, BLOCK>(self.f, self.from(i), to, self.write) };
                i += BLOCK;
                continue;
            }
            let end = if i < head { head.min(self.len) } else { self.len };
            let count = (end - i).min(PIECE);
            let mut rooms = [MaybeUninit::<[T; PIECE]>::uninit(); N];
            let mut out = MaybeUninit::<[Given<F, T, N>; PIECE]>::uninit();
            let (mut from, mut to) = (self.from(i), self.out.wrapping_add(i));
            // One copy of the formula serves whole pieces and the rest: less code to compile.
            if count < PIECE {
                for (from, room) in from.iter_mut().zip(&mut rooms) {
                    // SAFETY: `count > 0` elements are readable at `from`, and the room holds more.
                    *from = unsafe { fill(*from, count, room) };
                }
                to = out.as_mut_ptr().cast();
            }
            // SAFETY: `PIECE` elements are readable and writable here, or in the rooms.
            unsafe { block::<F, T, N, FMA, PIECE>(self.f, from, to, Write::Cached) };
            if count < PIECE {
                // SAFETY: `count` elements of the output are left, and `block` has written more.
                unsafe { copy(to, self.out.wrapping_add(i), count) };
            }
            i += count;
        }
    }
}

impl<F: Formula<N>, T: Lane, const N: usize> Loop<F, T, N> {
    #[inline(always)]
    fn from(&self, i: usize) -> [*const T; N] {
        let mut from = [ptr::null(); N];
        for (from, input) in from.iter_mut().zip(&self.inputs) {
            *from = input.at.wrapping_add(i * input.step);
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
#[allow(clippy::needless_range_loop, reason = "an iterator more is a function more in every loop")]
unsafe fn block<F: Formula<N>, T: Lane, const N: usize, const FMA: bool, const SIZE: usize>(
    f: F,
    from: [*const T; N],
    to: *mut Given<F, T, N>,
    write: Write,
) {
    // Plain loops: a closure is a function of its own, without the instructions of the level, and
    // whether it is inlined would depend on the length of the formula. Each also takes its time to compile.
    let mut out = [Given::<F, T, N>::default(); SIZE];
    let mut rare = false;
    for j in 0..SIZE {
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
        return unsafe { one_by_one::<F, T, N, FMA>(f, from, to, SIZE) };
    }
    // SAFETY: the caller's; numbers and bools have no padding.
    unsafe { stream::store::<Given<F, T, N>, SIZE, FMA>(to, out, write) };
}

/// A block with rare elements. Those of `f` get the bits that [`block`] gives them.
///
/// # Safety
///
/// `size` elements are readable at each of `from` and writable at `to`.
#[cold]
#[inline(never)]
unsafe fn one_by_one<F: Formula<N>, T: Lane, const N: usize, const FMA: bool>(
    f: F,
    from: [*const T; N],
    to: *mut Given<F, T, N>,
    size: usize,
) {
    for j in 0..size {
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
