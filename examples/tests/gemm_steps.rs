//! The steps of a matrix product as their user meets them.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod program;

use std::process::Output;

fn run(arguments: &[&str]) -> Output {
    program::run("gemm_steps", arguments)
}

#[test]
fn every_step_gives_the_product_and_a_figure() {
    let output = run(&["--quick"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}");
    let speeds: Vec<f64> = text
        .lines()
        .map(|line| line.split("GF/s").next().unwrap().split_whitespace().next_back().unwrap())
        .map(|figure| figure.parse().unwrap())
        .collect();
    assert_eq!(speeds.len(), 7, "{text}");
    assert!(speeds.iter().all(|&s| s > 0.0), "{text}");
}

#[test]
fn help_and_refusals() {
    let help = String::from_utf8(run(&["--help"]).stdout).unwrap();
    assert!(help.contains("--size") && help.contains("--quick"));
    for wrong in [["--size", "0"], ["--size", "x"], ["--library", "0"]] {
        let output = run(&wrong);
        assert!(!output.status.success(), "{wrong:?}");
        assert!(!String::from_utf8(output.stderr).unwrap().contains("panicked"));
    }
}
