//! How a loop runs: whole blocks, short blocks for what is left, and a short block on the stack at the end.

use super::super::dispatch::Kernel;
use super::super::element::Lane;
use super::super::level::Level;
use super::super::stream::{self, Write};
use std::mem::MaybeUninit;
use std::ptr;

/// Elements a block: four AVX-512 registers of f32, which hides the latency of a polynomial.
pub(super) const BLOCK: usize = 64;

/// Elements of a short block, one AVX2 register of f32, for what is left. Small ops on eight elements, with
/// all their bookkeeping, take 9 % less than through a whole block on the stack.
const PIECE: usize = 8;

/// A formula of `N` elements of one type.
pub(super) trait Formula<const N: usize>: Copy {
    type In: Lane;
    type Out: Copy + Default;
    fn f<const FMA: bool>(self, x: [Self::In; N]) -> Self::Out;
    /// Whether `rare` takes the place of `f`, see [`Map::is_rare`](super::super::element::Map::is_rare).
    #[inline(always)]
    fn is_rare(self, x: [Self::In; N]) -> bool {
        let _ = x;
        false
    }
    #[inline(always)]
    fn rare<const FMA: bool>(self, x: [Self::In; N]) -> Self::Out {
        self.f::<FMA>(x)
    }
}

/// Where an input lies: element `i` at `at + i·step`; with step 0 a block of equal ones at `at`.
#[derive(Clone, Copy)]
pub(super) struct Source<T> {
    pub(super) at: *const T,
    pub(super) step: usize,
}

struct Loop<F: Formula<N>, const N: usize> {
    f: F,
    inputs: [Source<F::In>; N],
    out: *mut F::Out,
    len: usize,
    write: Write,
}

/// # Safety
///
/// Each input has `len` readable elements (step 1) or `BLOCK` ones (step 0), `out` has `len`
/// writable ones. `out` is the same memory as an input of step 1, or does not overlap it.
#[inline]
pub(super) unsafe fn run<F: Formula<N>, const N: usize>(
    level: Level,
    f: F,
    inputs: [Source<F::In>; N],
    out: *mut F::Out,
    len: usize,
    write: Write,
) {
    F::In::run_at(level, Loop { f, inputs, out, len, write });
}

impl<F: Formula<N>, const N: usize> Kernel for Loop<F, N> {
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
                unsafe { block::<F, N, FMA, BLOCK>(self.f, self.from(i), to, self.write) };
                i += BLOCK;
                continue;
            }
            let end = if i < head { head.min(self.len) } else { self.len };
            let count = (end - i).min(PIECE);
            let mut rooms = [MaybeUninit::<[F::In; PIECE]>::uninit(); N];
            let mut out = MaybeUninit::<[F::Out; PIECE]>::uninit();
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
            unsafe { block::<F, N, FMA, PIECE>(self.f, from, to, Write::Cached) };
            if count < PIECE {
                // SAFETY: `count` elements of the output are left, and `block` has written more.
                unsafe { copy(to, self.out.wrapping_add(i), count) };
            }
            i += count;
        }
        self.write.finish();
    }
}

impl<F: Formula<N>, const N: usize> Loop<F, N> {
    #[inline(always)]
    fn from(&self, i: usize) -> [*const F::In; N] {
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
unsafe fn block<F: Formula<N>, const N: usize, const FMA: bool, const SIZE: usize>(
    f: F,
    from: [*const F::In; N],
    to: *mut F::Out,
    write: Write,
) {
    // SAFETY: the caller's.
    let inputs = from.map(|p| unsafe { p.cast::<[F::In; SIZE]>().read() });
    // Plain loops: a closure is a function of its own, without the instructions of the level, and
    // whether it is inlined would depend on the length of the formula.
    let mut out = [F::Out::default(); SIZE];
    let mut rare = false;
    for j in 0..SIZE {
        let mut x = [F::In::default(); N];
        for k in 0..N {
            x[k] = inputs[k][j];
        }
        out[j] = f.f::<FMA>(x);
        rare |= f.is_rare(x);
    }
    if rare {
        // SAFETY: the caller's.
        return unsafe { one_by_one::<F, N, FMA>(f, from, to, SIZE) };
    }
    // SAFETY: the caller's; numbers and bools have no padding.
    unsafe { stream::store::<F::Out, SIZE, FMA>(to, out, write) };
}

/// A block with rare elements. Those of `f` get the bits that [`block`] gives them.
///
/// # Safety
///
/// `size` elements are readable at each of `from` and writable at `to`.
#[cold]
#[inline(never)]
unsafe fn one_by_one<F: Formula<N>, const N: usize, const FMA: bool>(
    f: F,
    from: [*const F::In; N],
    to: *mut F::Out,
    size: usize,
) {
    for j in 0..size {
        // SAFETY: the caller's; where an input is the output, element `j` is read before it is written.
        unsafe {
            let x = from.map(|p| *p.add(j));
            *to.add(j) = if f.is_rare(x) { f.rare::<FMA>(x) } else { f.f::<FMA>(x) };
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
