//! Memory from the operating system, zeroed by it and touched by nobody else.

use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

/// A cache line, and the width of an AVX-512 register: no vector load of a block's start splits a line.
pub(super) const ALIGN: usize = 64;
/// Size of a huge page, and what a block needs to get any: one page fault instead of 512.
pub(super) const HUGE: usize = 2 << 20;

static TAKEN: AtomicU64 = AtomicU64::new(0);
static HELD: AtomicUsize = AtomicUsize::new(0);

/// How many blocks were ever taken from the system.
pub(super) fn taken() -> u64 {
    TAKEN.load(Relaxed)
}

/// Bytes that are held now.
pub(super) fn held() -> usize {
    HELD.load(Relaxed)
}

fn layout(capacity: usize) -> Layout {
    Layout::from_size_align(capacity, ALIGN).expect("shapes are checked for overflow")
}

/// `capacity` bytes, zeroed, at a multiple of [`ALIGN`]; of [`HUGE`] for large blocks on Linux.
///
/// Aborts if there is no memory, as every allocation in Rust does.
#[cold]
pub(super) fn take(capacity: usize) -> NonNull<u8> {
    assert!(capacity > 0, "a block has a size");
    TAKEN.fetch_add(1, Relaxed);
    HELD.fetch_add(capacity, Relaxed);
    let layout = layout(capacity);
    let at = match pages::mapped(capacity) {
        true => pages::map(capacity),
        // The allocator zeroes aligned memory by hand, so this touches each page: cheap for blocks
        // that are small, or that are taken once and then come from the pool.
        // SAFETY: the layout has a size, as asserted.
        false => NonNull::new(unsafe { alloc_zeroed(layout) }),
    };
    at.unwrap_or_else(|| handle_alloc_error(layout))
}

/// Back to the system.
///
/// # Safety
/// `at` came from [`take`] with the same capacity, and nobody uses it any more.
#[cold]
pub(super) unsafe fn give(at: NonNull<u8>, capacity: usize) {
    HELD.fetch_sub(capacity, Relaxed);
    if pages::mapped(capacity) {
        // SAFETY: `take` has mapped it, for the answer depends on the capacity alone.
        unsafe { pages::unmap(at, capacity) };
    } else {
        // SAFETY: it came from `alloc_zeroed` with this layout.
        unsafe { dealloc(at.as_ptr(), layout(capacity)) };
    }
}

/// Large blocks as mappings of their own: aligned to huge pages, and zero without being written.
#[cfg(all(target_os = "linux", not(miri)))]
mod pages {
    use super::HUGE;
    use std::ptr::{self, NonNull};

    pub(super) fn mapped(capacity: usize) -> bool {
        capacity >= HUGE
    }

    pub(super) fn map(capacity: usize) -> Option<NonNull<u8>> {
        let wide = capacity.checked_add(HUGE)?;
        let (rights, kind) =
            (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
        // SAFETY: a new mapping, at a place of the kernel's choice.
        let start = unsafe { libc::mmap(ptr::null_mut(), wide, rights, kind, -1, 0) };
        if start == libc::MAP_FAILED {
            return None;
        }
        let before = start.cast::<u8>().align_offset(HUGE);
        let after = HUGE - before;
        // SAFETY: `before + capacity + after` is the length of the mapping, nobody has seen it yet, and
        // the two ends are cut off at multiples of a page: `start` and `HUGE` are such, and
        // `capacity` is a multiple of a quarter of `HUGE` or more. `madvise` changes no contents; a
        // kernel that refuses gives small pages.
        unsafe {
            let at = start.cast::<u8>().add(before);
            if before > 0 {
                libc::munmap(start, before);
            }
            if after > 0 {
                libc::munmap(at.add(capacity).cast(), after);
            }
            libc::madvise(at.cast(), capacity, libc::MADV_HUGEPAGE);
            NonNull::new(at)
        }
    }

    /// # Safety
    /// As for `super::give`.
    pub(super) unsafe fn unmap(at: NonNull<u8>, capacity: usize) {
        // SAFETY: exactly what `map` has left, and nobody uses it any more.
        unsafe { libc::munmap(at.as_ptr().cast(), capacity) };
    }
}

/// Elsewhere all blocks come from the allocator.
#[cfg(not(all(target_os = "linux", not(miri))))]
mod pages {
    use std::ptr::NonNull;

    pub(super) fn mapped(_: usize) -> bool {
        false
    }
    pub(super) fn map(_: usize) -> Option<NonNull<u8>> {
        None
    }
    /// # Safety
    /// Never called.
    pub(super) unsafe fn unmap(_: NonNull<u8>, _: usize) {}
}
