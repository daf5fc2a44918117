//! What can be wrong with data.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// Data from outside is not what it should be. It prints as a sentence that names the file.
pub enum DataError {
    /// A file cannot be read.
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The contents of a file, or of bytes, break the format.
    Corrupt {
        /// The file, or what the bytes are.
        what: String,
        /// What is wrong.
        why: String,
    },
    /// An argument makes no sense.
    Argument(String),
    /// A sample is asked for that does not exist.
    Index {
        /// What was asked for.
        index: usize,
        /// How many there are.
        len: usize,
    },
}

impl DataError {
    pub(crate) fn io(path: &Path, source: io::Error) -> Self {
        DataError::Io { path: path.to_owned(), source }
    }
    pub(crate) fn corrupt(what: &str, why: impl Into<String>) -> Self {
        DataError::Corrupt { what: what.to_owned(), why: why.into() }
    }
}

impl fmt::Display for DataError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DataError::Io { path, source } => write!(f, "{}: {source}", path.display()),
            DataError::Corrupt { what, why } => write!(f, "{what}: {why}"),
            DataError::Argument(why) => f.write_str(why),
            DataError::Index { index, len } => {
                write!(f, "sample {index} does not exist: there are {len}")
            }
        }
    }
}
impl fmt::Debug for DataError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
impl std::error::Error for DataError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            DataError::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}
