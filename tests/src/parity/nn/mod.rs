//! The group `nn`: layers, losses and functions with all their gradients.

pub(super) mod functional;
pub(super) mod functions;
pub(super) mod module;
pub(super) mod modules;
mod spatial;

use super::case::Case;
use super::miss::{Miss, unsupported};
use gradus_autodiff::Tensor;
use gradus_tensor::DType;

/// Tensors by name, in the order of the call.
pub(super) struct Inputs(Vec<(String, Tensor)>);

impl Inputs {
    pub(super) fn new(tensors: Vec<(String, Tensor)>) -> Self {
        Inputs(tensors)
    }
    /// The stored tensors `<prefix>/<name>`; those whose gradient is wanted are leaves.
    fn stored(case: &Case<'_>, prefix: &str) -> Result<Self, Miss> {
        let input = |v: &serde_json::Value| {
            let name = v.as_str().unwrap_or("?");
            let x = case.input(&format!("{prefix}/{name}"))?;
            let wanted = x.dtype().is_float() && !case.names("no_grad_inputs", name);
            let x = if wanted { Tensor::new(x).requires_grad_() } else { Tensor::new(x) };
            Ok((name.to_owned(), x))
        };
        case.list("inputs").iter().map(input).collect::<Result<_, Miss>>().map(Inputs)
    }
    fn all(&self) -> impl Iterator<Item = (&str, &Tensor)> {
        self.0.iter().map(|(name, x)| (name.as_str(), x))
    }
    /// The only tensor.
    pub(super) fn only(&self) -> Result<&Tensor, Miss> {
        match self.0.as_slice() {
            [(_, x)] => Ok(x),
            [_, (name, _), ..] => unsupported(format!("no input {name}")),
            [] => unsupported("no call without inputs"),
        }
    }
    /// The only tensor, which has this name.
    pub(super) fn the(&self, name: &str) -> Result<&Tensor, Miss> {
        let [x] = self.named([name])?;
        x.map_or_else(|| super::miss::failed(format!("the input {name} is missing")), Ok)
    }
    /// The tensors of these names; all must have been named.
    pub(super) fn named<const N: usize>(
        &self,
        names: [&str; N],
    ) -> Result<[Option<&Tensor>; N], Miss> {
        match self.0.iter().find(|(name, _)| !names.contains(&name.as_str())) {
            Some((name, _)) => unsupported(format!("no input {name}")),
            None => Ok(names.map(|n| self.0.iter().find(|(name, _)| name == n).map(|(_, x)| x))),
        }
    }
    /// Compares the gradients of the leaves.
    fn check_gradients(&self, case: &Case<'_>, prefix: &str) -> Result<(), Miss> {
        for (name, x) in self.all().filter(|(_, x)| x.requires_grad()) {
            let g = x.grad().unwrap_or_else(|| x.zeros_like());
            case.check(&format!("{prefix}/{name}"), &g.array())?;
        }
        Ok(())
    }
}

/// Compares the outputs, and sweeps back from `L = Σ ⟨outₖ, cotₖ⟩`.
fn check_outputs(case: &Case<'_>, outputs: &[Tensor], mark: &str) -> Result<(), Miss> {
    let names = case.list("outputs");
    if names.len() != outputs.len() {
        let text = format!("got {} outputs, want {}", outputs.len(), names.len());
        return super::miss::failed(text);
    }
    let mut loss = Tensor::scalar(0.0, DType::F64).to_dtype(case.dtype);
    for (name, y) in names.iter().zip(outputs) {
        let name = name.as_str().unwrap_or("?");
        case.check(&format!("out{mark}/{name}"), &y.array())?;
        if !y.dtype().is_float() {
            continue; // positions have no gradient
        }
        loss = loss + (y * case.constant(&format!("cot{mark}/{name}"))?).sum();
    }
    if loss.requires_grad() {
        loss.backward();
    }
    Ok(())
}
