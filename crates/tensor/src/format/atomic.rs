//! Writing a file all at once or not at all.

use crate::FormatError;
use std::fs::{self, File};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// A system call for each piece of this many bytes: large enough that its cost does not show.
const BUFFER: usize = 256 << 10;

/// Write a file so that at every moment, whatever fails or is killed, `path` holds the complete old
/// contents or the complete new ones.
///
/// The bytes go to a temporary file in the same folder, reach the disk, and then take the name. A
/// symbolic link stays one, and an existing file keeps its permissions. If anything fails, the
/// temporary file is removed and `path` is untouched.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::io::Write;
/// # let dir = tempfile::tempdir()?;
/// # let path = dir.path().join("notes.txt");
/// gradus_tensor::write_atomically(&path, |file| file.write_all(b"step 12"))?;
/// assert_eq!(std::fs::read(&path)?, b"step 12");
/// # Ok(()) }
/// ```
/// # Errors
/// If `write` fails, or the system refuses to create, sync or rename.
pub fn write_atomically(
    path: impl AsRef<Path>,
    write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
) -> Result<(), FormatError> {
    let path = path.as_ref();
    replace(path, write).map_err(|source| FormatError::io(path, source))
}

fn replace(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
) -> io::Result<()> {
    // The file behind a link, so that the link is not replaced.
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    if target.file_name().is_none() || target.is_dir() {
        return Err(io::Error::new(ErrorKind::InvalidInput, "this is not the name of a file"));
    }
    let folder = match target.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let (temporary, file) = Temporary::create(folder)?;
    if let Ok(old) = fs::metadata(&target) {
        file.set_permissions(old.permissions())?;
    }
    let mut out = BufWriter::with_capacity(BUFFER, file);
    write(&mut out)?;
    out.flush()?;
    out.get_ref().sync_all()?;
    drop(out);
    fs::rename(&temporary.0, &target)?;
    std::mem::forget(temporary);
    sync_folder(folder)
}

/// A file that is removed when it is dropped.
struct Temporary(PathBuf);

impl Temporary {
    fn create(folder: &Path) -> io::Result<(Temporary, File)> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        loop {
            let number = NEXT.fetch_add(1, Relaxed);
            let path = folder.join(format!(".gradus-{}-{number}.tmp", std::process::id()));
            match File::create_new(&path) {
                Ok(file) => return Ok((Temporary(path), file)),
                Err(e) if e.kind() == ErrorKind::AlreadyExists => {}
                Err(e) => return Err(e),
            }
        }
    }
}
impl Drop for Temporary {
    fn drop(&mut self) {
        // Whatever led here is the error to report.
        let _ = fs::remove_file(&self.0);
    }
}

/// Let the new name reach the disk; a file system without that operation cannot promise more.
fn sync_folder(folder: &Path) -> io::Result<()> {
    if !cfg!(unix) {
        return Ok(());
    }
    match File::open(folder)?.sync_all() {
        Err(e) if matches!(e.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported) => Ok(()),
        synced => synced,
    }
}
