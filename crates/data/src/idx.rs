//! The IDX format of MNIST: `0, 0, type, rank`, big-endian sizes, row-major elements; may be gzipped.

use crate::DataError;
use flate2::read::GzDecoder;
use std::fs::File;
use std::io::{self, Cursor, Read};
use std::path::Path;

/// Sizes and bytes of an IDX file of `u8`.
///
/// # Source
/// <http://yann.lecun.com/exdb/mnist/> (file formats)
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Idx {
    /// The size of every axis.
    pub dims: Vec<usize>,
    /// The elements in row-major order.
    pub data: Vec<u8>,
}

/// The type byte of `u8`.
const UNSIGNED_BYTE: u8 = 0x08;
/// The first bytes of a gzip file.
const GZIP: [u8; 2] = [0x1f, 0x8b];
/// More axes than any known file has; a larger rank is no IDX file.
const MOST_AXES: u8 = 8;
/// Elements are read in pieces, so that a header that lies about sizes costs no memory.
const PIECE: u64 = 1 << 20;

impl Idx {
    /// Read a file, gzipped or not.
    ///
    /// # Errors
    /// If the file cannot be read, or its contents break the format: wrong magic number, too short, or
    /// longer than its header says.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, DataError> {
        let path = path.as_ref();
        let file = File::open(path).map_err(|e| DataError::io(path, e))?;
        Idx::read(io::BufReader::new(file), &path.display().to_string())
    }
    /// Read bytes, gzipped or not; `what` names them in errors.
    ///
    /// ```
    /// use gradus_data::Idx;
    /// let idx = Idx::from_bytes(&[0, 0, 8, 1, 0, 0, 0, 2, 7, 9], "two numbers")?;
    /// assert_eq!((idx.dims, idx.data), (vec![2], vec![7, 9]));
    /// assert!(Idx::from_bytes(&[0, 0, 8, 1, 0, 0, 0, 2, 7], "one number").is_err());
    /// # Ok::<(), gradus_data::DataError>(())
    /// ```
    /// # Errors
    /// As [`Idx::open`].
    pub fn from_bytes(bytes: &[u8], what: &str) -> Result<Self, DataError> {
        Idx::read(Cursor::new(bytes), what)
    }
    fn read(mut source: impl Read, what: &str) -> Result<Self, DataError> {
        let mut start = Vec::new();
        let fail = |e: io::Error| DataError::corrupt(what, format!("cannot be read: {e}"));
        source.by_ref().take(2).read_to_end(&mut start).map_err(fail)?;
        let zipped = start == GZIP;
        let whole = Cursor::new(start).chain(source);
        if zipped { parse(GzDecoder::new(whole), what) } else { parse(whole, what) }
    }
}

fn parse(mut source: impl Read, what: &str) -> Result<Idx, DataError> {
    let mut exact = |n: usize, part: &str| {
        let mut bytes = vec![0; n];
        source.read_exact(&mut bytes).map_err(|e| {
            DataError::corrupt(what, format!("the file ends, or breaks, inside {part}: {e}"))
        })?;
        Ok(bytes)
    };
    let magic = exact(4, "the magic number")?;
    let [0, 0, kind, rank] = magic[..] else {
        return Err(DataError::corrupt(what, format!("no IDX file: it begins with {magic:02x?}")));
    };
    if kind != UNSIGNED_BYTE {
        let why = format!("its elements are of type 0x{kind:02x}; only unsigned bytes are read");
        return Err(DataError::corrupt(what, why));
    }
    if rank == 0 || rank > MOST_AXES {
        return Err(DataError::corrupt(what, format!("a rank of {rank} makes no sense")));
    }
    let sizes = exact(4 * usize::from(rank), "the sizes")?;
    let size = |b: &[u8]| b.iter().fold(0_usize, |n, &b| n << 8 | usize::from(b));
    let dims: Vec<usize> = sizes.chunks(4).map(size).collect();
    let count = dims.iter().try_fold(1_u64, |n, &d| n.checked_mul(d as u64));
    let Some(count) = count else {
        return Err(DataError::corrupt(what, format!("the sizes {dims:?} overflow")));
    };
    Ok(Idx { data: elements(source, count, what, &dims)?, dims })
}

/// Exactly `count` bytes, and nothing after them.
fn elements(
    mut source: impl Read,
    count: u64,
    what: &str,
    dims: &[usize],
) -> Result<Vec<u8>, DataError> {
    let mut data = Vec::new();
    while (data.len() as u64) < count {
        let piece = PIECE.min(count - data.len() as u64);
        let read = source.by_ref().take(piece).read_to_end(&mut data);
        let read = read.map_err(|e| DataError::corrupt(what, format!("cannot be read: {e}")))?;
        if read == 0 {
            let found = data.len();
            let why = format!("{dims:?} needs {count} elements, but the file ends after {found}");
            return Err(DataError::corrupt(what, why));
        }
    }
    let mut rest = [0];
    match source.read(&mut rest) {
        Ok(0) => Ok(data),
        Ok(_) => {
            let why = format!("the file goes on after the {count} elements of {dims:?}");
            Err(DataError::corrupt(what, why))
        }
        Err(e) => Err(DataError::corrupt(what, format!("its end is damaged: {e}"))),
    }
}
