//! The digits example as its user meets it: options, files, bad input.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod program;

use program::program;
use std::fs;
use std::path::Path;
use std::process::Output;

fn run(folder: &Path, arguments: &[&str]) -> Output {
    program("mnist").args(arguments).current_dir(folder).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What stderr says of a run that must fail.
fn refusal(folder: &Path, arguments: &[&str]) -> String {
    let output = run(folder, arguments);
    assert!(!output.status.success(), "{arguments:?} must fail");
    let message = text(&output.stderr);
    assert!(!message.contains("panicked"), "{message}");
    message
}

#[test]
fn it_learns_saves_and_the_file_does_not_depend_on_threads() {
    let folder = tempfile::tempdir().unwrap();
    let train = |threads: &str, file: &str| {
        let output = run(folder.path(), &["--quick", "--threads", threads, "--save", file]);
        assert!(output.status.success(), "{}", text(&output.stderr));
        (text(&output.stdout), fs::read(folder.path().join(file)).unwrap())
    };
    let (out, one) = train("1", "one.safetensors");
    let last = out.lines().last().unwrap().to_owned();
    let accuracy: f64 = last.strip_prefix("test accuracy ").unwrap().parse().unwrap();
    assert!(accuracy > 0.85, "one epoch gives {accuracy}");
    assert!(out.contains("most confused"), "{out}");
    let (_, two) = train("2", "two.safetensors");
    assert!(one == two, "the same seed, the same bytes");
    let (_, again) = train("2", "two.safetensors");
    assert!(two == again);
    let tested = run(folder.path(), &["--epochs", "0", "--load", "one.safetensors"]);
    assert_eq!(
        text(&tested.stdout).lines().last().unwrap(),
        last,
        "the loaded model says the same"
    );
    assert!(!folder.path().join("mnist.safetensors").exists(), "nothing else is written");
}

#[test]
fn a_convolutional_network_learns_too() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["--model", "cnn", "--quick", "--save", "cnn.safetensors"];
    let output = run(folder.path(), &arguments);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let out = text(&output.stdout);
    let last = out.lines().last().unwrap();
    let accuracy: f64 = last.strip_prefix("test accuracy ").unwrap().parse().unwrap();
    assert!(accuracy > 0.85, "one epoch gives {accuracy}");
    let again = ["--model", "cnn", "--epochs", "0", "--load", "cnn.safetensors"];
    let tested = text(&run(folder.path(), &again).stdout);
    assert_eq!(tested.lines().last().unwrap(), last, "the loaded model says the same");
    let message = refusal(folder.path(), &["--epochs", "0", "--load", "cnn.safetensors"]);
    assert!(message.contains("conv1.weight") && message.contains("fc1.weight"), "{message}");
}

#[test]
fn help_explains_every_option() {
    let folder = tempfile::tempdir().unwrap();
    let help = text(&run(folder.path(), &["--help"]).stdout);
    for option in [
        "--model",
        "--epochs",
        "--lr",
        "--batch-size",
        "--optimizer",
        "--seed",
        "--threads",
        "--save",
        "--load",
        "--data",
        "--quick",
        "--help",
    ] {
        assert!(help.contains(option), "{option}");
    }
}

#[test]
fn bad_options_are_named() {
    let folder = tempfile::tempdir().unwrap();
    for (arguments, part) in [
        (vec!["--lr", "-1"], "lr"),
        (vec!["--batch-size", "0"], "--batch-size"),
        (vec!["--optimizer", "magic"], "adam, adamw or sgd"),
        (vec!["--model", "magic"], "mlp or cnn"),
        (vec!["--wings"], "--wings"),
        (vec!["--data", "nowhere"], "there is no train-images-idx3-ubyte"),
        (vec!["--load", "nothing.safetensors"], "nothing.safetensors"),
    ] {
        let message = refusal(folder.path(), &arguments);
        assert!(message.contains(part), "{arguments:?}: {message}");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "no file is left behind");
}

#[test]
fn a_damaged_model_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bad.safetensors");
    fs::write(&file, [255; 64]).unwrap();
    let message = refusal(folder.path(), &["--epochs", "0", "--load", "bad.safetensors"]);
    assert!(message.contains("bad.safetensors"), "{message}");
}

#[test]
fn a_loss_that_is_no_number_stops_with_the_last_good_model() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["--quick", "--optimizer", "sgd", "--lr", "1e30", "--save", "good.safetensors"];
    let message = refusal(folder.path(), &arguments);
    assert!(message.contains("the loss became") && message.contains("--lr"), "{message}");
    let kept = run(folder.path(), &["--epochs", "0", "--load", "good.safetensors"]);
    assert!(kept.status.success(), "the model before the trouble is whole");
}
