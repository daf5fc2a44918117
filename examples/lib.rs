//! The examples of gradus: `cargo run --release --example NAME`, one folder or file each.
//!
//! | example | what it shows |
//! |---|---|
//! | `gemm_steps` | the product of two matrices, from the obvious loop to the kernel, a step at a time |
//! | `grad_scaler` | an f16 network whose gradients underflow, without and with a gradient scaler |
//! | `gradient_descent_variants` | batch, stochastic and mini-batch gradient descent: the loss for equal work and for equal steps |
//! | `lr_finder` | a sweep of the learning rate, and the rate it suggests |
//! | `mnist` | a network that learns handwritten digits, from options to a saved model; `--model cnn` is a convolutional one |
//! | `newton_vs_lbfgs` | logistic regression by Newton, Newton-CG, L-BFGS and gradient descent, iteration by iteration |
//! | `optimizer_race` | every optimizer on five surfaces and on the digits, as a page for the browser |
//! | `sam` | SGD, SAM and adaptive SAM on digits with wrong labels, and how sharp their minima are |
//! | `schedule_plots` | every learning-rate schedule as a picture of the book |
#![forbid(unsafe_code)]

use std::fmt::Display;
use std::process::ExitCode;

/// The `main` of an example: answers `--help`, which is `Ok(None)`, and what is wrong with the options, or
/// runs it. The exit code is 2 for wrong options, 1 if the run fails.
#[allow(clippy::print_stdout, reason = "an example talks to its reader")]
pub fn start<Options, E: Display>(
    name: &str,
    help: &str,
    options: Result<Option<Options>, lexopt::Error>,
    run: impl FnOnce(&Options) -> Result<(), E>,
) -> ExitCode {
    let options = match options {
        Ok(Some(options)) => options,
        Ok(None) => {
            println!("{help}");
            return ExitCode::SUCCESS;
        }
        Err(e) => {
            eprintln!("{name}: {e}; --help lists the options");
            return ExitCode::from(2);
        }
    };
    match run(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("{name}: {e}");
            ExitCode::FAILURE
        }
    }
}
