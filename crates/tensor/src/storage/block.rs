//! One aligned piece of initialised memory, and lists of idle ones.

use super::{pool, system};
use std::ptr::NonNull;

/// Owned memory of a fixed capacity. Its bytes are initialised: zero when it comes from the system,
/// whatever its last owner left when it comes from the pool.
pub(super) struct Block {
    ptr: NonNull<u8>,
    /// 0 if the memory was moved out.
    capacity: usize,
}

// SAFETY: a block is the only owner of its memory, which holds plain bytes.
unsafe impl Send for Block {}
// SAFETY: shared access only reads.
unsafe impl Sync for Block {}

impl Block {
    /// From the system.
    pub(super) fn from_system(capacity: usize) -> Self {
        Block { ptr: system::take(capacity), capacity }
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
    /// Back to the system.
    pub(super) fn free(mut self) {
        let (at, capacity) = self.leave();
        // SAFETY: it came from the system with this capacity, and `leave` has left this handle, the
        // only one, without it.
        unsafe { system::give(at, capacity) };
    }
    /// The memory, which this handle does not own any more.
    #[inline]
    fn leave(&mut self) -> (NonNull<u8>, usize) {
        (self.ptr, std::mem::take(&mut self.capacity))
    }
}

impl Drop for Block {
    #[inline]
    fn drop(&mut self) {
        if self.capacity > 0 {
            let (ptr, capacity) = self.leave();
            pool::give(Block { ptr, capacity });
        }
    }
}

/// Idle blocks of one capacity, the last one on top. Each holds a pointer to the next in its first
/// bytes, so that a list needs no memory of its own.
pub(super) struct Stack {
    top: Option<NonNull<u8>>,
    len: usize,
    /// Of each block.
    capacity: usize,
}

// SAFETY: a stack is the only owner of its blocks.
unsafe impl Send for Stack {}

impl Stack {
    /// Without a block.
    pub(super) const EMPTY: Stack = Stack { top: None, len: 0, capacity: 0 };

    pub(super) fn of(block: Block) -> Self {
        let mut stack = Stack::EMPTY;
        stack.push(block);
        stack
    }
    /// Bytes of all its blocks.
    #[inline]
    pub(super) fn bytes(&self) -> usize {
        self.len * self.capacity
    }
    /// # Panics
    /// If there are blocks of another capacity.
    #[inline]
    pub(super) fn push(&mut self, mut block: Block) {
        let (at, capacity) = block.leave();
        if let Some(next) = self.top {
            assert!(capacity == self.capacity, "a stack holds blocks of one capacity");
            // SAFETY: every block has at least 64 bytes, and is aligned to as many; this one is owned
            // here. The bottom one holds no pointer (`len` says where the list ends), so that a large
            // block, which is alone on its stack, is not touched.
            unsafe { at.cast::<NonNull<u8>>().write(next) };
        }
        *self = Stack { top: Some(at), len: self.len + 1, capacity };
    }
    #[inline]
    pub(super) fn pop(&mut self) -> Option<Block> {
        let at = self.top?;
        self.len -= 1;
        // SAFETY: there is a block below, so `push` wrote the pointer; the memory is owned here.
        self.top = (self.len > 0).then(|| unsafe { at.cast::<NonNull<u8>>().read() });
        Some(Block { ptr: at, capacity: self.capacity })
    }
    /// All back to the system.
    pub(super) fn free(mut self) {
        while let Some(block) = self.pop() {
            block.free();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stack_gives_back_what_it_took_the_last_one_first() {
        let blocks: Vec<Block> = (0..5).map(|_| Block::from_system(128)).collect();
        let places: Vec<*const u8> = blocks.iter().map(Block::ptr).collect();
        let mut stack = Stack::EMPTY;
        blocks.into_iter().for_each(|block| stack.push(block));
        assert_eq!(stack.bytes(), 5 * 128);
        let taken: Vec<Block> = std::iter::from_fn(|| stack.pop()).collect();
        assert!(taken.iter().map(Block::ptr).eq(places.into_iter().rev()));
        assert_eq!(stack.bytes(), 0);
        taken.into_iter().for_each(Block::free);
    }

    #[test]
    fn blocks_are_aligned_and_zero() {
        for capacity in [64, 192, 64 << 10, 1 << 20, system::HUGE, 5 * system::HUGE / 4] {
            let mut block = Block::from_system(capacity);
            let huge = cfg!(target_os = "linux") && capacity >= system::HUGE;
            let align = if huge { system::HUGE } else { system::ALIGN };
            assert_eq!(block.ptr() as usize % align, 0, "{capacity}");
            // SAFETY: the block has this many bytes, and nobody else.
            let bytes = unsafe { std::slice::from_raw_parts_mut(block.ptr_mut(), capacity) };
            assert!(bytes.iter().all(|&b| b == 0));
            bytes.fill(7);
            block.free();
        }
    }
}
