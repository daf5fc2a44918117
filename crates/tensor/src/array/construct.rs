//! Making arrays from numbers.

use super::Array;
use crate::element::dispatch;
use crate::{DType, Element, Scalar, Shape};

impl Array {
    /// From elements in row-major order.
    ///
    /// ```
    /// use gradus_tensor::Array;
    /// assert_eq!(Array::new([2, 2], &[1_i64, 2, 3, 4]), Array::from([[1_i64, 2], [3, 4]]));
    /// ```
    /// # Panics
    /// If `data` does not fill `shape`.
    #[track_caller]
    pub fn new<T: Element>(shape: impl Into<Shape>, data: &[T]) -> Self {
        let (shape, n) = (shape.into(), data.len());
        assert!(shape.numel() == n, "Array::new: {n} elements do not fill {shape}");
        Array::build(shape, |out| out.copy_from_slice(data))
    }
    /// From numbers in row-major order, each rounded once to `dtype`.
    ///
    /// # Panics
    /// If `data` does not fill `shape`.
    #[track_caller]
    pub fn from_f64(shape: impl Into<Shape>, dtype: DType, data: &[f64]) -> Self {
        rounded(shape.into(), dtype, data)
    }
    /// Every element equal to `value` (`torch.full`).
    pub fn full(shape: impl Into<Shape>, value: impl Into<Scalar>, dtype: DType) -> Self {
        filled(shape.into(), value.into(), dtype)
    }
    /// Every element 0 (`torch.zeros`).
    pub fn zeros(shape: impl Into<Shape>, dtype: DType) -> Self {
        Array::full(shape, 0, dtype)
    }
    /// Every element 1 (`torch.ones`).
    pub fn ones(shape: impl Into<Shape>, dtype: DType) -> Self {
        Array::full(shape, 1, dtype)
    }
    /// Zeros in the shape and dtype of this array.
    pub fn zeros_like(&self) -> Self {
        Array::full(self.shape(), 0, self.dtype())
    }
    /// Ones in the shape and dtype of this array.
    pub fn ones_like(&self) -> Self {
        Array::full(self.shape(), 1, self.dtype())
    }
    /// A 0-dim array.
    pub fn scalar(value: impl Into<Scalar>, dtype: DType) -> Self {
        Array::full(Shape::scalar(), value, dtype)
    }
    /// `start, start + step, …` below `end` (`torch.arange`): `⌈(end − start)/step⌉` elements.
    ///
    /// ```
    /// use gradus_tensor::{Array, DType};
    /// assert_eq!(Array::arange(0, 10, 4, DType::I64).to_vec::<i64>(), [0, 4, 8]);
    /// ```
    /// # Panics
    /// If `step` is 0 or points away from `end`, or a bound is not finite.
    #[track_caller]
    pub fn arange(
        start: impl Into<Scalar>,
        end: impl Into<Scalar>,
        step: impl Into<Scalar>,
        dtype: DType,
    ) -> Self {
        range(start.into(), end.into(), step.into(), dtype)
    }
    /// The identity matrix `[n, n]` (`torch.eye`).
    pub fn eye(n: usize, dtype: DType) -> Self {
        dispatch!(dtype, T => Array::build::<T>([n, n], |out| {
            out.fill(T::default());
            out.iter_mut().step_by(n + 1).for_each(|o| *o = T::of(Scalar::Int(1)));
        }))
    }
}

// What takes a shape in any form hands it to one of these, which are compiled once.

fn filled(shape: Shape, value: Scalar, dtype: DType) -> Array {
    dispatch!(dtype, T => Array::build::<T>(shape, |out| out.fill(T::of(value))))
}

#[track_caller]
fn rounded(shape: Shape, dtype: DType, data: &[f64]) -> Array {
    let n = data.len();
    assert!(shape.numel() == n, "Array::from_f64: {n} elements do not fill {shape}");
    dispatch!(dtype, T => Array::build::<T>(shape, |out| {
        out.iter_mut().zip(data).for_each(|(o, &v)| *o = T::of(Scalar::Float(v)));
    }))
}

#[track_caller]
fn range(start: Scalar, end: Scalar, step: Scalar, dtype: DType) -> Array {
    let (s, e, d) = (start.to_f64(), end.to_f64(), step.to_f64());
    let count = ((e - s) / d).ceil();
    assert!(
        d != 0.0 && count.is_finite() && count >= 0.0,
        "arange: step {d} does not lead from {s} to {e}"
    );
    let value = |i: usize| match (start, step) {
        (Scalar::Int(s), Scalar::Int(d)) => Scalar::Int(s.wrapping_add(d.wrapping_mul(i as i64))),
        _ => Scalar::Float(s + d * i as f64),
    };
    dispatch!(dtype, T => Array::build::<T>(count as usize, |out| {
        out.iter_mut().enumerate().for_each(|(i, o)| *o = T::of(value(i)));
    }))
}

/// A 0-dim array.
impl<T: Element> From<T> for Array {
    fn from(v: T) -> Self {
        Array::new(Shape::scalar(), &[v])
    }
}
impl<T: Element> From<Vec<T>> for Array {
    fn from(v: Vec<T>) -> Self {
        Array::new(v.len(), &v)
    }
}
impl<T: Element> From<&[T]> for Array {
    fn from(v: &[T]) -> Self {
        Array::new(v.len(), v)
    }
}
impl<T: Element, const A: usize> From<[T; A]> for Array {
    fn from(v: [T; A]) -> Self {
        Array::new([A], &v)
    }
}
impl<T: Element, const A: usize, const B: usize> From<[[T; B]; A]> for Array {
    fn from(v: [[T; B]; A]) -> Self {
        Array::new([A, B], v.as_flattened())
    }
}
impl<T: Element, const A: usize, const B: usize, const C: usize> From<[[[T; C]; B]; A]> for Array {
    fn from(v: [[[T; C]; B]; A]) -> Self {
        Array::new([A, B, C], v.as_flattened().as_flattened())
    }
}
impl<T: Element, const A: usize, const B: usize, const C: usize, const D: usize>
    From<[[[[T; D]; C]; B]; A]> for Array
{
    fn from(v: [[[[T; D]; C]; B]; A]) -> Self {
        Array::new([A, B, C, D], v.as_flattened().as_flattened().as_flattened())
    }
}
