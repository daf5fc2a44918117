//! Loss, gradient and curvature at one place.

use crate::OptimError;
use crate::arithmetic::Times;
use crate::whole::Flat;
use gradus_autodiff::{Sweep, Tensor, enable_grad, grad_allow_unused};
use gradus_tensor::{Array, DType, Shape};

/// The loss to be minimized with its derivatives; it keeps the graph of the gradient.
pub(super) struct Curved {
    pub(super) loss: f64,
    pub(super) gradient: Array,
    /// The positions of parameters that the loss does not depend on.
    pub(super) unused: Vec<usize>,
    sign: f64,
    /// The gradients that depend on parameters themselves, with their positions.
    tracked: Vec<(usize, Tensor)>,
}

impl Curved {
    pub(super) fn new(
        loss: &mut dyn FnMut() -> Tensor,
        flat: &Flat,
        maximize: bool,
    ) -> Result<Self, OptimError> {
        let loss = enable_grad(loss);
        let sign = if maximize { -1.0 } else { 1.0 };
        let inputs: Vec<&Tensor> = flat.parameters.iter().map(|p| p.tensor()).collect();
        let grads = grad_allow_unused(&[&loss], &[], &inputs, Sweep::CREATE);
        let grads = grads.map_err(OptimError::Closure)?;
        let missing = |(i, g): (usize, &Option<Tensor>)| g.is_none().then_some(i);
        let unused = grads.iter().enumerate().filter_map(missing).collect();
        let zeros = flat.parameters.iter().map(|p| p.tensor().zeros_like().array());
        let arrays =
            grads.iter().zip(zeros).map(|(g, zeros)| g.as_ref().map_or(zeros, Tensor::array));
        let gradient = flat.joined(arrays).map(Times(sign));
        let tracked = |(i, g): (usize, Option<Tensor>)| Some((i, g.filter(Tensor::requires_grad)?));
        let tracked = grads.into_iter().enumerate().filter_map(tracked).collect();
        Ok(Curved { loss: sign * loss.item(), gradient, unused, sign, tracked })
    }
    /// `H·v`: the gradient of `g·v`.
    pub(super) fn times(&self, v: &Array, flat: &Flat) -> Result<Array, OptimError> {
        let parts = flat.parts(v);
        let starts: Vec<Tensor> =
            self.tracked.iter().map(|(i, _)| Tensor::new(parts[*i].clone())).collect();
        let inputs: Vec<&Tensor> = flat.parameters.iter().map(|p| p.tensor()).collect();
        let outputs: Vec<&Tensor> = self.tracked.iter().map(|(_, g)| g).collect();
        let starts: Vec<&Tensor> = starts.iter().collect();
        let found = grad_allow_unused(&outputs, &starts, &inputs, Sweep::RETAIN);
        let found = found.map_err(OptimError::Closure)?;
        let filled = found.into_iter().zip(parts).map(|(row, part)| match row {
            Some(row) => row.into_array(),
            None => part.zeros_like(),
        });
        Ok(flat.joined(filled).map(Times(self.sign)))
    }
    /// The Hessian in f64, a row for each element.
    pub(super) fn hessian(&self, flat: &Flat) -> Result<Vec<f64>, OptimError> {
        let n = self.gradient.numel();
        let mut rows = Vec::with_capacity(n * n);
        for i in 0..n {
            let mut one = vec![0.0; n];
            one[i] = 1.0;
            let one = Array::from_f64(Shape::new(&[n]), self.gradient.dtype(), &one);
            rows.extend(self.times(&one, flat)?.cast(DType::F64).to_vec::<f64>());
        }
        Ok(rows)
    }
}
