//! Running an example that cargo has built beside the test.
#![allow(dead_code, reason = "each test is a crate of its own, and not all use everything")]

use std::process::{Command, Output};

/// The example of this name.
pub(crate) fn program(name: &str) -> Command {
    let test = std::env::current_exe().unwrap();
    let file = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    Command::new(test.parent().unwrap().parent().unwrap().join("examples").join(file))
}

/// Runs an example to its end.
pub(crate) fn run(name: &str, arguments: &[&str]) -> Output {
    program(name).args(arguments).output().unwrap()
}

/// What a run that succeeded has written.
#[track_caller]
pub(crate) fn text(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}
