//! How long a Newton step takes from the whole Hessian and by conjugate gradients, by the number of elements.
//!
//! `cargo run --release -p gradus-optim --example newton_speed`
#![allow(clippy::print_stdout, reason = "it reports to a person")]

use gradus_autodiff::{Parameter, Tensor};
use gradus_optim::{Newton, NewtonMethod, NewtonOptions, OptimError, Optimizer};
use gradus_tensor::{Array, DType};
use std::time::Instant;

const SAMPLES: usize = 2000;

/// The mean of `softplus(±x·w)` and a little decay: logistic regression.
fn milliseconds(n: usize, method: NewtonMethod) -> Result<f64, OptimError> {
    let x = Tensor::new(Array::randn([SAMPLES, n]).cast(DType::F64));
    let sign = Tensor::new(Array::randn([SAMPLES]).cast(DType::F64)).sign();
    let w = Parameter::new(Array::zeros([n], DType::F64));
    let options = NewtonOptions { method, ..Default::default() };
    let mut opt = Newton::from_parameters([w.clone()], options)?;
    let start = Instant::now();
    opt.step_with(&mut || {
        let z = x.mv(&w) * &sign;
        // ln(e⁰ + eᶻ): max(z, 0) + ln(1 + e⁻|ᶻ|) would have a kink, and no curvature, at the start.
        let softplus = Tensor::stack(&[&z.zeros_like(), &z], 1).logsumexp(&[1], false);
        softplus.mean() + w.square().sum() * 1e-3
    })?;
    Ok(start.elapsed().as_secs_f64() * 1e3)
}

fn main() -> Result<(), OptimError> {
    for n in [30, 100, 300, 1000, 2000] {
        let exact = milliseconds(n, NewtonMethod::Exact)?;
        let products = milliseconds(n, NewtonMethod::ConjugateGradient)?;
        println!("{n:5} elements: exact {exact:8.1} ms, conjugate gradients {products:8.1} ms");
    }
    Ok(())
}
