//! `a = b`, `a ≠ b`, `a < b`, `a ≤ b`, `a > b`, `a ≥ b` as truth values, broadcasting.

use super::prelude::*;

/// A comparison with the name that errors show.
pub(super) trait Relation: Compare {
    const NAME: &'static str;
}

/// A relation of two tensors as an op.
struct Compared<C>(C);

impl<C: Relation> Op for Compared<C> {
    const NAME: &'static str = C::NAME;
    const AUTOCAST: Autocast = Autocast::Widest;
    type In<T> = [T; 2];
    type Out<T> = T;

    fn infer(&self, [a, b]: [&Meta; 2]) -> Result<Meta, OpError> {
        Ok(broadcast(a, b)?.with_dtype(DType::Bool))
    }
    /// The result is a constant, as in PyTorch: truth values have no derivative.
    fn forward(&self, [a, b]: [Array; 2], save: &mut Save<'_>) -> Array {
        save.constant(0);
        a.compare(b, self.0)
    }
    fn vjp(&self, _: &Saved<'_>, _: Tensor) -> [Option<Tensor>; 2] {
        [None, None]
    }
}

/// A question about every element of one tensor, as an op; the relation reads its first operand.
pub(super) struct Asked<C>(pub(super) C);

impl<C: Relation> Op for Asked<C> {
    const NAME: &'static str = C::NAME;
    const AUTOCAST: Autocast = Autocast::Input;
    type In<T> = T;
    type Out<T> = T;

    fn infer(&self, x: &Meta) -> Result<Meta, OpError> {
        Ok(x.with_dtype(DType::Bool))
    }
    /// The result is a constant, as in PyTorch: truth values have no derivative.
    fn forward(&self, x: Array, save: &mut Save<'_>) -> Array {
        save.constant(0);
        x.clone().compare(x, self.0)
    }
    fn vjp(&self, saved: &Saved<'_>, _: Tensor) -> Tensor {
        Tensor::new(Array::zeros(saved.shape(0), saved.dtype(0)))
    }
}

/// `relations! { Lt, lt, try_lt, "a < b", |a, b| a < b; }` makes the op and its two methods:
///
/// ```text
/// struct Lt;   impl Compare for Lt { … }   impl Relation for Lt { … }
/// impl Tensor { pub fn lt(&self, …) -> Tensor   pub fn try_lt(&self, …) -> Result<Tensor, OpError> }
/// ```
macro_rules! relations {
    ($($Op:ident, $name:ident, $try:ident, $formula:literal, |$a:ident, $b:ident| $f:expr;)*) => {$(
        #[derive(Clone, Copy)]
        struct $Op;

        impl Compare for $Op {
            #[inline(always)]
            fn f<R: Real>(self, $a: R, $b: R) -> bool {
                $f
            }
            #[inline(always)]
            fn int(self, $a: i64, $b: i64) -> bool {
                $f
            }
        }

        impl Relation for $Op {
            const NAME: &'static str = stringify!($name);
        }

        impl Tensor {
            #[doc = concat!("Where `", $formula, "`, as `bool`, with `a` = `self` and `b` a tensor or ")]
            #[doc = concat!("a number, broadcasting (`torch.", stringify!($name), "`).")]
            ///
            /// Only `≠` holds beside NaN. The result is a constant: no gradient flows through it.
            ///
            /// # Panics
            /// If the shapes do not broadcast.
            #[track_caller]
            pub fn $name(&self, other: impl Operand) -> Tensor {
                must(self.$try(other))
            }
            #[doc = concat!("As [`Tensor::", stringify!($name), "`].")]
            ///
            /// # Errors
            /// If the shapes do not broadcast.
            #[track_caller]
            pub fn $try(&self, other: impl Operand) -> Result<Tensor, OpError> {
                let other = other.operand(self);
                Tensor::try_apply(Compared($Op), [self, &other])
            }
        }
    )*};
}

relations! {
    Eq, eq, try_eq, "a = b", |a, b| a == b;
    Ne, ne, try_ne, "a ≠ b", |a, b| a != b;
    Lt, lt, try_lt, "a < b", |a, b| a < b;
    Le, le, try_le, "a ≤ b", |a, b| a <= b;
    Gt, gt, try_gt, "a > b", |a, b| a > b;
    Ge, ge, try_ge, "a ≥ b", |a, b| a >= b;
}

#[cfg(test)]
pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new(&[&[2, 3], &[2, 3]], |x| x[0].eq(&x[1]) * &x[0]),
        Case::new(&[&[2, 3], &[3]], |x| x[0].ne(&x[1]) * &x[0]),
        Case::new(&[&[2, 1], &[3]], |x| x[0].lt(&x[1]) * &x[0] * &x[1]),
        Case::new(&[&[], &[2]], |x| x[0].le(&x[1]) * &x[0]),
        Case::new(&[&[0, 2], &[2]], |x| x[0].gt(&x[1])),
        Case::new(&[&[3]], |x| x[0].ge(&x[0]) * &x[0] + x[0].gt(0.25)),
    ]
}
