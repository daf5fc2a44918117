//! The group `clip`: gradient clipping on gradients made by hand.

use super::attrs::{Attrs, number};
use super::case::Case;
use super::compare::close;
use super::miss::{Miss, unsupported};
use gradus_autodiff::{Parameter, Tensor};
use gradus_optim::{
    ClipOptions, clip_grad_norm_with, clip_grad_value, clip_grads_with_norm, get_total_norm_with,
};
use gradus_tensor::Array;

pub(super) fn replay(case: &Case<'_>) -> Result<(), Miss> {
    let parameters = parameters(case)?;
    let name = case.text("fn")?;
    let mut attrs = Attrs::new(name, &case.spec["args"]);
    let result = call(name, &parameters, &mut attrs);
    attrs.done()?;
    let raises = case.spec[format!("raises_{}", case.dtype_name())].as_str();
    match (result, raises) {
        (Ok(norm), None) => check_norm(case, norm)?,
        (Ok(_), Some(text)) => case.differs(format!("no error, PyTorch's is: {text}")),
        (Err(Miss::Refused(_)), Some(_)) => {}
        (Err(e), _) => return Err(e),
    }
    for (i, p) in parameters.iter().enumerate() {
        match p.grad() {
            Some(g) => case.check(&format!("out/{i}"), &g.array())?,
            None if case.has(&format!("out/{i}")) => case.differs(format!("out/{i}: no gradient")),
            None => {}
        }
    }
    Ok(())
}

/// The parameters with their gradients; some have none.
fn parameters(case: &Case<'_>) -> Result<Vec<Parameter>, Miss> {
    let n = case.spec["n_params"].as_u64().unwrap_or(0) as usize;
    let missing = case.list("missing");
    let parameter = |i: usize| {
        if missing.iter().any(|v| v.as_u64() == Some(i as u64)) {
            return Ok(Parameter::new(Array::zeros([], case.dtype)));
        }
        let grad = case.input(&format!("in/{i}"))?;
        let p = Parameter::new(grad.zeros_like());
        p.set_grad(Some(Tensor::new(grad)));
        Ok(p)
    };
    (0..n).map(parameter).collect()
}

/// The norm, if the function returns one.
fn call(name: &str, parameters: &[Parameter], a: &mut Attrs) -> Result<Option<f64>, Miss> {
    let options = |a: &mut Attrs| {
        let norm_type = a.float("norm_type", 2.0)?;
        let error_if_nonfinite = a.flag("error_if_nonfinite", false)?;
        Ok::<_, Miss>(ClipOptions { norm_type, error_if_nonfinite })
    };
    Ok(match name {
        "clip_grad_norm_" => {
            let max_norm = a.need_scalar("max_norm")?.to_f64();
            Some(clip_grad_norm_with(parameters, max_norm, options(a)?)?)
        }
        "clip_grad_value_" => {
            clip_grad_value(parameters, a.need_scalar("clip_value")?.to_f64())?;
            None
        }
        "clip_grads_with_norm_" => {
            let max_norm = a.need_scalar("max_norm")?.to_f64();
            let total_norm = a.need_scalar("total_norm")?.to_f64();
            clip_grads_with_norm(parameters, max_norm, total_norm)?;
            Some(total_norm)
        }
        "get_total_norm" => {
            let grads: Vec<Tensor> = parameters.iter().filter_map(|p| p.grad()).collect();
            Some(get_total_norm_with(&grads, options(a)?)?)
        }
        other => return unsupported(format!("no function \"{other}\"")),
    })
}

fn check_norm(case: &Case<'_>, got: Option<f64>) -> Result<(), Miss> {
    let want = |dtype: &str| number(&case.spec[format!("total_norm_{dtype}")]);
    let tolerance = case.tolerance("tol")?;
    let equal = |want: Option<f64>| match (got, want) {
        (Some(got), Some(want)) => close(got, want, tolerance.atol + tolerance.rtol * want.abs()),
        (got, want) => got.is_none() && want.is_none(),
    };
    let reference = want(case.dtype_name());
    let also = case.beyond_f32() && equal(want("f64"));
    if !also && !equal(reference) {
        case.differs(format!("total_norm: got {got:?}, want {reference:?}"));
    }
    Ok(())
}
