//! Which type an element is computed in, and the conversions.

use crate::kernels::convert::{Convert, Value, convert};
use crate::kernels::element::Lane;
use crate::storage::{Plain, as_uninit};
use crate::{Array, Element, Shape, threads};
use half::{bf16, f16};

/// An element type with the type its formulas run in: itself for f32, f64 and i64, f32 for the half
/// types, i64 for `u8` and `bool`.
pub(super) trait Stored: Element {
    /// The type of the loops.
    type Lane: Lane + Element + Plain;
    /// Is it computed in itself?
    const DIRECT: bool = false;
    /// The same elements, if it is computed in itself.
    fn as_lane(x: &[Self]) -> Option<&[Self::Lane]> {
        let _ = x;
        None
    }
    /// The same elements for writing, if it is computed in itself.
    fn as_lane_mut(x: &mut [Self]) -> Option<&mut [Self::Lane]> {
        let _ = x;
        None
    }
    /// One element, for the loops.
    fn to_lane(self) -> Self::Lane {
        Self::Lane::of(self.scalar())
    }
    /// Convert for the loops.
    fn widen(x: &[Self], y: &mut [Self::Lane]) {
        x.iter().zip(y).for_each(|(&x, y)| *y = x.to_lane());
    }
    /// Convert back.
    fn narrow(x: &[Self::Lane], y: &mut [Self]) {
        x.iter().zip(y).for_each(|(&x, y)| *y = Self::of(x.scalar()));
    }
}

macro_rules! direct {
    ($($T:ty),*) => {$(
        impl Stored for $T {
            type Lane = $T;
            const DIRECT: bool = true;
            fn as_lane(x: &[$T]) -> Option<&[$T]> {
                Some(x)
            }
            fn as_lane_mut(x: &mut [$T]) -> Option<&mut [$T]> {
                Some(x)
            }
        }
    )*};
}
direct!(f32, f64, i64);

/// The half types convert by vector kernels.
macro_rules! half_tiles {
    () => {
        fn widen(x: &[Self], y: &mut [f32]) {
            convert(x, as_uninit(y));
        }
        fn narrow(x: &[f32], y: &mut [Self]) {
            convert(x, as_uninit(y));
        }
    };
}

impl Stored for f16 {
    type Lane = f32;
    half_tiles!();
}
impl Stored for bf16 {
    type Lane = f32;
    half_tiles!();
}
impl Stored for u8 {
    type Lane = i64;
}
impl Stored for bool {
    type Lane = i64;
}

/// Elements of one task of a cast.
const CHUNK: usize = 32 << 10;
/// Serial nanoseconds for each element of a cast.
const NS_PER_ELEMENT: f64 = 0.5;

/// Every element converted.
pub(super) fn cast<S: Element + Convert<D>, D: Element + Value>(x: &Array, shape: &Shape) -> Array {
    let from = x.read::<S>();
    Array::build::<D>(shape, |out| {
        let part = |i: usize, out: &mut [D]| {
            let from = &from[i * CHUNK..i * CHUNK + out.len()];
            convert(from, as_uninit(out));
        };
        threads::run_chunks(out, CHUNK, shape.numel() as f64 * NS_PER_ELEMENT, &part);
    })
}
