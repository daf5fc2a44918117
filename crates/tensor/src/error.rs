//! What can be wrong with a file.

use std::path::{Path, PathBuf};
use std::{fmt, io};

/// Why a file could not be read or written.
///
/// Its `Debug` prints as its `Display`, because that is what `main() -> Result` shows.
pub enum FormatError {
    /// The system refused to read or write.
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The bytes break the rules of the format.
    Corrupt {
        /// The file and the place in it.
        what: String,
        /// The rule, and what was found.
        why: String,
    },
    /// Valid, but nothing that is supported here.
    Unsupported {
        /// The file and the place in it.
        what: String,
        /// What it is, and what to do instead.
        why: String,
    },
}

impl FormatError {
    /// The bytes at `what` break a rule.
    pub fn corrupt(what: impl Into<String>, why: impl Into<String>) -> Self {
        FormatError::Corrupt { what: what.into(), why: why.into() }
    }
    /// What stands at `what` is not supported.
    pub fn unsupported(what: impl Into<String>, why: impl Into<String>) -> Self {
        FormatError::Unsupported { what: what.into(), why: why.into() }
    }
    /// The system refused to read or write `path`.
    pub fn io(path: impl AsRef<Path>, source: io::Error) -> Self {
        FormatError::Io { path: path.as_ref().to_owned(), source }
    }
    /// What a failed read at `what` means: bytes that are missing or wrong, or a system that refuses.
    pub(crate) fn reading(what: impl Into<String>, error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => FormatError::corrupt(what, "the bytes end here"),
            io::ErrorKind::InvalidData => FormatError::corrupt(what, error.to_string()),
            _ => FormatError::io("", error),
        }
    }
    /// The same error with the name of the file, for readers that do not know it.
    #[must_use]
    pub fn at(self, path: impl AsRef<Path>) -> Self {
        let (file, path) = (path.as_ref(), path.as_ref().display());
        match self {
            FormatError::Io { source, .. } => FormatError::io(file, source),
            FormatError::Corrupt { what, why } => {
                FormatError::Corrupt { what: format!("{path}: {what}"), why }
            }
            FormatError::Unsupported { what, why } => {
                FormatError::Unsupported { what: format!("{path}: {what}"), why }
            }
        }
    }
}

impl fmt::Display for FormatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FormatError::Io { path, source } => {
                let path = path.display();
                write!(f, "{path}: {source}; check the path, its permissions and the space left")
            }
            FormatError::Corrupt { what, why } => {
                write!(f, "{what}: {why}; the data is damaged or of another format: get it again")
            }
            FormatError::Unsupported { what, why } => write!(f, "{what}: {why}"),
        }
    }
}
impl fmt::Debug for FormatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
impl std::error::Error for FormatError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            FormatError::Io { source, .. } => Some(source),
            FormatError::Corrupt { .. } | FormatError::Unsupported { .. } => None,
        }
    }
}
