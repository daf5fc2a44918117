//! The gradient scaler does what it is for: f16 models whose gradients under- or overflow learn as f32.
#![cfg(feature = "digits")]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use gradus::prelude::*;

const EPOCHS: usize = 8;
const BATCH: usize = 50;
const LR: f64 = 0.05;
/// Makes the gradients of the digits about 1e-8, below the smallest f16, 6e-8.
const TINY: f64 = 1.0 / (1 << 20) as f64;

#[derive(Module)]
struct Mlp {
    fc1: Linear,
    fc2: Linear,
}

impl Mlp {
    fn new() -> Self {
        manual_seed(3);
        Mlp { fc1: Linear::new(784, 64), fc2: Linear::new(64, 10) }
    }
    /// Logits in f32, whatever the type of the weights.
    fn forward(&self, x: &Tensor) -> Tensor {
        let x = x.flatten(1, -1).to_dtype(self.fc1.weight.dtype());
        self.fc2.forward(&self.fc1.forward(&x).relu()).to_dtype(DType::F32)
    }
}

struct Run {
    accuracy: f64,
    skipped: u64,
    /// The largest gradient of the first step, unscaled.
    largest: f64,
    scale: f64,
}

/// Trains on half of the digits with a loss times `factor`, whose rate makes up for it. At the end the
/// rate is 0, so that the result does not depend on the last few batches.
fn train(dtype: DType, factor: f64, scaler: GradScalerOptions) -> Run {
    let (train, test) = Mnist::embedded().unwrap().split(0.5).unwrap();
    let net = Mlp::new();
    net.to(dtype);
    let options = SgdOptions { lr: LR / factor, momentum: 0.9, ..Default::default() };
    let mut opt = Sgd::new(net.named_parameters(), options).unwrap();
    let mut scaler = GradScaler::new(scaler).unwrap();
    let loader = DataLoader::new(&train).batch_size(BATCH).shuffle(true);
    let cosine = CosineAnnealingLrOptions { t_max: (EPOCHS * loader.len()) as u64, eta_min: 0.0 };
    let mut sched = CosineAnnealingLr::new(&mut opt, cosine).unwrap();
    let mut largest = None;
    for _ in 0..EPOCHS {
        for batch in loader.iter() {
            let (x, y) = batch.unwrap();
            opt.zero_grad();
            let loss = cross_entropy(&net.forward(&x), &y) * factor;
            scaler.scale(&loss).backward();
            largest.get_or_insert_with(|| {
                let of = |p: &Parameter| p.grad().map_or(0.0, |g| g.abs().max().item());
                net.parameters().iter().map(of).fold(0.0, f64::max) / scaler.get_scale()
            });
            let _ = scaler.step(&mut opt).unwrap();
            scaler.update().unwrap();
            sched.step(&mut opt);
        }
    }
    let right: f64 = DataLoader::new(&test)
        .batch_size(500)
        .iter()
        .map(|batch| {
            let (x, y) = batch.unwrap();
            let said = no_grad(|| net.forward(&x)).argmax_dim(1, false);
            said.eq(&y).to_dtype(DType::F64).sum().item()
        })
        .sum();
    let accuracy = 100.0 * right / test.len() as f64;
    eprintln!("{dtype} {factor:e}: {accuracy:.2} %, {} skipped", opt.steps()[1]);
    Run { accuracy, skipped: opt.steps()[1], largest: largest.unwrap(), scale: scaler.get_scale() }
}

fn without() -> GradScalerOptions {
    GradScalerOptions { enabled: false, ..Default::default() }
}

#[test]
fn a_model_that_underflows_learns_with_a_scaler_only() {
    let reference = train(DType::F32, TINY, without());
    assert!(reference.accuracy > 90.0 && reference.largest < 2e-7, "{}", reference.largest);
    let lost = train(DType::F16, TINY, without());
    assert!(lost.accuracy < 20.0, "nothing is learnt from zeros: {}", lost.accuracy);
    let scaled = train(DType::F16, TINY, GradScalerOptions::default());
    let apart = (scaled.accuracy - reference.accuracy).abs();
    assert!(apart <= 0.3, "{} and {}", scaled.accuracy, reference.accuracy);
    assert_eq!((scaled.skipped, scaled.scale), (0, 65536.0));
}

#[test]
fn a_model_that_overflows_recovers_by_skipping() {
    // Gradients of a few units, times 65536, are no f16.
    let factor = 64.0;
    let reference = train(DType::F32, factor, without());
    let scaled = train(DType::F16, factor, GradScalerOptions::default());
    assert!(scaled.skipped >= 3 && scaled.scale < 65536.0, "{}", scaled.skipped);
    let apart = (scaled.accuracy - reference.accuracy).abs();
    assert!(apart <= 0.3, "{} and {}", scaled.accuracy, reference.accuracy);
}
