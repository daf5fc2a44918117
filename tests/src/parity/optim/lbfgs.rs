//! The kind `lbfgs`: twenty steps with a closure.

use super::objective::{Objective, Path};
use super::table::{Options, with};
use crate::parity::case::Case;
use crate::parity::miss::Miss;
use gradus_optim::{Lbfgs, LbfgsOptions, Optimizer, StateDict};
use serde_json::Value;

pub(in crate::parity) fn replay(case: &Case<'_>) -> Result<(), Miss> {
    let (straight, counts) = follow(case, None)?;
    let steps = case.spec[format!("valid_steps_{}", case.dtype_name())].as_u64().unwrap_or(0);
    straight.check(case, steps as usize)?;
    for (name, count) in ["func_evals", "n_iter"].into_iter().zip(&counts) {
        let want = &case.spec[format!("{name}_{}", case.dtype_name())];
        for (t, got) in count.iter().enumerate().take(steps as usize) {
            if want[t].as_u64() != Some(*got) {
                case.differs(format!("{name} after step {t}: got {got}, want {}", want[t]));
            }
        }
    }
    if let Some(at) = case.spec["resume_at"].as_u64() {
        let (resumed, others) = follow(case, Some(at as usize))?;
        straight.check_same(case, &resumed);
        if counts != others {
            case.differs("resumed: other counts than the uninterrupted run");
        }
    }
    Ok(())
}

/// All steps; the counts are evaluations and iterations so far.
fn follow(case: &Case<'_>, resume_at: Option<usize>) -> Result<(Path, [Vec<u64>; 2]), Miss> {
    let objective = Objective::new(case)?;
    let build =
        || -> Result<Lbfgs, Miss> { Ok(Lbfgs::new(objective.pieces.clone(), options(case)?)?) };
    let (mut opt, mut path, mut counts) = (build()?, Path::default(), [vec![], vec![]]);
    for t in 0..case.spec["steps"].as_u64().unwrap_or(0) as usize {
        if resume_at == Some(t) {
            let bytes = opt.state_dict().to_bytes()?;
            opt = build()?;
            opt.load_state_dict(&StateDict::from_bytes(&bytes)?)?;
        }
        let report = opt.step_with(&mut || objective.value())?;
        path.loss.push(report.loss);
        path.x.push(objective.x());
        counts[0].push(opt.evaluations());
        counts[1].push(opt.iterations());
    }
    Ok((path, counts))
}

fn options(case: &Case<'_>) -> Result<LbfgsOptions, Miss> {
    let wrong = |e: serde_json::Error| Miss::Refused(format!("LBFGS: {e}"));
    let given: Options = case.spec["defaults"].as_object().cloned().unwrap_or_default();
    let all: Value = serde_json::to_value(LbfgsOptions::default()).map_err(wrong)?;
    serde_json::from_value(with(all, "LBFGS", &given)?).map_err(wrong)
}
