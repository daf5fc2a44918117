//! The book hangs together: every link leads somewhere, every page is listed and run, every optimizer and
//! schedule has its picture.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod tree;

use std::fs;
use tree::{files, root};

/// Every page of the book and the README, with its path from the root and its text.
fn pages() -> Vec<(String, String)> {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let mut pages = files("docs", ".md");
    pages.push(("README.md".to_owned(), readme));
    pages
}

/// The lines outside blocks of code.
fn prose(text: &str) -> Vec<&str> {
    let mut inside = false;
    let is_prose = |line: &&str| {
        let fence = line.trim_start().starts_with("```");
        inside ^= fence;
        !inside && !fence
    };
    text.lines().filter(is_prose).collect()
}

/// What stands between `before` and `after` in some line.
fn between<'t>(lines: &[&'t str], before: &str, after: char) -> Vec<&'t str> {
    let parts = lines.iter().flat_map(|line| line.split(before).skip(1));
    parts.filter_map(|part| part.split_once(after).map(|(found, _)| found)).collect()
}

/// Links and images inside the repository.
fn links(text: &str) -> Vec<&str> {
    let all = between(&prose(text), "](", ')');
    all.into_iter().filter(|link| !link.contains("://") && !link.starts_with('#')).collect()
}

fn none(violations: Vec<String>) {
    assert!(violations.is_empty(), "\n{}", violations.join("\n"));
}

#[test]
fn every_link_and_picture_exists() {
    let mut broken = Vec::new();
    for (name, text) in pages() {
        let folder = root().join(&name).parent().unwrap().to_owned();
        for link in links(&text) {
            let file = link.split('#').next().unwrap();
            if !folder.join(file).exists() {
                broken.push(format!("{name}: {link}"));
            }
        }
    }
    none(broken);
}

/// Paths in backticks: `crates/…`, `examples/…`, `scripts/…`, `tests/…`.
#[test]
fn every_file_the_book_names_exists() {
    let mut missing = Vec::new();
    for (name, text) in pages() {
        for path in prose(&text).iter().flat_map(|line| line.split('`').skip(1).step_by(2)) {
            let ours =
                ["crates/", "examples/", "scripts/", "tests/"].iter().any(|f| path.starts_with(f));
            let plain = !path.contains([' ', '*']) && !path.contains("NAME");
            if ours && plain && !root().join(path).exists() {
                missing.push(format!("{name}: {path}"));
            }
        }
    }
    none(missing);
}

#[test]
fn every_example_the_book_runs_exists() {
    let manifest = fs::read_to_string(root().join("examples/Cargo.toml")).unwrap();
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut missing = Vec::new();
    for (name, text) in pages() {
        for part in text.split("--release --example ").skip(1) {
            let example = part.split(|c| !is_word(c)).next().unwrap();
            if !manifest.contains(&format!("name = \"{example}\"")) {
                missing.push(format!("{name}: {example}"));
            }
        }
    }
    none(missing);
}

#[test]
fn every_page_is_in_the_summary_and_is_run() {
    let summary = fs::read_to_string(root().join("docs/SUMMARY.md")).unwrap();
    let docs = fs::read_to_string(root().join("crates/gradus/src/docs.rs")).unwrap();
    let mut missing = Vec::new();
    for (name, _) in pages() {
        let Some(page) = name.strip_prefix("docs/").filter(|page| *page != "SUMMARY.md") else {
            continue;
        };
        if !summary.contains(&format!("({page})")) {
            missing.push(format!("{page} is not in SUMMARY.md"));
        }
        if !docs.contains(&format!("\"{page}\"")) {
            missing.push(format!("{page} is not in docs.rs"));
        }
    }
    none(missing);
}

#[test]
fn every_optimizer_and_schedule_is_pictured() {
    let all: Vec<(String, String)> = pages();
    let shown = |picture: &str| all.iter().any(|(_, text)| text.contains(&format!("{picture})")));
    let optimizers =
        gradus::optim::optimizers::OPTIMIZERS.iter().map(|o| format!("optimizers/{o}.svg"));
    let schedules = gradus::optim::SCHEDULES.iter().chain(&["reduce_lr_on_plateau"]);
    let schedules = schedules.map(|s| format!("schedules/{s}.svg"));
    none(optimizers.chain(schedules).filter(|picture| !shown(picture)).collect());
}
