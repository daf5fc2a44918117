//! The race on the digits: the same network, the same batches, one optimizer after the other.

use crate::race::{Entry, Ranked, search};
use crate::racers::Racer;
use gradus::prelude::*;
use std::time::{Duration, Instant};

/// Digits of a batch.
const BATCH: usize = 100;
/// Neurons between the pixels and the classes.
const HIDDEN: usize = 32;
/// A loss above it has run away: guessing gives 2.3.
const FAR: f64 = 1e3;

/// `x [N, 1, 28, 28] -> logits [N, 10]`
#[derive(Module)]
struct Net {
    fc1: Linear,
    fc2: Linear,
}

impl Net {
    fn forward(&self, x: &Tensor) -> Tensor {
        self.fc2.forward(&self.fc1.forward(&x.flatten(1, -1)).relu())
    }
}

/// Images and labels.
type Batch = (Tensor, Tensor);

/// The data, cut into batches once: all optimizers see them in the same order.
pub(crate) struct Digits {
    seed: u64,
    batches: Vec<Batch>,
    train: Batch,
    test: Batch,
    /// Of a run with batches; a run with all digits at once has a tenth.
    pub(crate) steps: usize,
}

/// What came out of one rate.
pub(crate) struct DigitsRun {
    pub(crate) lr: f64,
    /// Steps, and the loss over all training digits after them.
    pub(crate) curve: Vec<(usize, f64)>,
    pub(crate) steps: usize,
    /// The share of right answers on the test digits.
    pub(crate) accuracy: f64,
    pub(crate) time: Duration,
    diverged: bool,
}

impl DigitsRun {
    pub(crate) fn milliseconds(&self) -> f64 {
        self.time.as_secs_f64() * 1e3 / self.steps as f64
    }
    pub(crate) fn final_loss(&self) -> f64 {
        if self.diverged { f64::INFINITY } else { self.curve[self.curve.len() - 1].1 }
    }
}

impl Ranked for DigitsRun {
    fn diverged(&self) -> bool {
        self.diverged
    }
    fn rank(&self) -> (usize, f64) {
        (0, self.final_loss())
    }
}

impl Digits {
    pub(crate) fn new(seed: u64, steps: usize) -> gradus::Result<Self> {
        let (train, test) = Mnist::embedded()?.split(0.8)?;
        let loader = DataLoader::new(&train).batch_size(BATCH).shuffle(true).seed(seed);
        let batches = loader.iter().collect::<Result<Vec<_>, _>>()?;
        let all =
            |set: &Mnist| (Tensor::new(set.images().clone()), Tensor::new(set.labels().clone()));
        Ok(Digits { seed, batches, train: all(&train), test: all(&test), steps })
    }
    /// The rate with the smallest loss over the training digits at the end.
    pub(crate) fn race(
        &self,
        racer: &'static Racer,
        rates: &[f64],
    ) -> gradus::Result<Entry<DigitsRun>> {
        search(racer, rates, |lr| self.run(racer, lr))
    }
    fn run(&self, racer: &Racer, lr: f64) -> gradus::Result<DigitsRun> {
        manual_seed(self.seed);
        let net = Net { fc1: Linear::new(784, HIDDEN), fc2: Linear::new(HIDDEN, 10) };
        let mut stepper = (racer.build)(net.named_parameters(), lr)?;
        let loss = |(x, y): &Batch| cross_entropy(&net.forward(x), y);
        let whole = racer.wants_all_data();
        let steps = if whole { (self.steps / 10).max(2) } else { self.steps };
        // The loss over all digits costs as much as many steps.
        let apart = steps.div_ceil((steps / 10).clamp(2, 20));
        let first = no_grad(|| loss(&self.train)).item();
        let (mut curve, mut time, mut diverged) = (vec![(0, first)], Duration::ZERO, false);
        for step in 1..=steps {
            let batch =
                if whole { &self.train } else { &self.batches[(step - 1) % self.batches.len()] };
            let start = Instant::now();
            stepper.step(&mut || loss(batch))?;
            time += start.elapsed();
            if step.is_multiple_of(apart) || step == steps {
                let now = stepper.measured(|| loss(&self.train).item());
                if now.is_nan() || now > FAR {
                    diverged = true;
                    break;
                }
                curve.push((step, now));
            }
        }
        let (x, y) = &self.test;
        let right = stepper.measured(|| {
            net.forward(x).argmax_dim(1, false).eq(y).to_dtype(DType::F64).mean().item()
        });
        Ok(DigitsRun { lr, curve, steps, accuracy: right, time, diverged })
    }
}
