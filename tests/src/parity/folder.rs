//! A group's folder: the manifest and the two files of tensors.

use gradus_tensor::{Array, DType, load_safetensors};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

pub(super) type Tensors = BTreeMap<String, Array>;

/// The recorded cases of one group.
pub(super) struct Folder {
    pub(super) group: &'static str,
    pub(super) manifest: Value,
    pub(super) f64: Tensors,
    pub(super) f32: Tensors,
}

impl Folder {
    /// # Errors
    /// What cannot be read.
    pub(super) fn open(root: &Path, group: &'static str) -> Result<Self, String> {
        let folder = root.join(group);
        let path = folder.join("manifest.json");
        let at = |e: &dyn std::fmt::Display| format!("{}: {e}", path.display());
        let text = fs::read_to_string(&path).map_err(|e| at(&e))?;
        let manifest: Value = serde_json::from_str(&text).map_err(|e| at(&e))?;
        if !manifest["cases"].is_array() {
            return Err(at(&"no list of cases"));
        }
        let tensors = |name: &str| match folder.join(name) {
            file if file.exists() => load_safetensors(file).map(|f| f.tensors),
            _ => Ok(Tensors::new()), // `sched` has none
        };
        let f64 = tensors("f64.safetensors").map_err(|e| e.to_string())?;
        let f32 = tensors("f32.safetensors").map_err(|e| e.to_string())?;
        Ok(Folder { group, manifest, f64, f32 })
    }
    pub(super) fn cases(&self) -> &[Value] {
        self.manifest["cases"].as_array().map_or(&[], Vec::as_slice)
    }
    pub(super) fn tensors(&self, dtype: DType) -> &Tensors {
        if dtype == DType::F64 { &self.f64 } else { &self.f32 }
    }
}
