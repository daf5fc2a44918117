//! The element-wise formulas that tensor rules and whole-model optimizers share.

use gradus_tensor::kernels::element::{Map, Zip};
use gradus_tensor::kernels::real::Real;
use gradus_tensor::kernels::update::lerp;

/// `0`, for NaN too.
#[derive(Clone, Copy)]
pub(crate) struct Zero;

/// `c·x`
#[derive(Clone, Copy)]
pub(crate) struct Times(pub(crate) f64);

/// `x²`
#[derive(Clone, Copy)]
pub(crate) struct Square;

/// `max(x, c)`
#[derive(Clone, Copy)]
pub(crate) struct AtLeast(pub(crate) f64);

/// `a/b`
#[derive(Clone, Copy)]
pub(crate) struct Over;

/// `a·b`
#[derive(Clone, Copy)]
pub(crate) struct Product;

/// `a + c·(b − a)`
#[derive(Clone, Copy)]
pub(crate) struct Lerp(pub(crate) f64);

/// `a + c·b`
#[derive(Clone, Copy)]
pub(crate) struct Plus(pub(crate) f64);

/// `p·a + q·b`
#[derive(Clone, Copy)]
pub(crate) struct Both(pub(crate) f64, pub(crate) f64);

impl Map for Zero {
    #[inline(always)]
    fn f<R: Real>(self, _: R) -> R {
        R::of(0.0)
    }
}

impl Map for Times {
    #[inline(always)]
    fn f<R: Real>(self, x: R) -> R {
        R::of(self.0) * x
    }
}

impl Map for Square {
    #[inline(always)]
    fn f<R: Real>(self, x: R) -> R {
        x * x
    }
}

impl Map for AtLeast {
    #[inline(always)]
    fn f<R: Real>(self, x: R) -> R {
        x.maximum(R::of(self.0))
    }
}

impl Zip for Over {
    #[inline(always)]
    fn f<R: Real>(self, a: R, b: R) -> R {
        a / b
    }
}

impl Zip for Product {
    #[inline(always)]
    fn f<R: Real>(self, a: R, b: R) -> R {
        a * b
    }
}

impl Zip for Lerp {
    #[inline(always)]
    fn f<R: Real>(self, a: R, b: R) -> R {
        lerp(a, b, self.0)
    }
}

impl Zip for Plus {
    #[inline(always)]
    fn f<R: Real>(self, a: R, b: R) -> R {
        R::of(self.0).mul_add(b, a)
    }
}

impl Zip for Both {
    #[inline(always)]
    fn f<R: Real>(self, a: R, b: R) -> R {
        R::of(self.0).mul_add(a, R::of(self.1) * b)
    }
}
