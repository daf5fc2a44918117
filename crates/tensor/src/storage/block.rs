//! One aligned piece of initialised memory.

use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};
use std::ptr::NonNull;

/// A cache line, and the width of an AVX-512 register: no vector load of a block's start splits a line.
const ALIGN: usize = 64;

/// Owned memory of a fixed capacity. Its bytes are initialised: zero when it comes from the system,
/// whatever its last owner left when it comes from the pool.
pub(super) struct Block {
    ptr: NonNull<u8>,
    capacity: usize,
}

// SAFETY: a block is the only owner of its memory, which holds plain bytes.
unsafe impl Send for Block {}
// SAFETY: shared access only reads.
unsafe impl Sync for Block {}

impl Block {
    /// From the system allocator.
    pub(super) fn from_system(capacity: usize) -> Self {
        let layout = Block::layout(capacity);
        // SAFETY: `capacity` is not 0 (`layout` sees to it).
        let ptr = unsafe { alloc_zeroed(layout) };
        let ptr = NonNull::new(ptr).unwrap_or_else(|| handle_alloc_error(layout));
        Block { ptr, capacity }
    }
    fn layout(capacity: usize) -> Layout {
        Layout::from_size_align(capacity.max(1), ALIGN).expect("shapes are checked for overflow")
    }
    pub(super) fn capacity(&self) -> usize {
        self.capacity
    }
    pub(super) fn ptr(&self) -> *const u8 {
        self.ptr.as_ptr()
    }
    pub(super) fn ptr_mut(&mut self) -> *mut u8 {
        self.ptr.as_ptr()
    }
    /// Take the memory out, leaving a block without any: what a drop hands to the pool.
    fn take(&mut self) -> Block {
        let capacity = std::mem::take(&mut self.capacity);
        Block { ptr: self.ptr, capacity }
    }
    /// Back to the system.
    pub(super) fn free(mut self) {
        let block = self.take();
        // SAFETY: the memory came from `alloc_zeroed` with this layout, and `take` has left the
        // other handle without it.
        unsafe { dealloc(block.ptr.as_ptr(), Block::layout(block.capacity)) };
        std::mem::forget(block);
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        if self.capacity > 0 {
            super::pool::give(self.take());
        }
    }
}
