//! The command line.

use std::path::{Path, PathBuf};

/// What `--help` prints.
pub(crate) const HELP: &str = "\
Learn handwritten digits.

usage: mnist [options]

  --model NAME       mlp: linear layers 784-256-128-10, or cnn: two convolutions with pools
                     and a linear layer (default mlp)
  --epochs N         passes over the training digits; 0 only tests (default 10)
  --lr RATE          learning rate (default 0.001; for sgd 0.05)
  --batch-size N     digits in a step (default 64)
  --optimizer NAME   adam, adamw or sgd with momentum 0.9 (default adam)
  --seed N           of the initial weights and the order of the digits (default 1)
  --threads N        threads of the arithmetic; the result does not depend on it
                     (default: all cores, or GRADUS_NUM_THREADS)
  --save FILE        where the model goes, as .safetensors with PyTorch's names
                     (default mnist.safetensors)
  --load FILE        begin with this model
  --data DIR         a folder with the four IDX files of MNIST or a set like it, gzipped
                     or not: trains on train-*, tests on t10k-* (default: the 10,000
                     digits in this program, 8,000 to train and 2,000 to test)
  --quick            one epoch, and nothing is saved unless --save says so: a smoke test
  --help             this text

The last line is `test accuracy A`, a number between 0 and 1.";

/// Which network.
#[derive(Clone, Copy)]
pub(crate) enum Model {
    Mlp,
    Cnn,
}

/// Which optimizer.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Kind {
    Adam,
    AdamW,
    Sgd,
}

/// What the user asks for.
pub(crate) struct Options {
    pub(crate) model: Model,
    pub(crate) epochs: usize,
    lr: Option<f64>,
    pub(crate) batch_size: usize,
    pub(crate) optimizer: Kind,
    pub(crate) seed: u64,
    pub(crate) threads: Option<usize>,
    save: Option<PathBuf>,
    pub(crate) load: Option<PathBuf>,
    pub(crate) data: Option<PathBuf>,
    quick: bool,
}

impl Options {
    /// The learning rate: what was asked for, or what suits the optimizer.
    pub(crate) fn lr(&self) -> f64 {
        self.lr.unwrap_or(if self.optimizer == Kind::Sgd { 0.05 } else { 1e-3 })
    }
    /// Where the model goes, if anywhere: a run without training has nothing new to save.
    pub(crate) fn file_to_save(&self) -> Option<&Path> {
        match &self.save {
            Some(file) => Some(file),
            None if self.quick || self.epochs == 0 => None,
            None => Some(Path::new("mnist.safetensors")),
        }
    }
}

/// The options; `None` if the user asks for help.
pub(crate) fn parse() -> Result<Option<Options>, lexopt::Error> {
    use lexopt::prelude::*;
    let mut options = Options {
        model: Model::Mlp,
        epochs: 10,
        lr: None,
        batch_size: 64,
        optimizer: Kind::Adam,
        seed: 1,
        threads: None,
        save: None,
        load: None,
        data: None,
        quick: false,
    };
    let mut epochs = None;
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("model") => options.model = model(&parser.value()?.string()?)?,
            Long("epochs") => epochs = Some(parser.value()?.parse()?),
            Long("lr") => options.lr = Some(parser.value()?.parse()?),
            Long("batch-size") => options.batch_size = positive("--batch-size", &mut parser)?,
            Long("optimizer") => options.optimizer = kind(&parser.value()?.string()?)?,
            Long("seed") => options.seed = parser.value()?.parse()?,
            Long("threads") => options.threads = Some(positive("--threads", &mut parser)?),
            Long("save") => options.save = Some(parser.value()?.into()),
            Long("load") => options.load = Some(parser.value()?.into()),
            Long("data") => options.data = Some(parser.value()?.into()),
            Long("quick") => options.quick = true,
            Long("help") | Short('h') => return Ok(None),
            other => return Err(other.unexpected()),
        }
    }
    options.epochs = epochs.unwrap_or(if options.quick { 1 } else { 10 });
    Ok(Some(options))
}

fn positive(name: &str, parser: &mut lexopt::Parser) -> Result<usize, lexopt::Error> {
    use lexopt::prelude::*;
    match parser.value()?.parse()? {
        0 => Err(format!("{name}: at least 1").into()),
        n => Ok(n),
    }
}

fn model(name: &str) -> Result<Model, lexopt::Error> {
    match name {
        "mlp" => Ok(Model::Mlp),
        "cnn" => Ok(Model::Cnn),
        other => Err(format!("--model {other}: mlp or cnn").into()),
    }
}

fn kind(name: &str) -> Result<Kind, lexopt::Error> {
    match name {
        "adam" => Ok(Kind::Adam),
        "adamw" => Ok(Kind::AdamW),
        "sgd" => Ok(Kind::Sgd),
        other => Err(format!("--optimizer {other}: adam, adamw or sgd").into()),
    }
}
