//! Stores that go past the caches.
//!
//! A normal store reads its cache line first. For an output that is larger than the caches this is a third
//! more traffic, for nothing: the line is gone before anybody reads it.

use crate::Element;

/// How a kernel writes its output; the numbers are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Write {
    /// Through the caches, where the next reader finds it.
    Cached,
    /// Past them, where the CPU can.
    Streamed,
}

/// Outputs of so many bytes are streamed.
///
/// Half of a third-level cache of 32 MiB, the other half being inputs.
const STREAMED_FROM: usize = 16 << 20;

/// Bytes of one streaming store with FMA, which implies AVX; without, it is half.
const WIDTH: usize = 32;

impl Write {
    /// How to write an output of `bytes`.
    #[must_use]
    pub fn of(bytes: usize) -> Self {
        if cfg!(target_arch = "x86_64") && bytes >= STREAMED_FROM {
            Write::Streamed
        } else {
            Write::Cached
        }
    }
    /// Must be called when a kernel has streamed, before another thread may read: these stores are not
    /// ordered with others.
    #[inline(always)]
    pub(super) fn finish(self) {
        #[cfg(target_arch = "x86_64")]
        if self == Write::Streamed {
            // SAFETY: every x86-64 CPU has it.
            unsafe { std::arch::x86_64::_mm_sfence() };
        }
    }
}

/// Until it ends, streamed stores need no fence of their own.
#[derive(Debug)]
pub(crate) struct Fence(Write);

impl Write {
    /// Many writes, of which no other thread reads before this returns.
    #[inline]
    pub(crate) fn fenced<R>(self, writes: impl FnOnce(&Fence) -> R) -> R {
        writes(&Fence(self))
    }
}

impl Fence {
    /// How to write.
    pub(super) fn how(&self) -> Write {
        self.0
    }
}

impl Drop for Fence {
    fn drop(&mut self) {
        self.0.finish();
    }
}

/// Bytes of a cache line.
pub(super) const LINE: usize = 64;

/// Fetches a cache line into L2.
#[inline(always)]
pub(super) fn fetch<T>(at: *const T) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: every x86-64 CPU has it; a hint, which reads nothing, wherever it points.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T1, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T1>(at.cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = at;
}

/// Fetches into L2 all lines of some elements.
#[inline(always)]
pub(crate) fn fetch_all<T>(elements: &[T]) {
    let first = elements.as_ptr();
    for at in (0..size_of_val(elements)).step_by(LINE) {
        fetch(first.wrapping_byte_add(at));
    }
}

/// Operands of so many bytes are fetched ahead: what is larger than many a second-level cache.
///
/// On Granite Rapids the CPU's own prefetch follows a loop of few instructions, but not one of 60: Φ(x)·x of 16 M f32 took
/// 1.6 ns an element and 0.47 with fetching, of 1 M 0.47 and 0.41; |x| the same from 1 MiB on, and an eighth longer in L2.
const FETCHED_FROM: usize = 1 << 20;

/// Bytes between what a loop reads and what it fetches. From 1 KiB to 8 KiB all are as good for a long formula, and `x + y`
/// likes 2 KiB most.
pub(crate) const AHEAD: usize = 2 << 10;

/// Does an operand of `bytes` come from so far that a loop should [`fetch_ahead`]?
pub(crate) fn comes_from_far(bytes: usize) -> bool {
    bytes >= FETCHED_FROM
}

/// Fetches what is read soon, if `at` is read now.
#[inline(always)]
pub(super) fn fetch_ahead<T>(at: *const T) {
    fetch(at.wrapping_byte_add(AHEAD));
}

/// How many elements must be written otherwise before `at` is where [`store`] streams to.
#[inline(always)]
pub(super) fn head<T>(at: *const T) -> usize {
    at.addr().wrapping_neg() % WIDTH / size_of::<T>()
}

/// Whether [`store`] can stream blocks of `len` elements.
#[inline(always)]
pub(super) const fn is_streamable<T>(len: usize) -> bool {
    cfg!(target_arch = "x86_64") && (len * size_of::<T>()).is_multiple_of(WIDTH)
}

/// Writes a block as `how` says; one that does not stand at a multiple of 32 bytes is not streamed.
///
/// # Safety
///
/// `N` elements are writable at `to`. `T` has no padding.
#[inline(always)]
pub(super) unsafe fn store<T: Copy, const N: usize, const FMA: bool>(
    to: *mut T,
    block: [T; N],
    how: Write,
) {
    #[cfg(target_arch = "x86_64")]
    if how == Write::Streamed && is_streamable::<T>(N) && to.addr().is_multiple_of(WIDTH) {
        // SAFETY: the caller's; `to` is aligned, as just seen, and FMA implies AVX.
        return unsafe { stream::<FMA>(to.cast(), block.as_ptr().cast(), size_of::<[T; N]>()) };
    }
    let _ = how;
    // SAFETY: the caller's.
    unsafe { to.cast::<[T; N]>().write(block) };
}

/// Copies numbers as `fence` says.
///
/// # Panics
///
/// If the lengths differ.
pub(crate) fn copy<T: Element>(from: &[T], to: &mut [T], fence: &Fence) {
    assert!(from.len() == to.len(), "a copy of {} elements to {}", from.len(), to.len());
    #[cfg(target_arch = "x86_64")]
    if fence.0 == Write::Streamed {
        let head = head(to.as_ptr()).min(to.len());
        let body = (to.len() - head) * size_of::<T>() / WIDTH * WIDTH / size_of::<T>();
        to[..head].copy_from_slice(&from[..head]);
        to[head + body..].copy_from_slice(&from[head + body..]);
        let (from, to) = (from[head..].as_ptr().cast(), to[head..].as_mut_ptr().cast());
        // SAFETY: `body` elements lie behind the head; if there are any, `to` is aligned there.
        return unsafe { stream::<false>(to, from, body * size_of::<T>()) };
    }
    to.copy_from_slice(from);
}

/// # Safety
///
/// `bytes`, a multiple of [`WIDTH`], are readable at `from` and writable at `to`, which is aligned to
/// [`WIDTH`]. With `FMA` the CPU has AVX.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
unsafe fn stream<const FMA: bool>(to: *mut u8, from: *const u8, bytes: usize) {
    use std::arch::x86_64::{
        _mm_loadu_si128, _mm_stream_si128, _mm256_loadu_si256, _mm256_stream_si256,
    };
    let mut at = 0;
    while at < bytes {
        // SAFETY: the caller's.
        unsafe {
            if FMA {
                _mm256_stream_si256(to.add(at).cast(), _mm256_loadu_si256(from.add(at).cast()));
                at += WIDTH;
            } else {
                _mm_stream_si128(to.add(at).cast(), _mm_loadu_si128(from.add(at).cast()));
                at += WIDTH / 2;
            }
        }
    }
}
