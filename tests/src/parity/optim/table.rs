//! PyTorch's optimizers and what they are called here: a line each.

use crate::parity::attrs::number;
use crate::parity::miss::{Miss, unsupported};
use gradus_autodiff::Parameter;
use gradus_optim::{AdamOptions, AdamWOptions, ElementRule, Optim, Optimizer, SgdOptions};
use serde_json::{Map, Value};

/// Options by name, as in a manifest.
pub(in crate::parity) type Options = Map<String, Value>;

/// Parameters of one group with their options.
pub(in crate::parity) type Group = (Vec<(String, Parameter)>, Options);

type Build = fn(Group) -> Result<Box<dyn Growing>, Miss>;

/// An optimizer of any kind, from its first group.
const OPTIMIZERS: &[(&str, Build)] = &[
    ("Adam", build::<AdamOptions>),
    ("AdamW", build::<AdamWOptions>),
    ("SGD", build::<SgdOptions>),
];

/// An optimizer that groups can join.
pub(in crate::parity) trait Growing {
    fn add(&mut self, group: Group) -> Result<(), Miss>;
    fn get(&self) -> &dyn Optimizer;
    fn get_mut(&mut self) -> &mut dyn Optimizer;
}

impl<R: ElementRule + Default> Growing for Optim<R> {
    fn add(&mut self, (parameters, options): Group) -> Result<(), Miss> {
        Ok(self.add_group(parameters, read::<R>(&options)?)?)
    }
    fn get(&self) -> &dyn Optimizer {
        self
    }
    fn get_mut(&mut self) -> &mut dyn Optimizer {
        self
    }
}

/// The optimizer that PyTorch calls `name`.
pub(in crate::parity) fn optimizer(
    name: &str,
    groups: Vec<Group>,
) -> Result<Box<dyn Growing>, Miss> {
    let Some((_, build)) = OPTIMIZERS.iter().find(|(n, _)| *n == name) else {
        return unsupported(format!("no optimizer \"{name}\""));
    };
    let mut groups = groups.into_iter();
    let first = groups.next().ok_or_else(|| Miss::Failed("no group of parameters".into()))?;
    let mut new = build(first)?;
    groups.try_for_each(|group| new.add(group))?;
    Ok(new)
}

fn build<R: ElementRule + Default>((parameters, options): Group) -> Result<Box<dyn Growing>, Miss> {
    Ok(Box::new(Optim::<R>::new(parameters, read::<R>(&options)?)?))
}

/// The defaults with these options in their places.
fn read<R: ElementRule + Default>(options: &Options) -> Result<R, Miss> {
    let refused = |e: serde_json::Error| Miss::Refused(format!("{}: {e}", R::NAME));
    let mut all = serde_json::to_value(R::default()).map_err(refused)?;
    for (key, value) in options {
        if says_nothing(R::NAME, key, value) {
            continue;
        }
        match all.get_mut(key) {
            Some(place) => *place = value.clone(),
            None => return unsupported(format!("no option {key}={value} of {}", R::NAME)),
        }
    }
    serde_json::from_value(all).map_err(refused)
}

/// Options of PyTorch that say how a step is computed, and those that say what is so anyway.
pub(in crate::parity) fn says_nothing(optimizer: &str, key: &str, value: &Value) -> bool {
    matches!(key, "foreach" | "fused" | "capturable" | "differentiable")
        || (optimizer == "AdamW" && key == "decoupled_weight_decay" && *value == Value::Bool(true))
}

/// The same number, flag, text, or list of these.
pub(in crate::parity) fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        _ if a == b => true,
        _ => number(a).is_some_and(|x| number(b) == Some(x)),
    }
}
