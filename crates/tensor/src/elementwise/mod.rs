//! Formulas over whole arrays: broadcasting, dtypes, strides, threads. The loops are in `kernels/`.
//!
//! Only contiguous f32, f64 and i64 loops are compiled for each formula. Everything else — half types,
//! `u8`, `bool`, odd strides, broadcast axes — passes through tiles that fit the first-level cache
//! (`drive.rs`).
//!
//! A formula is behind `dyn Loops` from the start: all of this is compiled once, and of each formula its loops.

mod drive;
mod feed;
mod small;
mod stored;

use crate::element::dispatch;
use crate::kernels::element::{Compare, Map, Rare, Zip, Zip3};
use crate::kernels::loops::{
    Answers, Loops, Numbers, compared, mapped, mapped_rare, zipped, zipped3,
};
use crate::{Array, DType, Shape};
use drive::{in_place, judge, produce};
use std::slice;

/// `shape` of a result, and a panic for what the caller should have checked.
#[track_caller]
fn common(a: &Array, b: &Array) -> Shape {
    assert!(a.dtype() == b.dtype(), "operands of {} and {}: promote first", a.dtype(), b.dtype());
    match Shape::broadcast(a.shape(), b.shape()) {
        Some(shape) => shape,
        None => panic!("operands {} and {} do not broadcast", a.meta(), b.meta()),
    }
}

/// `f` of every element.
#[track_caller]
fn map(mut x: Array, f: &dyn Loops<Numbers>) -> Array {
    if small::maps(&x) {
        return small::map(x, f);
    }
    let shape = x.shape().clone();
    dispatch!(x.dtype(), S => {
        if in_place::<S>(&mut x, f, 0, &[]) {
            return x;
        }
        produce::<S>(&[x], &shape, f)
    })
}

/// `f` of every pair of elements.
#[track_caller]
fn zip(mut a: Array, mut b: Array, f: &dyn Loops<Numbers>) -> Array {
    if small::zips(&a, &b) {
        return small::zip(a, b, f);
    }
    let shape = common(&a, &b);
    dispatch!(a.dtype(), S => {
        if *a.shape() == shape && in_place::<S>(&mut a, f, 0, slice::from_ref(&b)) {
            return a;
        }
        if *b.shape() == shape && in_place::<S>(&mut b, f, 1, slice::from_ref(&a)) {
            return b;
        }
        produce::<S>(&[a, b], &shape, f)
    })
}

/// `f` of every triple of elements.
#[track_caller]
fn zip3(mut a: Array, b: Array, c: Array, f: &dyn Loops<Numbers>) -> Array {
    let two = common(&a, &b);
    let shape = match Shape::broadcast(&two, c.shape()) {
        Some(shape) if c.dtype() == a.dtype() => shape,
        _ => panic!("operands {two} and {} do not fit", c.meta()),
    };
    dispatch!(a.dtype(), S => {
        let rest = [b, c];
        if *a.shape() == shape && in_place::<S>(&mut a, f, 0, &rest) {
            return a;
        }
        let [b, c] = rest;
        produce::<S>(&[a, b, c], &shape, f)
    })
}

/// `f` of every pair of elements, a yes or no.
#[track_caller]
fn compare(a: Array, b: Array, f: &dyn Loops<Answers>) -> Array {
    let shape = common(&a, &b);
    dispatch!(a.dtype(), S => judge::<S>(&[a, b], &shape, f))
}

impl Array {
    /// `op` of every element; in place if `self` is the only handle on its elements.
    ///
    /// Half types compute in f32, `u8` and `bool` in i64.
    ///
    /// # Panics
    /// If the dtype is not floating point and `op` has no formula for integers.
    #[track_caller]
    pub fn map<O: Map>(self, op: O) -> Array {
        map(self, &mapped(op))
    }
    /// As [`Array::map`], with the other formula of `op` for rare elements.
    ///
    /// # Panics
    /// As [`Array::map`].
    #[track_caller]
    pub fn map_rare<O: Rare>(self, op: O) -> Array {
        map(self, &mapped_rare(op))
    }
    /// `op` of every pair of elements, broadcasting; in place of an operand that is given up and large
    /// enough.
    ///
    /// # Panics
    /// If dtypes differ or shapes do not broadcast.
    #[track_caller]
    pub fn zip<O: Zip>(self, rhs: Array, op: O) -> Array {
        zip(self, rhs, &zipped(op))
    }
    /// `op` of every triple of elements, broadcasting; in place of the first if it is given up.
    ///
    /// # Panics
    /// If dtypes differ or shapes do not broadcast.
    #[track_caller]
    pub fn zip3<O: Zip3>(self, b: Array, c: Array, op: O) -> Array {
        zip3(self, b, c, &zipped3(op))
    }
    /// `op` of every pair of elements as a `bool` array, broadcasting.
    ///
    /// # Panics
    /// If dtypes differ or shapes do not broadcast.
    #[track_caller]
    pub fn compare<O: Compare>(self, rhs: Array, op: O) -> Array {
        compare(self, rhs, &compared(op))
    }
    /// Every element converted to `dtype` by PyTorch's cast rules; the same array if it has it already.
    pub fn cast(self, dtype: DType) -> Array {
        if self.dtype() == dtype {
            return self;
        }
        let shape = self.shape().clone();
        dispatch!(self.dtype(), S => dispatch!(dtype, D => stored::cast::<S, D>(&self, &shape)))
    }
}
