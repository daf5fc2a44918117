//! The pairs that L-BFGS learns the curvature from, and what one step leaves for the next.

use crate::arithmetic::{Times, sum};
use crate::error::{Mismatch, OptimError};
use crate::whole::{along, dot};
use crate::{Entry, StateDict, load};
use gradus_tensor::{Array, DType};
use serde_json::json;
use std::collections::VecDeque;

/// A pair counts only if the curvature along it is positive by at least this.
const LEAST_CURVATURE: f64 = 1e-10;

/// All that lives from step to step.
#[derive(Clone, Default)]
pub(super) struct Memory {
    pub(super) n_iter: u64,
    pub(super) func_evals: u64,
    last: Option<Last>,
    pairs: VecDeque<Pair>,
    /// `y·s/y·y` of the newest pair: the curvature before any pair is applied.
    diagonal: f64,
}

/// The newest iteration.
#[derive(Clone)]
struct Last {
    d: Array,
    t: f64,
    grad: Array,
    loss: f64,
}

/// `s = Δθ`, `y = Δg`, `ρ = 1/y·s`.
#[derive(Clone)]
struct Pair {
    y: Array,
    s: Array,
    rho: f64,
}

impl Memory {
    /// The direction of the next iteration, after the newest pair has been learned.
    pub(super) fn direction(&mut self, grad: &Array, history_size: usize) -> Array {
        let Some(last) = &self.last else {
            self.diagonal = 1.0;
            return grad.clone().map(Times(-1.0));
        };
        let y = along(grad, -1.0, &last.grad);
        let s = last.d.clone().map(Times(last.t));
        let ys = dot(&y, &s);
        if ys > LEAST_CURVATURE {
            if self.pairs.len() == history_size {
                self.pairs.pop_front();
            }
            self.diagonal = ys / dot(&y, &y);
            self.pairs.push_back(Pair { y, s, rho: 1.0 / ys });
        }
        let mut q = grad.clone().map(Times(-1.0));
        let mut alphas = Vec::with_capacity(self.pairs.len());
        for Pair { y, s, rho } in self.pairs.iter().rev() {
            let alpha = dot(s, &q) * rho;
            q = sum(1.0, q, -alpha, y.clone());
            alphas.push(alpha);
        }
        let mut r = q.map(Times(self.diagonal));
        for (Pair { y, s, rho }, alpha) in self.pairs.iter().zip(alphas.into_iter().rev()) {
            let beta = dot(y, &r) * rho;
            r = sum(1.0, r, alpha - beta, s.clone());
        }
        r
    }
    /// An iteration begins.
    pub(super) fn remember(&mut self, d: Array, t: f64, grad: Array, loss: f64) {
        self.last = Some(Last { d, t, grad, loss });
    }
    /// It went so far.
    pub(super) fn moved(&mut self, t: f64) {
        if let Some(last) = &mut self.last {
            last.t = t;
        }
    }
    /// Under PyTorch's keys. Numbers are arrays, because JSON has no infinities.
    pub(super) fn save(&self, dict: &mut StateDict) {
        dict.insert("state.n_iter", json!(self.n_iter));
        dict.insert("state.func_evals", json!(self.func_evals));
        let Some(Last { d, t, grad, loss }) = &self.last else { return };
        let number = |v: f64| Array::scalar(v, DType::F64);
        let rows = |of: &dyn Fn(&Pair) -> &Array| {
            let rows: Vec<Array> = self.pairs.iter().map(|p| of(p).unsqueeze(0)).collect();
            if rows.is_empty() {
                Array::zeros([0, d.numel()], d.dtype())
            } else {
                Array::cat(&rows, 0)
            }
        };
        dict.insert("state.d", d.clone());
        dict.insert("state.t", number(*t));
        dict.insert("state.prev_flat_grad", grad.clone());
        dict.insert("state.prev_loss", number(*loss));
        dict.insert("state.H_diag", number(self.diagonal));
        dict.insert("state.old_dirs", rows(&|p| &p.y));
        dict.insert("state.old_stps", rows(&|p| &p.s));
        let rho: Vec<f64> = self.pairs.iter().map(|p| p.rho).collect();
        dict.insert("state.ro", Array::from(rho));
    }
    /// Takes its entries out of `dict`; vectors become those of the type of `like`.
    pub(super) fn load(dict: &mut StateDict, like: &Array) -> Result<Self, OptimError> {
        let n_iter = load::take(dict, "state.n_iter")?;
        let func_evals = load::take(dict, "state.func_evals")?;
        let mut memory = Memory { n_iter, func_evals, ..Memory::default() };
        if dict.get("state.d").is_none() {
            return Ok(memory);
        }
        let n = like.numel();
        let pairs = dict.array("state.ro").map_or(0, Array::numel);
        let mut array = |key: &str, shape: &[usize], dtype: DType| match dict.remove(key) {
            Some(Entry::Array(a)) if *a.shape() == *shape => Ok(a.cast(dtype)),
            found => {
                let text = match found {
                    Some(Entry::Array(a)) => format!("{key} is {}, not {shape:?}", a.shape()),
                    _ => format!("{key} is missing or no array"),
                };
                let different = vec![text];
                Err(OptimError::Mismatch(Mismatch { different, ..Mismatch::default() }))
            }
        };
        let dtype = like.dtype();
        memory.last = Some(Last {
            d: array("state.d", &[n], dtype)?,
            t: array("state.t", &[], DType::F64)?.item(),
            grad: array("state.prev_flat_grad", &[n], dtype)?,
            loss: array("state.prev_loss", &[], DType::F64)?.item(),
        });
        memory.diagonal = array("state.H_diag", &[], DType::F64)?.item();
        let y = array("state.old_dirs", &[pairs, n], dtype)?;
        let s = array("state.old_stps", &[pairs, n], dtype)?;
        let rho = array("state.ro", &[pairs], DType::F64)?.to_vec::<f64>();
        let pair =
            |(i, rho)| Pair { y: y.select(0, i).contiguous(), s: s.select(0, i).contiguous(), rho };
        memory.pairs = rho.into_iter().enumerate().map(pair).collect();
        Ok(memory)
    }
}
