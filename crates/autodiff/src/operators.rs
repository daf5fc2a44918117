//! `+ - * /` for tensors, parameters, buffers and numbers, owned and borrowed, on both sides. An owned
//! operand is given up, so its buffer can be reused.

use crate::apply::Taken;
use crate::{Buffer, Parameter, Tensor};
use gradus_tensor::{DType, Scalar, result_type};

/// What may stand beside a tensor in an operator, and in the methods that take either.
pub trait Operand {
    /// As a tensor; a number takes the dtype that `torch.result_type` gives it beside `other`.
    fn operand(self, other: &Tensor) -> Tensor;
    /// As the door takes it: what is borrowed is read where it is.
    #[doc(hidden)]
    #[inline]
    fn taken(self, other: &Tensor) -> Taken
    where
        Self: Sized,
    {
        self.operand(other).into_taken()
    }
    /// The plain number, if it is one.
    fn number(&self) -> Option<Scalar> {
        None
    }
}

impl Operand for Tensor {
    fn operand(self, _: &Tensor) -> Tensor {
        self
    }
}
impl Operand for &Tensor {
    fn operand(self, _: &Tensor) -> Tensor {
        self.clone()
    }
    #[inline]
    fn taken(self, _: &Tensor) -> Taken {
        Tensor::taken(self)
    }
}
impl Operand for &Parameter {
    fn operand(self, _: &Tensor) -> Tensor {
        self.tensor().clone()
    }
    #[inline]
    fn taken(self, _: &Tensor) -> Taken {
        Tensor::taken(self)
    }
}
impl Operand for &Buffer {
    fn operand(self, _: &Tensor) -> Tensor {
        self.tensor().clone()
    }
    #[inline]
    fn taken(self, _: &Tensor) -> Taken {
        Tensor::taken(self)
    }
}
impl Operand for Scalar {
    #[inline]
    fn operand(self, other: &Tensor) -> Tensor {
        Tensor::scalar(self, number_dtype(self, other.dtype(), other.rank()))
    }
    fn number(&self) -> Option<Scalar> {
        Some(*self)
    }
}

/// The dtype of a number beside a tensor.
fn number_dtype(number: Scalar, other: DType, rank: usize) -> DType {
    if number.dtype().category() <= other.category() {
        return other;
    }
    result_type([(other, Some(rank)), (number.dtype(), None)])
}

/// Numbers as operands, right and left of an operator.
macro_rules! numbers {
    ($($t:ty),*) => {$(
        impl Operand for $t {
            #[inline]
            fn operand(self, other: &Tensor) -> Tensor {
                Scalar::from(self).operand(other)
            }
            fn number(&self) -> Option<Scalar> {
                Some(Scalar::from(*self))
            }
        }
    )*};
}
numbers!(f64, f32, i64, i32, bool);

/// `operator!(Add::add = Add)` implements `+` by the op `Add` for every pair of operands.
macro_rules! operator {
    ($Trait:ident::$f:ident = $op:expr) => {
        $crate::operators::operator!(@left $Trait::$f = $op; &Tensor, &$crate::Parameter, &$crate::Buffer);
        $crate::operators::operator!(@number $Trait::$f = $op; f64, f32, i64, i32);

        impl<R: $crate::Operand> std::ops::$Trait<R> for Tensor {
            type Output = Tensor;
            #[track_caller]
            #[inline]
            fn $f(self, rhs: R) -> Tensor {
                let rhs = rhs.taken(&self);
                $crate::apply::operator($op, self.into_taken(), rhs)
            }
        }
    };
    (@left $Trait:ident::$f:ident = $op:expr; $($Left:ty),*) => {$(
        impl<R: $crate::Operand> std::ops::$Trait<R> for $Left {
            type Output = Tensor;
            #[track_caller]
            #[inline]
            fn $f(self, rhs: R) -> Tensor {
                let rhs = rhs.taken(self);
                $crate::apply::operator($op, Tensor::taken(self), rhs)
            }
        }
    )*};
    (@number $Trait:ident::$f:ident = $op:expr; $($Number:ty),*) => {$(
        impl std::ops::$Trait<Tensor> for $Number {
            type Output = Tensor;
            #[track_caller]
            fn $f(self, rhs: Tensor) -> Tensor {
                let left = $crate::Operand::operand(self, &rhs);
                Tensor::apply($op, [left, rhs])
            }
        }
        $crate::operators::operator!(@borrowed $Trait::$f for $Number; &Tensor, &$crate::Parameter, &$crate::Buffer);
    )*};
    (@borrowed $Trait:ident::$f:ident for $Number:ty; $($Right:ty),*) => {$(
        impl std::ops::$Trait<$Right> for $Number {
            type Output = Tensor;
            #[track_caller]
            fn $f(self, rhs: $Right) -> Tensor {
                std::ops::$Trait::$f(self, Tensor::from(rhs))
            }
        }
    )*};
}
pub(crate) use operator;
