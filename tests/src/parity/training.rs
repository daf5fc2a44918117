//! The group `training`: whole runs of small models.

use super::attrs::{Attrs, number};
use super::case::Case;
use super::compare::{Extent, Tolerance, close};
use super::miss::{Miss, failed, unsupported};
use super::nn::Inputs;
use super::nn::functions::FUNCTIONS;
use super::nn::modules::{Built, build};
use super::optim::table::optimizer;
use super::sched_table::schedule;
use gradus_autodiff::{Buffer, Parameter, Tensor, no_grad};
use gradus_nn::{LoadError, StateDict, Strict};
use gradus_optim::{clip_grad_norm, get_total_norm};
use gradus_tensor::Array;
use serde_json::Value;

/// The layers of a manifest, one after the other.
struct Chain(Vec<(String, Built)>);

impl Chain {
    fn new(case: &Case<'_>) -> Result<Self, Miss> {
        let layer = |spec: &Value| match (spec[0].as_str(), spec[1].as_str()) {
            (Some(name), Some(kind)) => {
                let built = build(kind, Attrs::new(kind, &spec[2]))?;
                built.module.to(case.dtype);
                built.module.train();
                Ok((name.to_owned(), built))
            }
            _ => failed("a layer is [name, type, args]"),
        };
        case.list("model").iter().map(layer).collect::<Result<_, Miss>>().map(Chain)
    }
    /// The stored parameters; buffers keep their defaults.
    fn load(&self, case: &Case<'_>) -> Result<(), Miss> {
        for (name, built) in &self.0 {
            let mut state = StateDict::new();
            for key in case.keys(&format!("init/{name}.")) {
                state.insert(key.as_str(), case.input(&format!("init/{name}.{key}"))?);
            }
            let keys = built.module.load_state_dict_with(&state, Strict::No)?;
            let is_buffer =
                |key: &String| built.module.named_buffers().iter().any(|(b, _)| b == key);
            if !keys.unexpected.is_empty() || !keys.missing.iter().all(is_buffer) {
                return Err(LoadError::Keys { keys, wrong_shape: Vec::new() }.into());
            }
        }
        Ok(())
    }
    fn forward(&self, mut x: Tensor) -> Result<Tensor, Miss> {
        for (name, built) in &self.0 {
            let inputs = Inputs::new(vec![("x".to_owned(), x)]);
            let mut outputs = built.call(&inputs, &mut Attrs::new(name, &Value::Null))?;
            x = outputs.swap_remove(0); // the sequence, of a recurrent layer
        }
        Ok(x)
    }
    fn parameters(&self) -> Vec<(String, Parameter)> {
        let of = |(name, built): &(String, Built)| built.module.named_parameters_with_prefix(name);
        self.0.iter().flat_map(of).collect()
    }
    fn buffers(&self) -> Vec<(String, Buffer)> {
        let named = |(name, built): &(String, Built)| {
            let buffers = built.module.named_buffers().into_iter();
            buffers.map(|(key, b)| (format!("{name}.{key}"), b)).collect::<Vec<_>>()
        };
        self.0.iter().flat_map(named).collect()
    }
}

/// Inputs and targets.
struct Data<'a> {
    case: &'a Case<'a>,
}

impl Data<'_> {
    /// Rows `a..b` of the data.
    fn rows(&self, a: usize, b: usize) -> Result<(Tensor, Tensor), Miss> {
        let case = self.case;
        match case.spec["input"]["data"].as_str() {
            Some("digits") => {
                let x = Tensor::new(case.shared("data/digits_x")?.narrow(0, a, b - a));
                let y = case.shared("data/digits_y")?.narrow(0, a, b - a);
                let shape = case.spec["input"]["shape"].as_array().into_iter().flatten();
                let shape: Vec<isize> =
                    shape.filter_map(|n| n.as_i64().map(|n| n as isize)).collect();
                Ok((x.reshape(&shape), Tensor::new(y)))
            }
            Some("text") => {
                let tokens = Tensor::new(case.shared("data/text_tokens")?);
                let windows = Tensor::new(case.shared("data/text_windows")?.narrow(0, a, b - a));
                let (rows, length) = (b - a, windows.size(1));
                let picked = tokens.index_select(0, &windows.flatten(0, -1));
                let picked = picked.reshape(&[rows as isize, length as isize]);
                Ok((picked.slice(1, 0, -1, 1), picked.slice(1, 1, isize::MAX, 1).flatten(0, -1)))
            }
            other => unsupported(format!("no data {other:?}")),
        }
    }
    /// Micro-batch `i`.
    fn batch(&self, i: usize) -> Result<(Tensor, Tensor), Miss> {
        let size = |key: &str| self.case.spec["input"][key].as_u64().unwrap_or(0) as usize;
        let (samples, batch) = (size("samples"), size("batch"));
        if batch == 0 || samples < batch {
            return failed("no batch fits into the samples");
        }
        let k = (i % (samples / batch)) * batch;
        self.rows(k, k + batch)
    }
}

fn loss_of(case: &Case<'_>, logits: &Tensor, target: Tensor) -> Result<Tensor, Miss> {
    let spec = &case.spec["loss_fn"];
    let name = spec["fn"].as_str().unwrap_or("?");
    let Some((_, loss)) = FUNCTIONS.iter().find(|(n, _)| *n == name) else {
        return unsupported(format!("no function \"{name}\""));
    };
    let rows = logits.reshape(&[-1, logits.size(-1) as isize]);
    let inputs = Inputs::new(vec![("input".to_owned(), rows), ("target".to_owned(), target)]);
    let mut attrs = Attrs::new(name, &spec["args"]);
    let y = loss(&inputs, &mut attrs)?;
    attrs.done()?;
    Ok(y)
}

pub(super) fn replay(case: &Case<'_>) -> Result<(), Miss> {
    let (model, data) = (Chain::new(case)?, Data { case });
    model.load(case)?;
    train(case, &model, &data)?;
    for (name, p) in model.parameters() {
        check(case, &format!("final/{name}"), &name, &p.array())?;
    }
    for (name, b) in model.buffers() {
        check(case, &format!("final_buffer/{name}"), &name, &b.array())?;
    }
    model.0.iter().for_each(|(_, built)| built.module.eval());
    let row = |key: &str| case.spec["eval"][key].as_u64().unwrap_or(0) as usize;
    let (x, _) = data.rows(row("from"), row("to"))?;
    let logits = no_grad(|| model.forward(x))?;
    check(case, "eval/logits", "", &logits.array())
}

fn train(case: &Case<'_>, model: &Chain, data: &Data<'_>) -> Result<(), Miss> {
    let parameters = model.parameters();
    let leaves: Vec<&Parameter> = parameters.iter().map(|(_, p)| p).collect();
    let spec = &case.spec["optimizer"];
    let options = spec["args"].as_object().cloned().unwrap_or_default();
    let mut opt =
        optimizer(spec["type"].as_str().unwrap_or("?"), vec![(parameters.clone(), options)])?;
    let mut scheduler = match &case.spec["scheduler"] {
        Value::Null => None,
        spec => Some(schedule(spec, opt.get_mut())?),
    };
    let accumulate = case.spec["accumulate"].as_u64().unwrap_or(1).max(1) as usize;
    let clip = number(&case.spec["clip_grad_norm"]);
    let (mut losses, mut norms, mut lrs) = (Vec::new(), Vec::new(), Vec::new());
    for i in 0..case.spec["micro_batches"].as_u64().unwrap_or(0) as usize {
        let (x, y) = data.batch(i)?;
        let loss = loss_of(case, &model.forward(x)?, y)?;
        losses.push(loss.item());
        (loss / accumulate as f64).backward();
        if (i + 1) % accumulate != 0 {
            continue;
        }
        let grads: Vec<Tensor> = leaves.iter().filter_map(|p| p.grad()).collect();
        let measured = get_total_norm(&grads, 2.0);
        drop(grads);
        norms.push(match clip {
            Some(max_norm) => clip_grad_norm(leaves.iter().copied(), max_norm)?,
            None => measured,
        });
        if lrs.is_empty() {
            for (name, p) in &parameters {
                let g = p.grad().unwrap_or_else(|| p.zeros_like());
                check(case, &format!("grad0/{name}"), name, &g.array())?;
            }
        }
        lrs.push(opt.get().lrs()[0]);
        let _ = opt.get_mut().step()?;
        opt.get_mut().zero_grad();
        if let Some(scheduler) = &mut scheduler {
            scheduler.step(opt.get_mut(), None)?;
        }
    }
    check_losses(case, &losses)?;
    check_norms(case, &norms)?;
    check_lrs(case, &lrs)
}

/// A tensor, relative to its largest number; some rows do not count.
fn check(case: &Case<'_>, key: &str, name: &str, got: &Array) -> Result<(), Miss> {
    let rtol = case.tolerance_of("tol", "weights_rtol")?;
    let rows = &case.spec["ignore_rows"][name];
    let extent = match (rows[0].as_u64(), rows[1].as_u64()) {
        (Some(a), Some(b)) => Extent::Without(a as usize, b as usize),
        _ => Extent::All,
    };
    case.check_with(key, got, Tolerance { rtol, atol: 0.0 }, extent)
}

/// Each loss relative to itself.
fn check_losses(case: &Case<'_>, got: &[f64]) -> Result<(), Miss> {
    let rtol = case.tolerance_of("tol", "loss_rtol")?;
    let want = case.input("loss")?.to_vec::<f64>();
    if want.len() != got.len() {
        return failed(format!("loss: got {}, want {}", got.len(), want.len()));
    }
    for (i, (&g, &w)) in got.iter().zip(&want).enumerate() {
        if !close(g, w, rtol * w.abs()) {
            case.differs(format!("loss[{i}]: got {g}, want {w}, tolerance {:.2e}", rtol * w.abs()));
        }
    }
    Ok(())
}

fn check_norms(case: &Case<'_>, got: &[f64]) -> Result<(), Miss> {
    let rtol = 10.0 * case.tolerance_of("tol", "weights_rtol")?;
    let got = Array::new(got.len(), got).cast(case.dtype);
    case.check_with("grad_norm", &got, Tolerance { rtol, atol: 0.0 }, Extent::All)
}

/// As in the group `sched`.
fn check_lrs(case: &Case<'_>, got: &[f64]) -> Result<(), Miss> {
    let want = case.list("lrs");
    if want.len() != got.len() {
        return failed(format!("lrs: got {}, want {}", got.len(), want.len()));
    }
    for (k, (&g, w)) in got.iter().zip(want.iter().filter_map(number)).enumerate() {
        if !close(g, w, 1e-13 + 1e-9 * w.abs()) {
            case.differs(format!("lrs[{k}]: got {g}, want {w}"));
        }
    }
    Ok(())
}
