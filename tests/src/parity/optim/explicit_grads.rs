//! The kind `explicit_grads`: fifty steps over recorded gradients, straight and interrupted.

use super::table::{Group, Growing, Options, optimizer_in, same, says_nothing};
use crate::parity::case::Case;
use crate::parity::compare::{Extent, difference};
use crate::parity::miss::{Miss, failed, unsupported};
use gradus_autodiff::{Parameter, Tensor};
use gradus_optim::{LookaheadOptions, ParamGroup, StateDict};
use gradus_tensor::{Array, DType};
use serde_json::Value;
use std::collections::BTreeMap;

pub(in crate::parity) fn replay(case: &Case<'_>) -> Result<(), Miss> {
    let straight = follow(case, None)?;
    for (name, path) in &straight.paths {
        check_path(case, name, path)?;
    }
    check_state(case, &straight)?;
    check_groups(case, "param_groups_final", &straight.groups)?;
    if let Some(at) = case.spec["resume_at"].as_u64() {
        let resumed = follow(case, Some(at as usize))?;
        check_same(case, &straight, &resumed);
    }
    Ok(())
}

/// What a run leaves.
struct Run {
    /// Every parameter after each step.
    paths: BTreeMap<String, Vec<Array>>,
    states: BTreeMap<String, StateDict>,
    groups: Vec<ParamGroup>,
}

/// The parameters by name, in the order of the groups.
struct Parameters(Vec<(String, Parameter)>);

impl Parameters {
    fn new(case: &Case<'_>) -> Result<Self, Miss> {
        let names = case.list("groups").iter().flat_map(|group| names(&group["params"]));
        let new = |name: &str| {
            let value = case.shared(&format!("init/{name}"))?;
            Ok((name.to_owned(), Parameter::new(value)))
        };
        names.map(new).collect::<Result<_, Miss>>().map(Parameters)
    }
    fn get(&self, name: &str) -> Result<&Parameter, Miss> {
        let found = self.0.iter().find(|(n, _)| n == name);
        found.map(|(_, p)| p).ok_or_else(|| Miss::Failed(format!("no parameter {name}")))
    }
    /// A group of the manifest; its options before those of the optimizer.
    fn group(&self, case: &Case<'_>, group: &Value) -> Result<Group, Miss> {
        let mut options: Options = case.spec["defaults"].as_object().cloned().unwrap_or_default();
        options.extend(group["hyper"].as_object().cloned().unwrap_or_default());
        let parameter = |name: &str| Ok((name.to_owned(), self.get(name)?.clone()));
        let parameters = names(&group["params"]).map(parameter).collect::<Result<_, Miss>>()?;
        Ok((parameters, options))
    }
    /// The optimizer with the groups that have joined by step `t`.
    fn optimizer(&self, case: &Case<'_>, t: i64) -> Result<Box<dyn Growing>, Miss> {
        let there = case.list("groups").iter().filter(|g| g["add_at"].as_i64().unwrap_or(-1) <= t);
        let groups: Result<Vec<Group>, Miss> = there.map(|g| self.group(case, g)).collect();
        let around =
            match &case.spec["lookahead"] {
                Value::Null => None,
                given => Some(serde_json::from_value::<LookaheadOptions>(given.clone()).map_err(
                    |e| Miss::Failed(format!("the manifest has no such lookahead: {e}")),
                )?),
            };
        optimizer_in(case.text("optimizer")?, groups?, around)
    }
}

fn names(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array().map_or(&[][..], Vec::as_slice).iter().filter_map(Value::as_str)
}

/// All steps; before step `resume_at` the optimizer is saved, built anew and loaded.
fn follow(case: &Case<'_>, resume_at: Option<usize>) -> Result<Run, Miss> {
    let parameters = Parameters::new(case)?;
    let mut opt = parameters.optimizer(case, -1)?;
    if resume_at.is_none() {
        check_groups(case, "param_groups", &opt.get().param_groups())?;
    }
    let mut paths: BTreeMap<String, Vec<Array>> = BTreeMap::new();
    for t in 0..case.spec["steps"].as_u64().unwrap_or(0) as usize {
        let joins = |g: &&Value| g["add_at"].as_u64() == Some(t as u64);
        for group in case.list("groups").iter().filter(joins) {
            opt.add(parameters.group(case, group)?)?;
        }
        if resume_at == Some(t) {
            check_saved(case, opt.as_ref())?;
            let bytes = opt.get().state_dict().to_bytes()?;
            opt = parameters.optimizer(case, t as i64)?;
            opt.get_mut().load_state_dict(&StateDict::from_bytes(&bytes)?)?;
        }
        let changes = case.list("set_lr").iter().filter(|c| c["step"].as_u64() == Some(t as u64));
        for change in changes {
            match (change["group"].as_u64(), change["lr"].as_f64()) {
                (Some(group), Some(lr)) => opt.get_mut().set_lr(group as usize, lr),
                _ => return unsupported(format!("no change {change}")),
            }
        }
        for (name, p) in &parameters.0 {
            let absent = case.spec["no_grad"][name].as_array();
            let absent = absent.is_some_and(|a| a.iter().any(|v| v.as_u64() == Some(t as u64)));
            let grad = case.shared(&format!("grads/{name}"))?.select(0, t);
            p.set_grad((!absent).then(|| Tensor::new(grad)));
            let joined = || opt.get().named_parameters().iter().any(|(n, _)| n == name);
            let rows = case.spec["rows"][name][t].as_array().filter(|_| !absent && joined());
            if let Some(rows) = rows {
                let rows: Vec<f64> = rows.iter().filter_map(Value::as_f64).collect();
                opt.set_rows(name, &Array::from_f64([rows.len()], DType::I64, &rows))?;
            }
        }
        let _ = opt.get_mut().step()?;
        for (name, p) in &parameters.0 {
            paths.entry(name.clone()).or_default().push(p.array());
        }
    }
    let state = |(name, _): &(String, Parameter)| {
        (name.clone(), opt.get().parameter_state(name).unwrap_or_default())
    };
    let states = parameters.0.iter().map(state).collect();
    Ok(Run { paths, states, groups: opt.get().param_groups() })
}

/// One trajectory. Muon's is in the precision of the parameter, or in bf16.
fn check_path(case: &Case<'_>, name: &str, path: &[Array]) -> Result<(), Miss> {
    let rows: Vec<Array> = path.iter().map(|x| x.unsqueeze(0)).collect();
    let path = Array::cat(&rows, 0);
    let exact = format!("traj_exact_ns/{name}");
    if case.has(&exact) {
        let want = case.input(&exact)?;
        if difference(&path, &want, case.tolerance("tol_exact_ns")?, Extent::All).is_none() {
            case.done_with(&format!("traj/{name}"));
            return Ok(());
        }
    }
    case.check(&format!("traj/{name}"), &path)
}

/// The final state of every parameter, under PyTorch's keys.
fn check_state(case: &Case<'_>, run: &Run) -> Result<(), Miss> {
    for (name, state) in &run.states {
        check_entries(case, &format!("state/{name}/"), state)?;
    }
    Ok(())
}

/// The entries of a state beside the stored ones: the same keys, and equal numbers.
fn check_entries(case: &Case<'_>, prefix: &str, state: &StateDict) -> Result<(), Miss> {
    for key in case.keys(prefix) {
        match state.array(&key) {
            Some(array) => case.check_value(&format!("{prefix}{key}"), array)?,
            None => {
                case.done_with(&format!("{prefix}{key}"));
                case.differs(format!("{prefix}{key}: the state has no such entry"));
            }
        }
    }
    let extra = state.keys().find(|key| !case.has(&format!("{prefix}{key}")));
    if let Some(key) = extra {
        case.differs(format!("{prefix}{key}: PyTorch has no such entry"));
    }
    Ok(())
}

/// PyTorch's state dict at `resume_at`, where parameters are numbers.
fn check_saved(case: &Case<'_>, opt: &dyn Growing) -> Result<(), Miss> {
    let order: Vec<&str> = names(&case.spec["sd_param_order"]).collect();
    for (i, name) in order.iter().enumerate() {
        let state = opt.get().parameter_state(name).unwrap_or_default();
        check_entries(case, &format!("sd/{i}/"), &state)?;
    }
    let groups = opt.get().param_groups();
    check_groups(case, "sd_param_groups", &groups)?;
    for (want, got) in case.list("sd_param_groups").iter().zip(&groups) {
        let number = |name: &String| order.iter().position(|n| n == name);
        let got: Value = got.names.iter().map(number).collect();
        if got != want["params"] {
            case.differs(format!("sd_param_groups: got {got}, want {}", want["params"]));
        }
    }
    Ok(())
}

/// The options of every group.
fn check_groups(case: &Case<'_>, key: &str, got: &[ParamGroup]) -> Result<(), Miss> {
    let want = case.list(key);
    if want.len() != got.len() {
        return failed(format!("{key}: got {} groups, want {}", got.len(), want.len()));
    }
    let name = case.text("optimizer")?;
    for (want, got) in want.iter().zip(got) {
        for (option, want) in want.as_object().into_iter().flatten() {
            if option == "params" || says_nothing(name, option, want) {
                continue;
            }
            match got.options.get(option) {
                Some(got) if same(got, want) => {}
                Some(got) => case.differs(format!("{key}.{option}: got {got}, want {want}")),
                None => return unsupported(format!("no option {option}={want} of {name}")),
            }
        }
    }
    Ok(())
}

/// Saving and loading must not change a bit.
fn check_same(case: &Case<'_>, straight: &Run, resumed: &Run) {
    let bits = |x: &Array| x.to_vec::<f64>().into_iter().map(f64::to_bits).collect::<Vec<_>>();
    for (name, path) in &straight.paths {
        let pairs = path.iter().zip(&resumed.paths[name]);
        if let Some(t) = pairs.into_iter().position(|(a, b)| bits(a) != bits(b)) {
            case.differs(format!("resumed traj/{name}: other bits after step {t}"));
        }
    }
    if straight.states != resumed.states {
        case.differs("resumed state: not the state of the uninterrupted run");
    }
    if straight.groups != resumed.groups {
        case.differs("resumed groups: not those of the uninterrupted run");
    }
}
