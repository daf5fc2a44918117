//! Taking over the values of a state dict: all of them or none.

use crate::visitor::Item;
use crate::{Module, StateDict, Visitor};
use gradus_autodiff::{Buffer, Parameter};
use gradus_tensor::{Array, FormatError, Shape};
use std::collections::HashSet;
use std::fmt;

/// Must names and keys be the same?
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Strict {
    /// A key that is missing or unexpected is an error.
    #[default]
    Yes,
    /// Such keys are returned, and the others taken over.
    No,
}

/// The keys that only one side has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IncompatibleKeys {
    /// In the module, not in the state dict.
    pub missing: Vec<String>,
    /// In the state dict, not in the module.
    pub unexpected: Vec<String>,
}

/// A value that does not fit its leaf.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrongShape {
    /// The key.
    pub name: String,
    /// Of the leaf in the module.
    pub module: Shape,
    /// Of the value in the state dict.
    pub state: Shape,
}

/// A state dict could not be taken over; the module is unchanged.
///
/// Its `Debug` prints as its `Display`, because that is what `main() -> Result` shows.
pub enum LoadError {
    /// The keys do not fit the module.
    Keys {
        /// Keys that only one side has.
        keys: IncompatibleKeys,
        /// Keys of both whose values have another shape.
        wrong_shape: Vec<WrongShape>,
    },
    /// The file could not be read.
    File(FormatError),
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (keys, wrong_shape) = match self {
            LoadError::File(e) => return e.fmt(f),
            LoadError::Keys { keys, wrong_shape } => (keys, wrong_shape),
        };
        write!(f, "the state dict does not fit the module:")?;
        for (what, names) in [
            ("missing in the state dict", &keys.missing),
            ("unexpected, the module does not have", &keys.unexpected),
        ] {
            if !names.is_empty() {
                write!(f, "\n  {what}: {}", names.join(", "))?;
            }
        }
        for WrongShape { name, module, state } in wrong_shape {
            write!(f, "\n  wrong shape: {name} is {module}, the state dict has {state}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for LoadError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            LoadError::File(e) => Some(e),
            LoadError::Keys { .. } => None,
        }
    }
}

impl From<FormatError> for LoadError {
    fn from(e: FormatError) -> Self {
        LoadError::File(e)
    }
}

enum Leaf {
    Parameter(Parameter),
    Buffer(Buffer),
}

impl Leaf {
    fn shape(&self) -> &Shape {
        match self {
            Leaf::Parameter(p) => p.shape(),
            Leaf::Buffer(b) => b.shape(),
        }
    }
    fn set(&self, value: Array) {
        let set = match self {
            Leaf::Parameter(p) => p.set(value),
            Leaf::Buffer(b) => b.set(value),
        };
        set.expect("a leaf never changes its shape, and it was compared");
    }
}

/// Compare everything, then write everything.
pub(crate) fn load(
    module: &(impl Module + ?Sized),
    state: &StateDict,
    strict: Strict,
) -> Result<IncompatibleKeys, LoadError> {
    let (mut names, mut fitting) = (HashSet::new(), Vec::new());
    let (mut keys, mut wrong_shape) = (IncompatibleKeys::default(), Vec::new());
    Visitor::walk("", module, &mut |name, item| {
        let leaf = match item {
            Item::Parameter(p) => Leaf::Parameter(p.clone()),
            Item::Buffer(b) => Leaf::Buffer(b.clone()),
            Item::Enter(..) | Item::Leave | Item::Site(_) => return,
        };
        names.insert(name.to_owned());
        match state.get(name) {
            None => keys.missing.push(name.to_owned()),
            Some(value) if value.shape() == leaf.shape() => fitting.push((leaf, value.clone())),
            Some(value) => wrong_shape.push(WrongShape {
                name: name.to_owned(),
                module: leaf.shape().clone(),
                state: value.shape().clone(),
            }),
        }
    });
    let unexpected = state.names().filter(|&name| !names.contains(name));
    keys.unexpected = unexpected.map(str::to_owned).collect();
    let same_keys = keys.missing.is_empty() && keys.unexpected.is_empty();
    if !wrong_shape.is_empty() || (strict == Strict::Yes && !same_keys) {
        return Err(LoadError::Keys { keys, wrong_shape });
    }
    fitting.into_iter().for_each(|(leaf, value)| leaf.set(value));
    Ok(keys)
}
