//! `y = min(a, b)`, element by element, broadcasting.

use super::maximum::{ShareOfWinner, share_of_winner};
use super::prelude::*;

#[derive(Clone, Copy)]
struct Minimum;

impl Zip for Minimum {
    #[inline(always)]
    fn f<R: Real>(self, a: R, b: R) -> R {
        a.minimum(b)
    }
    #[inline(always)]
    fn int(self, a: i64, b: i64) -> i64 {
        a.min(b)
    }
}

impl Op for Minimum {
    const NAME: &'static str = "minimum";
    const AUTOCAST: Autocast = Autocast::Widest;
    type In<T> = [T; 2];
    type Out<T> = T;

    fn infer(&self, [a, b]: [&Meta; 2]) -> Result<Meta, OpError> {
        broadcast(a, b)
    }
    fn forward(&self, [a, b]: [Array; 2], save: &mut Save<'_>) -> Array {
        save.cache(0, &a);
        save.cache(1, &b);
        a.zip(b, Minimum)
    }
    /// `ā = ȳ` where `a < b`, half of it where `a = b`, else 0; all of it beside NaN.
    fn vjp(&self, saved: &Saved<'_>, g: Tensor) -> [Option<Tensor>; 2] {
        share_of_winner(saved, &g, ShareOfWinner::<false>)
    }
}

impl Tensor {
    /// The smaller of every pair, broadcasting (`torch.minimum`). NaN wins; a tie shares the gradient
    /// equally.
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn minimum(&self, other: &Tensor) -> Tensor {
        must(self.try_minimum(other))
    }
    /// As [`Tensor::minimum`].
    ///
    /// # Errors
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn try_minimum(&self, other: &Tensor) -> Result<Tensor, OpError> {
        Tensor::try_apply(Minimum, [self, other])
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new(&[&[2, 3], &[2, 3]], |x| x[0].minimum(&x[1])),
        Case::new(&[&[2, 3], &[3]], |x| x[0].minimum(&x[1]) * &x[0]),
        Case::new(&[&[2, 1], &[3]], |x| x[0].minimum(&x[1])),
        Case::new(&[&[], &[2, 0]], |x| x[0].minimum(&x[1])),
        Case::new(&[&[3]], |x| x[0].minimum(&x[0])),
    ]
}
