//! The size of every axis, shared between arrays; broadcasting.

use crate::storage::Handle;
use smallvec::SmallVec;
use std::fmt;
use std::ops::Deref;
use std::sync::LazyLock;

/// Sizes or strides of up to four axes live without an allocation of their own.
pub type Axes<T> = SmallVec<[T; 4]>;

/// The size of every axis; `[]` is a scalar.
///
/// Shared, because most results have the shape of an input, and one word wide, because handles are
/// moved far more often than shapes are made.
#[derive(Clone)]
pub struct Shape(Handle);

impl Shape {
    /// From sizes.
    ///
    /// # Panics
    /// If the number of elements overflows.
    #[track_caller]
    pub fn new(sizes: &[usize]) -> Self {
        if sizes.is_empty() {
            return Shape::scalar();
        }
        match Shape::checked(sizes) {
            Some(shape) => shape,
            None => panic!("shape {sizes:?}: the number of elements overflows"),
        }
    }
    /// From sizes, `None` if the number of bytes could overflow (sizes that come from files).
    pub fn checked(sizes: &[usize]) -> Option<Self> {
        let limit = (isize::MAX as usize) / 16;
        // A zero hides an overflow of the others, which strides would meet.
        let product = sizes.iter().try_fold(1usize, |n, &s| n.checked_mul(s.max(1)));
        product.filter(|&n| n <= limit)?;
        let numel = sizes.iter().product();
        Some(Shape(Handle::new(sizes, numel)))
    }
    /// `[]`.
    pub fn scalar() -> Self {
        static SCALAR: LazyLock<Shape> = LazyLock::new(|| Shape(Handle::new(&[], 1)));
        SCALAR.clone()
    }
    /// The sizes.
    #[inline]
    pub fn dims(&self) -> &[usize] {
        &self.0.sizes
    }
    /// Number of axes.
    #[inline]
    pub fn rank(&self) -> usize {
        self.0.sizes.len()
    }
    /// Number of elements: the product of all sizes, 1 for a scalar.
    #[inline]
    pub fn numel(&self) -> usize {
        self.0.numel
    }
    /// Common shape under broadcasting; `None` if two sizes differ and neither is 1.
    ///
    /// ```
    /// use gradus_tensor::Shape;
    /// let both = Shape::broadcast(&Shape::from([2, 1]), &Shape::from([3]));
    /// assert_eq!(both.unwrap(), Shape::from([2, 3]));
    /// ```
    pub fn broadcast(a: &Shape, b: &Shape) -> Option<Shape> {
        if a == b || b.rank() == 0 {
            return Some(a.clone());
        }
        if a.rank() == 0 {
            return Some(b.clone());
        }
        let n = a.rank().max(b.rank());
        let at = |s: &Shape, i: usize| (i + s.rank()).checked_sub(n).map_or(1, |j| s[j]);
        let axis = |i| match (at(a, i), at(b, i)) {
            (x, y) if x == y || y == 1 => Some(x),
            (1, y) => Some(y),
            _ => None,
        };
        (0..n).map(axis).collect::<Option<Axes<usize>>>().map(|s| Shape::new(&s))
    }
    /// This shape with another size on one axis.
    pub fn with(&self, axis: usize, size: usize) -> Shape {
        let mut sizes = self.0.sizes.clone();
        sizes[axis] = size;
        Shape::new(&sizes)
    }
    /// This shape without one axis.
    pub fn without(&self, axis: usize) -> Shape {
        let mut sizes = self.0.sizes.clone();
        sizes.remove(axis);
        Shape::new(&sizes)
    }
    /// `(product of the sizes before axis, size, product after)`.
    pub fn around(&self, axis: usize) -> (usize, usize, usize) {
        (self[..axis].iter().product(), self[axis], self[axis + 1..].iter().product())
    }
    /// Strides of a row-major array of this shape, in elements.
    pub fn strides(&self) -> Axes<isize> {
        let mut strides: Axes<isize> = smallvec::smallvec![1; self.rank()];
        for i in (1..self.rank()).rev() {
            strides[i - 1] = strides[i] * self[i].max(1) as isize;
        }
        strides
    }
    /// The axis that `dim` names; negative counts from the end. A scalar accepts 0 and -1.
    pub fn axis(&self, dim: isize) -> Option<usize> {
        let rank = self.rank().max(1) as isize;
        let axis = if dim < 0 { dim + rank } else { dim };
        (0..rank).contains(&axis).then_some(axis as usize)
    }
}

impl PartialEq for Shape {
    #[inline]
    fn eq(&self, other: &Shape) -> bool {
        self.0.same(&other.0) || self.dims() == other.dims()
    }
}
impl Eq for Shape {}

impl PartialEq<[usize]> for Shape {
    fn eq(&self, other: &[usize]) -> bool {
        self.dims() == other
    }
}
impl<const N: usize> PartialEq<[usize; N]> for Shape {
    fn eq(&self, other: &[usize; N]) -> bool {
        self.dims() == other
    }
}
impl Deref for Shape {
    type Target = [usize];
    #[inline]
    fn deref(&self) -> &[usize] {
        &self.0.sizes
    }
}
impl fmt::Debug for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.dims())
    }
}
impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.dims())
    }
}
impl From<usize> for Shape {
    #[track_caller]
    fn from(v: usize) -> Self {
        Shape::new(&[v])
    }
}
impl<const N: usize> From<[usize; N]> for Shape {
    #[track_caller]
    fn from(v: [usize; N]) -> Self {
        Shape::new(&v)
    }
}
impl From<()> for Shape {
    fn from((): ()) -> Self {
        Shape::scalar()
    }
}
impl From<&[usize]> for Shape {
    #[track_caller]
    fn from(v: &[usize]) -> Self {
        Shape::new(v)
    }
}
impl From<Vec<usize>> for Shape {
    #[track_caller]
    fn from(v: Vec<usize>) -> Self {
        Shape::new(&v)
    }
}
impl From<&Shape> for Shape {
    fn from(v: &Shape) -> Self {
        v.clone()
    }
}
