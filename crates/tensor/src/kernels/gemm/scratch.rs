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

/// What a parked buffer holds: a part of a right factor.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) block: u64,
    pub(super) panel: usize,
}

thread_local! {
    /// The packed panels of the thread's last task, for its next one.
    static PARKED: RefCell<Option<(Key, Vec<Line>)>> = const { RefCell::new(None) };
}

/// `len` elements of undefined content, aligned to 64 bytes; given back to the thread when dropped.
pub(super) struct Scratch<T> {
    lines: Vec<Line>,
    len: usize,
    element: PhantomData<T>,
}

impl<T: GemmElement> Scratch<T> {
    pub(super) fn new(len: usize) -> Self {
        // Nothing is kept while a thread ends.
        let lines = FREE.try_with(|free| free.borrow_mut().pop()).ok().flatten();
        Self::with(lines.unwrap_or_default(), len)
    }

    fn with(mut lines: Vec<Line>, len: usize) -> Self {
        let wanted = (len * size_of::<T>()).div_ceil(64);
        if lines.len() < wanted {
            lines.resize(wanted, Line([0; 64]));
        }
        Self { lines, len, element: PhantomData }
    }

    /// The buffer this thread has parked, and whether it was under this key: then it holds what it
    /// held, if `len` is what it was.
    pub(super) fn parked(key: Key, len: usize) -> (Self, bool) {
        match PARKED.try_with(|parked| parked.borrow_mut().take()).ok().flatten() {
            Some((held, lines)) => (Self::with(lines, len), held == key),
            None => (Self::new(len), false),
        }
    }

    /// Keeps the buffer for the next task with the same key, in place of the one parked before.
    pub(super) fn park(mut self, key: Key) {
        let lines = std::mem::take(&mut self.lines);
        let before = PARKED.try_with(|parked| parked.borrow_mut().replace((key, lines)));
        // The one before goes back to the others when `self` is dropped.
        if let Ok(Some((_, lines))) = before {
            self.lines = lines;
        }
    }
}

impl<T> Drop for Scratch<T> {
    fn drop(&mut self) {
        let lines = std::mem::take(&mut self.lines);
        if lines.is_empty() {
            return;
        }
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
