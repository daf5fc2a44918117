//! What an element-wise op is: a formula on one number, two, or three.

use super::dispatch::{self, Kernel};
use super::level::Level;
use super::loops::{Call, Kind, Loops};
use super::real::{Num, Real};
use std::fmt::Debug;

/// `y = f(x)` on one element. The op may carry parameters, such as the bounds of a clamp.
///
/// Mark the formulas `#[inline(always)]`: they are compiled into the loop of each level.
pub trait Map: Copy + Send + Sync + 'static {
    /// The formula.
    fn f<R: Real>(self, x: R) -> R;
    /// The formula on integers, if it has one.
    fn int(self, x: i64) -> i64 {
        let _ = x;
        no_integers::<Self>()
    }
}

/// A formula with another for rare elements.
pub trait Rare: Map {
    /// Whether [`Rare::rare`] takes the place of `f` at `x`. Such elements must be uncommon: a block that
    /// holds one is computed element by element.
    fn is_rare<R: Real>(self, x: R) -> bool;
    /// The formula for the elements that `f` does not serve; it may branch.
    fn rare<R: Real>(self, x: R) -> R;
}

/// `y = f(a, b)` on one pair of elements.
pub trait Zip: Copy + Send + Sync + 'static {
    /// The formula.
    fn f<R: Real>(self, a: R, b: R) -> R;
    /// The formula on integers, if it has one.
    fn int(self, a: i64, b: i64) -> i64 {
        let _ = (a, b);
        no_integers::<Self>()
    }
}

/// `y = f(a, b, c)` on one triple of elements.
pub trait Zip3: Copy + Send + Sync + 'static {
    /// The formula.
    fn f<R: Real>(self, a: R, b: R, c: R) -> R;
    /// The formula on integers, if it has one.
    fn int(self, a: i64, b: i64, c: i64) -> i64 {
        let _ = (a, b, c);
        no_integers::<Self>()
    }
}

/// A yes or no about one pair of elements.
pub trait Compare: Copy + Send + Sync + 'static {
    /// The formula.
    fn f<R: Real>(self, a: R, b: R) -> bool;
    /// The formula on integers.
    fn int(self, a: i64, b: i64) -> bool;
}

#[cold]
#[track_caller]
fn no_integers<O>() -> ! {
    panic!("{} is not defined for integers", std::any::type_name::<O>())
}

/// An element type that loops run over: `f32`, `f64` and `i64`.
pub trait Lane: Copy + Debug + Default + PartialOrd + Send + Sync + 'static {
    /// `op` on one element.
    fn map<O: Map, const FMA: bool>(op: O, x: Self) -> Self;
    /// [`Rare::is_rare`].
    fn is_rare<O: Rare>(op: O, x: Self) -> bool;
    /// [`Rare::rare`].
    fn map_rare<O: Rare, const FMA: bool>(op: O, x: Self) -> Self;
    /// `op` on one pair.
    fn zip<O: Zip, const FMA: bool>(op: O, a: Self, b: Self) -> Self;
    /// `op` on one triple.
    fn zip3<O: Zip3, const FMA: bool>(op: O, a: Self, b: Self, c: Self) -> Self;
    /// `op` on one pair.
    fn compare<O: Compare, const FMA: bool>(op: O, a: Self, b: Self) -> bool;
    /// Runs a loop with the instructions of `level`; integer loops exist for the baseline only.
    #[doc(hidden)]
    fn run_at<K: Kernel>(level: Level, kernel: K) -> K::Output;
    /// The loop of `f` over this lane.
    ///
    /// # Safety
    ///
    /// As [`Loops::f32s`].
    #[doc(hidden)]
    unsafe fn run_loop<K: Kind>(f: &dyn Loops<K>, call: &Call<Self, K>);
}

macro_rules! float_lane {
    ($($T:ident: $loops:ident $run_at:ident)*) => {$(
        impl Lane for $T {
            #[inline(always)]
            fn map<O: Map, const FMA: bool>(op: O, x: $T) -> $T {
                op.f(Num::<$T, FMA>(x)).0
            }
            #[inline(always)]
            fn is_rare<O: Rare>(op: O, x: $T) -> bool {
                op.is_rare(Num::<$T, false>(x))
            }
            #[inline(always)]
            fn map_rare<O: Rare, const FMA: bool>(op: O, x: $T) -> $T {
                op.rare(Num::<$T, FMA>(x)).0
            }
            #[inline(always)]
            fn zip<O: Zip, const FMA: bool>(op: O, a: $T, b: $T) -> $T {
                op.f(Num::<$T, FMA>(a), Num(b)).0
            }
            #[inline(always)]
            fn zip3<O: Zip3, const FMA: bool>(op: O, a: $T, b: $T, c: $T) -> $T {
                op.f(Num::<$T, FMA>(a), Num(b), Num(c)).0
            }
            #[inline(always)]
            fn compare<O: Compare, const FMA: bool>(op: O, a: $T, b: $T) -> bool {
                op.f(Num::<$T, FMA>(a), Num(b))
            }
            #[inline]
            fn run_at<K: Kernel>(level: Level, kernel: K) -> K::Output {
                dispatch::$run_at(level, kernel)
            }
            #[inline]
            unsafe fn run_loop<K: Kind>(f: &dyn Loops<K>, call: &Call<$T, K>) {
                // SAFETY: the caller's.
                unsafe { f.$loops(call) }
            }
        }
    )*};
}
float_lane!(f32: f32s run_at f64: f64s run_narrow_at);

impl Lane for i64 {
    #[inline(always)]
    fn map<O: Map, const FMA: bool>(op: O, x: i64) -> i64 {
        op.int(x)
    }
    #[inline(always)]
    fn is_rare<O: Rare>(_: O, _: i64) -> bool {
        false
    }
    #[inline(always)]
    fn map_rare<O: Rare, const FMA: bool>(op: O, x: i64) -> i64 {
        op.int(x)
    }
    #[inline(always)]
    fn zip<O: Zip, const FMA: bool>(op: O, a: i64, b: i64) -> i64 {
        op.int(a, b)
    }
    #[inline(always)]
    fn zip3<O: Zip3, const FMA: bool>(op: O, a: i64, b: i64, c: i64) -> i64 {
        op.int(a, b, c)
    }
    #[inline(always)]
    fn compare<O: Compare, const FMA: bool>(op: O, a: i64, b: i64) -> bool {
        op.int(a, b)
    }
    #[inline]
    fn run_at<K: Kernel>(_level: Level, kernel: K) -> K::Output {
        kernel.run::<false>()
    }
    #[inline]
    unsafe fn run_loop<K: Kind>(f: &dyn Loops<K>, call: &Call<i64, K>) {
        // SAFETY: the caller's.
        unsafe { f.i64s(call) }
    }
}
