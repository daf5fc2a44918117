//! Buffers for packed panels: kept per thread, so that a product allocates only the first time.

use std::cell::RefCell;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};

use super::kernel::GemmElement;

/// 64 bytes: a cache line, and the width of the widest vector.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Line([u8; 64]);

thread_local! {
    /// A list, because a thread that waits for others may start a second product.
    static FREE: RefCell<Vec<Vec<Line>>> = const { RefCell::new(Vec::new()) };
}

/// `len` elements of undefined content, aligned to 64 bytes; given back to the thread when dropped.
pub(super) struct Scratch<T> {
    lines: Vec<Line>,
    len: usize,
    element: PhantomData<T>,
}

impl<T: GemmElement> Scratch<T> {
    pub(super) fn new(len: usize) -> Self {
        let wanted = (len * size_of::<T>()).div_ceil(64);
        // Nothing is kept while a thread ends.
        let mut lines =
            FREE.try_with(|free| free.borrow_mut().pop()).ok().flatten().unwrap_or_default();
        if lines.len() < wanted {
            lines.resize(wanted, Line([0; 64]));
        }
        Self { lines, len, element: PhantomData }
    }
}

impl<T> Drop for Scratch<T> {
    fn drop(&mut self) {
        let lines = std::mem::take(&mut self.lines);
        // An error only while the thread ends: then the buffer is freed.
        let _ = FREE.try_with(|free| free.borrow_mut().push(lines));
    }
}

impl<T: GemmElement> Deref for Scratch<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        // SAFETY: `new` made room for `len` elements, 64-byte aligned and initialised; every bit
        // pattern is a value of a `GemmElement`.
        unsafe { std::slice::from_raw_parts(self.lines.as_ptr().cast(), self.len) }
    }
}

impl<T: GemmElement> DerefMut for Scratch<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: as in `deref`, and `self` is borrowed for writing.
        unsafe { std::slice::from_raw_parts_mut(self.lines.as_mut_ptr().cast(), self.len) }
    }
}
