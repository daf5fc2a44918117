//! The pictures of the schedules in the book are those that the example draws.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod program;

use std::fs;
use std::path::Path;
use std::process::Output;

fn run(arguments: &[&str]) -> Output {
    program::run("schedule_plots", arguments)
}

/// The numbers of a picture, and what is between them.
fn parts(svg: &str) -> (Vec<f64>, String) {
    let is_number = |c: char| c.is_ascii_digit() || c == '.';
    let numbers = svg.split(|c| !is_number(c)).filter_map(|word| word.parse().ok()).collect();
    (numbers, svg.replace(is_number, ""))
}

#[test]
fn every_schedule_is_drawn_as_in_the_book() {
    let folder = tempfile::tempdir().unwrap();
    let output = run(&["--quick", "--out", folder.path().to_str().unwrap()]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let book = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/images/schedules");
    let all = gradus::optim::SCHEDULES.iter().chain(&["reduce_lr_on_plateau"]);
    for name in all.clone() {
        let file = format!("{name}.svg");
        let drawn =
            fs::read_to_string(folder.path().join(&file)).unwrap_or_else(|e| panic!("{file}: {e}"));
        let kept = fs::read_to_string(book.join(&file)).unwrap_or_else(|e| panic!("{file}: {e}"));
        let ((drawn, words), (kept, kept_words)) = (parts(&drawn), parts(&kept));
        // Another C library may round the last digit of a cosine, and so of a tenth of a pixel, elsewhere.
        let near =
            drawn.len() == kept.len() && drawn.iter().zip(&kept).all(|(a, b)| (a - b).abs() < 0.15);
        assert!(
            near && words == kept_words,
            "{file} is not as drawn: run scripts/schedule_plots.sh"
        );
    }
    assert_eq!(fs::read_dir(book).unwrap().count(), all.count(), "a picture of nothing");
}

#[test]
fn help_and_bad_options_are_answered() {
    let help = run(&["--help"]);
    let text = String::from_utf8_lossy(&help.stdout);
    assert!(help.status.success() && text.contains("--quick") && text.contains("--out"), "{text}");
    let bad = run(&["--wings"]);
    assert_eq!(bad.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&bad.stderr).contains("--wings"));
}
