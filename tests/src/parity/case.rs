//! One case in one dtype: what it reads, and what of its results is compared.

use super::compare::{Extent, Tolerance, difference};
use super::folder::Folder;
use super::miss::{Miss, failed, unsupported};
use gradus_autodiff::Tensor;
use gradus_tensor::{Array, DType};
use serde_json::Value;
use std::cell::RefCell;
use std::collections::HashSet;

/// One case in one dtype. It remembers which of its tensors were read or compared: those left are
/// results that nobody looked at.
pub(super) struct Case<'a> {
    pub(super) group: &'a str,
    /// Its entry in the manifest.
    pub(super) spec: &'a Value,
    pub(super) dtype: DType,
    pub(super) id: &'a str,
    folder: &'a Folder,
    seen: RefCell<HashSet<String>>,
    differences: RefCell<Vec<String>>,
}

impl<'a> Case<'a> {
    pub(super) fn new(folder: &'a Folder, spec: &'a Value, dtype: DType) -> Self {
        let id = spec["id"].as_str().unwrap_or("?");
        let (seen, differences) = Default::default();
        Case { group: folder.group, spec, dtype, id, folder, seen, differences }
    }
    pub(super) fn dtype_name(&self) -> &'static str {
        if self.dtype == DType::F64 { "f64" } else { "f32" }
    }
    /// A text of the manifest.
    pub(super) fn text(&self, key: &str) -> Result<&'a str, Miss> {
        let text = self.spec[key].as_str();
        text.ok_or_else(|| Miss::Failed(format!("the manifest has no text \"{key}\"")))
    }
    /// A list of the manifest; an absent one is empty.
    pub(super) fn list(&self, key: &str) -> &'a [Value] {
        self.spec[key].as_array().map_or(&[], Vec::as_slice)
    }
    pub(super) fn has(&self, key: &str) -> bool {
        self.stored(key).is_some()
    }
    fn stored(&self, key: &str) -> Option<&'a Array> {
        self.folder.tensors(self.dtype).get(&format!("{}/{key}", self.id))
    }
    /// The keys that begin with `prefix`, without it.
    pub(super) fn keys(&self, prefix: &str) -> Vec<String> {
        let start = format!("{}/{prefix}", self.id);
        let all = self.folder.tensors(self.dtype).range(start.clone()..);
        all.map_while(|(key, _)| key.strip_prefix(&start).map(str::to_owned)).collect()
    }
    /// A stored input; bools are stored as `U8`.
    pub(super) fn input(&self, key: &str) -> Result<Array, Miss> {
        self.seen.borrow_mut().insert(key.to_owned());
        match self.stored(key) {
            Some(x) if x.dtype() == DType::U8 => Ok(x.clone().cast(DType::Bool)),
            Some(x) => Ok(x.clone()),
            None => failed(format!("the fixture has no {key}")),
        }
    }
    pub(super) fn constant(&self, key: &str) -> Result<Tensor, Miss> {
        self.input(key).map(Tensor::new)
    }
    /// A tensor that belongs to the folder.
    pub(super) fn shared(&self, key: &str) -> Result<Array, Miss> {
        let found = self.folder.tensors(self.dtype).get(key).cloned();
        found.ok_or_else(|| Miss::Failed(format!("the fixture has no {key}")))
    }
    /// A result that was said in another way, or that does not count.
    pub(super) fn done_with(&self, key: &str) {
        self.seen.borrow_mut().insert(key.to_owned());
    }
    /// A member of `tol`, in this dtype.
    pub(super) fn tolerance_of(&self, table: &str, key: &str) -> Result<f64, Miss> {
        let value = self.spec[table][self.dtype_name()][key].as_f64();
        value.ok_or_else(|| Miss::Failed(format!("the manifest has no {table}.{key}")))
    }
    pub(super) fn tolerance(&self, table: &str) -> Result<Tolerance, Miss> {
        let (rtol, atol) = (self.tolerance_of(table, "rtol")?, self.tolerance_of(table, "atol")?);
        Ok(Tolerance { rtol, atol })
    }
    pub(super) fn differs(&self, what: impl Into<String>) {
        self.differences.borrow_mut().push(what.into());
    }
    /// Compares a result with the stored one.
    pub(super) fn check(&self, key: &str, got: &Array) -> Result<(), Miss> {
        let degenerate = key.starts_with("grad") && self.names("nonfinite", key);
        let extent = if degenerate { Extent::WhereFinite } else { Extent::All };
        self.check_with(key, got, self.tolerance("tol")?, extent)
    }
    /// As [`Case::check`], where the reference has a float for what is a counter here.
    pub(super) fn check_value(&self, key: &str, got: &Array) -> Result<(), Miss> {
        self.check(key, &got.clone().cast(self.dtype))
    }
    pub(super) fn check_with(
        &self,
        key: &str,
        got: &Array,
        tolerance: Tolerance,
        extent: Extent,
    ) -> Result<(), Miss> {
        let second = format!("alt_{key}");
        self.done_with(key);
        self.done_with(&second);
        let Some(want) = self.stored(key) else {
            return failed(format!("the fixture has no {key}"));
        };
        let Some(text) = difference(got, want, tolerance, extent) else { return Ok(()) };
        let other = self.stored(&second).or_else(|| self.wide(key));
        let differs =
            |w: &Array| difference(got, &w.clone().cast(want.dtype()), tolerance, extent).is_some();
        if other.is_none_or(differs) {
            self.differs(format!("{key}: {text}"));
        }
        Ok(())
    }
    /// The f64 answer, where it is accepted beside the f32 one: under- and overflow in clipping.
    fn wide(&self, key: &str) -> Option<&'a Array> {
        let key = format!("{}/{key}", self.id);
        self.beyond_f32().then(|| self.folder.f64.get(&key)).flatten()
    }
    pub(super) fn beyond_f32(&self) -> bool {
        let set = self.spec["set"].as_str().unwrap_or("");
        self.dtype == DType::F32 && self.group == "clip" && (set == "huge" || set == "tiny")
    }
    /// Does a list of the manifest name `key`?
    pub(super) fn names(&self, list: &str, key: &str) -> bool {
        self.list(list).iter().any(|v| v.as_str() == Some(key))
    }
    pub(super) fn optional(&self) -> bool {
        self.spec["optional"].as_bool() == Some(true)
    }
    /// All differences, if there is one; they say more than what comes after them.
    pub(super) fn found(&self) -> Option<String> {
        let all = self.differences.borrow();
        let first = all.first()?;
        let more =
            if all.len() > 1 { format!(" (and {} more)", all.len() - 1) } else { String::new() };
        Some(format!("{first}{more}"))
    }
    /// Has every stored tensor been used?
    pub(super) fn finish(&self) -> Result<(), Miss> {
        let seen = self.seen.borrow();
        match self.keys("").into_iter().find(|key| !seen.contains(key)) {
            None => Ok(()),
            Some(key) => unsupported(format!("{key} is not compared")),
        }
    }
}
