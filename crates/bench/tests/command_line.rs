//! What the program answers before it measures anything.
#![allow(clippy::unwrap_used, reason = "a test")]

use std::process::{Command, Output};

fn bench(arguments: &[&str]) -> (bool, String, String) {
    let Output { status, stdout, stderr } =
        Command::new(env!("CARGO_BIN_EXE_gradus-bench")).args(arguments).output().unwrap();
    (status.success(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

#[test]
fn the_list_has_ids_and_nothing_is_measured() {
    let (ok, out, _) = bench(&["--list"]);
    let ids: Vec<&str> = out.lines().collect();
    assert!(ok && ids.contains(&"mlp_small") && ids.contains(&"matmul_f32_512"), "{out}");
    assert!(ids.iter().all(|id| id.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')));
}

#[test]
fn help_and_errors() {
    let (ok, out, _) = bench(&["--help"]);
    assert!(ok && out.starts_with("usage: gradus-bench"), "{out}");
    let (ok, _, err) = bench(&["no_such_id"]);
    assert!(!ok && err.contains("no_such_id") && err.contains("--list"), "{err}");
    let (ok, _, err) = bench(&["--threads", "0", "mlp_small"]);
    assert!(!ok && err.contains("--threads: at least 1"), "{err}");
}
