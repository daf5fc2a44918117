//! Sharpness-aware minimization: does SAM find flatter minima, and are they better?
//!
//! `cargo run --release --example sam` trains a network on digits, some of them with a wrong label, by SGD, by
//! SAM and by adaptive SAM around the same SGD, and measures how sharp the minima are. `-- --help` lists
//! the options.
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "an example talks to its reader")]

use gradus::autodiff::try_grad;
use gradus::prelude::*;
use std::process::ExitCode;

const HELP: &str = "\
Train digits by SGD, SAM and adaptive SAM, and measure the sharpness of the minima.

usage: sam [options]

  --samples N     digits to learn from, at most 8,000 (default 1,000)
  --noise P       share of wrong labels among them (default 0.2)
  --epochs N      passes over them (default 40)
  --rho R         how far SAM looks; adaptive SAM fifty times as far (default 0.2)
  --quick         400 digits: a smoke test
  --help          this text

The last line is `test accuracy sgd A, sam B, adaptive sam C; top eigenvalue sgd A, sam B, adaptive sam C`:
percent of right answers for 2,000 other digits, and the largest curvature of the training loss.";

struct Options {
    samples: usize,
    noise: f64,
    epochs: usize,
    rho: f64,
}

fn parse() -> Result<Option<Options>, lexopt::Error> {
    use lexopt::prelude::*;
    let mut options = Options { samples: 1_000, noise: 0.2, epochs: 40, rho: 0.2 };
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("samples") => options.samples = parser.value()?.parse()?,
            Long("noise") => options.noise = parser.value()?.parse()?,
            Long("epochs") => options.epochs = parser.value()?.parse()?,
            Long("rho") => options.rho = parser.value()?.parse()?,
            Long("quick") => (options.samples, options.epochs) = (400, 40),
            Long("help") | Short('h') => return Ok(None),
            other => return Err(other.unexpected()),
        }
    }
    let Options { samples, noise, .. } = options;
    if samples == 0 || samples > 8_000 {
        return Err(format!("--samples {samples}: 1 to 8000").into());
    }
    if !(0.0..=1.0).contains(&noise) {
        return Err(format!("--noise {noise}: 0 to 1").into());
    }
    Ok(Some(options))
}

/// `x [N, 1, 28, 28] -> logits [N, 10]`; smooth, so that curvature means something everywhere.
#[derive(Module)]
struct Net {
    fc1: Linear,
    fc2: Linear,
}

impl Net {
    fn forward(&self, x: &Tensor) -> Tensor {
        self.fc2.forward(&self.fc1.forward(&x.flatten(1, -1)).tanh())
    }
}

type Named = Vec<(String, Parameter)>;
type Build = fn(Named, f64) -> gradus::Result<Box<dyn Optimizer>>;

fn sgd(parameters: Named) -> gradus::Result<Sgd> {
    Ok(Sgd::new(parameters, SgdOptions { lr: 0.05, momentum: 0.9, ..Default::default() })?)
}

fn sam(parameters: Named, rho: f64, adaptive: bool) -> gradus::Result<Box<dyn Optimizer>> {
    Ok(Box::new(Sam::new(sgd(parameters)?, SamOptions { rho, adaptive })?))
}

/// Adaptive SAM measures its way in sizes of the weights, which begin at about 1/50.
const RELATIVE: f64 = 50.0;

const OPTIMIZERS: [(&str, Build); 3] = [
    ("sgd", |parameters, _| Ok(Box::new(sgd(parameters)?))),
    ("sam", |parameters, rho| sam(parameters, rho, false)),
    ("adaptive sam", |parameters, rho| sam(parameters, RELATIVE * rho, true)),
];

/// All samples at once.
fn whole(data: &TensorDataset) -> (Tensor, Tensor) {
    (Tensor::new(data.inputs().clone()), Tensor::new(data.targets().clone()))
}

/// Percent of right answers.
fn accuracy(net: &Net, data: &TensorDataset) -> f64 {
    let (x, y) = whole(data);
    let said = no_grad(|| net.forward(&x)).argmax_dim(1, false);
    100.0 * said.eq(&y).to_dtype(DType::F64).mean().item()
}

/// How far the loss is looked at along the direction of the largest curvature.
const RADIUS: f64 = 0.5;
/// Products with the Hessian: the eigenvalue changes by less than a percent after them.
const PRODUCTS: usize = 30;

/// The largest eigenvalue of the Hessian of the loss, and its direction, by power iteration: H·v is the
/// gradient of g·v.
fn curvature(net: &Net, data: &TensorDataset) -> gradus::Result<(f64, Vec<Tensor>)> {
    let (x, y) = whole(data);
    let parameters = net.parameters();
    let at: Vec<&Tensor> = parameters.iter().map(|p| p.tensor()).collect();
    let gradients = grad(&[&cross_entropy(&net.forward(&x), &y)], &at, Sweep::CREATE);
    let outputs: Vec<&Tensor> = gradients.iter().collect();
    let mut product: Vec<Tensor> = gradients.iter().map(Tensor::detach).collect();
    let (mut v, mut eigenvalue) = (Vec::new(), 0.0);
    for _ in 0..PRODUCTS {
        let length = product.iter().map(|p| p.square().sum().item()).sum::<f64>().sqrt();
        v = product.iter().map(|part| part / length).collect();
        let starts: Vec<&Tensor> = v.iter().collect();
        product = try_grad(&outputs, &starts, &at, Sweep::RETAIN)?;
        eigenvalue = v.iter().zip(&product).map(|(a, b)| (a * b).sum().item()).sum();
    }
    Ok((eigenvalue, v))
}

/// How much the loss rises within [`RADIUS`] along `v`, or against it: the larger of both.
fn rise(net: &Net, data: &TensorDataset, v: &[Tensor]) -> f64 {
    let (x, y) = whole(data);
    let loss = || no_grad(|| cross_entropy(&net.forward(&x), &y)).item();
    let parameters = net.parameters();
    let home: Vec<Array> = parameters.iter().map(|p| p.array()).collect();
    let here = loss();
    let [forth, back] = [RADIUS, -RADIUS].map(|by| {
        for ((p, home), v) in parameters.iter().zip(&home).zip(v) {
            let there = (Tensor::new(home.clone()) + v * by).array();
            p.update(|value| *value = there);
        }
        loss()
    });
    for (p, home) in parameters.iter().zip(home) {
        p.update(|value| *value = home);
    }
    forth.max(back) - here
}

/// Digits whose labels are wrong as often as `noise` says, and 2,000 others.
fn digits(options: &Options) -> gradus::Result<[TensorDataset; 2]> {
    let (train, test) = Mnist::embedded()?.split(0.8)?;
    let wrong = |(i, label): (usize, i64)| {
        let is_wrong = (i as f64 * options.noise).fract() + options.noise >= 1.0;
        if is_wrong { (label + 1 + (i % 9) as i64) % 10 } else { label }
    };
    let labels = train.labels().to_vec::<i64>().into_iter().enumerate().map(wrong);
    let labels = Array::from(labels.collect::<Vec<i64>>());
    let train = TensorDataset::new(train.images().clone(), labels)?.range(0, options.samples)?;
    Ok([train, TensorDataset::new(test.images().clone(), test.labels().clone())?])
}

/// Accuracy on what was learned from and on others, largest eigenvalue, rise of the loss.
fn train(build: Build, options: &Options, data: &[TensorDataset; 2]) -> gradus::Result<[f64; 4]> {
    manual_seed(1); // the same start for all
    let net = Net { fc1: Linear::new(784, 64), fc2: Linear::new(64, 10) };
    let mut opt = build(net.named_parameters(), options.rho)?;
    let loader = DataLoader::new(&data[0]).batch_size(50).shuffle(true);
    let cosine = CosineAnnealingLrOptions { t_max: options.epochs as u64, eta_min: 0.0 };
    let mut sched = CosineAnnealingLr::new(opt.as_mut(), cosine)?;
    for _epoch in 0..options.epochs {
        for batch in loader.iter() {
            let (x, y) = batch?;
            opt.step_with(&mut || cross_entropy(&net.forward(&x), &y))?;
        }
        sched.step(opt.as_mut());
    }
    let (eigenvalue, v) = curvature(&net, &data[0])?;
    let rise = rise(&net, &data[0], &v);
    Ok([accuracy(&net, &data[0]), accuracy(&net, &data[1]), eigenvalue, rise])
}

fn run(options: &Options) -> gradus::Result<()> {
    let data = digits(options)?;
    let (mut accuracies, mut eigenvalues) = (Vec::new(), Vec::new());
    println!("                  train       test      largest   loss rises");
    println!("               accuracy   accuracy   eigenvalue   within {RADIUS}");
    for (name, build) in OPTIMIZERS {
        let [learned, other, eigenvalue, rise] = train(build, options, &data)?;
        println!("{name:<12} {learned:>8.1} % {other:>8.1} % {eigenvalue:>12.2} {rise:>12.3}");
        accuracies.push(format!("{name} {other:.1}"));
        eigenvalues.push(format!("{name} {eigenvalue:.2}"));
    }
    println!("Of the labels learned from, {:.0} % are wrong.", 100.0 * options.noise);
    let [a, e] = [accuracies, eigenvalues].map(|all| all.join(", "));
    println!("test accuracy {a}; top eigenvalue {e}");
    Ok(())
}

fn main() -> ExitCode {
    gradus_examples::start("sam", HELP, parse(), run)
}
