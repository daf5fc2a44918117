//! Formulas over whole arrays: broadcasting, dtypes, strides, threads. The loops are in `kernels/`.
//!
//! Only contiguous f32, f64 and i64 loops are compiled for each formula. Everything else — half types,
//! `u8`, `bool`, odd strides, broadcast axes — passes through tiles that fit the first-level cache
//! (`drive.rs`).

mod drive;
mod feed;
mod small;
mod stored;

use crate::element::dispatch;
use crate::kernels::element::{Compare, Map, Zip, Zip3};
use crate::kernels::loops::{self, Operand};
use crate::{Array, DType, Shape};
use drive::{in_place, produce};
use std::mem::MaybeUninit;

/// `shape` of a result, and a panic for what the caller should have checked.
#[track_caller]
fn common(a: &Array, b: &Array) -> Shape {
    assert!(a.dtype() == b.dtype(), "operands of {} and {}: promote first", a.dtype(), b.dtype());
    match Shape::broadcast(a.shape(), b.shape()) {
        Some(shape) => shape,
        None => panic!("operands {} and {} do not broadcast", a.meta(), b.meta()),
    }
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
        if small::maps(&self) {
            return small::map(self, op);
        }
        let mut this = self;
        let shape = this.shape().clone();
        dispatch!(this.dtype(), S => {
            if in_place::<S>(&mut this, &[], &|x, _| loops::map_in_place(op, x)) {
                return this;
            }
            produce::<S>(&[this], &shape, &|x, y| match x[0] {
                Operand::Slice(x) => loops::map(op, x, y),
                Operand::Same(x) => {
                    let mut one = [x];
                    loops::map_in_place(op, &mut one);
                    y.to.fill(MaybeUninit::new(one[0]));
                }
            })
        })
    }
    /// `op` of every pair of elements, broadcasting; in place of an operand that is given up and large
    /// enough.
    ///
    /// # Panics
    /// If dtypes differ or shapes do not broadcast.
    #[track_caller]
    pub fn zip<O: Zip>(self, rhs: Array, op: O) -> Array {
        if small::zips(&self, &rhs) {
            return small::zip(self, rhs, op);
        }
        let (mut this, mut rhs) = (self, rhs);
        let shape = common(&this, &rhs);
        dispatch!(this.dtype(), S => {
            if *this.shape() == shape {
                let other = std::slice::from_ref(&rhs);
                if in_place::<S>(&mut this, other, &|a, b| loops::zip_into_a(op, a, b[0])) {
                    return this;
                }
            }
            if *rhs.shape() == shape {
                let other = std::slice::from_ref(&this);
                if in_place::<S>(&mut rhs, other, &|b, a| loops::zip_into_b(op, a[0], b)) {
                    return rhs;
                }
            }
            produce::<S>(&[this, rhs], &shape, &|x, y| loops::zip(op, x[0], x[1], y))
        })
    }
    /// `op` of every triple of elements, broadcasting; in place of the first if it is given up.
    ///
    /// # Panics
    /// If dtypes differ or shapes do not broadcast.
    #[track_caller]
    pub fn zip3<O: Zip3>(mut self, b: Array, c: Array, op: O) -> Array {
        let two = common(&self, &b);
        let shape = match Shape::broadcast(&two, c.shape()) {
            Some(shape) if c.dtype() == self.dtype() => shape,
            _ => panic!("operands {two} and {} do not fit", c.meta()),
        };
        dispatch!(self.dtype(), S => {
            let rest = [b, c];
            if *self.shape() == shape
                && in_place::<S>(&mut self, &rest, &|a, x| loops::zip3_into_a(op, a, x[0], x[1]))
            {
                return self;
            }
            let [b, c] = rest;
            produce::<S>(&[self, b, c], &shape, &|x, y| loops::zip3(op, x[0], x[1], x[2], y))
        })
    }
    /// `op` of every pair of elements as a `bool` array, broadcasting.
    ///
    /// # Panics
    /// If dtypes differ or shapes do not broadcast.
    #[track_caller]
    pub fn compare<O: Compare>(self, rhs: Array, op: O) -> Array {
        let shape = common(&self, &rhs);
        dispatch!(self.dtype(), S => drive::judge::<S>(&[self, rhs], &shape, &|x, y| {
            loops::compare(op, x[0], x[1], y);
        }))
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
