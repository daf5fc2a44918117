//! Which cases run, and what is said about each.

use super::case::Case;
use super::folder::Folder;
use super::miss::Miss;
use super::{GROUPS, replay_kind};
use gradus_tensor::DType;
use std::cell::{Cell, RefCell};
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;
use std::sync::Once;

/// Which cases to replay.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Only these groups, if any is named.
    pub groups: Vec<String>,
    /// Only this dtype, if one is named.
    pub dtype: Option<DType>,
    /// Only these cases, if any is named: `id` or `group/id`.
    pub ids: Vec<String>,
}

/// What is said about a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// All results are PyTorch's.
    Passed,
    /// Which result is not.
    Failed(String),
    /// What gradus does not have.
    Unsupported(String),
}

/// A case that has been replayed.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Its group.
    pub group: &'static str,
    /// Its id in the group.
    pub id: String,
    /// What is said about it.
    pub verdict: Verdict,
}

/// How many cases had which verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// All results are PyTorch's.
    pub passed: usize,
    /// Some result is not.
    pub failed: usize,
    /// gradus does not have it.
    pub unsupported: usize,
}

impl Tally {
    /// Counts one more.
    pub fn count(&mut self, verdict: &Verdict) {
        match verdict {
            Verdict::Passed => self.passed += 1,
            Verdict::Failed(_) => self.failed += 1,
            Verdict::Unsupported(_) => self.unsupported += 1,
        }
    }
    /// How many cases ran.
    pub fn total(&self) -> usize {
        self.passed + self.failed + self.unsupported
    }
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Tally { passed, failed, unsupported } = self;
        write!(f, "{passed} passed, {failed} failed, {unsupported} unsupported")
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Outcome { group, id, verdict } = self;
        match verdict {
            Verdict::Passed => write!(f, "PASS {group}/{id}"),
            Verdict::Failed(why) => write!(f, "FAIL {group}/{id} {why}"),
            Verdict::Unsupported(why) => write!(f, "UNSUPPORTED {group}/{id}: {why}"),
        }
    }
}

/// The groups of a folder that are selected, each read or with the reason why not.
fn folders(
    root: &Path,
    selection: &Selection,
) -> impl Iterator<Item = (&'static str, Result<Folder, String>)> {
    let selected =
        |g: &&str| selection.groups.is_empty() || selection.groups.iter().any(|s| s == g);
    let there = |g: &&str| root.join(g).join("manifest.json").exists();
    let groups: Vec<&'static str> = GROUPS.into_iter().filter(selected).filter(there).collect();
    groups.into_iter().map(|group| (group, Folder::open(root, group)))
}

fn is_selected(selection: &Selection, group: &str, id: &str) -> bool {
    let matches = |s: &String| s == id || s.split_once('/') == Some((group, id));
    selection.ids.is_empty() || selection.ids.iter().any(matches)
}

/// The selected cases of a folder as `group/id`; nothing runs.
///
/// # Errors
/// If a manifest cannot be read.
pub fn list(root: &Path, selection: &Selection) -> Result<Vec<String>, String> {
    let mut all = Vec::new();
    for (group, folder) in folders(root, selection) {
        for spec in folder?.cases() {
            let id = spec["id"].as_str().unwrap_or("?");
            if is_selected(selection, group, id) {
                all.push(format!("{group}/{id}"));
            }
        }
    }
    Ok(all)
}

/// Replays the selected cases of a folder, one by one, and shows each to `report`.
pub fn replay(root: &Path, selection: &Selection, report: &mut dyn FnMut(Outcome)) {
    for (group, folder) in folders(root, selection) {
        let folder = match folder {
            Ok(folder) => folder,
            Err(why) => {
                let (id, verdict) = ("manifest.json".to_owned(), Verdict::Failed(why));
                report(Outcome { group, id, verdict });
                continue;
            }
        };
        for spec in folder.cases() {
            let id = spec["id"].as_str().unwrap_or("?").to_owned();
            if is_selected(selection, group, &id) {
                let verdict = judge(&folder, spec, selection.dtype);
                report(Outcome { group, id, verdict });
            }
        }
    }
}

/// The worst of both dtypes: a failure, then what is not supported.
pub(super) fn judge(folder: &Folder, spec: &serde_json::Value, dtype: Option<DType>) -> Verdict {
    let dtypes: &[DType] = match dtype {
        _ if folder.group == "sched" => &[DType::F64], // lrs are always f64
        Some(DType::F32) => &[DType::F32],
        Some(_) => &[DType::F64],
        None => &[DType::F64, DType::F32],
    };
    let mut verdict = Verdict::Passed;
    for &dtype in dtypes {
        let case = Case::new(folder, spec, dtype);
        match once(&case) {
            Ok(()) => {}
            Err(Miss::Unsupported(why)) => verdict = Verdict::Unsupported(why),
            Err(Miss::Failed(why) | Miss::Refused(why)) => {
                return Verdict::Failed(format!("{why} ({})", case.dtype_name()));
            }
        }
    }
    verdict
}

fn once(case: &Case<'_>) -> Result<(), Miss> {
    let result = quietly(|| replay_kind(case)).and_then(|()| case.finish());
    if let Some(why) = case.found() {
        return Err(Miss::Failed(why));
    }
    match result {
        Err(Miss::Refused(_)) if case.optional() => Ok(()),
        other => other,
    }
}

thread_local! {
    static QUIET: Cell<bool> = const { Cell::new(false) };
    static LAST: RefCell<Option<Miss>> = const { RefCell::new(None) };
}

/// Runs `f`; a panic on this thread is not printed, but becomes a refusal if it names the rule that the
/// call breaks, as gradus' panics do. Any other panic is a failure.
pub(super) fn quietly(f: impl FnOnce() -> Result<(), Miss>) -> Result<(), Miss> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let loud = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !QUIET.get() {
                return loud(info);
            }
            let text = info.to_string().replace('\n', " ");
            let refused = text.contains(" rule: ");
            let miss = if refused { Miss::Refused(text) } else { Miss::Failed(text) };
            LAST.set(Some(miss));
        }));
    });
    let before = QUIET.replace(true);
    let result = panic::catch_unwind(AssertUnwindSafe(f));
    QUIET.set(before);
    let lost = || Miss::Failed("a panic without a text".into());
    result.unwrap_or_else(|_| Err(LAST.take().unwrap_or_else(lost)))
}
