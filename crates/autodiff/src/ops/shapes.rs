//! Shape rules that many ops share.

use crate::OpError;
use gradus_tensor::{Axes, DType, Meta, Shape};

/// Shape rule of `a ∘ b` with broadcasting; dtypes are equal after promotion.
#[inline]
pub(super) fn broadcast(a: &Meta, b: &Meta) -> Result<Meta, OpError> {
    if a == b {
        return Ok(a.clone());
    }
    match Shape::broadcast(&a.shape, &b.shape) {
        Some(shape) => Ok(Meta { shape, dtype: a.dtype }),
        None => Err(mismatch(&a.shape, &b.shape)),
    }
}

/// The error that names the first axis, from the last, on which two shapes differ.
#[cold]
fn mismatch(a: &Shape, b: &Shape) -> OpError {
    let pairs = a.iter().rev().zip(b.iter().rev());
    let differs = |(_, (x, y)): &(usize, (&usize, &usize))| x != y && **x != 1 && **y != 1;
    let hint = match pairs.enumerate().find(differs) {
        Some((i, (x, y))) => format!("axis -{} has sizes {x} and {y}", i + 1),
        None => String::new(),
    };
    OpError::rule("shapes broadcast: from the last axis, sizes are equal or 1").hint(hint)
}

/// Rule of element-wise ops that have no meaning for truth values.
pub(super) fn number(x: &Meta) -> Result<Meta, OpError> {
    match x.dtype {
        DType::Bool => Err(OpError::rule("the input is a number").hint("cast it with to_dtype")),
        _ => Ok(x.clone()),
    }
}

/// The axis that `dim` names; negative counts from the end.
pub(super) fn axis(dim: isize, shape: &Shape) -> Result<usize, OpError> {
    shape.axis(dim).ok_or_else(|| {
        let rank = shape.rank().max(1);
        OpError::rule("-rank <= dim < rank").hint(format!("dim is {dim}, the rank {rank}"))
    })
}

/// The axes that `dims` names, sorted; none means all. A repeated one is an error.
pub(super) fn axes(dims: &[isize], shape: &Shape) -> Result<Axes<usize>, OpError> {
    if dims.is_empty() {
        return Ok((0..shape.rank()).collect());
    }
    let mut found: Axes<usize> = dims.iter().map(|&d| axis(d, shape)).collect::<Result<_, _>>()?;
    found.sort_unstable();
    if found.windows(2).any(|w| w[0] == w[1]) {
        return Err(OpError::rule("every axis at most once").hint(format!("dim is {dims:?}")));
    }
    found.retain(|a| *a < shape.rank()); // a scalar accepts 0 and -1
    Ok(found)
}

/// `shape` with `axes` reduced: size 1 if `keepdim`, else gone.
pub(super) fn without(shape: &Shape, axes: &[usize], keepdim: bool) -> Shape {
    let kept = |i: usize| if !axes.contains(&i) { Some(shape[i]) } else { keepdim.then_some(1) };
    Shape::new(&(0..shape.rank()).filter_map(kept).collect::<Axes<usize>>())
}
