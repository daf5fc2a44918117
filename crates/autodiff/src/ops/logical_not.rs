//! `y = (x = 0)`

use super::compare::{Asked, Relation};
use super::prelude::*;

#[derive(Clone, Copy)]
struct LogicalNot;

impl Compare for LogicalNot {
    #[inline(always)]
    fn f<R: Real>(self, a: R, _: R) -> bool {
        a == R::of(0.0)
    }
    #[inline(always)]
    fn int(self, a: i64, _: i64) -> bool {
        a == 0
    }
}

impl Relation for LogicalNot {
    const NAME: &'static str = "logical_not";
}

impl Tensor {
    /// Where an element is 0 or `false`, as `bool` (`torch.logical_not`). The result is a constant.
    #[track_caller]
    pub fn logical_not(&self) -> Tensor {
        Tensor::apply(Asked(LogicalNot), self)
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new(&[&[2, 3]], |x| x[0].logical_not() * &x[0]),
        Case::new(&[&[]], |x| (&x[0] / 0.0).logical_not()),
        Case::new(&[&[0, 2]], |x| x[0].logical_not()),
    ]
}
