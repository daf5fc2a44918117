//! Numbers with a shape: a handle on shared, copy-on-write storage, and a view into it.

mod access;
mod construct;
mod views;

pub use access::copies;

use crate::storage::Storage;
use crate::{DType, Meta, Shape};
use std::sync::Arc;

/// Numbers with a shape and a dtype.
///
/// A clone shares the elements; whoever writes first gets a copy, and whoever is alone writes in place.
/// Views (transpose, narrow, expand, …) share the elements of their source. Kernels take arrays by
/// value: the buffer of an operand that its caller gave up is reused.
///
/// ```
/// use gradus_tensor::Array;
/// let a = Array::from([[1.0_f32, 2.0], [3.0, 4.0]]);
/// assert_eq!(a.transpose(0, 1).to_vec::<f32>(), [1.0, 3.0, 2.0, 4.0]);
/// ```
#[must_use]
#[derive(Clone)]
pub struct Array {
    storage: Arc<Storage>,
    meta: Meta,
    /// `None`: row-major from the start of the storage.
    view: Option<Arc<View>>,
}

/// Where the elements of a view lie, in elements of the storage.
#[derive(Clone)]
pub(crate) struct View {
    pub(crate) strides: crate::shape::Axes<isize>,
    pub(crate) offset: usize,
}

impl Array {
    /// Shape and dtype.
    #[inline]
    pub fn meta(&self) -> &Meta {
        &self.meta
    }
    /// The size of every axis.
    #[inline]
    pub fn shape(&self) -> &Shape {
        &self.meta.shape
    }
    /// The type of the elements.
    #[inline]
    pub fn dtype(&self) -> DType {
        self.meta.dtype
    }
    /// Number of elements.
    #[inline]
    pub fn numel(&self) -> usize {
        self.meta.shape.numel()
    }
    /// Number of axes (`torch.Tensor.dim()`).
    #[inline]
    pub fn rank(&self) -> usize {
        self.meta.shape.rank()
    }
    /// Steps from one element to the next along every axis, in elements.
    pub fn strides(&self) -> crate::shape::Axes<isize> {
        match &self.view {
            None => self.shape().strides(),
            Some(v) => v.strides.clone(),
        }
    }
    /// Position of the first element in the storage.
    #[inline]
    pub(crate) fn offset(&self) -> usize {
        self.view.as_ref().map_or(0, |v| v.offset)
    }
    /// Do the elements lie in row-major order without gaps?
    #[inline]
    pub fn is_contiguous(&self) -> bool {
        match &self.view {
            None => true,
            Some(v) => is_row_major(self.shape(), &v.strides),
        }
    }
    /// A number that no other contents ever had: arrays of equal version, shape and strides have equal
    /// elements. It is the key under which a cast or a packed copy can be cached, and costs nothing
    /// until it is asked for.
    pub fn version(&self) -> u64 {
        self.storage.version()
    }
    /// Do both read the same storage?
    pub fn shares_storage(&self, other: &Array) -> bool {
        Arc::ptr_eq(&self.storage, &other.storage)
    }
    /// Is this the only handle on the storage, so that a write is in place?
    #[inline]
    pub fn is_unique(&self) -> bool {
        Arc::strong_count(&self.storage) == 1
    }
    /// Row-major from the start of its storage?
    #[inline]
    pub(crate) fn is_whole(&self) -> bool {
        self.view.is_none()
    }
    /// May an operation write its result over this array: the only handle, row-major, all of the storage?
    #[inline]
    pub(crate) fn is_reusable(&self) -> bool {
        self.view.is_none() && self.is_unique()
    }
}

/// Axes of size 1 may have any stride, and an empty array is always in order.
fn is_row_major(shape: &[usize], strides: &[isize]) -> bool {
    let mut expected = 1;
    for (&size, &stride) in shape.iter().zip(strides).rev() {
        if size == 0 {
            return true;
        }
        if size != 1 {
            if stride != expected {
                return false;
            }
            expected *= size as isize;
        }
    }
    true
}
