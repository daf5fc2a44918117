//! `y = (x is NaN)`

use super::compare::{Asked, Relation};
use super::prelude::*;

#[derive(Clone, Copy)]
struct IsNan;

impl Compare for IsNan {
    #[inline(always)]
    fn f<R: Real>(self, a: R, _: R) -> bool {
        a.is_nan()
    }
    #[inline(always)]
    fn int(self, _: i64, _: i64) -> bool {
        false
    }
}

impl Relation for IsNan {
    const NAME: &'static str = "isnan";
}

impl Tensor {
    /// Where an element is NaN, as `bool` (`torch.isnan`). The result is a constant.
    #[track_caller]
    pub fn isnan(&self) -> Tensor {
        Tensor::apply(Asked(IsNan), self)
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new(&[&[2, 3]], |x| x[0].isnan() * &x[0]),
        Case::new(&[&[]], |x| (&x[0] / 0.0).isnan()),
        Case::new(&[&[0, 2]], |x| x[0].isnan()),
    ]
}
