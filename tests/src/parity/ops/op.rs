//! The kind `op`: one call, its outputs and the gradients of its inputs.

use super::{leaf, table};
use crate::parity::attrs::Attrs;
use crate::parity::case::Case;
use crate::parity::miss::{Miss, failed, unsupported};
use gradus_autodiff::{Sweep, Tensor, grad_allow_unused};
use serde_json::Value;

pub(in crate::parity) fn replay(case: &Case<'_>) -> Result<(), Miss> {
    let name = case.text("op")?;
    let Some(op) = table::find(name) else {
        return unsupported(format!("no op \"{name}\""));
    };
    let inputs = inputs(case)?;
    let mut attrs = Attrs::new(name, &case.spec["attrs"]);
    let given: Result<Vec<Tensor>, Miss> =
        inputs.iter().enumerate().map(|(i, x)| viewed(case, i, x)).collect();
    let outputs = op(&given?, &mut attrs)?;
    attrs.done()?;
    let want = case.spec["outputs"].as_u64().unwrap_or(1);
    if outputs.len() as u64 != want {
        return failed(format!("got {} outputs, want {want}", outputs.len()));
    }
    for (i, y) in outputs.iter().enumerate() {
        case.check(&format!("out/{i}"), &y.array())?;
    }
    check_gradients(case, &inputs, &outputs)
}

/// The stored inputs; those whose gradient is stored are leaves.
fn inputs(case: &Case<'_>) -> Result<Vec<Tensor>, Miss> {
    let n = case.spec["n_inputs"].as_u64().map_or_else(|| case.keys("in/").len(), |n| n as usize);
    let no_grad = case.list("no_grad_inputs");
    let input = |i: usize| {
        let x = case.input(&format!("in/{i}"))?;
        let wanted = x.dtype().is_float() && !no_grad.iter().any(|v| v.as_u64() == Some(i as u64));
        Ok(if wanted { leaf(x) } else { Tensor::new(x) })
    };
    (0..n).map(input).collect()
}

/// Input `i` as the call sees it.
fn viewed(case: &Case<'_>, i: usize, x: &Tensor) -> Result<Tensor, Miss> {
    let view = match &case.spec["views"][i.to_string()] {
        Value::Null => return Ok(x.clone()),
        view => view.as_str().unwrap_or("?"),
    };
    Ok(match view {
        "t" => x.transpose(-1, -2),
        "step2" => x.slice(-1, 0, isize::MAX, 2),
        "narrow" => x.slice(-1, 1, -1, 1),
        "flipstride" => x.permute(&(0..x.rank() as isize).rev().collect::<Vec<_>>()),
        "expand0" => x.expand([&[3], x.shape().dims()].concat().as_slice()),
        other => return unsupported(format!("no view \"{other}\"")),
    })
}

/// `d(Σₖ⟨outₖ, cotₖ⟩)/d(inputs)`; an output without history adds nothing.
fn check_gradients(case: &Case<'_>, inputs: &[Tensor], outputs: &[Tensor]) -> Result<(), Miss> {
    let (mut roots, mut cotangents) = (Vec::new(), Vec::new());
    for (i, y) in outputs.iter().enumerate() {
        let key = format!("cot/{i}");
        if case.has(&key) {
            let cotangent = case.constant(&key)?;
            if y.requires_grad() {
                roots.push(y);
                cotangents.push(cotangent);
            }
        }
    }
    let leaves: Vec<(usize, &Tensor)> =
        inputs.iter().enumerate().filter(|(_, x)| x.requires_grad()).collect();
    let wanted: Vec<&Tensor> = leaves.iter().map(|(_, x)| *x).collect();
    let starts: Vec<&Tensor> = cotangents.iter().collect();
    let found = match roots.is_empty() {
        true => vec![None; wanted.len()],
        false => grad_allow_unused(&roots, &starts, &wanted, Sweep::default())?,
    };
    for ((i, x), g) in leaves.into_iter().zip(found) {
        let g = g.unwrap_or_else(|| x.zeros_like());
        case.check(&format!("grad/{i}"), &g.array())?;
    }
    Ok(())
}
