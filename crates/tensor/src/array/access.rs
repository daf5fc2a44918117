//! Reading and writing elements.

use super::Array;
use crate::element::dispatch;
use crate::storage::Storage;
use crate::{DType, Element, Scalar, strided};
use std::borrow::Cow;
use std::cell::Cell;
use std::sync::Arc;

thread_local!(static COPIES: Cell<u64> = const { Cell::new(0) });

/// How many shared buffers this thread has copied in order to write (for tests).
pub fn copies() -> u64 {
    COPIES.get()
}

impl Array {
    /// The whole storage as elements of type `T`; a view picks its elements from it.
    pub(crate) fn stored<T: Element>(&self) -> &[T] {
        self.expect::<T>();
        self.storage.slice(0, self.storage.len::<T>())
    }
    #[track_caller]
    #[inline]
    fn expect<T: Element>(&self) {
        let have = self.dtype();
        assert!(have == T::DTYPE, "elements: the dtype is {have}, not {}", T::DTYPE);
    }
    /// The elements in row-major order, without a copy.
    ///
    /// # Panics
    /// If the dtype is not `T`'s, or if the array is not contiguous.
    #[track_caller]
    #[inline]
    pub fn elements<T: Element>(&self) -> &[T] {
        self.expect::<T>();
        assert!(self.is_contiguous(), "elements: a view with gaps; call contiguous() first");
        let (start, len) = if self.numel() == 0 { (0, 0) } else { (self.offset(), self.numel()) };
        self.storage.slice(start, len)
    }
    /// The elements in row-major order; copied if the array is not contiguous.
    ///
    /// # Panics
    /// If the dtype is not `T`'s.
    #[track_caller]
    pub fn read<T: Element>(&self) -> Cow<'_, [T]> {
        if self.is_contiguous() {
            return Cow::Borrowed(self.elements());
        }
        let mut out = vec![T::default(); self.numel()];
        strided::gather(self, 0, &mut out);
        Cow::Owned(out)
    }
    /// The elements for writing: in place if nobody else holds them and they are contiguous, else in a
    /// copy.
    ///
    /// # Panics
    /// If the dtype is not `T`'s.
    #[track_caller]
    pub fn elements_mut<T: Element>(&mut self) -> &mut [T] {
        self.expect::<T>();
        if !self.is_contiguous() || !self.is_unique() {
            COPIES.set(COPIES.get() + 1);
            *self = self.copy();
        }
        let (start, len) = if self.numel() == 0 { (0, 0) } else { (self.offset(), self.numel()) };
        let storage = Arc::get_mut(&mut self.storage).expect("just made unique");
        storage.slice_mut(start, len)
    }
    /// The elements for writing, if this array is the only handle on all of its storage.
    #[inline]
    pub(crate) fn own_elements<T: Element>(&mut self) -> Option<&mut [T]> {
        self.expect::<T>();
        // `get_mut` alone would lock and unlock the count before it finds another handle.
        if !self.is_reusable() {
            return None;
        }
        let len = self.numel();
        let storage = Arc::get_mut(&mut self.storage)?;
        Some(storage.slice_mut(0, len))
    }
    /// A new array of this shape whose elements `write` sets. It must set all of them: before, they are
    /// arbitrary numbers.
    #[inline]
    pub(crate) fn build<T: Element>(
        shape: impl Into<crate::Shape>,
        write: impl FnOnce(&mut [T]),
    ) -> Array {
        let shape = shape.into();
        let mut storage = Storage::new::<T>(shape.numel());
        write(storage.slice_mut(0, shape.numel()));
        let meta = crate::Meta { shape, dtype: T::DTYPE };
        Array { storage: Arc::new(storage), meta, view: None }
    }
    /// A new, contiguous array with the same elements.
    pub fn copy(&self) -> Array {
        dispatch!(self.dtype(), T => Array::build::<T>(self.shape(), |out| {
            if self.is_contiguous() {
                out.copy_from_slice(self.elements());
            } else {
                strided::row_major(self, out);
            }
        }))
    }
    /// The same elements in row-major order; a copy only if they are not.
    pub fn contiguous(self) -> Array {
        if self.is_contiguous() { self } else { self.copy() }
    }
    /// All elements in row-major order, converted to `T` by PyTorch's cast rules.
    pub fn to_vec<T: Element>(&self) -> Vec<T> {
        if self.dtype() == T::DTYPE {
            return self.read::<T>().into_owned();
        }
        dispatch!(self.dtype(), S => self.read::<S>().iter().map(|v| T::of(v.scalar())).collect())
    }
    /// The number that this array of one element holds.
    ///
    /// # Panics
    /// If there is not exactly one element.
    #[track_caller]
    pub fn item(&self) -> f64 {
        self.item_scalar().to_f64()
    }
    /// As [`Array::item`], as `i64`.
    ///
    /// # Panics
    /// If there is not exactly one element.
    #[track_caller]
    pub fn item_i64(&self) -> i64 {
        self.item_scalar().to_i64()
    }
    #[track_caller]
    fn item_scalar(&self) -> Scalar {
        let shape = self.shape();
        assert!(self.numel() == 1, "item: {shape} has {} elements, not one", self.numel());
        dispatch!(self.dtype(), T => self.stored::<T>()[self.offset()].scalar())
    }
    /// Are all elements finite? Integers and bools are.
    pub fn all_finite(&self) -> bool {
        match self.dtype() {
            DType::F32 => in_blocks(&self.read::<f32>(), |v| v.is_finite()),
            DType::F64 => in_blocks(&self.read::<f64>(), |v| v.is_finite()),
            DType::F16 => in_blocks(&self.read::<half::f16>(), |v| v.is_finite()),
            DType::Bf16 => in_blocks(&self.read::<half::bf16>(), |v| v.is_finite()),
            DType::I64 | DType::U8 | DType::Bool => true,
        }
    }
    /// Are all elements 0? NaN is not.
    pub fn all_zero(&self) -> bool {
        dispatch!(self.dtype(), T => {
            let zero = T::default();
            in_blocks(&self.read::<T>(), |v| *v == zero)
        })
    }
}

/// Does `ok` hold everywhere? A loop that stops at the first element where it does not is no vector
/// loop; this one stops after a block.
fn in_blocks<T>(all: &[T], ok: impl Fn(&T) -> bool) -> bool {
    all.chunks(1024).all(|block| block.iter().fold(true, |good, v| good & ok(v)))
}

/// Equal shapes, dtypes and elements; NaN differs from itself.
impl PartialEq for Array {
    fn eq(&self, other: &Array) -> bool {
        self.meta() == other.meta()
            && dispatch!(self.dtype(), T => self.read::<T>() == other.read::<T>())
    }
}
