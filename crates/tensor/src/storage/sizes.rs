//! The sizes behind a shape: most are in a table that lives as long as the process, the rest counted.

use crate::shape::Axes;
use std::ops::Deref;
use std::ptr::NonNull;
use std::sync::{Arc, OnceLock};

/// What a shape knows.
pub(crate) struct Sizes {
    pub(crate) sizes: Axes<usize>,
    pub(crate) numel: usize,
    /// In the table?
    known: bool,
}

/// A handle on sizes, one word wide. A handle on known sizes is neither counted nor freed: at 5 ns a
/// count, the shapes of a small op cost as much as its kernel (counted: +11 % for 3000 small ops).
pub(crate) struct Handle(NonNull<Sizes>);

// SAFETY: a handle only reads; `Sizes` is `Send + Sync`, and the count is `Arc`'s.
unsafe impl Send for Handle {}
// SAFETY: as above.
unsafe impl Sync for Handle {}

/// The first shapes that a process makes. Never full in practice, and bounded for a program whose
/// shapes never repeat: 64 bytes an entry.
const KNOWN: usize = 1024;
static TABLE: [OnceLock<Sizes>; KNOWN] = [const { OnceLock::new() }; KNOWN];
/// Entries to look at.
const PROBES: usize = 4;

impl Handle {
    pub(crate) fn new(sizes: &[usize], numel: usize) -> Self {
        // A multiplicative hash; its high bits are the good ones.
        let mix =
            |h: u64, &s: &usize| (h.rotate_left(5) ^ s as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let first = (sizes.iter().fold(sizes.len() as u64, mix) >> 32) as usize;
        for i in 0..PROBES {
            let entry = TABLE[(first + i) % KNOWN].get_or_init(|| Sizes {
                sizes: sizes.into(),
                numel,
                known: true,
            });
            if *entry.sizes == *sizes {
                return Handle(NonNull::from(entry));
            }
        }
        let counted = Arc::new(Sizes { sizes: sizes.into(), numel, known: false });
        // SAFETY: `Arc::into_raw` is never null.
        Handle(unsafe { NonNull::new_unchecked(Arc::into_raw(counted).cast_mut()) })
    }
    /// Is it the very same entry?
    #[inline]
    pub(crate) fn same(&self, other: &Handle) -> bool {
        self.0 == other.0
    }
}

impl Deref for Handle {
    type Target = Sizes;
    #[inline]
    fn deref(&self) -> &Sizes {
        // SAFETY: known sizes live forever, others as long as this handle, which holds a count.
        unsafe { self.0.as_ref() }
    }
}

impl Clone for Handle {
    #[inline]
    fn clone(&self) -> Self {
        if !self.known {
            // SAFETY: sizes that are not known came from `Arc::into_raw`, and this handle holds a count.
            unsafe { Arc::increment_strong_count(self.0.as_ptr()) };
        }
        Handle(self.0)
    }
}

impl Drop for Handle {
    #[inline]
    fn drop(&mut self) {
        if !self.known {
            // SAFETY: as in `clone`; the count of this handle is given back once.
            unsafe { Arc::decrement_strong_count(self.0.as_ptr()) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_and_counted_sizes_are_the_same_to_a_reader() {
        let handles: Vec<Handle> = (0..4 * KNOWN).map(|n| Handle::new(&[n, 7], n * 7)).collect();
        assert!(handles.iter().any(|h| h.known) && handles.iter().any(|h| !h.known));
        for h in &handles {
            let again = Handle::new(&h.sizes, h.numel);
            assert_eq!(again.same(h), h.known, "sizes that are known are one entry");
        }
        let copies = handles.clone();
        drop(handles);
        for (n, h) in copies.iter().enumerate() {
            assert_eq!((&*h.sizes, h.numel), (&[n, 7][..], n * 7));
        }
    }
}
