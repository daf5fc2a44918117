//! The group `sched`: learning rates and momenta of two groups, step by step.

use super::attrs::number;
use super::case::Case;
use super::compare::close;
use super::miss::{Miss, failed};
use super::optim::table::{Growing, optimizer};
use super::run::quietly;
use super::sched_table::{AnySchedule, schedule};
use gradus_autodiff::Parameter;
use gradus_optim::StateDict;
use gradus_tensor::{Array, DType};
use serde_json::{Value, json};

pub(super) fn replay(case: &Case<'_>) -> Result<(), Miss> {
    let straight = match follow(case, None) {
        // What PyTorch refuses in some step may be refused on construction.
        Err(Miss::Refused(_)) if !case.spec["raises"].is_null() => return Ok(()),
        other => other?,
    };
    check(case, "lrs", &straight.lrs)?;
    check(case, "momentums", &straight.momentums)?;
    if let Some(at) = case.spec["resume_at"].as_u64() {
        let resumed = follow(case, Some(at as usize))?;
        if resumed.lrs != straight.lrs || resumed.momentums != straight.momentums {
            case.differs(format!("resume_at {at}: other rates than the uninterrupted run"));
        }
    }
    Ok(())
}

/// After construction and after each step, for each group.
#[derive(Default)]
struct Sequence {
    lrs: Vec<Vec<f64>>,
    momentums: Vec<Vec<f64>>,
}

impl Sequence {
    fn push(&mut self, opt: &mut dyn Growing) {
        let opt = opt.get_mut();
        self.lrs.push(opt.lrs());
        self.momentums.push(opt.momentums().into_iter().map(|m| m.unwrap_or(f64::NAN)).collect());
    }
}

type Pair = (Box<dyn Growing>, Box<dyn AnySchedule>);

fn build(case: &Case<'_>) -> Result<Pair, Miss> {
    let spec = &case.spec["optimizer"];
    let args = spec["args"].as_object().cloned().unwrap_or_default();
    let group = |(i, lr): (usize, &Value)| {
        let mut options = args.clone();
        options.insert("lr".into(), lr.clone());
        (vec![(i.to_string(), Parameter::new(Array::zeros([1], DType::F64)))], options)
    };
    let groups = case.list("base_lrs").iter().enumerate().map(group).collect();
    let mut opt = optimizer(spec["type"].as_str().unwrap_or("?"), groups)?;
    for (i, lr) in case.list("initial_lrs").iter().enumerate() {
        opt.get_mut().set_initial_lr(i, number(lr).unwrap_or(f64::NAN));
    }
    let scheduler = schedule(&case.spec["scheduler"], opt.get_mut())?;
    Ok((opt, scheduler))
}

/// The sequence; before step `resume_at` both are saved, built anew and loaded.
fn follow(case: &Case<'_>, resume_at: Option<usize>) -> Result<Sequence, Miss> {
    let (mut opt, mut scheduler) = build(case)?;
    let mut sequence = Sequence::default();
    sequence.push(opt.as_mut());
    let raises = case.spec["raises"].as_u64();
    let steps = raises.map_or(case.list("lrs").len() - 1, |t| t as usize + 1);
    for t in 0..steps {
        if resume_at == Some(t) {
            let saved = (opt.get().state_dict().to_bytes()?, scheduler.save().to_bytes()?);
            (opt, scheduler) = build(case)?;
            opt.get_mut().load_state_dict(&StateDict::from_bytes(&saved.0)?)?;
            scheduler.load(&StateDict::from_bytes(&saved.1)?)?;
        }
        let _ = opt.get_mut().step()?;
        let drive = case.list("drive").get(t).and_then(number);
        if raises == Some(t as u64) {
            match quietly(|| scheduler.step(opt.get_mut(), drive)) {
                Err(Miss::Refused(_)) => break,
                Err(other) => return Err(other),
                Ok(()) => return failed(format!("step {t}: PyTorch raises")),
            }
        }
        scheduler.step(opt.get_mut(), drive)?;
        sequence.push(opt.as_mut());
    }
    Ok(sequence)
}

fn check(case: &Case<'_>, key: &str, got: &[Vec<f64>]) -> Result<(), Miss> {
    let tolerance = case.tolerance("tol")?;
    let want = case.list(key);
    if want.len() != got.len() {
        return failed(format!("{key}: got {} steps, want {}", got.len(), want.len()));
    }
    for (k, (got, want)) in got.iter().zip(want).enumerate() {
        let numbers: Vec<f64> = want.as_array().into_iter().flatten().filter_map(number).collect();
        let near = |(g, w): (&f64, &f64)| close(*g, *w, tolerance.atol + tolerance.rtol * w.abs());
        if got.len() != numbers.len() || !got.iter().zip(&numbers).all(near) {
            case.differs(format!("{key}[{k}]: got {}, want {want}", json!(got)));
        }
    }
    Ok(())
}
