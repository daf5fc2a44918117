//! Room for partial results of a kernel, from the pool.

use super::block::Block;
use super::pool;
use half::{bf16, f16};
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};

/// Types of which every pattern of bits is a value, aligned to at most 64 bytes.
///
/// # Safety
/// It must be so: blocks of the pool hold whatever their last owner left.
pub unsafe trait Plain: Copy + Send + Sync + 'static {}

macro_rules! plain {
    ($($T:ty),*) => {$(
        // SAFETY: a number without invalid patterns.
        unsafe impl Plain for $T {}
    )*};
}
plain!(f32, f64, f16, bf16, i64, i32, u8, u32, u64, usize);
// SAFETY: nothing but elements that are plain.
unsafe impl<T: Plain, const N: usize> Plain for [T; N] {}

/// `len` elements in a block of the pool, aligned to 64 bytes: what a kernel takes instead of a `Vec`,
/// so that a warm program asks the system for nothing. The block goes back when this is dropped.
pub(crate) struct Scratch<T> {
    block: Block,
    len: usize,
    element: PhantomData<T>,
}

impl<T: Plain> Scratch<T> {
    /// Elements of arbitrary values.
    ///
    /// # Panics
    /// If the number of bytes overflows.
    #[track_caller]
    pub(crate) fn new(len: usize) -> Self {
        let bytes = len.checked_mul(size_of::<T>()).expect("room for this many elements");
        const { assert!(align_of::<T>() <= super::system::ALIGN) };
        let block = pool::take(bytes);
        pool::count(bytes as i64);
        Scratch { block, len, element: PhantomData }
    }
    /// Elements that all have this value.
    pub(crate) fn filled(len: usize, value: T) -> Self {
        let mut scratch = Scratch::new(len);
        scratch.fill(value);
        scratch
    }
}

impl<T> Drop for Scratch<T> {
    fn drop(&mut self) {
        pool::count(-((self.len * size_of::<T>()) as i64));
    }
}

impl<T: Plain> Deref for Scratch<T> {
    type Target = [T];
    #[inline]
    fn deref(&self) -> &[T] {
        // SAFETY: `new` made room for `len` elements, aligned; blocks are initialised, and every
        // pattern of bits is a `Plain` value.
        unsafe { std::slice::from_raw_parts(self.block.ptr().cast(), self.len) }
    }
}

impl<T: Plain> DerefMut for Scratch<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: as in `deref`, and `&mut self` makes the borrow exclusive.
        unsafe { std::slice::from_raw_parts_mut(self.block.ptr_mut().cast(), self.len) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scratch_comes_from_the_pool_and_goes_back() {
        let place = {
            let mut scratch = Scratch::<f64>::filled(1000, 1.5);
            scratch[7] = 2.0;
            assert_eq!(scratch.iter().sum::<f64>(), 1500.5);
            scratch.as_ptr()
        };
        let again = Scratch::<[f32; 2]>::new(1000);
        assert_eq!(again.as_ptr().cast(), place, "the same block");
        assert_eq!(place as usize % 64, 0);
        assert_eq!(Scratch::<u8>::new(0).len(), 0);
    }
}
