//! The short way for small, contiguous f32 and f64 operands, where bookkeeping would cost more than the
//! arithmetic: no feeds, no tasks, no tiles.

use crate::kernels::element::{Lane, Map, Zip};
use crate::kernels::loops::{self, Operand};
use crate::storage::as_uninit;
use crate::{Array, DType, Element};

/// Elements at most; more than this takes longer than the driver.
const SMALL: usize = 1 << 10;

fn is_small(x: &Array) -> bool {
    x.is_whole() && x.numel() <= SMALL && matches!(x.dtype(), DType::F32 | DType::F64)
}

/// Is this a case for [`map`]? Asked by reference: an array that came back in a `Result` would move twice.
#[inline]
pub(super) fn maps(x: &Array) -> bool {
    is_small(x)
}

/// As `Array::map`.
#[inline]
pub(super) fn map<O: Map>(x: Array, op: O) -> Array {
    match x.dtype() {
        DType::F32 => map_lane::<O, f32>(x, op),
        _ => map_lane::<O, f64>(x, op),
    }
}

fn map_lane<O: Map, T: Lane + Element>(mut x: Array, op: O) -> Array {
    if let Some(own) = x.own_elements::<T>() {
        loops::map_in_place(op, own);
        return x;
    }
    Array::build::<T>(x.shape(), |y| loops::map(op, x.elements::<T>(), as_uninit(y)))
}

/// Is this a case for [`zip`]? Not if they broadcast otherwise than from a scalar.
#[inline]
pub(super) fn zips(a: &Array, b: &Array) -> bool {
    a.dtype() == b.dtype()
        && is_small(a)
        && is_small(b)
        && (a.rank() == 0 || b.rank() == 0 || a.shape() == b.shape())
}

/// As `Array::zip`.
#[inline]
pub(super) fn zip<O: Zip>(a: Array, b: Array, op: O) -> Array {
    match a.dtype() {
        DType::F32 => zip_lane::<O, f32>(a, b, op),
        _ => zip_lane::<O, f64>(a, b, op),
    }
}

/// All elements, or the one of a scalar beside something larger.
fn operand<'a, T: Lane + Element>(x: &'a Array, other: usize) -> Operand<'a, T> {
    let elements = x.elements::<T>();
    if x.rank() == 0 && other > 0 { Operand::Same(elements[0]) } else { Operand::Slice(elements) }
}

fn zip_lane<O: Zip, T: Lane + Element>(mut a: Array, mut b: Array, op: O) -> Array {
    let (left, right) = (a.rank(), b.rank());
    if left >= right
        && let Some(own) = a.own_elements::<T>()
    {
        loops::zip_into_a(op, own, operand(&b, left));
        return a;
    }
    if right >= left
        && let Some(own) = b.own_elements::<T>()
    {
        loops::zip_into_b(op, operand(&a, right), own);
        return b;
    }
    let shape = if left >= right { a.shape() } else { b.shape() };
    Array::build::<T>(shape, |y| {
        loops::zip(op, operand(&a, right), operand(&b, left), as_uninit(y))
    })
}
