//! Batch, stochastic and mini-batch gradient descent on the digits, side by side.
//!
//! `cargo run --release --example gradient_descent_variants` trains one layer three times and draws the
//! loss over the epochs and over the gradient evaluations. `-- --help` lists the options.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "an example talks to its reader")]

use gradus::optim::Plot;
use gradus::prelude::*;
use std::process::ExitCode;

const HELP: &str = "\
Train one layer on the digits by batch, stochastic and mini-batch gradient descent.

usage: gradient_descent_variants [options]

  --samples N   digits to learn from, at most 8,000 (default 4,000)
  --epochs N    passes over them (default 20)
  --batch N     samples of a mini-batch (default 32)
  --svg FILE    write both charts as a picture
  --quick       600 digits, six epochs: a smoke test
  --help        this text

The last line is `after E epochs: batch A, stochastic B, mini-batch C; after E gradients: …`: the loss over
all samples after the same number of passes, and after the same number of gradient evaluations.";

struct Options {
    samples: usize,
    epochs: usize,
    batch: usize,
    svg: Option<std::path::PathBuf>,
}

fn parse() -> Result<Option<Options>, lexopt::Error> {
    use lexopt::prelude::*;
    let mut options = Options { samples: 4_000, epochs: 20, batch: 32, svg: None };
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("samples") => options.samples = parser.value()?.parse()?,
            Long("epochs") => options.epochs = parser.value()?.parse()?,
            Long("batch") => options.batch = parser.value()?.parse()?,
            Long("svg") => options.svg = Some(parser.value()?.into()),
            Long("quick") => (options.samples, options.epochs) = (600, 6),
            Long("help") | Short('h') => return Ok(None),
            other => return Err(other.unexpected()),
        }
    }
    for (name, value, most) in [
        ("samples", options.samples, 8_000),
        ("epochs", options.epochs, usize::MAX),
        ("batch", options.batch, options.samples),
    ] {
        if value == 0 || value > most {
            return Err(format!("--{name} {value}: 1 to {most}").into());
        }
    }
    Ok(Some(options))
}

/// How many samples a gradient is the mean of; the more, the longer a step may be.
struct Variant {
    name: &'static str,
    batch: usize,
    lr: f64,
}

fn variants(options: &Options) -> [Variant; 3] {
    [
        Variant { name: "batch", batch: options.samples, lr: 0.2 },
        Variant { name: "stochastic", batch: 1, lr: 0.005 },
        Variant { name: "mini-batch", batch: options.batch, lr: 0.05 },
    ]
}

/// The loss over all samples, on the way.
struct Curve {
    by_epoch: Vec<(f64, f64)>,
    by_gradient: Vec<(f64, f64)>,
    accuracy: f64,
}

/// The loss over all samples, and the share that is right.
fn measure(net: &Linear, data: &TensorDataset) -> [f64; 2] {
    let (x, y) = (Tensor::new(data.inputs().clone()), Tensor::new(data.targets().clone()));
    let logits = no_grad(|| net.forward(&x));
    let right = logits.argmax_dim(1, false).eq(&y).to_dtype(DType::F64).mean().item();
    [cross_entropy(&logits, &y).item(), right]
}

fn train(
    variant: &Variant,
    epochs: usize,
    [train, test]: &[TensorDataset; 2],
) -> gradus::Result<Curve> {
    manual_seed(1); // the same start for all
    let net = Linear::new(784, 10);
    let options = SgdOptions { lr: variant.lr, ..Default::default() };
    let mut opt = Sgd::new(net.named_parameters(), options)?;
    let loader = DataLoader::new(train).batch_size(variant.batch).shuffle(true);
    let mut by_epoch = vec![(0.0, measure(&net, train)[0])];
    let mut by_gradient = Vec::new();
    let (mut gradients, mut next) = (0, 1);
    for epoch in 1..=epochs {
        for batch in loader.iter() {
            let (x, y) = batch?;
            opt.zero_grad();
            cross_entropy(&net.forward(&x), &y).backward();
            opt.step()?;
            gradients += 1;
            // Every step at first, then every fifth of the way, for a logarithmic axis; and at the number
            // of steps that batch gradient descent takes.
            if gradients == next || gradients == epochs {
                by_gradient.push((gradients as f64, measure(&net, train)[0]));
                next = gradients.max(next) + (gradients / 5).max(1);
            }
        }
        by_epoch.push((epoch as f64, measure(&net, train)[0]));
    }
    let [_, accuracy] = measure(&net, test);
    Ok(Curve { by_epoch, by_gradient, accuracy })
}

/// The digits as rows of 784 pixels: what is learned from, and 2,000 others.
fn digits(samples: usize) -> gradus::Result<[TensorDataset; 2]> {
    let (train, test) = Mnist::embedded()?.split(0.8)?;
    let rows = |digits: &Mnist, n: usize| -> gradus::Result<TensorDataset> {
        let all = digits.images().reshape(&[digits.labels().numel(), 784].into());
        Ok(TensorDataset::new(all, digits.labels().clone())?.range(0, n)?)
    };
    Ok([rows(&train, samples)?, rows(&test, test.labels().numel())?])
}

/// Two pictures, one below the other.
fn below(first: &Plot, second: &Plot) -> String {
    let second = second.svg().replacen("<svg ", "<svg y=\"360\" ", 1);
    let open = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 640 720\">\n";
    format!("{open}{}{second}</svg>\n", first.svg())
}

fn run(options: &Options) -> gradus::Result<()> {
    let data = digits(options.samples)?;
    let mut by_epoch = Plot::new("loss, equal work", "epoch", "loss");
    let mut by_gradient = Plot::new("loss, equal steps", "gradient evaluations", "loss").log_x();
    let (mut at_epochs, mut at_gradients) = (Vec::new(), Vec::new());
    println!("variant      samples a gradient    lr     gradients   train loss   test accuracy");
    for variant in variants(options) {
        let curve = train(&variant, options.epochs, &data)?;
        let steps = options.samples.div_ceil(variant.batch) * options.epochs;
        let (Variant { name, batch, lr }, (_, loss)) = (variant, curve.by_epoch[options.epochs]);
        let percent = 100.0 * curve.accuracy;
        println!("{name:<12} {batch:>18}    {lr:<6} {steps:>8}   {loss:>10.4}   {percent:>11.1} %");
        at_epochs.push(format!("{name} {loss:.4}"));
        let same = curve.by_gradient.iter().find(|(g, _)| *g == options.epochs as f64);
        at_gradients.push(format!("{name} {:.4}", same.map_or(f64::NAN, |(_, loss)| *loss)));
        by_epoch = by_epoch.line(name, curve.by_epoch);
        by_gradient = by_gradient.line(name, curve.by_gradient);
    }
    println!("\n{by_epoch}\n{by_gradient}");
    if let Some(file) = &options.svg {
        std::fs::write(file, below(&by_epoch, &by_gradient)).map_err(gradus::Error::Io)?;
        println!("the picture is in {}", file.display());
    }
    let (n, a, b) = (options.epochs, at_epochs.join(", "), at_gradients.join(", "));
    println!("after {n} epochs: {a}; after {n} gradients: {b}");
    Ok(())
}

fn main() -> ExitCode {
    gradus_examples::start("gradient_descent_variants", HELP, parse(), run)
}
