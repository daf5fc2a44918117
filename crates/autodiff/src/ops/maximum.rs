//! `y = max(a, b)`, element by element, broadcasting.

use super::prelude::*;

#[derive(Clone, Copy)]
struct Maximum;

impl Zip for Maximum {
    #[inline(always)]
    fn f<R: Real>(self, a: R, b: R) -> R {
        a.maximum(b)
    }
    #[inline(always)]
    fn int(self, a: i64, b: i64) -> i64 {
        a.max(b)
    }
}

impl Op for Maximum {
    const NAME: &'static str = "maximum";
    const AUTOCAST: Autocast = Autocast::Widest;
    type In<T> = [T; 2];
    type Out<T> = T;

    fn infer(&self, [a, b]: [&Meta; 2]) -> Result<Meta, OpError> {
        broadcast(a, b)
    }
    fn forward(&self, [a, b]: [Array; 2], save: &mut Save<'_>) -> Array {
        save.cache(0, &a);
        save.cache(1, &b);
        a.zip(b, Maximum)
    }
    /// `ā = ȳ` where `a > b`, half of it where `a = b`, else 0; all of it beside NaN.
    fn vjp(&self, saved: &Saved<'_>, g: Tensor) -> [Option<Tensor>; 2] {
        share_of_winner(saved, &g, ShareOfWinner::<true>)
    }
}

/// `(ȳ, a, b) -> what a gets` of the gradient of the larger (or smaller) of `a` and `b`.
#[derive(Clone, Copy)]
pub(super) struct ShareOfWinner<const LARGER: bool>;

impl<const LARGER: bool> Zip3 for ShareOfWinner<LARGER> {
    #[inline(always)]
    fn f<R: Real>(self, g: R, a: R, b: R) -> R {
        let lost = if LARGER { a < b } else { a > b };
        R::select(lost, R::of(0.0), R::select(a == b, g * R::of(0.5), g))
    }
}

impl<const LARGER: bool> Op for ShareOfWinner<LARGER> {
    const NAME: &'static str = if LARGER { "maximum_backward" } else { "minimum_backward" };
    const AUTOCAST: Autocast = Autocast::Input;
    type In<T> = [T; 3];
    type Out<T> = T;

    fn infer(&self, [g, a, b]: [&Meta; 3]) -> Result<Meta, OpError> {
        broadcast(g, &broadcast(a, b)?)
    }
    fn forward(&self, [g, a, b]: [Array; 3], save: &mut Save<'_>) -> Array {
        save.cache(0, &a);
        save.cache(1, &b);
        g.zip3(a, b, *self)
    }
    /// `ḡ`: shared the same way; the operands only decide.
    fn vjp(&self, saved: &Saved<'_>, u: Tensor) -> [Option<Tensor>; 3] {
        let [a, b] = [0, 1].map(|i| Tensor::new(saved.cache(i).clone()));
        [Some(Tensor::apply(*self, [u, a, b])), None, None]
    }
}

/// The rule of `maximum` and `minimum`.
pub(super) fn share_of_winner<const LARGER: bool>(
    saved: &Saved<'_>,
    g: &Tensor,
    op: ShareOfWinner<LARGER>,
) -> [Option<Tensor>; 2] {
    let [a, b] = [0, 1].map(|i| Tensor::new(saved.cache(i).clone()));
    [
        saved.need(0).then(|| Tensor::apply(op, [g, &a, &b])),
        saved.need(1).then(|| Tensor::apply(op, [g, &b, &a])),
    ]
}

impl Tensor {
    /// The larger of every pair, broadcasting (`torch.maximum`). NaN wins; a tie shares the gradient
    /// equally.
    ///
    /// ```
    /// use gradus_autodiff::Tensor;
    /// let y = Tensor::from([1.0, 5.0]).maximum(&Tensor::from([3.0, 2.0]));
    /// assert_eq!(y.to_vec::<f64>(), [3.0, 5.0]);
    /// ```
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn maximum(&self, other: &Tensor) -> Tensor {
        must(self.try_maximum(other))
    }
    /// As [`Tensor::maximum`].
    ///
    /// # Errors
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn try_maximum(&self, other: &Tensor) -> Result<Tensor, OpError> {
        Tensor::try_apply(Maximum, [self, other])
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new(&[&[2, 3], &[2, 3]], |x| x[0].maximum(&x[1])),
        Case::new(&[&[2, 3], &[3]], |x| x[0].maximum(&x[1]) * &x[0]),
        Case::new(&[&[2, 1], &[3]], |x| x[0].maximum(&x[1])),
        Case::new(&[&[], &[2, 0]], |x| x[0].maximum(&x[1])),
        Case::new(&[&[3]], |x| x[0].maximum(&x[0])),
    ]
}
