//! Handwritten digits: a 784-256-128-10 network learns them in a few seconds, a convolutional one better.
//!
//! `cargo run --release --example mnist` trains on 8,000 digits that are part of the repository, and
//! tests on 2,000 others. `-- --model cnn` takes the other network, `-- --help` lists the options.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "an example talks to its reader")]

mod networks;
mod options;
mod report;
mod training;

use gradus::prelude::*;
use options::{Kind, Options};
use std::process::ExitCode;

fn optimizer(net: &dyn Layer, options: &Options) -> gradus::Result<Box<dyn Optimizer>> {
    let parameters = net.named_parameters();
    let lr = options.lr();
    Ok(match options.optimizer {
        Kind::Sgd => {
            Box::new(Sgd::new(parameters, SgdOptions { lr, momentum: 0.9, ..Default::default() })?)
        }
        Kind::Adam => Box::new(Adam::new(parameters, AdamOptions { lr, ..Default::default() })?),
        Kind::AdamW => Box::new(AdamW::new(parameters, AdamWOptions { lr, ..Default::default() })?),
    })
}

fn data(options: &Options) -> gradus::Result<(Mnist, Mnist)> {
    Ok(match &options.data {
        Some(folder) => Mnist::open(folder)?,
        None => Mnist::embedded()?.split(0.8)?,
    })
}

fn run(options: &Options) -> gradus::Result<()> {
    if let Some(n) = options.threads {
        set_num_threads(n);
    }
    manual_seed(options.seed);
    let (train, test) = data(options)?;
    let net = networks::network(options.model);
    if let Some(file) = &options.load {
        net.load(file)?;
    }
    let mut opt = optimizer(&*net, options)?;
    training::train(&*net, opt.as_mut(), &train, &test, options)?;
    let seen = training::predict(&*net, &test, options.batch_size)?;
    report::print(&test, &seen);
    if let Some(file) = options.file_to_save() {
        net.save(file)?;
        println!("the model is saved in {}", file.display());
    }
    println!("test accuracy {:.4}", seen.accuracy());
    Ok(())
}

fn main() -> ExitCode {
    gradus_examples::start("mnist", options::HELP, options::parse(), run)
}
