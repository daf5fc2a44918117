//! The losses that optimizers with a closure minimize, on parameters that are pieces of one vector.

use crate::parity::case::Case;
use crate::parity::compare::{Extent, difference};
use crate::parity::miss::{Miss, unsupported};
use gradus_autodiff::{Parameter, Tensor};
use gradus_tensor::{Array, DType};

/// The pieces, and the loss of them.
pub(super) struct Objective {
    pub(super) pieces: Vec<(String, Parameter)>,
    loss: Loss,
    sign: f64,
}

enum Loss {
    Rosenbrock,
    Quadratic(Tensor, Tensor),
}

impl Objective {
    pub(super) fn new(case: &Case<'_>) -> Result<Self, Miss> {
        let name = case.text("objective")?;
        let loss = match name {
            "quad8" => {
                let constant = |key| case.shared(key).map(Tensor::new);
                Loss::Quadratic(constant("lbfgs_quad/A")?, constant("lbfgs_quad/b")?)
            }
            _ if name.starts_with("rosen") => Loss::Rosenbrock,
            _ => return unsupported(format!("no objective \"{name}\"")),
        };
        let start = case.shared(&format!("lbfgs_x0/{name}"))?;
        let (mut at, mut pieces) = (0, Vec::new());
        for size in case.list("split").iter().filter_map(|v| v.as_u64()) {
            let piece = start.narrow(0, at, size as usize).contiguous();
            pieces.push((pieces.len().to_string(), Parameter::new(piece)));
            at += size as usize;
        }
        let negated = case.spec["negate_objective"].as_bool() == Some(true);
        Ok(Objective { pieces, loss, sign: if negated { -1.0 } else { 1.0 } })
    }
    pub(super) fn x(&self) -> Array {
        let pieces: Vec<Array> = self.pieces.iter().map(|(_, p)| p.array()).collect();
        Array::cat(&pieces, 0)
    }
    pub(super) fn value(&self) -> Tensor {
        let pieces: Vec<&Tensor> = self.pieces.iter().map(|(_, p)| p.tensor()).collect();
        let x = Tensor::cat(&pieces, 0);
        let value = match &self.loss {
            Loss::Rosenbrock => {
                let n = x.numel() - 1;
                let (this, next) = (x.narrow(0, 0, n), x.narrow(0, 1, n));
                ((next - this.square()).square() * 100.0 + (this - 1.0).square()).sum()
            }
            Loss::Quadratic(a, b) => x.dot(&a.matmul(&x)) * 0.5 - b.dot(&x),
        };
        value * self.sign
    }
}

/// Where a run was after each step, and what the loss was before it.
#[derive(Default)]
pub(super) struct Path {
    pub(super) x: Vec<Array>,
    pub(super) loss: Vec<f64>,
}

impl Path {
    /// The first `steps` of them beside the stored ones.
    pub(super) fn check(&self, case: &Case<'_>, steps: usize) -> Result<(), Miss> {
        let rows: Vec<Array> = self.x.iter().map(|x| x.unsqueeze(0)).collect();
        let loss = Array::from_f64([self.loss.len()], DType::F64, &self.loss).cast(case.dtype);
        for (key, got) in [("x", Array::cat(&rows, 0)), ("loss", loss)] {
            let want = case.input(key)?;
            if got.shape() != want.shape() {
                case.differs(format!("{key}: got shape {}, want {}", got.shape(), want.shape()));
                continue;
            }
            let (got, want) = (got.narrow(0, 0, steps), want.narrow(0, 0, steps));
            let found = difference(&got, &want, case.tolerance("tol")?, Extent::All);
            found.iter().for_each(|text| case.differs(format!("{key}: {text}")));
        }
        Ok(())
    }
    /// Saving and loading must not change a bit.
    pub(super) fn check_same(&self, case: &Case<'_>, resumed: &Path) {
        let bits = |path: &Path| -> Vec<Vec<u64>> {
            let all = path.x.iter().map(|x| x.to_vec::<f64>()).chain([path.loss.clone()]);
            all.map(|v| v.into_iter().map(f64::to_bits).collect()).collect()
        };
        if bits(self) != bits(resumed) {
            case.differs("resumed: other bits than the uninterrupted run");
        }
    }
}
