//! From an optimizer to a state dict, and back: all or nothing.

use crate::error::{Mismatch, OptimError};
use crate::group::{Group, Member, State, compute_dtype};
use crate::{Entry, LrPolicy, Optim, Rule, StateDict};
use gradus_tensor::{Array, DType, Shape};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// Options as JSON, under the names of their fields.
pub(crate) fn to_json(options: &impl Serialize) -> Value {
    serde_json::to_value(options).expect("options are numbers, flags and lists of them")
}

/// Back from JSON.
pub(crate) fn from_json<T: DeserializeOwned>(what: &str, value: &Value) -> Result<T, OptimError> {
    let wrong = |e: serde_json::Error| OptimError::Malformed(format!("{what}: {e}"));
    serde_json::from_value(value.clone()).map_err(wrong)
}

/// An entry that every state dict of this kind has, as JSON.
pub(crate) fn take<T: DeserializeOwned>(dict: &mut StateDict, key: &str) -> Result<T, OptimError> {
    match dict.remove(key) {
        Some(Entry::Value(value)) => from_json(key, &value),
        Some(Entry::Array(_)) => Err(OptimError::Malformed(format!("{key} is an array"))),
        None => Err(OptimError::Malformed(format!("{key} is missing"))),
    }
}

/// See [`crate::Optimizer::state_dict`].
pub(crate) fn save<R: Rule>(optim: &Optim<R>) -> StateDict {
    let mut dict = StateDict::default();
    dict.insert("optimizer", Value::from(R::NAME));
    dict.insert("steps", json!(optim.steps));
    let group = |group: &Group<R>| {
        let mut value = to_json(&group.options);
        let names: Vec<&str> = group.members.iter().map(|m| m.name.as_str()).collect();
        value["param_names"] = json!(names);
        value["initial_lr"] = json!(group.initial_lr);
        value
    };
    dict.insert("param_groups", optim.groups.iter().map(group).collect::<Value>());
    for Group { options, members, .. } in &optim.groups {
        for Member { name, state, parameter, .. } in members {
            let Some(state) = state else { continue };
            dict.insert(format!("state.{name}.step"), json!(state.t));
            for (j, (slot, array)) in R::SLOTS.iter().zip(&state.slots).enumerate() {
                match array {
                    Some(array) => dict.insert(format!("state.{name}.{slot}"), array.clone()),
                    // In use from the next step on, so that it is not missing.
                    None if options.shape(j, parameter.shape()).is_some() => {
                        dict.insert(format!("state.{name}.{slot}"), Value::Null);
                    }
                    None => {}
                }
            }
            for (key, v) in R::SCALARS.iter().zip(&state.scalars) {
                dict.insert(format!("state.{name}.{key}"), json!(v));
            }
            if let Some(master) = &state.master {
                dict.insert(format!("state.{name}.master"), master.clone());
            }
        }
    }
    dict
}

/// See [`crate::Optimizer::parameter_state`].
pub(crate) fn parameter_state<R: Rule>(state: &State) -> StateDict {
    let mut dict = StateDict::default();
    if R::HAS_STEP {
        dict.insert("step", Array::scalar(state.t as f64, DType::F64));
    }
    for (slot, array) in R::SLOTS.iter().zip(&state.slots) {
        if let Some(array) = array {
            dict.insert(*slot, array.clone());
        }
    }
    for (key, v) in R::SCALARS.iter().zip(&state.scalars) {
        dict.insert(*key, Array::scalar(*v, DType::F64));
    }
    dict
}

/// See [`crate::Optimizer::load_state_dict_with`].
pub(crate) fn load<R: Rule>(
    optim: &mut Optim<R>,
    dict: &StateDict,
    policy: LrPolicy,
) -> Result<(), OptimError> {
    let mut rest = Rest { dict: dict.clone(), mismatch: Mismatch::default() };
    let of: String = rest.json("optimizer")?;
    if of != R::NAME {
        let text = format!("optimizer is {of}, not {}", R::NAME);
        rest.mismatch.different.push(text);
        return rest.mismatch.check();
    }
    let steps = rest.json("steps")?;
    let saved: Vec<Value> = rest.json("param_groups")?;
    if saved.len() != optim.groups.len() {
        let text = format!("{} groups, not {}", saved.len(), optim.groups.len());
        rest.mismatch.different.push(text);
        return rest.mismatch.check();
    }
    let mut groups = Vec::new();
    for (i, (now, saved)) in optim.groups.iter().zip(&saved).enumerate() {
        let mut options: R = from_json(&format!("param_groups.{i}"), saved)?;
        let mut initial_lr =
            from_json(&format!("param_groups.{i}.initial_lr"), &saved["initial_lr"])?;
        let names: Vec<String> = from_json("param_names", &saved["param_names"])?;
        rest.compare_names(now, names);
        if policy == LrPolicy::KeepCurrent {
            options.set_lr(now.options.lr());
            initial_lr = now.initial_lr;
        }
        let states = now.members.iter().map(|m| rest.state(m, &options));
        let states = states.collect::<Result<Vec<_>, _>>()?;
        groups.push((options, initial_lr, states));
    }
    rest.finish()?;
    for (group, (options, initial_lr, states)) in optim.groups.iter_mut().zip(groups) {
        (group.options, group.initial_lr) = (options, initial_lr);
        group.members.iter_mut().zip(states).for_each(|(m, state)| m.state = state);
    }
    optim.steps = steps;
    Ok(())
}

/// What is left of a state dict, and what did not fit so far.
struct Rest {
    dict: StateDict,
    mismatch: Mismatch,
}

impl Rest {
    fn finish(mut self) -> Result<(), OptimError> {
        self.mismatch.unexpected.extend(self.dict.keys().map(str::to_owned));
        self.mismatch.check()
    }
    fn json<T: DeserializeOwned>(&mut self, key: &str) -> Result<T, OptimError> {
        take(&mut self.dict, key)
    }
    fn compare_names<R>(&mut self, now: &Group<R>, mut saved: Vec<String>) {
        for m in &now.members {
            match saved.iter().position(|name| *name == m.name) {
                Some(i) => drop(saved.swap_remove(i)),
                None => self.mismatch.missing.push(m.name.clone()),
            }
        }
        saved.sort_unstable();
        self.mismatch.unexpected.extend(saved);
    }
    /// The state of one parameter; `None` if it never had a gradient.
    fn state<R: Rule>(&mut self, m: &Member, options: &R) -> Result<Option<State>, OptimError> {
        let prefix = format!("state.{}", m.name);
        if self.dict.get(&format!("{prefix}.step")).is_none() {
            return Ok(None);
        }
        let mut state = State::new(options);
        state.t = self.json(&format!("{prefix}.step"))?;
        for (j, slot) in R::SLOTS.iter().enumerate() {
            let shape = options.shape(j, m.parameter.shape());
            state.slots[j] = self.array(m, format!("{prefix}.{slot}"), shape);
        }
        for (scalar, key) in state.scalars.iter_mut().zip(R::SCALARS) {
            *scalar = self.json(&format!("{prefix}.{key}"))?;
        }
        state.master = self.array(m, format!("{prefix}.master"), None);
        Ok(Some(state))
    }
    /// An array in the type the step of the parameter is computed in. One without a shape is not needed;
    /// if it is there, it has that of the parameter.
    fn array(&mut self, m: &Member, key: String, shape: Option<Shape>) -> Option<Array> {
        let needed = shape.is_some();
        let shape = shape.unwrap_or_else(|| m.parameter.shape().clone());
        match self.dict.remove(&key) {
            Some(Entry::Array(a)) if *a.shape() == shape => {
                return Some(a.cast(compute_dtype(m.parameter.dtype())));
            }
            Some(Entry::Array(a)) => {
                let text = format!("{key} is {}, not {shape}", a.shape());
                self.mismatch.different.push(text);
            }
            Some(Entry::Value(Value::Null)) => {}
            Some(Entry::Value(_)) => self.mismatch.different.push(format!("{key} is no array")),
            None if needed => self.mismatch.missing.push(key),
            None => {}
        }
        None
    }
}
