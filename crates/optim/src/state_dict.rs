//! What can be saved: arrays and configuration by name.

use crate::OptimError;
use gradus_tensor::{Array, DType, Element, bf16, f16};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};

/// Under which key of a file's metadata the configuration stands.
const METADATA: &str = "gradus";

/// A state: arrays and JSON by name, in the order of the names.
///
/// Arrays share their elements with the optimizer until its next step. As bytes it is a `.safetensors`
/// file whose metadata hold the JSON; numbers keep their bits.
///
/// # Example
/// ```
/// use gradus_autodiff::Parameter;
/// use gradus_optim::{Adam, AdamOptions, Optimizer, StateDict};
/// let p = Parameter::new([1.0_f32]);
/// let mut opt = Adam::new([("w".to_owned(), p.clone())], AdamOptions::default())?;
/// p.set_grad(Some([0.5_f32].into()));
/// opt.step()?;
/// let bytes = opt.state_dict().to_bytes()?;
/// assert_eq!(StateDict::from_bytes(&bytes)?, opt.state_dict());
/// # Ok::<(), gradus_optim::OptimError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StateDict(BTreeMap<String, Entry>);

/// One entry of a [`StateDict`].
#[derive(Clone, PartialEq)]
pub enum Entry {
    /// Numbers with a shape.
    Array(Array),
    /// A counter, a name, options.
    Value(Value),
}

impl std::fmt::Debug for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Entry::Array(a) => write!(f, "{a:?}"),
            Entry::Value(v) => write!(f, "{v}"),
        }
    }
}

impl From<Array> for Entry {
    fn from(a: Array) -> Self {
        Entry::Array(a)
    }
}
impl From<Value> for Entry {
    fn from(v: Value) -> Self {
        Entry::Value(v)
    }
}

impl StateDict {
    /// Sets an entry.
    pub fn insert(&mut self, key: impl Into<String>, entry: impl Into<Entry>) {
        self.0.insert(key.into(), entry.into());
    }
    /// An entry.
    pub fn get(&self, key: &str) -> Option<&Entry> {
        self.0.get(key)
    }
    /// An entry that is an array.
    pub fn array(&self, key: &str) -> Option<&Array> {
        match self.0.get(key)? {
            Entry::Array(a) => Some(a),
            Entry::Value(_) => None,
        }
    }
    /// An entry that is JSON.
    pub fn value(&self, key: &str) -> Option<&Value> {
        match self.0.get(key)? {
            Entry::Array(_) => None,
            Entry::Value(v) => Some(v),
        }
    }
    /// Takes an entry out.
    pub fn remove(&mut self, key: &str) -> Option<Entry> {
        self.0.remove(key)
    }
    /// The names.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
    /// Names and entries.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Entry)> {
        self.0.iter().map(|(key, entry)| (key.as_str(), entry))
    }
    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }
    /// Is there no entry?
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
    /// As the bytes of a `.safetensors` file.
    ///
    /// # Errors
    /// If the format cannot hold it.
    pub fn to_bytes(&self) -> Result<Vec<u8>, OptimError> {
        let mut arrays = Vec::new();
        let mut values = BTreeMap::new();
        for (key, entry) in &self.0 {
            match entry {
                Entry::Array(a) => arrays.push((key, a, bytes_of(a))),
                Entry::Value(v) => drop(values.insert(key, v)),
            }
        }
        let json = serde_json::to_string(&values).map_err(malformed)?;
        let metadata = HashMap::from([(METADATA.to_owned(), json)]);
        let view = |(key, a, bytes)| {
            let a: &Array = a;
            let bytes: &Vec<u8> = bytes;
            Ok((key, TensorView::new(file_dtype(a.dtype()), a.shape().to_vec(), bytes)?))
        };
        let views: Result<Vec<(&String, TensorView<'_>)>, safetensors::SafeTensorError> =
            arrays.iter().map(|(key, a, bytes)| view((*key, a, bytes))).collect();
        let file = safetensors::serialize(views.map_err(malformed)?, Some(metadata));
        file.map_err(malformed)
    }
    /// Back from the bytes of [`StateDict::to_bytes`].
    ///
    /// # Errors
    /// If they are not such bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, OptimError> {
        let (_, header) = SafeTensors::read_metadata(bytes).map_err(malformed)?;
        let json = header.metadata().as_ref().and_then(|m| m.get(METADATA));
        let json = json.ok_or_else(|| malformed("the metadata have no entry \"gradus\""))?;
        let values: BTreeMap<String, Value> = serde_json::from_str(json).map_err(malformed)?;
        let mut dict: BTreeMap<String, Entry> =
            values.into_iter().map(|(key, v)| (key, Entry::Value(v))).collect();
        for (key, view) in SafeTensors::deserialize(bytes).map_err(malformed)?.iter() {
            let array = array_of(&view)
                .ok_or_else(|| malformed(format!("{key} has the type {:?}", view.dtype())))?;
            dict.insert(key.to_owned(), Entry::Array(array));
        }
        Ok(StateDict(dict))
    }
}

fn malformed(what: impl std::fmt::Display) -> OptimError {
    OptimError::Malformed(what.to_string())
}

fn file_dtype(dtype: DType) -> Dtype {
    match dtype {
        DType::Bool => Dtype::BOOL,
        DType::U8 => Dtype::U8,
        DType::I64 => Dtype::I64,
        DType::F16 => Dtype::F16,
        DType::Bf16 => Dtype::BF16,
        DType::F32 => Dtype::F32,
        DType::F64 => Dtype::F64,
    }
}

/// Little-endian elements.
fn bytes_of(a: &Array) -> Vec<u8> {
    fn each<T: Element, const N: usize>(a: &Array, f: impl Fn(T) -> [u8; N]) -> Vec<u8> {
        a.read::<T>().iter().flat_map(|&v| f(v)).collect()
    }
    match a.dtype() {
        DType::Bool => each(a, |v: bool| [u8::from(v)]),
        DType::U8 => each(a, |v: u8| [v]),
        DType::I64 => each(a, i64::to_le_bytes),
        DType::F16 => each(a, f16::to_le_bytes),
        DType::Bf16 => each(a, bf16::to_le_bytes),
        DType::F32 => each(a, f32::to_le_bytes),
        DType::F64 => each(a, f64::to_le_bytes),
    }
}

/// `None` if the type is not ours, or the elements do not fill the shape.
fn array_of(view: &TensorView<'_>) -> Option<Array> {
    fn each<T: Element, const N: usize>(
        view: &TensorView<'_>,
        f: impl Fn([u8; N]) -> T,
    ) -> Option<Array> {
        let (elements, rest) = view.data().as_chunks::<N>();
        let n = view.shape().iter().try_fold(1_usize, |n, &size| n.checked_mul(size))?;
        if n != elements.len() || !rest.is_empty() {
            return None;
        }
        let elements: Vec<T> = elements.iter().map(|&bytes| f(bytes)).collect();
        Some(Array::new(view.shape(), &elements))
    }
    match view.dtype() {
        Dtype::BOOL => each(view, |[v]: [u8; 1]| v != 0),
        Dtype::U8 => each(view, |[v]: [u8; 1]| v),
        Dtype::I64 => each(view, i64::from_le_bytes),
        Dtype::F16 => each(view, f16::from_le_bytes),
        Dtype::BF16 => each(view, bf16::from_le_bytes),
        Dtype::F32 => each(view, f32::from_le_bytes),
        Dtype::F64 => each(view, f64::from_le_bytes),
        _ => None,
    }
}
