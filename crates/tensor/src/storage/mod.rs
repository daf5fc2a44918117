//! The bytes of arrays: very few inside the storage, more in blocks of the pool.
//!
//! `system.rs` takes memory from the system, `classes.rs` rounds sizes up, `pool.rs` keeps idle blocks,
//! `stats.rs` counts, `scratch.rs` lends blocks to kernels, `pieces.rs` lends one output to many tasks.

mod block;
mod classes;
pub(crate) mod pieces;
mod pool;
mod scratch;
mod sizes;
mod stats;
mod system;

pub use pool::empty_cache;
pub use stats::{MemoryStats, cached_bytes, live_bytes, memory_stats, peak_bytes, reset_peak};

pub(crate) use scratch::{Plain, Scratch};
pub(crate) use sizes::Handle;

use crate::{DType, Element};
use block::Block;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Bytes that live inside the storage, so that a scalar or eight f32 cost one allocation.
const INLINE: usize = 32;

/// Initialised bytes. A fresh storage holds arbitrary numbers; `bool`s are zeroed, because not every
/// byte is one.
pub(crate) struct Storage {
    /// 0 until somebody asks; back to 0 by a write. See [`crate::Array::version`].
    version: AtomicU64,
    /// Eight times the bytes, plus the number of the dtype: one word, for storages are many and small.
    kind: usize,
    data: Data,
}

/// Aligned for every element, and no more: the storage of eight f32 fits 80 bytes of the allocator's.
#[repr(align(8))]
struct Inline([u8; INLINE]);

enum Data {
    Inline(Inline),
    Block(Block),
}

impl Storage {
    /// Room for `len` elements.
    pub(crate) fn new<T: Element>(len: usize) -> Self {
        let bytes = len * size_of::<T>();
        let data = if bytes <= INLINE {
            Data::Inline(Inline([0; INLINE]))
        } else {
            Data::Block(pool::take(bytes))
        };
        pool::count(bytes as i64);
        let kind = bytes << 3 | T::DTYPE as usize;
        let mut storage = Storage { version: AtomicU64::new(0), kind, data };
        if T::DTYPE == DType::Bool && bytes > INLINE {
            let ptr = storage.ptr_mut();
            // SAFETY: the storage holds `bytes` bytes, and `&mut` makes the access exclusive.
            unsafe { ptr.write_bytes(0, bytes) };
        }
        storage
    }
    fn bytes(&self) -> usize {
        self.kind >> 3
    }
    /// How many elements of type `T` there are; a panic if they are of another type.
    #[inline]
    pub(crate) fn len<T: Element>(&self) -> usize {
        assert!(self.kind & 7 == T::DTYPE as usize, "the elements are not {}", T::DTYPE);
        self.bytes() / size_of::<T>()
    }
    fn ptr_mut(&mut self) -> *mut u8 {
        match &mut self.data {
            Data::Inline(b) => b.0.as_mut_ptr(),
            Data::Block(b) => b.ptr_mut(),
        }
    }
    fn ptr(&self) -> *const u8 {
        match &self.data {
            Data::Inline(b) => b.0.as_ptr(),
            Data::Block(b) => b.ptr(),
        }
    }
    /// `len` elements from `start`.
    ///
    /// # Panics
    /// If the storage holds another type, or fewer elements.
    #[inline]
    pub(crate) fn slice<T: Element>(&self, start: usize, len: usize) -> &[T] {
        assert!(start <= self.len::<T>() && len <= self.len::<T>() - start, "out of the storage");
        // SAFETY: in bounds and of type `T`, as just asserted; initialised since `new`; `Inline` and
        // blocks are aligned to at least 8 bytes, which is enough for every element.
        unsafe { std::slice::from_raw_parts(self.ptr().cast::<T>().add(start), len) }
    }
    /// As [`Storage::slice`], for writing; the contents get a new version.
    #[inline]
    pub(crate) fn slice_mut<T: Element>(&mut self, start: usize, len: usize) -> &mut [T] {
        assert!(start <= self.len::<T>() && len <= self.len::<T>() - start, "out of the storage");
        *self.version.get_mut() = 0;
        let ptr = self.ptr_mut();
        // SAFETY: as in `slice`; `&mut self` makes the borrow exclusive.
        unsafe { std::slice::from_raw_parts_mut(ptr.cast::<T>().add(start), len) }
    }
    /// A number that no other contents ever had.
    pub(crate) fn version(&self) -> u64 {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        match self.version.load(Relaxed) {
            0 => {
                let fresh = NEXT.fetch_add(1, Relaxed);
                let first = self.version.compare_exchange(0, fresh, Relaxed, Relaxed);
                first.map_or_else(|other| other, |_| fresh)
            }
            v => v,
        }
    }
}

impl Drop for Storage {
    fn drop(&mut self) {
        pool::count(-(self.bytes() as i64));
    }
}

/// Initialised memory for a kernel that only writes to it.
///
/// The kernels of this crate write numbers and nothing else, so the memory stays initialised.
pub(crate) fn as_uninit<T: Copy>(x: &mut [T]) -> &mut [std::mem::MaybeUninit<T>] {
    // SAFETY: `MaybeUninit<T>` has the layout of `T`; the only callers hand the slice to kernels of
    // this crate, which write initialised elements.
    unsafe { &mut *(std::ptr::from_mut(x) as *mut [std::mem::MaybeUninit<T>]) }
}
