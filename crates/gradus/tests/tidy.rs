//! The source tree obeys the rules of the house. It reads files, and judges nothing that a lint judges.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Lines of a file, at most.
const LONGEST: usize = 400;
/// Names that say nothing.
const EMPTY_NAMES: [&str; 8] =
    ["base", "utils", "util", "helpers", "common", "misc", "types", "core"];
/// Where `unsafe` may stand, from the root.
const UNSAFE: [&str; 2] = ["crates/tensor/src/storage/", "crates/tensor/src/kernels/"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// Every Rust file below the root, with its path from there and its text.
fn sources() -> Vec<(String, String)> {
    fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() && name != "target" && !name.starts_with('.') {
                walk(&path, files);
            } else if name.ends_with(".rs") {
                files.push(path);
            }
        }
    }
    let (root, mut files) = (root(), Vec::new());
    walk(&root, &mut files);
    files.sort();
    let named = |p: PathBuf| {
        let name = p.strip_prefix(&root).unwrap().to_string_lossy().replace('\\', "/");
        (name, fs::read_to_string(p).unwrap())
    };
    files.into_iter().map(named).filter(|(name, _)| !name.contains("/ui/")).collect()
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
    // with a vector are checked by the fixtures of other ops; `logical_not` has no number to compare.
    let elsewhere = [
        "batch_norm",
        "copy",
        "cross_entropy",
        "dropout",
        "linear",
        "logical_not",
        "lstm_cell",
        "mse_loss",
        "mv",
        "nll_loss",
        "sum_to",
        "to_dtype",
    ];
    let missing: Vec<&str> = missing.into_iter().filter(|m| !elsewhere.contains(m)).collect();
    assert!(missing.is_empty(), "no fixture: {missing:?}");
}

#[test]
fn the_readme_has_the_command_that_ci_runs() {
    let command = "cargo test --workspace --locked";
    for file in ["README.md", ".ci/run"] {
        let text = fs::read_to_string(root().join(file)).unwrap();
        assert!(text.lines().any(|l| l.trim() == command), "{file} holds the test command");
    }
}
