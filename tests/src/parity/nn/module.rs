//! The kind `module`: a layer is built, loaded and called, once or several times.

use super::modules::{Built, build};
use super::{Inputs, check_outputs};
use crate::parity::attrs::Attrs;
use crate::parity::case::Case;
use crate::parity::miss::{Miss, unsupported};
use gradus_nn::StateDict;
use serde_json::Value;

pub(in crate::parity) fn replay(case: &Case<'_>) -> Result<(), Miss> {
    let name = case.text("module")?;
    let built = build(name, Attrs::new(name, &case.spec["args"]))?;
    built.module.to(case.dtype);
    let mut state = StateDict::new();
    for (folder, list) in [("param", "params"), ("buffer", "buffers")] {
        for key in case.list(list).iter().filter_map(Value::as_str) {
            state.insert(key, case.input(&format!("{folder}/{key}"))?);
        }
    }
    built.module.load_state_dict(&state)?;
    let steps = case.list("steps");
    for (k, step) in steps.iter().enumerate() {
        let mark = if steps.len() > 1 { format!(".{k}") } else { String::new() };
        match step["mode"].as_str() {
            Some("train") => built.module.train(),
            Some("eval") => built.module.eval(),
            other => return unsupported(format!("no mode {other:?}")),
        }
        built.module.zero_grad();
        replay_step(case, &built, &mark)?;
    }
    Ok(())
}

fn replay_step(case: &Case<'_>, built: &Built, mark: &str) -> Result<(), Miss> {
    let inputs = Inputs::stored(case, &format!("in{mark}"))?;
    if let Some(pack) = case.spec["pack"].as_str()
        && !["lstm", "rnn", "kw"].contains(&pack)
    {
        return unsupported(format!("no pack \"{pack}\""));
    }
    let mut kwargs = Attrs::new("the call", &case.spec["call_kwargs"]);
    let outputs = built.call(&inputs, &mut kwargs)?;
    kwargs.done()?;
    check_outputs(case, &outputs, mark)?;
    inputs.check_gradients(case, &format!("grad_in{mark}"))?;
    for (name, p) in built.module.named_parameters() {
        let g = p.grad().unwrap_or_else(|| p.zeros_like());
        case.check(&format!("grad_param{mark}/{name}"), &g.array())?;
    }
    for (name, b) in built.module.named_buffers() {
        case.check(&format!("buffer_after{mark}/{name}"), &b.array())?;
    }
    Ok(())
}
