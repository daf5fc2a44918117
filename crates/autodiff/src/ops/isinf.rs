//! `y = (|x| = ∞)`

use super::compare::{Asked, Relation};
use super::prelude::*;

#[derive(Clone, Copy)]
struct IsInf;

impl Compare for IsInf {
    #[inline(always)]
    fn f<R: Real>(self, a: R, _: R) -> bool {
        a.abs() == R::of(f64::INFINITY)
    }
    #[inline(always)]
    fn int(self, _: i64, _: i64) -> bool {
        false
    }
}

impl Relation for IsInf {
    const NAME: &'static str = "isinf";
}

impl Tensor {
    /// Where an element is ∞ or −∞, as `bool` (`torch.isinf`). The result is a constant.
    #[track_caller]
    pub fn isinf(&self) -> Tensor {
        Tensor::apply(Asked(IsInf), self)
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new(&[&[2, 3]], |x| x[0].isinf() * &x[0]),
        Case::new(&[&[]], |x| (&x[0] / 0.0).isinf()),
        Case::new(&[&[0, 2]], |x| x[0].isinf()),
    ]
}
