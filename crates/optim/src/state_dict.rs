//! What can be saved: arrays and configuration by name.

use crate::OptimError;
use gradus_tensor::{Array, SafeTensors};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

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
        let mut file = SafeTensors::default();
        let mut values = Map::new();
        for (key, entry) in &self.0 {
            match entry {
                Entry::Array(a) => drop(file.tensors.insert(key.clone(), a.clone())),
                Entry::Value(v) => drop(values.insert(key.clone(), v.clone())),
            }
        }
        let json = serde_json::to_string(&values).map_err(malformed)?;
        file.metadata.insert(METADATA.to_owned(), json);
        file.to_bytes().map_err(malformed)
    }
    /// Back from the bytes of [`StateDict::to_bytes`].
    ///
    /// # Errors
    /// If they are not such bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, OptimError> {
        let file = SafeTensors::from_bytes(bytes).map_err(malformed)?;
        let json = file.metadata.get(METADATA);
        let json = json.ok_or_else(|| malformed("the metadata have no entry \"gradus\""))?;
        let values: Map<String, Value> = serde_json::from_str(json).map_err(malformed)?;
        let mut dict = StateDict::default();
        values.into_iter().for_each(|(key, v)| dict.insert(key, v));
        file.tensors.into_iter().for_each(|(key, a)| dict.insert(key, a));
        Ok(dict)
    }
}

fn malformed(what: impl std::fmt::Display) -> OptimError {
    OptimError::Malformed(what.to_string())
}
