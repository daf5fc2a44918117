//! What an op's file needs.

pub(super) use super::shapes::{axes, axis, broadcast, number, without};
pub(super) use super::softmax::floating;
#[cfg(test)]
pub(super) use crate::testing::Case;
pub(super) use crate::{
    Autocast, Op, OpError, Operand, Promotion, Save, Saved, Tensor, Work, must, operators::operator,
};
#[allow(unused_imports, reason = "not every kind of formula is in use in every build")]
pub(super) use gradus_tensor::kernels::element::{Compare, Map, Rare, Zip, Zip3};
pub(super) use gradus_tensor::kernels::real::Real;
pub(super) use gradus_tensor::{Array, DType, Meta, Scalar, Shape};
