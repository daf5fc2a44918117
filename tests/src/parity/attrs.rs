//! Keyword arguments of a case: each is taken once, and none may be left.

use super::miss::{Miss, unsupported};
use gradus_tensor::Scalar;
use serde_json::{Map, Value};

/// The keyword arguments of one call.
pub(super) struct Attrs {
    of: String,
    left: Map<String, Value>,
}

/// A number of a manifest; `"inf"`, `"-inf"` and `"nan"` are numbers.
pub(super) fn number(value: &Value) -> Option<f64> {
    match value {
        Value::String(text) => match text.as_str() {
            "inf" => Some(f64::INFINITY),
            "-inf" => Some(f64::NEG_INFINITY),
            "nan" => Some(f64::NAN),
            _ => None,
        },
        other => other.as_f64(),
    }
}

impl Attrs {
    /// The arguments of `of`; `Null` is none.
    pub(super) fn new(of: &str, value: &Value) -> Self {
        let left = value.as_object().cloned().unwrap_or_default();
        Attrs { of: of.to_owned(), left }
    }
    /// Every argument must have been asked for.
    pub(super) fn done(self) -> Result<(), Miss> {
        match self.left.iter().next() {
            None => Ok(()),
            Some((key, value)) => unsupported(format!("no option {key}={value} of {}", self.of)),
        }
    }
    /// `Null` counts as absent.
    fn take<T>(
        &mut self,
        key: &str,
        read: impl Fn(&Value) -> Option<T>,
    ) -> Result<Option<T>, Miss> {
        match self.left.remove(key) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => match read(&value) {
                Some(v) => Ok(Some(v)),
                None => unsupported(format!("no option {key}={value} of {}", self.of)),
            },
        }
    }
    fn required<T>(&self, key: &str, value: Option<T>) -> Result<T, Miss> {
        value.ok_or_else(|| Miss::Failed(format!("the fixture gives {} no {key}", self.of)))
    }
    pub(super) fn int(&mut self, key: &str) -> Result<Option<isize>, Miss> {
        self.take(key, |v| isize::try_from(v.as_i64()?).ok())
    }
    pub(super) fn int_or(&mut self, key: &str, default: isize) -> Result<isize, Miss> {
        Ok(self.int(key)?.unwrap_or(default))
    }
    pub(super) fn need_int(&mut self, key: &str) -> Result<isize, Miss> {
        let value = self.int(key)?;
        self.required(key, value)
    }
    pub(super) fn need_size(&mut self, key: &str) -> Result<usize, Miss> {
        let value = self.take(key, |v| usize::try_from(v.as_u64()?).ok())?;
        self.required(key, value)
    }
    /// An axis, a list of axes, or all: none are named.
    pub(super) fn axes(&mut self, key: &str) -> Result<Vec<isize>, Miss> {
        let axis = |v: &Value| isize::try_from(v.as_i64()?).ok();
        let read = |v: &Value| match v {
            Value::Array(all) => all.iter().map(axis).collect(),
            one => Some(vec![axis(one)?]),
        };
        Ok(self.take(key, read)?.unwrap_or_default())
    }
    pub(super) fn flag(&mut self, key: &str, default: bool) -> Result<bool, Miss> {
        Ok(self.take(key, Value::as_bool)?.unwrap_or(default))
    }
    pub(super) fn float(&mut self, key: &str, default: f64) -> Result<f64, Miss> {
        Ok(self.take(key, number)?.unwrap_or(default))
    }
    /// A number that may be `None`, which is not the default.
    pub(super) fn optional_float(
        &mut self,
        key: &str,
        default: Option<f64>,
    ) -> Result<Option<f64>, Miss> {
        if self.left.contains_key(key) { self.take(key, number) } else { Ok(default) }
    }
    pub(super) fn text(&mut self, key: &str) -> Result<Option<String>, Miss> {
        self.take(key, |v| v.as_str().map(str::to_owned))
    }
    /// A number as PyTorch sees it: 2 is an integer, 2.0 is not.
    pub(super) fn scalar(&mut self, key: &str) -> Result<Option<Scalar>, Miss> {
        self.take(key, |v| match v {
            Value::Bool(b) => Some(Scalar::Bool(*b)),
            Value::Number(n) if n.is_i64() => n.as_i64().map(Scalar::Int),
            other => number(other).map(Scalar::Float),
        })
    }
    pub(super) fn need_scalar(&mut self, key: &str) -> Result<Scalar, Miss> {
        let value = self.scalar(key)?;
        self.required(key, value)
    }
}
