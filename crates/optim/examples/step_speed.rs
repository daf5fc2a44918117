//! How long a step of each optimizer takes, on 10 million f32 parameters in 160 tensors.
//!
//! `cargo run --release -p gradus-optim --example step_speed`
#![allow(clippy::print_stdout, reason = "it reports to a person")]

use gradus_autodiff::Parameter;
use gradus_optim::{
    Adam, AdamOptions, AdamW, AdamWOptions, OptimError, Optimizer, Sgd, SgdOptions,
};
use gradus_tensor::{Array, threads};
use std::time::Instant;

const TENSORS: usize = 160;
const ELEMENTS: usize = 62_500;
const REPEATS: usize = 30;

fn parameters() -> Vec<Parameter> {
    let new = |i: usize| {
        let numbers = |k: usize| -> Array {
            (0..ELEMENTS)
                .map(|j| ((j * 37 + i * k) % 101) as f32 / 64.0 - 0.8)
                .collect::<Vec<_>>()
                .into()
        };
        let p = Parameter::new(numbers(3));
        p.set_grad(Some(numbers(7).into()));
        p
    };
    (0..TENSORS).map(new).collect()
}

/// Best and median milliseconds, and the bandwidth of the best.
fn measure(name: &str, bytes: usize, opt: &mut dyn Optimizer) -> Result<(), OptimError> {
    for count in [1, 2] {
        threads::set_num_threads(count);
        let mut times = Vec::new();
        for _ in 0..REPEATS {
            let start = Instant::now();
            opt.step()?;
            times.push(start.elapsed().as_secs_f64() * 1e3);
        }
        times.sort_by(f64::total_cmp);
        let (best, median) = (times[0], times[REPEATS / 2]);
        let rate = (bytes * TENSORS * ELEMENTS) as f64 / best / 1e6;
        println!("{name:<22} {count} threads  {best:5.2} / {median:5.2} ms  {rate:4.0} GB/s");
    }
    Ok(())
}

fn main() -> Result<(), OptimError> {
    let sgd = SgdOptions::default();
    measure("SGD", 12, &mut Sgd::from_parameters(parameters(), sgd.clone())?)?;
    let momentum = SgdOptions { momentum: 0.9, ..sgd };
    measure("SGD, momentum", 20, &mut Sgd::from_parameters(parameters(), momentum)?)?;
    let adam = AdamOptions::default();
    measure("Adam", 28, &mut Adam::from_parameters(parameters(), adam.clone())?)?;
    let amsgrad = AdamOptions { amsgrad: true, ..adam };
    measure("Adam, AMSGrad", 36, &mut Adam::from_parameters(parameters(), amsgrad)?)?;
    measure("AdamW", 28, &mut AdamW::from_parameters(parameters(), AdamWOptions::default())?)
}
