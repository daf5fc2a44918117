//! Keyword arguments of a case: each is taken once, and none may be left.

use super::miss::{Miss, unsupported};
use gradus_nn::ConvPadding;
use gradus_optim::PerGroup;
use gradus_tensor::{AdaptiveSize, PerAxis, Scalar};
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

/// A number for all spatial axes, or a list with one for each.
fn sizes(value: &Value) -> Option<PerAxis> {
    let size = |v: &Value| usize::try_from(v.as_u64()?).ok();
    let Value::Array(all) = value else { return Some(size(value)?.into()) };
    match *all.iter().map(size).collect::<Option<Vec<_>>>()? {
        [a] => Some([a].into()),
        [a, b] => Some([a, b].into()),
        [a, b, c] => Some([a, b, c].into()),
        _ => None,
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
    /// A count that may be absent.
    pub(super) fn optional_count(&mut self, key: &str) -> Result<Option<u64>, Miss> {
        self.take(key, Value::as_u64)
    }
    pub(super) fn count(&mut self, key: &str, default: u64) -> Result<u64, Miss> {
        Ok(self.optional_count(key)?.unwrap_or(default))
    }
    /// A list of counts; an absent one is empty.
    pub(super) fn counts(&mut self, key: &str) -> Result<Vec<u64>, Miss> {
        let read = |v: &Value| v.as_array()?.iter().map(Value::as_u64).collect();
        Ok(self.take(key, read)?.unwrap_or_default())
    }
    /// A number for all groups, or a list with one for each.
    fn optional_per_group(&mut self, key: &str) -> Result<Option<PerGroup>, Miss> {
        self.take(key, |v| match v {
            Value::Array(all) => Some(all.iter().map(number).collect::<Option<Vec<_>>>()?.into()),
            one => Some(number(one)?.into()),
        })
    }
    pub(super) fn per_group(&mut self, key: &str, default: PerGroup) -> Result<PerGroup, Miss> {
        Ok(self.optional_per_group(key)?.unwrap_or(default))
    }
    pub(super) fn need_per_group(&mut self, key: &str) -> Result<PerGroup, Miss> {
        let value = self.optional_per_group(key)?;
        self.required(key, value)
    }
    /// Whatever stands there.
    pub(super) fn json(&mut self, key: &str) -> Option<Value> {
        self.left.remove(key).filter(|v| !v.is_null())
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
    /// A list of sizes.
    pub(super) fn sizes(&mut self, key: &str) -> Result<Option<Vec<usize>>, Miss> {
        let size = |v: &Value| usize::try_from(v.as_u64()?).ok();
        self.take(key, |v| v.as_array()?.iter().map(size).collect())
    }
    /// A number for all spatial axes, or a list with one for each.
    pub(super) fn per_axis(&mut self, key: &str) -> Result<Option<PerAxis>, Miss> {
        self.take(key, sizes)
    }
    pub(super) fn per_axis_or(&mut self, key: &str, default: usize) -> Result<PerAxis, Miss> {
        Ok(self.per_axis(key)?.unwrap_or(default.into()))
    }
    pub(super) fn need_per_axis(&mut self, key: &str) -> Result<PerAxis, Miss> {
        let value = self.per_axis(key)?;
        self.required(key, value)
    }
    /// The padding of a convolution: sizes, or a word.
    pub(super) fn padding(&mut self, key: &str) -> Result<ConvPadding, Miss> {
        let given = self.take(key, |v| match v.as_str() {
            Some("same") => Some(ConvPadding::Same),
            Some("valid") => Some(ConvPadding::Valid),
            Some(_) => None,
            None => sizes(v).map(ConvPadding::Size),
        })?;
        Ok(given.unwrap_or(0.into()))
    }
    /// As [`Attrs::per_axis`], where `None` keeps the size.
    pub(super) fn adaptive_size(&mut self, key: &str) -> Result<AdaptiveSize, Miss> {
        let size = |v: &Value| match v {
            Value::Null => Some(None),
            one => usize::try_from(one.as_u64()?).ok().map(Some),
        };
        let given = self.take(key, |v| match v {
            Value::Array(all) => match *all.iter().map(size).collect::<Option<Vec<_>>>()? {
                [a] => Some([a].into()),
                [a, b] => Some([a, b].into()),
                [a, b, c] => Some([a, b, c].into()),
                _ => None,
            },
            one => Some([size(one)?].into()),
        })?;
        Ok(given.unwrap_or([None].into()))
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
