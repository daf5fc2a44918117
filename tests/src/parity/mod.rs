//! Recorded PyTorch runs, replayed with gradus.
//!
//! | question | file |
//! |---|---|
//! | what is in a folder? | `folder.rs` |
//! | what does a case read, and what does it compare? | `case.rs` |
//! | when are two tensors equal? | `compare.rs` |
//! | how is a case run, and what is said about it? | `run.rs` |
//! | which op, layer, optimizer, schedule has which name in PyTorch? | the tables: `ops/table.rs`, `nn/modules.rs`, `nn/functions.rs`, `optim/table.rs`, `sched_table.rs` |
//!
//! A name that is in no table, an option nobody asked for and a stored result nobody compared make a
//! case *unsupported*: it is neither passed nor failed.

mod amp;
mod attrs;
mod case;
mod clip;
mod compare;
mod folder;
mod miss;
#[cfg(test)]
mod mutants;
mod nn;
mod ops;
mod optim;
mod run;
mod sched;
mod sched_table;
mod training;

pub use run::{Outcome, Selection, Tally, Verdict, list, replay};

use case::Case;
use miss::{Miss, unsupported};

/// Every group of the format, in the order of the report.
pub const GROUPS: [&str; 7] = ["ops", "optim", "sched", "amp", "clip", "nn", "training"];

type Replay = fn(&Case<'_>) -> Result<(), Miss>;

/// Who replays which kind of which group; `""` for groups of one kind.
const KINDS: &[(&str, &str, Replay)] = &[
    ("ops", "op", ops::op::replay),
    ("ops", "higher_order", ops::higher_order::replay),
    ("ops", "double_backward", ops::double_backward::replay),
    ("ops", "jacobian", ops::jacobian::replay),
    ("optim", "explicit_grads", optim::explicit_grads::replay),
    ("optim", "lbfgs", optim::lbfgs::replay),
    ("optim", "closure", optim::closure::replay),
    ("optim", "averaging", optim::averaging::replay),
    ("sched", "", sched::replay),
    ("amp", "", amp::replay),
    ("clip", "", clip::replay),
    ("nn", "module", nn::module::replay),
    ("nn", "loss", nn::functional::replay),
    ("nn", "functional", nn::functional::replay),
    ("training", "", training::replay),
];

fn replay_kind(case: &Case<'_>) -> Result<(), Miss> {
    let kind = case.spec["kind"].as_str().filter(|kind| *kind != case.group).unwrap_or("");
    match KINDS.iter().find(|(group, name, _)| (*group, *name) == (case.group, kind)) {
        Some((_, _, replay)) => replay(case),
        None => unsupported(format!("no kind \"{kind}\"")),
    }
}
