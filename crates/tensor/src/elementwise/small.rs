//! The short way for small, contiguous f32 and f64 operands, where bookkeeping would cost more than the
//! arithmetic: no feeds, no tasks, no tiles.

use crate::kernels::element::Lane;
use crate::kernels::level::level;
use crate::kernels::loops::{self, Loops, Numbers, Operand};
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
pub(super) fn map(x: Array, f: &dyn Loops<Numbers>) -> Array {
    match x.dtype() {
        DType::F32 => map_lane::<f32>(x, f),
        _ => map_lane::<f64>(x, f),
    }
}

fn map_lane<T: Lane + Element>(mut x: Array, f: &dyn Loops<Numbers>) -> Array {
    if let Some(own) = x.own_elements::<T>() {
        loops::update(f, own, 0, &[]);
        return x;
    }
    Array::build::<T>(x.shape(), |y| {
        loops::run(level(), f, &[x.elements::<T>().into()], as_uninit(y).into())
    })
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
pub(super) fn zip(a: Array, b: Array, f: &dyn Loops<Numbers>) -> Array {
    match a.dtype() {
        DType::F32 => zip_lane::<f32>(a, b, f),
        _ => zip_lane::<f64>(a, b, f),
    }
}

/// All elements, or the one of a scalar beside something larger.
fn operand<'a, T: Lane + Element>(x: &'a Array, other: usize) -> Operand<'a, T> {
    let elements = x.elements::<T>();
    if x.rank() == 0 && other > 0 { Operand::Same(elements[0]) } else { Operand::Slice(elements) }
}

fn zip_lane<T: Lane + Element>(mut a: Array, mut b: Array, f: &dyn Loops<Numbers>) -> Array {
    let (left, right) = (a.rank(), b.rank());
    if left >= right
        && let Some(own) = a.own_elements::<T>()
    {
        loops::update(f, own, 0, &[operand(&b, left)]);
        return a;
    }
    if right >= left
        && let Some(own) = b.own_elements::<T>()
    {
        loops::update(f, own, 1, &[operand(&a, right)]);
        return b;
    }
    let shape = if left >= right { a.shape() } else { b.shape() };
    Array::build::<T>(shape, |y| {
        let operands = [operand(&a, right), operand(&b, left)];
        loops::run(level(), f, &operands, as_uninit(y).into());
    })
}
