//! PyTorch's optimizers and what they are called here: a line each.

use crate::parity::attrs::number;
use crate::parity::miss::{Miss, unsupported};
use gradus_autodiff::Parameter;
use gradus_optim::{
    AdadeltaOptions, AdafactorOptions, AdagradOptions, AdamOptions, AdamWOptions,
    AdamWScheduleFreeOptions, AdamaxOptions, AsgdOptions, LambOptions, LionOptions, Lookahead,
    LookaheadOptions, MuonOptions, NAdamOptions, Optim, Optimizer, RAdamOptions, RmsPropOptions,
    RpropOptions, Rule, SgdOptions, SparseAdam, SparseAdamOptions,
};
use gradus_tensor::Array;
use serde_json::{Map, Value};
use std::any::Any;

/// Options by name, as in a manifest.
pub(in crate::parity) type Options = Map<String, Value>;

/// Parameters of one group with their options.
pub(in crate::parity) type Group = (Vec<(String, Parameter)>, Options);

type Build = fn(Group, Option<LookaheadOptions>) -> Result<Box<dyn Growing>, Miss>;

/// An optimizer of any kind, from its first group.
const OPTIMIZERS: &[(&str, Build)] = &[
    ("ASGD", build::<AsgdOptions>),
    ("Adadelta", build::<AdadeltaOptions>),
    ("Adafactor", build::<AdafactorOptions>),
    ("Adagrad", build::<AdagradOptions>),
    ("Adam", build::<AdamOptions>),
    ("AdamW", build::<AdamWOptions>),
    ("AdamWScheduleFree", build::<AdamWScheduleFreeOptions>),
    ("Adamax", build::<AdamaxOptions>),
    ("Lamb", build::<LambOptions>),
    ("Lion", build::<LionOptions>),
    ("Muon", build::<MuonOptions>),
    ("NAdam", build::<NAdamOptions>),
    ("RAdam", build::<RAdamOptions>),
    ("RMSprop", build::<RmsPropOptions>),
    ("Rprop", build::<RpropOptions>),
    ("SGD", build::<SgdOptions>),
    ("SparseAdam", build::<SparseAdamOptions>),
];

/// An optimizer that groups can join.
pub(in crate::parity) trait Growing {
    fn add(&mut self, group: Group) -> Result<(), Miss>;
    fn get(&self) -> &dyn Optimizer;
    fn get_mut(&mut self) -> &mut dyn Optimizer;
    /// The rows that the next gradient of a parameter has.
    fn set_rows(&mut self, name: &str, rows: &Array) -> Result<(), Miss>;
}

impl<R: Rule + Default> Growing for Optim<R> {
    fn add(&mut self, (parameters, options): Group) -> Result<(), Miss> {
        Ok(self.add_group(parameters, read::<R>(&options)?)?)
    }
    fn get(&self) -> &dyn Optimizer {
        self
    }
    fn get_mut(&mut self) -> &mut dyn Optimizer {
        self
    }
    fn set_rows(&mut self, name: &str, rows: &Array) -> Result<(), Miss> {
        match (self as &mut dyn Any).downcast_mut::<SparseAdam>() {
            Some(sparse) => Ok(sparse.set_rows(name, rows)?),
            None => unsupported(format!("no rows in {}", R::NAME)),
        }
    }
}

impl<R: Rule + Default> Growing for Lookahead<Optim<R>> {
    fn add(&mut self, group: Group) -> Result<(), Miss> {
        self.base_mut().add(group)
    }
    fn get(&self) -> &dyn Optimizer {
        self
    }
    fn get_mut(&mut self) -> &mut dyn Optimizer {
        self
    }
    fn set_rows(&mut self, name: &str, rows: &Array) -> Result<(), Miss> {
        self.base_mut().set_rows(name, rows)
    }
}

/// The optimizer that PyTorch calls `name`.
pub(in crate::parity) fn optimizer(
    name: &str,
    groups: Vec<Group>,
) -> Result<Box<dyn Growing>, Miss> {
    optimizer_in(name, groups, None)
}

/// As [`optimizer`], inside a lookahead.
pub(super) fn optimizer_in(
    name: &str,
    groups: Vec<Group>,
    lookahead: Option<LookaheadOptions>,
) -> Result<Box<dyn Growing>, Miss> {
    let Some((_, build)) = OPTIMIZERS.iter().find(|(n, _)| *n == name) else {
        return unsupported(format!("no optimizer \"{name}\""));
    };
    let mut groups = groups.into_iter();
    let first = groups.next().ok_or_else(|| Miss::Failed("no group of parameters".into()))?;
    let mut new = build(first, lookahead)?;
    groups.try_for_each(|group| new.add(group))?;
    Ok(new)
}

fn build<R: Rule + Default>(
    (parameters, options): Group,
    lookahead: Option<LookaheadOptions>,
) -> Result<Box<dyn Growing>, Miss> {
    let new = Optim::<R>::new(parameters, read::<R>(&options)?)?;
    Ok(match lookahead {
        Some(lookahead) => Box::new(Lookahead::new(new, lookahead)?),
        None => Box::new(new),
    })
}

/// The defaults with these options in their places.
fn read<R: Rule + Default>(options: &Options) -> Result<R, Miss> {
    let refused = |e: serde_json::Error| Miss::Refused(format!("{}: {e}", R::NAME));
    let all = serde_json::to_value(R::default()).map_err(refused)?;
    serde_json::from_value(with(all, R::NAME, options)?).map_err(refused)
}

/// Options of the optimizer `name`, with these in their places.
pub(super) fn with(mut all: Value, name: &str, options: &Options) -> Result<Value, Miss> {
    for (key, value) in options {
        if says_nothing(name, key, value) {
            continue;
        }
        match all.get_mut(key) {
            Some(place) => *place = value.clone(),
            None => return unsupported(format!("no option {key}={value} of {name}")),
        }
    }
    Ok(all)
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
