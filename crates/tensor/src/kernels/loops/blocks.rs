//! How a loop runs: whole blocks, which are all that a formula is compiled for, and a block on the stack for
//! what is left.

use super::super::dispatch::Kernel;
use super::super::element::Lane;
use super::super::level::Level;
use super::super::stream::{self, Write};
use super::compiled::{Call, Formula, Kind, Loops, MOST};
use std::mem::MaybeUninit;
use std::ptr;

/// Elements a block: two AVX2 registers of `f32`, four of `f64`.
///
/// The loop over a block is unrolled, so this is how much code a formula is. With 64 all formulas took four
/// times as long to compile and ran no faster, for a CPU computes several blocks at once; with 8 the compiler
/// unrolls some before it could make vectors of them.
pub(crate) const BLOCK: usize = 16;

/// Where an input lies: element `i` at `at + i·step`; with step 0 a block of equal ones at `at`.
#[derive(Clone, Copy)]
pub(super) struct Source<T> {
    pub(super) at: *const T,
    pub(super) step: usize,
}

impl<T> Source<T> {
    /// Of an input that there is not.
    pub(super) const NONE: Source<T> = Source { at: ptr::null(), step: 0 };

    #[inline]
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
#[inline]
pub(super) unsafe fn drive<T: Lane, K: Kind>(f: &dyn Loops<K>, call: &mut Call<T, K>, len: usize) {
    let mut done = 0;
    if call.write == Write::Streamed {
        if stream::is_streamable::<K::Of<T>>(BLOCK) {
            done = stream::head(call.out).min(len);
        } else {
            call.write = Write::Cached;
        }
    }
    // SAFETY: the caller's, of whose elements these are parts; the blocks begin where a streamed output is aligned.
    unsafe {
        if done > 0 {
            part(f, call, 0, done);
        }
        let blocks = (len - done) / BLOCK;
        if blocks > 0 {
            T::run_loop(f, &Call { blocks, ..call.after(done) });
            done += blocks * BLOCK;
        }
        if done < len {
            part(f, call, done, len - done);
        }
    }
}

/// The `count` elements from `first` on, fewer than a block, through a block on the stack.
///
/// # Safety
///
/// As [`drive`], with `first + count` elements, of which `0 < count < BLOCK`.
unsafe fn part<T: Lane, K: Kind>(f: &dyn Loops<K>, call: &Call<T, K>, first: usize, count: usize) {
    let mut rooms = [const { Room::<T>(MaybeUninit::uninit()) }; MOST];
    let mut room = Room::<K::Of<T>>(MaybeUninit::uninit());
    let to: *mut K::Of<T> = room.0.as_mut_ptr().cast();
    let mut inner = Call::new(call.level, to, Write::Cached, false);
    inner.blocks = 1;
    for (k, room) in rooms.iter_mut().enumerate() {
        let input = call.inputs[k].after(first);
        inner.inputs[k].at = match input.step {
            0 => input.at,
            // SAFETY: `count` elements are readable, the room holds more.
            _ => unsafe { fill(input.at, count, &mut room.0) },
        };
    }
    // SAFETY: a block is readable in each room, or of equal elements, and writable in the room of the output;
    // then `count` elements of it are written, and writable from `first` on.
    unsafe {
        T::run_loop(f, &inner);
        take(to.cast_const(), count, call.out.wrapping_add(first));
    }
}

/// A block on the stack. Aligned, so that it is written and read in as few moves as can be.
#[repr(align(64))]
pub(super) struct Room<T>(pub(super) MaybeUninit<[T; BLOCK]>);

impl<T: Lane, K: Kind> Call<T, K> {
    /// Without inputs. They are put where they stay: words that were just written are waited for if they move in pairs.
    #[inline]
    pub(super) fn new(level: Level, out: *mut K::Of<T>, write: Write, fetch: bool) -> Self {
        let (inputs, lines) = ([Source::NONE; MOST], ptr::null());
        Call { level, inputs, out, blocks: 0, write, fetch, lines }
    }

    #[inline]
    fn after(self, elements: usize) -> Self {
        let [a, b, c] = self.inputs;
        let inputs = [a.after(elements), b.after(elements), c.after(elements)];
        Call { inputs, out: self.out.wrapping_add(elements), ..self }
    }
}

struct Loop<'a, F: Formula<N>, T: Lane, const N: usize> {
    f: F,
    call: &'a Call<T, F::Kind>,
}

/// What formula `F` gives for elements of `T`.
type Given<F, T, const N: usize> = <<F as Formula<N>>::Kind as Kind>::Of<T>;

/// Runs `f` over blocks of `BLOCK` elements.
///
/// # Safety
///
/// As [`Loops::f32s`].
#[inline]
pub(super) unsafe fn run<F: Formula<N>, T: Lane, const N: usize>(f: F, call: &Call<T, F::Kind>) {
    T::run_at(call.level, Loop { f, call });
}

impl<F: Formula<N>, T: Lane, const N: usize> Kernel for Loop<'_, F, T, N> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(self) {
        let &Call { ref inputs, mut out, mut blocks, write, fetch, lines, .. } = self.call;
        let mut from = [ptr::null(); N];
        let mut steps = [0; N];
        for k in 0..N {
            from[k] = inputs[k].at;
            steps[k] = inputs[k].step * BLOCK;
        }
        let mut part = 0;
        loop {
            if !lines.is_null() {
                // SAFETY: the caller's, of the lines and of what they say of the inputs, here and below.
                let lines = unsafe { &*lines };
                let Some((row, first)) = lines.part(part) else { return };
                blocks = lines.blocks(first);
                out = self.call.out.wrapping_add(row * lines.row + first);
                for k in 0..N {
                    // SAFETY: as above.
                    from[k] = unsafe { lines.start(k, inputs[k], row, first) };
                }
                part += 1;
            }
            for _ in 0..blocks {
                for k in 0..N {
                    if fetch && steps[k] > 0 {
                        stream::fetch_ahead(from[k]);
                    }
                }
                // SAFETY: the caller's.
                unsafe { block::<F, T, N, FMA>(self.f, from, out, write) };
                for k in 0..N {
                    from[k] = from[k].wrapping_add(steps[k]);
                }
                out = out.wrapping_add(BLOCK);
            }
            if lines.is_null() {
                return;
            }
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
    let mut read = [[T::default(); BLOCK]; N];
    for k in 0..N {
        // SAFETY: the caller's.
        read[k] = unsafe { from[k].cast::<[T; BLOCK]>().read_unaligned() };
    }
    let mut out = [Given::<F, T, N>::default(); BLOCK];
    let mut rare = false;
    for j in 0..BLOCK {
        let mut x = [T::default(); N];
        for k in 0..N {
            x[k] = read[k][j];
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

/// A room with the elements at `from`: the first and the last 8, 4, 2 or 1, which overlap, again and again. Nothing but
/// elements, for by zeros an integer formula could divide; and few moves, which a call of `memcpy` is not.
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
    let to = room.as_mut_ptr().cast();
    // SAFETY: the caller's, for the parts are no longer than `count`.
    unsafe {
        match count {
            8.. => both_ends::<T, 8>(from, count, to),
            4.. => both_ends::<T, 4>(from, count, to),
            2.. => both_ends::<T, 2>(from, count, to),
            _ => both_ends::<T, 1>(from, count, to),
        }
    }
    to
}

/// # Safety
///
/// As [`fill`], with `N <= count`; the room is at `to`.
#[inline(always)]
unsafe fn both_ends<T: Copy, const N: usize>(from: *const T, count: usize, to: *mut T) {
    // SAFETY: the caller's; `N` is half of a part of a block.
    unsafe {
        let first = from.cast::<[T; N]>().read();
        let last = from.add(count - N).cast::<[T; N]>().read();
        for at in (0..BLOCK).step_by(2 * N) {
            to.add(at).cast::<[T; N]>().write(first);
            to.add(at + N).cast::<[T; N]>().write(last);
        }
    }
}

/// What a formula gave for the elements in a room, to their places.
///
/// # Safety
///
/// `0 < count < BLOCK` elements are writable at `to`; the room is at `from`.
#[inline]
unsafe fn take<T: Copy>(from: *const T, count: usize, to: *mut T) {
    // SAFETY: the caller's, for the parts are no longer than `count`.
    unsafe {
        match count {
            8.. => to_both_ends::<T, 8>(from, count, to),
            4.. => to_both_ends::<T, 4>(from, count, to),
            2.. => to_both_ends::<T, 2>(from, count, to),
            _ => to.write(from.read()),
        }
    }
}

/// # Safety
///
/// As [`take`], with `N <= count`.
#[inline(always)]
unsafe fn to_both_ends<T: Copy, const N: usize>(from: *const T, count: usize, to: *mut T) {
    // SAFETY: the caller's.
    unsafe {
        to.cast::<[T; N]>().write(from.cast::<[T; N]>().read());
        to.add(count - N).cast::<[T; N]>().write(from.add(N).cast::<[T; N]>().read());
    }
}
