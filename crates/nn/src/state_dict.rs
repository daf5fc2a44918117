//! Arrays by name: what a module saves and loads.

use gradus_tensor::{Array, FormatError, SafeTensors};
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::ops::Index;
#[cfg(not(target_family = "wasm"))]
use {
    gradus_tensor::{load_safetensors, save_safetensors},
    std::path::Path,
};

/// Arrays by name, in order (`torch.nn.Module.state_dict`): `fc1.weight`, `fc1.bias`, …
///
/// ```
/// use gradus_nn::{Linear, Module};
/// let state = Linear::new(3, 2).state_dict();
/// assert_eq!(state["weight"].shape().dims(), [2, 3]);
/// assert_eq!(state.to_string(), "weight  float32[2, 3]\nbias    float32[2]\n");
/// ```
#[derive(Clone, Default)]
pub struct StateDict {
    entries: Vec<(String, Array)>,
    /// Where each name stands in `entries`.
    places: HashMap<String, usize>,
}

impl StateDict {
    /// Without entries.
    pub fn new() -> Self {
        Self::default()
    }
    /// Put `value` under `name`: at the end, or in the place of what stands there.
    pub fn insert(&mut self, name: impl Into<String>, value: impl Into<Array>) {
        let (name, value) = (name.into(), value.into());
        if let Some(&place) = self.places.get(&name) {
            self.entries[place].1 = value;
        } else {
            self.places.insert(name.clone(), self.entries.len());
            self.entries.push((name, value));
        }
    }
    /// The array under `name`.
    pub fn get(&self, name: &str) -> Option<&Array> {
        self.places.get(name).map(|&place| &self.entries[place].1)
    }
    /// Take out the array under `name`.
    pub fn remove(&mut self, name: &str) -> Option<Array> {
        let place = self.places.remove(name)?;
        self.places.values_mut().filter(|p| **p > place).for_each(|p| *p -= 1);
        Some(self.entries.remove(place).1)
    }
    /// Is there an array under `name`?
    pub fn contains(&self, name: &str) -> bool {
        self.places.contains_key(name)
    }
    /// Number of entries.
    pub fn len(&self) -> usize {
        self.entries.len()
    }
    /// Are there no entries?
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
    /// The names, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|(name, _)| name.as_str())
    }
    /// Names and arrays, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Array)> {
        self.entries.iter().map(|(name, value)| (name.as_str(), value))
    }
    /// Write a `.safetensors` file, all at once or not at all; PyTorch reads it.
    ///
    /// # Errors
    /// If the system refuses to write, or a name is `__metadata__`.
    #[cfg(not(target_family = "wasm"))]
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), FormatError> {
        save_safetensors(path, self.entries.iter().cloned(), &metadata())
    }
    /// Read a `.safetensors` file, PyTorch's or ours; names are in alphabetical order.
    ///
    /// # Errors
    /// If the system refuses to read, or the file breaks the rules of the format.
    #[cfg(not(target_family = "wasm"))]
    pub fn load(path: impl AsRef<Path>) -> Result<Self, FormatError> {
        Ok(load_safetensors(path)?.tensors.into_iter().collect())
    }
    /// The bytes of a `.safetensors` file.
    ///
    /// # Errors
    /// If a name is `__metadata__`.
    pub fn to_bytes(&self) -> Result<Vec<u8>, FormatError> {
        SafeTensors { tensors: self.entries.iter().cloned().collect(), metadata: metadata() }
            .to_bytes()
    }
    /// From the bytes of a `.safetensors` file.
    ///
    /// # Errors
    /// If the bytes break the rules of the format.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, FormatError> {
        Ok(SafeTensors::from_bytes(bytes)?.tensors.into_iter().collect())
    }
}

/// Programs that read PyTorch's files ask for it.
fn metadata() -> BTreeMap<String, String> {
    BTreeMap::from([("format".to_owned(), "pt".to_owned())])
}

impl<N: Into<String>, A: Into<Array>> FromIterator<(N, A)> for StateDict {
    fn from_iter<I: IntoIterator<Item = (N, A)>>(entries: I) -> Self {
        let mut all = StateDict::new();
        entries.into_iter().for_each(|(name, value)| all.insert(name, value));
        all
    }
}

impl IntoIterator for StateDict {
    type Item = (String, Array);
    type IntoIter = std::vec::IntoIter<(String, Array)>;
    fn into_iter(self) -> Self::IntoIter {
        self.entries.into_iter()
    }
}

impl Index<&str> for StateDict {
    type Output = Array;
    /// The array under `name`.
    ///
    /// # Panics
    /// If there is none.
    fn index(&self, name: &str) -> &Array {
        self.get(name).unwrap_or_else(|| panic!("the state dict has no entry `{name}`"))
    }
}

/// Equal names and arrays, in any order.
impl PartialEq for StateDict {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().all(|(name, value)| other.get(name) == Some(value))
    }
}

/// One line an entry: name, dtype, shape.
impl fmt::Display for StateDict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.names().map(|name| name.chars().count()).max().unwrap_or(0);
        self.iter().try_for_each(|(name, value)| writeln!(f, "{name:width$}  {}", value.meta()))
    }
}

impl fmt::Debug for StateDict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
