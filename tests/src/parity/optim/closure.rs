//! The kind `closure`: optimizers that PyTorch lacks and that evaluate the loss themselves.

use super::objective::{Objective, Path};
use super::table::{Options, with};
use crate::parity::case::Case;
use crate::parity::miss::{Miss, unsupported};
use gradus_optim::{Newton, NewtonOptions, Optimizer, Sam, SamOptions, Sgd, SgdOptions, StateDict};
use serde_json::Value;

/// The step before which every run is interrupted once.
const RESUME_AT: usize = 7;

pub(in crate::parity) fn replay(case: &Case<'_>) -> Result<(), Miss> {
    let straight = follow(case, None)?;
    straight.check(case, straight.x.len())?;
    straight.check_same(case, &follow(case, Some(RESUME_AT))?);
    Ok(())
}

fn follow(case: &Case<'_>, resume_at: Option<usize>) -> Result<Path, Miss> {
    let objective = Objective::new(case)?;
    let (mut opt, mut path) = (build(case, &objective)?, Path::default());
    for t in 0..case.spec["steps"].as_u64().unwrap_or(0) as usize {
        if resume_at == Some(t) {
            let bytes = opt.state_dict().to_bytes()?;
            opt = build(case, &objective)?;
            opt.load_state_dict(&StateDict::from_bytes(&bytes)?)?;
        }
        path.loss.push(opt.step_with(&mut || objective.value())?.loss);
        path.x.push(objective.x());
    }
    Ok(path)
}

fn build(case: &Case<'_>, objective: &Objective) -> Result<Box<dyn Optimizer>, Miss> {
    let pieces = objective.pieces.clone();
    let wrong = |e: serde_json::Error| Miss::Refused(e.to_string());
    let read = |key: &str, all: Result<Value, serde_json::Error>| {
        let given: Options = case.spec[key].as_object().cloned().unwrap_or_default();
        with(all.map_err(wrong)?, key, &given)
    };
    match case.text("optimizer")? {
        "SAM" => {
            let options = read("defaults", serde_json::to_value(SamOptions::default()))?;
            let base = read("base", serde_json::to_value(SgdOptions::default()))?;
            let base: SgdOptions = serde_json::from_value(base).map_err(wrong)?;
            let options: SamOptions = serde_json::from_value(options).map_err(wrong)?;
            Ok(Box::new(Sam::new(Sgd::new(pieces, base)?, options)?))
        }
        "Newton" => {
            let options = read("defaults", serde_json::to_value(NewtonOptions::default()))?;
            let options: NewtonOptions = serde_json::from_value(options).map_err(wrong)?;
            Ok(Box::new(Newton::new(pieces, options)?))
        }
        name => unsupported(format!("no optimizer \"{name}\"")),
    }
}
