//! An allocator that lays every allocation against a page which nobody may touch: a kernel that reads
//! or writes one byte too many ends the program.
//!
//! `GRADUS_TEST_FENCE=after` puts the page behind each allocation, `before` in front of it; else the
//! system's allocator serves. `scripts/valgrind.sh` runs the kernel tests with both.

use std::alloc::{GlobalAlloc, Layout, System};
use std::ptr;
use std::sync::atomic::{AtomicU8, Ordering::Relaxed};

/// A multiple of every page.
const PAGE: usize = 64 << 10;

const UNKNOWN: u8 = 0;
const NONE: u8 = 1;
const AFTER: u8 = 2;
const BEFORE: u8 = 3;

static WHERE: AtomicU8 = AtomicU8::new(UNKNOWN);

/// Where the page lies: asked for once, without an allocation.
fn place() -> u8 {
    match WHERE.load(Relaxed) {
        UNKNOWN => {
            // SAFETY: a string that ends in 0; the answer is one, too, or null.
            let asked = unsafe {
                let asked = libc::getenv(c"GRADUS_TEST_FENCE".as_ptr());
                if asked.is_null() { c"" } else { std::ffi::CStr::from_ptr(asked) }
            };
            let place = match asked.to_bytes() {
                b"after" => AFTER,
                b"before" => BEFORE,
                _ => NONE,
            };
            WHERE.store(place, Relaxed);
            place
        }
        known => known,
    }
}

/// The allocator of the test program.
struct Fence;

#[global_allocator]
static FENCE: Fence = Fence;

/// The length of a mapping for `size` bytes, with the page that is closed.
fn length(size: usize) -> usize {
    size.next_multiple_of(PAGE) + PAGE
}

/// What is left free in front of an allocation that ends at the closed page.
fn before(layout: Layout) -> usize {
    let room = length(layout.size()) - PAGE - layout.size();
    room - room % layout.align()
}

// SAFETY: an allocation lies in a mapping of its own, which `dealloc` finds again from its address and
// size; or everything is left to the system's allocator, always or for an alignment above a page.
unsafe impl GlobalAlloc for Fence {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let place = place();
        if place == NONE || layout.align() > PAGE {
            // SAFETY: the caller's promise.
            return unsafe { System.alloc(layout) };
        }
        let len = length(layout.size());
        let (rights, kind) =
            (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
        // SAFETY: a new mapping; one page of it loses all rights. The room in front of the page behind
        // holds `size` bytes from a multiple of the alignment on, which is at most a page.
        unsafe {
            let map = libc::mmap(ptr::null_mut(), len, rights, kind, -1, 0);
            if map == libc::MAP_FAILED {
                return ptr::null_mut();
            }
            let map = map.cast::<u8>();
            let (closed, at) = if place == BEFORE {
                (map, map.add(PAGE))
            } else {
                (map.add(len - PAGE), map.add(before(layout)))
            };
            if libc::mprotect(closed.cast(), PAGE, libc::PROT_NONE) != 0 {
                return ptr::null_mut();
            }
            at
        }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        let place = place();
        if place == NONE || layout.align() > PAGE {
            // SAFETY: the caller's promise.
            return unsafe { System.dealloc(at, layout) };
        }
        // SAFETY: the mapping that `alloc` has made; it need not begin at a multiple of `PAGE`.
        unsafe {
            let map = if place == BEFORE { at.sub(PAGE) } else { at.sub(before(layout)) };
            libc::munmap(map.cast(), length(layout.size()));
        }
    }
}
