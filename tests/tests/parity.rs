//! Does gradus give PyTorch's numbers? The committed fixtures, replayed.

use gradus_tests::parity::{GROUPS, Selection, Tally, Verdict, replay};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Output};

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/parity/fixtures");

/// So many cases of each group must pass: whoever adds an op raises its number.
const PASSED: [usize; GROUPS.len()] = [612, 195, 117, 11, 100, 246, 8];

#[test]
fn parity_of_the_committed_fixtures() {
    let mut tallies: BTreeMap<&str, Tally> = BTreeMap::new();
    let mut missing: BTreeMap<String, usize> = BTreeMap::new();
    let mut failures = Vec::new();
    replay(Path::new(FIXTURES), &Selection::default(), &mut |outcome| {
        tallies.entry(outcome.group).or_default().count(&outcome.verdict);
        match &outcome.verdict {
            Verdict::Passed => {}
            Verdict::Failed(_) => failures.push(outcome.to_string()),
            Verdict::Unsupported(why) => {
                *missing.entry(format!("{}: {why}", outcome.group)).or_default() += 1;
            }
        }
    });
    missing.iter().for_each(|(what, count)| eprintln!("UNSUPPORTED {count:3} × {what}"));
    tallies.iter().for_each(|(group, tally)| eprintln!("{group}: {tally}"));
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    for (group, least) in GROUPS.into_iter().zip(PASSED) {
        let passed = tallies[group].passed;
        assert!(passed >= least, "{group}: {passed} passed, not {least}");
    }
}

fn parity(arguments: &[&str]) -> (Output, String) {
    let out = Command::new(env!("CARGO_BIN_EXE_parity"))
        .args(arguments)
        .output()
        .expect("the program starts");
    let text = String::from_utf8(out.stdout.clone()).expect("text");
    (out, text)
}

#[test]
fn the_program_prints_what_does_not_pass_then_the_groups_then_the_sum() {
    let (out, text) = parity(&["--group", "ops", "--id", "tanh_0", "--id", "ops/tan_0", FIXTURES]);
    let want = "UNSUPPORTED ops/tan_0: no op \"tan\"\n\
                ops: 1 passed, 0 failed, 1 unsupported\n\
                parity: 1 passed, 0 failed, 1 unsupported\n";
    assert_eq!((text.as_str(), out.status.code()), (want, Some(0)));
}

#[test]
fn nothing_that_ran_is_no_success() {
    let (out, text) = parity(&["--id", "nothing", FIXTURES]);
    let want = "parity: 0 passed, 0 failed, 0 unsupported\n";
    assert_eq!((text.as_str(), out.status.code()), (want, Some(1)));
}

#[test]
fn a_list_names_every_case_and_runs_none() {
    let (out, text) = parity(&["--list", "--group", "amp", "--group", "training", FIXTURES]);
    assert_eq!(out.status.code(), Some(0));
    assert_eq!(text.lines().count(), 22);
    assert!(text.starts_with("amp/scaler_0\n") || text.starts_with("training/"), "{text}");
}

#[test]
fn a_damaged_manifest_is_a_failure() {
    let folder = std::env::temp_dir().join(format!("gradus-parity-{}", std::process::id()));
    std::fs::create_dir_all(folder.join("ops")).unwrap();
    std::fs::write(folder.join("ops/manifest.json"), "{\"cases\": [").unwrap();
    let (out, text) = parity(&[folder.to_str().unwrap()]);
    std::fs::remove_dir_all(&folder).unwrap();
    assert_eq!(out.status.code(), Some(1));
    assert!(text.starts_with("FAIL ops/manifest.json"), "{text}");
}

#[test]
fn a_wrong_call_is_answered_with_the_usage() {
    for arguments in [&["--group", "opera", FIXTURES][..], &["--dtype", "f16", FIXTURES], &[]] {
        let (out, text) = parity(arguments);
        assert_eq!((text.as_str(), out.status.code()), ("", Some(2)));
        assert!(String::from_utf8(out.stderr).unwrap().contains("usage: parity"));
    }
}
