//! The element-wise formulas that tensor rules and whole-model optimizers share.
//!
//! A formula costs compile time at each instruction level, so there are few; [`sum`] and [`toward`] run as the
//! steps of element rules do, which costs least.

use crate::fused;
use gradus_tensor::Array;
use gradus_tensor::kernels::element::{Map, Zip};
use gradus_tensor::kernels::real::Real;
use gradus_tensor::kernels::update::{Update, lerp};

/// `c·x`
#[derive(Clone, Copy)]
pub(crate) struct Times(pub(crate) f64);

/// `a·b`
#[derive(Clone, Copy)]
pub(crate) struct Product;

impl Map for Times {
    #[inline(always)]
    fn f<R: Real>(self, x: R) -> R {
        R::of(self.0) * x
    }
}

impl Zip for Product {
    #[inline(always)]
    fn f<R: Real>(self, a: R, b: R) -> R {
        a * b
    }
}

/// `p·a + q·b` in the place of `a`, rounded as `fma(q, b, p·a)`, for arrays of one shape and type: f32 or f64.
pub(crate) fn sum(p: f64, mut a: Array, q: f64, mut b: Array) -> Array {
    fused::pass(&Sum(p, q), &mut a, &mut b, fused::StateArrays::default());
    a
}

/// `a + c·(b − a)` in the place of `a`, for arrays as [`sum`] takes them.
pub(crate) fn toward(mut a: Array, mut b: Array, c: f64) -> Array {
    fused::pass(&Toward(c), &mut a, &mut b, fused::StateArrays::default());
    a
}

#[derive(Clone, Copy)]
struct Sum(f64, f64);

impl Update for Sum {
    type State<R: Real> = [R; 0];
    #[inline(always)]
    fn f<R: Real>(self, a: R, b: R, _: &mut [R; 0]) -> R {
        R::of(self.1).mul_add(b, R::of(self.0) * a)
    }
}

#[derive(Clone, Copy)]
struct Toward(f64);

impl Update for Toward {
    type State<R: Real> = [R; 0];
    #[inline(always)]
    fn f<R: Real>(self, a: R, b: R, _: &mut [R; 0]) -> R {
        lerp(a, b, self.0)
    }
}
