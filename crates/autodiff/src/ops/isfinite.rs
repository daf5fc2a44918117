//! `y = (x is neither ±∞ nor NaN)`

use super::compare::{Asked, Relation};
use super::prelude::*;

#[derive(Clone, Copy)]
struct IsFinite;

impl Compare for IsFinite {
    #[inline(always)]
    fn f<R: Real>(self, a: R, _: R) -> bool {
        a.abs() < R::of(f64::INFINITY)
    }
    #[inline(always)]
    fn int(self, _: i64, _: i64) -> bool {
        true
    }
}

impl Relation for IsFinite {
    const NAME: &'static str = "isfinite";
}

impl Tensor {
    /// Where an element is neither ±∞ nor NaN, as `bool` (`torch.isfinite`). The result is a constant.
    #[track_caller]
    pub fn isfinite(&self) -> Tensor {
        Tensor::apply(Asked(IsFinite), self)
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new(&[&[2, 3]], |x| x[0].isfinite() * &x[0]),
        Case::new(&[&[]], |x| (&x[0] / 0.0).isfinite()),
        Case::new(&[&[0, 2]], |x| x[0].isfinite()),
    ]
}
