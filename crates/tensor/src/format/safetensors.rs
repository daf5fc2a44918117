//! `.safetensors` files: the length of a header in 8 bytes, the header in JSON, the elements.
//!
//! Source: <https://github.com/huggingface/safetensors#format>. The bytes are those of the `safetensors`
//! crate, which serves as the reference in the tests. Reading and writing are our own, so that metadata
//! is in order too (the crate's comes from a hash map), a key that stands there twice is an error, every
//! error names its tensor, and elements are read straight into their array.

use super::bytes;
use super::header::{Entry, Header, METADATA};
use crate::{Array, DType, FormatError, Shape};
use std::collections::BTreeMap;
use std::io::{self, Read, Write};
#[cfg(not(target_family = "wasm"))]
use std::{fs::File, path::Path};

/// A longer header is refused, as by the `safetensors` crate.
const MAX_HEADER: u64 = 100_000_000;

/// What a `.safetensors` file holds: arrays by name, and texts by name.
///
/// ```
/// use gradus_tensor::{Array, SafeTensors};
/// let mut file = SafeTensors::default();
/// file.tensors.insert("fc.bias".into(), Array::from([1.0_f32, 2.0]));
/// let bytes = file.to_bytes()?;
/// assert_eq!(SafeTensors::from_bytes(&bytes)?, file);
/// # Ok::<(), gradus_tensor::FormatError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SafeTensors {
    /// The arrays.
    pub tensors: BTreeMap<String, Array>,
    /// The texts under `__metadata__`.
    pub metadata: BTreeMap<String, String>,
}

impl SafeTensors {
    /// From the bytes of a file.
    ///
    /// dtypes that are not ours: `I8`, `I16`, `I32`, `U16` and `U32` become `i64`, and so does `U64`
    /// where every element fits.
    ///
    /// # Errors
    /// If the bytes break the rules of the format, or hold a dtype that is not supported.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, FormatError> {
        read(&mut { bytes }, bytes.len() as u64)
    }
    /// As the bytes of a file: equal contents, equal bytes.
    ///
    /// # Errors
    /// If an array is called `__metadata__`.
    pub fn to_bytes(&self) -> Result<Vec<u8>, FormatError> {
        let tensors = self.tensors.iter().map(|(name, x)| (name.clone(), x.clone()));
        let plan = Plan::new(tensors, &self.metadata)?;
        let mut out = Vec::with_capacity(8 + plan.header.len() + plan.len);
        plan.write(&mut out).map_err(|e| FormatError::io("memory", e))?;
        Ok(out)
    }
}

/// Write arrays to a `.safetensors` file, all at once or not at all ([`crate::write_atomically`]).
///
/// Equal arrays and metadata give equal bytes, in whatever order they come. Programs that read
/// PyTorch's files expect `format: pt` in the metadata.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use gradus_tensor::{Array, load_safetensors, save_safetensors};
/// # let dir = tempfile::tempdir()?;
/// # let path = dir.path().join("net.safetensors");
/// let weight = Array::from([[1.0_f32, 2.0], [3.0, 4.0]]);
/// save_safetensors(&path, [("fc.weight", weight.clone())], &Default::default())?;
/// assert_eq!(load_safetensors(&path)?.tensors["fc.weight"], weight);
/// # Ok(()) }
/// ```
/// # Errors
/// If the system refuses to write, a name stands there twice, or an array is called `__metadata__`.
#[cfg(not(target_family = "wasm"))]
pub fn save_safetensors(
    path: impl AsRef<Path>,
    tensors: impl IntoIterator<Item = (impl Into<String>, Array)>,
    metadata: &BTreeMap<String, String>,
) -> Result<(), FormatError> {
    let tensors = tensors.into_iter().map(|(name, x)| (name.into(), x));
    let plan = Plan::new(tensors, metadata).map_err(|e| e.at(&path))?;
    super::write_atomically(path, |file| plan.write(file))
}

/// Read a `.safetensors` file.
///
/// # Errors
/// As for [`SafeTensors::from_bytes`], and if the system refuses to read.
#[cfg(not(target_family = "wasm"))]
pub fn load_safetensors(path: impl AsRef<Path>) -> Result<SafeTensors, FormatError> {
    let path = path.as_ref();
    let open = || File::open(path).and_then(|file| Ok((file.metadata()?.len(), file)));
    let (len, mut file) = open().map_err(|e| FormatError::io(path, e))?;
    read(&mut file, len).map_err(|e| e.at(path))
}

/// A file that is ready to be written.
struct Plan {
    /// Padded with spaces, so that the data begins at a multiple of 8.
    header: String,
    arrays: Vec<Array>,
    /// Bytes of all elements.
    len: usize,
}

impl Plan {
    fn new(
        tensors: impl Iterator<Item = (String, Array)>,
        metadata: &BTreeMap<String, String>,
    ) -> Result<Plan, FormatError> {
        let mut tensors: Vec<(String, Array)> = tensors.collect();
        // Wide elements first: each array begins at a multiple of the size of its elements.
        tensors.sort_by(|(a, x), (b, y)| place(y.dtype()).cmp(&place(x.dtype())).then(a.cmp(b)));
        let mut names: Vec<&str> = tensors.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        if let Some(twice) = names.windows(2).find(|w| w[0] == w[1]) {
            let why = "two arrays have this name; give each its own";
            return Err(FormatError::unsupported(tensor(twice[0]), why));
        }
        if names.contains(&METADATA) {
            let why = "the format reserves this name; choose another";
            return Err(FormatError::unsupported(tensor(METADATA), why));
        }
        let (mut len, mut entries) = (0, Vec::new());
        for (name, x) in &tensors {
            let start = len;
            len += x.numel() * x.dtype().size();
            let (dtype, shape) = (tag(x.dtype()).to_owned(), x.shape().to_vec());
            entries.push((name.clone(), Entry { dtype, shape, data_offsets: [start, len] }));
        }
        let header = Header { metadata: metadata.clone(), entries };
        let json = serde_json::to_string(&header);
        let mut header = json.map_err(|e| FormatError::unsupported("header", e.to_string()))?;
        header.extend(std::iter::repeat_n(' ', header.len().next_multiple_of(8) - header.len()));
        if header.len() as u64 > MAX_HEADER {
            let why = format!(
                "it would have {} bytes; at most {MAX_HEADER} can be read back",
                header.len()
            );
            return Err(FormatError::unsupported("header", why));
        }
        Ok(Plan { header, arrays: tensors.into_iter().map(|(_, x)| x).collect(), len })
    }
    fn write(&self, out: &mut impl Write) -> io::Result<()> {
        out.write_all(&(self.header.len() as u64).to_le_bytes())?;
        out.write_all(self.header.as_bytes())?;
        self.arrays.iter().try_for_each(|x| bytes::write(x, out))
    }
}

/// The name of a dtype in files.
fn tag(dtype: DType) -> &'static str {
    match dtype {
        DType::Bool => "BOOL",
        DType::U8 => "U8",
        DType::F16 => "F16",
        DType::Bf16 => "BF16",
        DType::F32 => "F32",
        DType::F64 => "F64",
        DType::I64 => "I64",
    }
}

/// The place of a dtype in the data of the `safetensors` crate, the last one first.
fn place(dtype: DType) -> usize {
    use DType::{Bf16, Bool, F16, F32, F64, I64, U8};
    [Bool, U8, F16, Bf16, F32, F64, I64].iter().position(|&d| d == dtype).unwrap_or(0)
}

fn tensor(name: &str) -> String {
    format!("tensor `{name}`")
}

/// Read a file of `len` bytes. Nothing larger than that is allocated, whatever the header says.
fn read(input: &mut impl Read, len: u64) -> Result<SafeTensors, FormatError> {
    let (header, data_len) = read_header(input, len)?;
    let mut tensors = BTreeMap::new();
    let mut at = 0;
    for (name, entry) in header.entries {
        let [start, end] = entry.data_offsets;
        if start != at || end < start {
            let why = format!("it takes the bytes {start}..{end}, but the one before ends at {at}");
            return Err(FormatError::corrupt(tensor(&name), why));
        }
        if end as u64 > data_len {
            let why =
                format!("it takes the bytes {start}..{end} of {data_len}: the file is cut off");
            return Err(FormatError::corrupt(tensor(&name), why));
        }
        let array = read_tensor(input, &name, &entry)?;
        tensors.insert(name, array);
        at = end;
    }
    if at as u64 != data_len {
        let why = format!("the tensors take {at} bytes, but {data_len} are there");
        return Err(FormatError::corrupt("data", why));
    }
    Ok(SafeTensors { tensors, metadata: header.metadata })
}

/// The header, and how many bytes come after it.
fn read_header(input: &mut impl Read, len: u64) -> Result<(Header, u64), FormatError> {
    let corrupt = |why: String| FormatError::corrupt("header", why);
    let mut size = [0; 8];
    input.read_exact(&mut size).map_err(|e| FormatError::reading("length of the header", e))?;
    let size = u64::from_le_bytes(size);
    let rest = len.saturating_sub(8);
    if size > rest.min(MAX_HEADER) {
        let why = format!("it has {size} bytes, but {rest} are there and {MAX_HEADER} allowed");
        return Err(corrupt(why));
    }
    let mut json = vec![0; size as usize];
    input.read_exact(&mut json).map_err(|e| FormatError::reading("header", e))?;
    let header = serde_json::from_slice(&json).map_err(|e| corrupt(e.to_string()))?;
    Ok((header, rest - size))
}

fn read_tensor(input: &mut impl Read, name: &str, entry: &Entry) -> Result<Array, FormatError> {
    let corrupt = |why: String| FormatError::corrupt(tensor(name), why);
    let dtype = entry.dtype.as_str();
    let Some(size) = size_of_tag(dtype) else {
        let why = format!(
            "the dtype {dtype} is not supported; save it as F32, F64, F16, BF16, I64, U8 or BOOL"
        );
        return Err(FormatError::unsupported(tensor(name), why));
    };
    let shape = Shape::checked(&entry.shape)
        .ok_or_else(|| corrupt(format!("the shape {:?} is too large", entry.shape)))?;
    let (want, have) = (shape.numel() * size, entry.data_offsets[1] - entry.data_offsets[0]);
    if want != have {
        return Err(corrupt(format!("{dtype} of shape {shape} has {want} bytes, not {have}")));
    }
    elements(dtype, shape, input).map_err(|e| FormatError::reading(tensor(name), e))
}

/// Bytes of an element, if the dtype can be read.
fn size_of_tag(dtype: &str) -> Option<usize> {
    match dtype {
        "BOOL" | "U8" | "I8" => Some(1),
        "F16" | "BF16" | "I16" | "U16" => Some(2),
        "F32" | "I32" | "U32" => Some(4),
        "F64" | "I64" | "U64" => Some(8),
        _ => None,
    }
}

fn elements(dtype: &str, shape: Shape, input: &mut impl Read) -> io::Result<Array> {
    match dtype {
        "BOOL" => bytes::read(DType::Bool, shape, input),
        "U8" => bytes::read(DType::U8, shape, input),
        "F16" => bytes::read(DType::F16, shape, input),
        "BF16" => bytes::read(DType::Bf16, shape, input),
        "F32" => bytes::read(DType::F32, shape, input),
        "F64" => bytes::read(DType::F64, shape, input),
        "I64" => bytes::read(DType::I64, shape, input),
        "I8" => bytes::decode(shape, input, |v| Ok(i64::from(i8::from_le_bytes(v)))),
        "I16" => bytes::decode(shape, input, |v| Ok(i64::from(i16::from_le_bytes(v)))),
        "I32" => bytes::decode(shape, input, |v| Ok(i64::from(i32::from_le_bytes(v)))),
        "U16" => bytes::decode(shape, input, |v| Ok(i64::from(u16::from_le_bytes(v)))),
        "U32" => bytes::decode(shape, input, |v| Ok(i64::from(u32::from_le_bytes(v)))),
        _ => bytes::decode(shape, input, |v| {
            let v = u64::from_le_bytes(v);
            i64::try_from(v).map_err(|_| format!("{v} does not fit into int64"))
        }),
    }
}
