//! The source tree obeys the rules of the house. It reads files, and judges nothing that a lint judges.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod tree;

use std::collections::BTreeSet;
use std::fs;
use tree::{files, root};

/// Lines of a file, at most.
const LONGEST: usize = 400;
/// Names that say nothing.
const EMPTY_NAMES: [&str; 8] =
    ["base", "utils", "util", "helpers", "common", "misc", "types", "core"];
/// Where `unsafe` may stand, from the root.
const UNSAFE: [&str; 2] = ["crates/tensor/src/storage/", "crates/tensor/src/kernels/"];

/// Every Rust file, with its path from the root and its text.
fn sources() -> Vec<(String, String)> {
    files("", ".rs").into_iter().filter(|(name, _)| !name.contains("/ui/")).collect()
}

fn violations(check: impl Fn(&str, &str) -> Option<String>) {
    let found: Vec<String> = sources()
        .iter()
        .filter_map(|(name, text)| check(name, text).map(|why| format!("{name}: {why}")))
        .collect();
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn every_file_says_what_it_is() {
    violations(|_, text| (!text.starts_with("//!")).then(|| "does not begin with //!".to_owned()));
}

#[test]
fn no_file_is_long() {
    violations(|_, text| {
        let lines = text.lines().count();
        (lines > LONGEST).then(|| format!("has {lines} lines"))
    });
}

#[test]
fn no_name_is_empty() {
    violations(|name, _| {
        let mut parts = name.trim_end_matches(".rs").split('/');
        let empty = parts.find(|p| EMPTY_NAMES.contains(p))?;
        Some(format!("{empty} says nothing"))
    });
}

#[test]
fn nothing_is_left_to_do() {
    let marks = [["TO", "DO"].concat(), ["FIX", "ME"].concat(), ["todo", "!("].concat()];
    violations(|_, text| {
        let mark = marks.iter().find(|m| text.contains(m.as_str()))?;
        Some(format!("contains {mark}"))
    });
}

#[test]
fn unsafe_stands_in_storage_and_kernels_only() {
    let blocks = ["{", "fn", "impl"].map(|b| format!("unsafe {b}"));
    violations(|name, text| {
        let allowed = UNSAFE.iter().any(|f| name.starts_with(f)) || name.contains("/tests/");
        let mut code = text.lines().filter(|l| !l.trim_start().starts_with("//"));
        let found = code.any(|l| blocks.iter().any(|b| l.contains(b.as_str())));
        (found && !allowed).then(|| "contains unsafe code".to_owned())
    });
    for folder in ["autodiff", "nn", "optim", "data", "gradus", "bench"] {
        let file =
            ["lib.rs", "main.rs"].map(|f| root().join("crates").join(folder).join("src").join(f));
        let text = file.iter().find_map(|f| fs::read_to_string(f).ok()).unwrap();
        assert!(text.contains("#![forbid(unsafe_code)]"), "{folder} forbids unsafe code");
    }
}

/// What a crate of the workspace may depend on.
const ARROWS: [(&str, &[&str]); 7] = [
    ("tensor", &[]),
    ("autodiff", &["tensor"]),
    ("nn", &["tensor", "autodiff", "nn-derive"]),
    ("optim", &["tensor", "autodiff"]),
    ("data", &["tensor", "autodiff"]),
    ("nn-derive", &[]),
    ("gradus", &["tensor", "autodiff", "nn", "optim", "data"]),
];

#[test]
fn arrows_between_crates_point_down() {
    for (name, allowed) in ARROWS {
        let file = root().join("crates").join(name).join("Cargo.toml");
        let text = fs::read_to_string(file).unwrap();
        let section = text.split("[dependencies]").nth(1).unwrap_or_default();
        let section = section.split("\n[").next().unwrap();
        let ours = section.lines().filter_map(|l| l.strip_prefix("gradus-"));
        let ours: BTreeSet<&str> = ours.map(|l| l.split(['.', ' ']).next().unwrap()).collect();
        let allowed: BTreeSet<&str> = allowed.iter().copied().collect();
        assert!(ours.is_subset(&allowed), "{name} depends on {ours:?}, allowed are {allowed:?}");
    }
}

/// Every op has a fixture, or is the adjoint or the in-place form of one that has.
#[test]
fn every_op_has_a_fixture() {
    let manifest = root().join("tests/parity/fixtures/ops/manifest.json");
    let text = fs::read_to_string(manifest).unwrap();
    let missing: Vec<&str> = gradus::autodiff::ops::OPS
        .iter()
        .copied()
        .filter(|op| {
            let name = match *op {
                "compare" => "eq",
                "where_" => "where",
                other => other,
            };
            !text.contains(&format!("\"op\": \"{name}\""))
                && !text.contains(&format!("\"op\":\"{name}\""))
        })
        .collect();
    // Layers and losses have their fixtures in `nn`; copies, casts, sums of broadcast axes and products
    // with a vector are checked by the fixtures of other ops; `logical_not` has no number to compare, and
    // `scale` is what the fixtures of the scaler are made with.
    let elsewhere = [
        "adaptive_avg_pool1d",
        "adaptive_avg_pool2d",
        "adaptive_max_pool1d",
        "adaptive_max_pool2d",
        "avg_pool1d",
        "avg_pool2d",
        "batch_norm",
        "conv1d",
        "conv2d",
        "conv_transpose1d",
        "conv_transpose2d",
        "convolution",
        "copy",
        "cross_entropy",
        "dropout",
        "layer_norm",
        "linear",
        "logical_not",
        "lstm_cell",
        "max_pool1d",
        "max_pool2d",
        "mse_loss",
        "mv",
        "nll_loss",
        "scale",
        "sum_to",
        "to_dtype",
    ];
    let missing: Vec<&str> = missing.into_iter().filter(|m| !elsewhere.contains(m)).collect();
    assert!(missing.is_empty(), "no fixture: {missing:?}");
}

/// Every optimizer has trajectories to follow: PyTorch's, or a plain program's where PyTorch lacks it.
#[test]
fn every_optimizer_has_a_fixture() {
    let manifest = root().join("tests/parity/fixtures/optim/manifest.json");
    let text = fs::read_to_string(manifest).unwrap();
    for name in gradus::optim::optimizers::OPTIMIZERS {
        let id = name.replace('_', "");
        let count = (0..).take_while(|i| text.contains(&format!("\"id\": \"{id}_{i}\""))).count();
        assert!(count >= 8, "{name} has {count} fixtures, not 8");
    }
}

/// Five option sets for each schedule; those of a file `step_lr` are called `steplr_0`, `steplr_1`, …
#[test]
fn every_schedule_has_fixtures() {
    let manifest = root().join("tests/parity/fixtures/sched/manifest.json");
    let text = fs::read_to_string(manifest).unwrap();
    let all = gradus::optim::SCHEDULES.iter().chain(&["reduce_lr_on_plateau"]);
    let few: Vec<String> = all
        .map(|file| file.replace('_', ""))
        .map(|name| (text.matches(&format!("\"{name}_")).count(), name))
        .filter(|(count, _)| *count < 5)
        .map(|(count, name)| format!("{name}: {count}"))
        .collect();
    assert!(few.is_empty(), "{few:?}");
}

#[test]
fn the_readme_has_the_command_that_ci_runs() {
    let command = "cargo test --workspace --locked";
    for file in ["README.md", ".ci/run"] {
        let text = fs::read_to_string(root().join(file)).unwrap();
        assert!(text.lines().any(|l| l.trim() == command), "{file} holds the test command");
    }
}
