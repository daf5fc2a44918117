//! The files of the repository, for tests that read them.

use std::fs;
use std::path::{Path, PathBuf};

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// Every file below a folder of the root whose name ends so, with its path from the root and its text, in order.
/// What is built, and hidden folders, are left out.
pub(crate) fn files(folder: &str, end: &str) -> Vec<(String, String)> {
    fn walk(folder: &Path, end: &str, files: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() && name != "target" && !name.starts_with('.') {
                walk(&path, end, files);
            } else if name.ends_with(end) {
                files.push(path);
            }
        }
    }
    let (root, mut files) = (root(), Vec::new());
    walk(&root.join(folder), end, &mut files);
    files.sort();
    let named = |p: PathBuf| {
        let name = p.strip_prefix(&root).unwrap().to_string_lossy().replace('\\', "/");
        (name, fs::read_to_string(p).unwrap())
    };
    files.into_iter().map(named).collect()
}
