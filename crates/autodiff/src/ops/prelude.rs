//! What an op's file needs.

#[cfg(test)]
pub(super) use crate::testing::Case;
pub(super) use super::shapes::{axes, axis, broadcast, without};
pub(super) use crate::{
    Autocast, Op, OpError, Operand, Promotion, Save, Saved, Tensor, must, operators::operator,
};
pub(super) use gradus_tensor::kernels::element::{Map, Zip, Zip3};
pub(super) use gradus_tensor::kernels::real::Real;
pub(super) use gradus_tensor::{Array, DType, Meta, Scalar, Shape};
