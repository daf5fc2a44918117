//! Loss scaling: an f16 network whose gradients are smaller than any f16.
//!
//! `cargo run --release --example grad_scaler` trains it without a scaler, with one, and in f32, and
//! draws the scale over the steps. `-- --help` lists the options.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "an example talks to its reader")]

use gradus::optim::Plot;
use gradus::prelude::*;
use std::process::ExitCode;

const HELP: &str = "\
Train digits in f16 with gradients around 1e-8: without a gradient scaler, with one, and in f32.

usage: grad_scaler [options]

  --epochs N    passes over 4,000 digits (default 5)
  --init S      the first scale; one that is too large is halved by skipping (default 2^42)
  --svg FILE    write the scale over the steps as a picture
  --quick       two epochs: a smoke test
  --help        this text

The last line is `accuracy f16 A, f16 with scaler B, f32 C`, in percent.";

/// What the loss is multiplied by, so that its gradients are about 1e-8; the rate makes up for it.
const FACTOR: f64 = 1.0 / (1 << 20) as f64;
const LR: f64 = 0.1;
/// Updates without a skip until the scale is doubled: soon, to be seen here.
const GROWTH_INTERVAL: u64 = 100;

struct Options {
    epochs: usize,
    init_scale: f64,
    svg: Option<std::path::PathBuf>,
}

fn parse() -> Result<Option<Options>, lexopt::Error> {
    use lexopt::prelude::*;
    let mut options = Options { epochs: 5, init_scale: 2.0_f64.powi(42), svg: None };
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("epochs") => options.epochs = parser.value()?.parse()?,
            Long("init") => options.init_scale = parser.value()?.parse()?,
            Long("svg") => options.svg = Some(parser.value()?.into()),
            Long("quick") => options.epochs = 2,
            Long("help") | Short('h') => return Ok(None),
            other => return Err(other.unexpected()),
        }
    }
    Ok(Some(options))
}

/// `x [N, 1, 28, 28] -> logits [N, 10]`, f32 at both ends.
#[derive(Module)]
struct Mlp {
    fc1: Linear,
    fc2: Linear,
}

impl Mlp {
    fn forward(&self, x: &Tensor) -> Tensor {
        let x = x.flatten(1, -1).to_dtype(self.fc1.weight.dtype());
        self.fc2.forward(&self.fc1.forward(&x).relu()).to_dtype(DType::F32)
    }
}

/// What a training leaves.
struct Outcome {
    accuracy: f64,
    skipped: u64,
    /// The scale at each step.
    scales: Vec<(f64, f64)>,
}

fn train(dtype: DType, scaler: GradScalerOptions, epochs: usize) -> gradus::Result<Outcome> {
    manual_seed(3);
    let (train, test) = Mnist::embedded()?.split(0.4)?;
    let net = Mlp { fc1: Linear::new(784, 64), fc2: Linear::new(64, 10) };
    net.to(dtype);
    let options = SgdOptions { lr: LR / FACTOR, momentum: 0.9, ..Default::default() };
    let mut opt = Sgd::new(net.named_parameters(), options)?;
    let mut scaler = GradScaler::new(scaler)?;
    let mut scales = Vec::new();
    let loader = DataLoader::new(&train).batch_size(50).shuffle(true);
    for _epoch in 0..epochs {
        for batch in loader.iter() {
            let (x, y) = batch?;
            opt.zero_grad();
            let loss = cross_entropy(&net.forward(&x), &y) * FACTOR;
            scaler.scale(&loss).backward();
            if let StepOutcome::Skipped(why) = scaler.step(&mut opt)? {
                println!("  step {:>3}, scale {:e}: {why}", scales.len(), scaler.get_scale());
            }
            scaler.update()?;
            scales.push((scales.len() as f64, scaler.get_scale()));
        }
    }
    let mut right = 0.0;
    for batch in DataLoader::new(&test).batch_size(500).iter() {
        let (x, y) = batch?;
        let said = no_grad(|| net.forward(&x)).argmax_dim(1, false);
        right += said.eq(&y).to_dtype(DType::F64).sum().item();
    }
    let accuracy = 100.0 * right / test.len() as f64;
    Ok(Outcome { accuracy, skipped: opt.steps()[1], scales })
}

fn run(options: &Options) -> gradus::Result<()> {
    let off = GradScalerOptions { enabled: false, ..Default::default() };
    let on = GradScalerOptions {
        init_scale: options.init_scale,
        growth_interval: GROWTH_INTERVAL,
        ..Default::default()
    };
    println!("f16 without a scaler");
    let plain = train(DType::F16, off.clone(), options.epochs)?;
    println!("  {:.1} %: every gradient was 0", plain.accuracy);
    println!("f16 with a scaler");
    let scaled = train(DType::F16, on, options.epochs)?;
    println!("  {:.1} %, {} steps skipped", scaled.accuracy, scaled.skipped);
    println!("f32");
    let wide = train(DType::F32, off, options.epochs)?;
    println!("  {:.1} %\n", wide.accuracy);
    let logarithms = scaled.scales.iter().map(|(step, scale)| (*step, scale.log2()));
    let plot = Plot::new("the scale", "step", "log2").line("log2 of the scale", logarithms);
    println!("{plot}");
    if let Some(file) = &options.svg {
        std::fs::write(file, plot.svg()).map_err(gradus::Error::Io)?;
        println!("the picture is in {}", file.display());
    }
    let [a, b, c] = [&plain, &scaled, &wide].map(|outcome| outcome.accuracy);
    println!("accuracy f16 {a:.1}, f16 with scaler {b:.1}, f32 {c:.1}");
    Ok(())
}

fn main() -> ExitCode {
    gradus_examples::start("grad_scaler", HELP, parse(), run)
}
