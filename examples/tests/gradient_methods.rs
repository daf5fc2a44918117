//! The examples that compare ways to descend keep what they promise.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod program;

use program::{run, text};

/// The last line, and the numbers in it.
fn result(out: &str) -> (&str, Vec<f64>) {
    let last = out.lines().last().unwrap();
    (last, last.split([',', ';', ' ', ':']).filter_map(|word| word.parse().ok()).collect())
}

#[test]
fn small_batches_win_for_equal_work_and_large_ones_for_equal_steps() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("variants.svg");
    let svg = file.to_str().unwrap();
    let out = text(&run("gradient_descent_variants", &["--quick", "--svg", svg]));
    let (last, numbers) = result(&out);
    let [_, batch, stochastic, mini, _, same_batch, same_stochastic, same_mini] = numbers[..]
    else {
        panic!("{last}")
    };
    assert!(stochastic < 0.7 * batch && mini < 0.7 * batch, "{last}");
    assert!(same_batch == batch && batch < same_mini && same_mini < same_stochastic, "{last}");
    let picture = std::fs::read_to_string(file).unwrap();
    assert!(picture.starts_with("<svg") && picture.matches("<svg").count() == 3);
    assert_eq!(picture.matches("</svg>").count(), 3);
}

#[test]
fn curvature_saves_iterations() {
    let out = text(&run("newton_vs_lbfgs", &["--quick"]));
    let (last, numbers) = result(&out);
    assert!(last.starts_with("gradient norm below 1e-8: newton "), "{last}");
    assert!(last.ends_with("gradient descent - iterations"), "{last}");
    let [_, newton, conjugate, lbfgs] = numbers[..] else { panic!("{last}") };
    assert!(newton <= 12.0 && conjugate <= 20.0, "{last}");
    assert!(lbfgs > 2.0 * newton && lbfgs < 200.0, "{last}");
}

#[test]
fn sam_finds_flatter_minima_that_are_better() {
    let out = text(&run("sam", &["--quick"]));
    let (last, numbers) = result(&out);
    let [sgd, sam, adaptive, sharp, flat, adaptive_flat] = numbers[..] else { panic!("{last}") };
    assert!(flat < 0.8 * sharp && adaptive_flat < 0.8 * sharp, "{last}");
    assert!(sgd > 60.0 && sam > sgd + 1.0 && adaptive > sgd + 1.0, "{last}");
}

#[test]
fn help_and_bad_options_are_answered() {
    for (name, bad) in [
        ("gradient_descent_variants", &["--batch", "0"]),
        ("gradient_descent_variants", &["--samples", "9000"]),
        ("newton_vs_lbfgs", &["--digits", "3,3"]),
        ("newton_vs_lbfgs", &["--samples", "0"]),
        ("sam", &["--noise", "2"]),
        ("sam", &["--wings", "2"]),
    ] {
        let help = text(&run(name, &["--help"]));
        assert!(help.contains("--quick") && help.contains("usage: "), "{help}");
        let out = run(name, bad);
        assert_eq!(out.status.code(), Some(2), "{name} {bad:?}");
        assert!(String::from_utf8_lossy(&out.stderr).contains(bad[0]), "{name} {bad:?}");
    }
}
