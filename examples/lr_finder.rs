//! A learning-rate finder on the digits: which rate would a careful person choose?
//!
//! `cargo run --release --example lr_finder` sweeps the rate, draws the curve, and trains with the rate
//! it suggests. `-- --help` lists the options.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "an example talks to its reader")]

use gradus::prelude::*;
use std::process::ExitCode;

const HELP: &str = "\
Sweep the learning rate on the digits, and train with the one that is suggested.

usage: lr_finder [options]

  --optimizer NAME  sgd or adam (default sgd)
  --steps N         steps of the sweep (default 150)
  --epochs N        passes over the digits afterwards (default 3)
  --svg FILE        write the curve as a picture
  --quick           60 steps and one epoch: a smoke test
  --help            this text

The last line is `suggested LR, test accuracy A`.";

struct Options {
    adam: bool,
    steps: usize,
    epochs: usize,
    svg: Option<std::path::PathBuf>,
}

fn parse() -> Result<Option<Options>, lexopt::Error> {
    use lexopt::prelude::*;
    let mut options = Options { adam: false, steps: 150, epochs: 3, svg: None };
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("optimizer") => match parser.value()?.string()?.as_str() {
                "sgd" => options.adam = false,
                "adam" => options.adam = true,
                other => return Err(format!("--optimizer {other}: sgd or adam").into()),
            },
            Long("steps") => options.steps = parser.value()?.parse()?,
            Long("epochs") => options.epochs = parser.value()?.parse()?,
            Long("svg") => options.svg = Some(parser.value()?.into()),
            Long("quick") => (options.steps, options.epochs) = (60, 1),
            Long("help") | Short('h') => return Ok(None),
            other => return Err(other.unexpected()),
        }
    }
    Ok(Some(options))
}

/// `x [N, 1, 28, 28] -> logits [N, 10]`; the sweep must put its running statistics back.
#[derive(Module)]
struct Net {
    fc1: Linear,
    bn: BatchNorm1d,
    fc2: Linear,
}

impl Net {
    fn forward(&self, x: &Tensor) -> Tensor {
        self.fc2.forward(&self.bn.forward(&self.fc1.forward(&x.flatten(1, -1))).relu())
    }
}

fn optimizer(net: &Net, adam: bool) -> gradus::Result<Box<dyn Optimizer>> {
    let parameters = net.named_parameters();
    Ok(if adam {
        Box::new(Adam::new(parameters, AdamOptions::default())?)
    } else {
        Box::new(Sgd::new(parameters, SgdOptions { momentum: 0.9, ..Default::default() })?)
    })
}

fn run(options: &Options) -> gradus::Result<()> {
    manual_seed(1);
    let (train, test) = Mnist::embedded()?.split(0.8)?;
    let net = Net { fc1: Linear::new(784, 64), bn: BatchNorm1d::new(64), fc2: Linear::new(64, 10) };
    let mut opt = optimizer(&net, options.adam)?;
    let loader = DataLoader::new(&train).batch_size(64).shuffle(true);

    let before = net.state_dict();
    let mut batches = loader.iter();
    let curve = LrFinder::new(LrFinderOptions { steps: options.steps, ..Default::default() })?
        .buffers(net.buffers())
        .run(opt.as_mut(), |_step| {
            if batches.len() == 0 {
                batches = loader.iter();
            }
            let (x, y) = batches.next().ok_or("there are no digits")??;
            Ok::<_, gradus::Error>(cross_entropy(&net.forward(&x), &y))
        })?;
    println!("{}", curve.plot());
    if let Some(file) = &options.svg {
        std::fs::write(file, curve.plot().svg()).map_err(gradus::Error::Io)?;
        println!("the picture is in {}", file.display());
    }
    let same = net.state_dict() == before;
    println!(
        "{} steps; the network is {}",
        curve.lrs().len(),
        if same { "as before" } else { "changed" }
    );
    let Some(lr) = curve.suggestion() else { return Err("the loss never falls".into()) };

    opt.set_lr(0, lr);
    for _epoch in 0..options.epochs {
        for batch in loader.iter() {
            let (x, y) = batch?;
            opt.zero_grad();
            cross_entropy(&net.forward(&x), &y).backward();
            opt.step()?;
        }
    }
    let _mode = net.eval_scope();
    let mut right = 0.0;
    for batch in DataLoader::new(&test).batch_size(500).iter() {
        let (x, y) = batch?;
        let said = no_grad(|| net.forward(&x)).argmax_dim(1, false);
        right += said.eq(&y).to_dtype(DType::F64).sum().item();
    }
    println!("suggested {lr:.4}, test accuracy {:.4}", right / test.len() as f64);
    Ok(())
}

fn main() -> ExitCode {
    gradus_examples::start("lr_finder", HELP, parse(), run)
}
