//! The examples of the gradient scaler and the learning-rate finder keep what they promise.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod program;

use program::{run, text};

#[test]
fn only_the_scaled_f16_network_learns() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("scale.svg");
    let out = text(&run("grad_scaler", &["--quick", "--svg", file.to_str().unwrap()]));
    let last = out.lines().last().unwrap();
    let numbers: Vec<f64> = last.split([',', ' ']).filter_map(|word| word.parse().ok()).collect();
    let [plain, scaled, wide] = numbers[..] else { panic!("{last}") };
    assert!(plain < 20.0 && wide > 85.0 && (scaled - wide).abs() < 1.5, "{last}");
    assert!(out.contains("gradients are not finite"), "the first scale is too large:\n{out}");
    assert!(std::fs::read_to_string(file).unwrap().starts_with("<svg"));
}

#[test]
fn the_suggested_rate_learns_and_the_sweep_leaves_no_trace() {
    for optimizer in ["sgd", "adam"] {
        let out = text(&run("lr_finder", &["--quick", "--optimizer", optimizer]));
        assert!(out.contains("the network is as before"), "{out}");
        let last = out.lines().last().unwrap();
        let accuracy: f64 = last.rsplit(' ').next().unwrap().parse().unwrap();
        assert!(last.starts_with("suggested ") && accuracy > 0.85, "{optimizer}: {last}");
    }
}

#[test]
fn help_and_bad_options_are_answered() {
    for name in ["grad_scaler", "lr_finder"] {
        let help = text(&run(name, &["--help"]));
        assert!(help.contains("--quick") && help.contains("--svg"), "{help}");
        let bad = run(name, &["--wings"]);
        assert_eq!(bad.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&bad.stderr).contains("--wings"));
    }
    let bad = run("grad_scaler", &["--init", "-1"]);
    assert!(String::from_utf8_lossy(&bad.stderr).contains("init_scale = -1 is out of range"));
}
