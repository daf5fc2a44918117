//! The group `ops`: single calls with their gradients, and derivatives of higher order.

pub(super) mod double_backward;
mod functions;
pub(super) mod higher_order;
pub(super) mod jacobian;
pub(super) mod op;
pub(in crate::parity) mod table;

pub(super) use table::pad_mode;

use super::case::Case;
use super::miss::{Miss, unsupported};
use gradus_autodiff::{Sweep, Tensor, grad_allow_unused};
use gradus_tensor::Array;

/// A function of a tensor and of the folder's constants.
type Function = fn(&Tensor, &Case<'_>) -> Result<Tensor, Miss>;

fn function(table: &[(&str, Function)], case: &Case<'_>) -> Result<Function, Miss> {
    let name = case.text("fn")?;
    match table.iter().find(|(n, _)| *n == name) {
        Some((_, f)) => Ok(*f),
        None => unsupported(format!("no function \"{name}\"")),
    }
}

/// A leaf that asks for its gradient.
fn leaf(x: Array) -> Tensor {
    Tensor::new(x).requires_grad_()
}

/// `d⟨y, start⟩/dx`, recorded; zeros where `y` does not depend on `x`.
fn gradient(y: &Tensor, start: Option<&Tensor>, x: &Tensor) -> Result<Tensor, Miss> {
    if !y.requires_grad() {
        return Ok(x.zeros_like());
    }
    let starts: Vec<&Tensor> = start.into_iter().collect();
    let found = grad_allow_unused(&[y], &starts, &[x], Sweep::CREATE)?.pop().flatten();
    Ok(found.unwrap_or_else(|| x.zeros_like()))
}

/// `∂yᵢ/∂xⱼ` for vectors, row by row.
fn jacobian_of(y: &Tensor, x: &Tensor) -> Result<Tensor, Miss> {
    let rows: Result<Vec<Tensor>, Miss> =
        (0..y.size(0) as isize).map(|i| gradient(&y.select(0, i), None, x)).collect();
    let rows = rows?;
    Ok(Tensor::stack(&rows.iter().collect::<Vec<_>>(), 0))
}
