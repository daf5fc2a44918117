//! The loop, and what a trained network says of the test digits.

use crate::options::Options;
use gradus::prelude::*;
use indicatif::{ProgressBar, ProgressStyle};
use std::io::IsTerminal;
use std::time::Instant;

/// Digits of one batch while testing.
const TEST_BATCH: usize = 500;

/// Answers of a network: the class and the truth of each digit.
pub(crate) struct Seen {
    pub(crate) said: Vec<i64>,
    pub(crate) truth: Vec<i64>,
}

impl Seen {
    /// The share of right answers; 0 if there were no digits.
    pub(crate) fn accuracy(&self) -> f64 {
        let right = self.said.iter().zip(&self.truth).filter(|(s, t)| s == t).count();
        right as f64 / self.truth.len().max(1) as f64
    }
}

/// Train for the epochs that the options say; progress goes to stderr.
///
/// A loss that is not a number ends the training with an error; the network then has the weights of the
/// last epoch that was good, and they are saved.
pub(crate) fn train(
    net: &dyn Layer,
    opt: &mut dyn Optimizer,
    train: &Mnist,
    test: &Mnist,
    options: &Options,
) -> gradus::Result<()> {
    let loader = DataLoader::new(train).batch_size(options.batch_size).shuffle(true);
    let mut good = net.state_dict();
    for epoch in 1..=options.epochs {
        net.train();
        let bar = bar(epoch, options.epochs, loader.len());
        let (start, mut total) = (Instant::now(), 0.0);
        for batch in loader.iter() {
            let (x, y) = batch?;
            opt.zero_grad();
            let loss = cross_entropy(&net.forward(&x), &y);
            let value = loss.item();
            if !value.is_finite() {
                bar.finish_and_clear();
                return give_up(net, &good, epoch, value, options);
            }
            loss.backward();
            opt.step()?;
            total += value * y.numel() as f64;
            bar.inc(1);
            bar.set_message(format!("loss {value:.3}"));
        }
        bar.finish_and_clear();
        let speed = train.len() as f64 / start.elapsed().as_secs_f64();
        let accuracy = predict(net, test, TEST_BATCH)?.accuracy();
        let loss = total / train.len().max(1) as f64;
        eprintln!(
            "epoch {epoch:>2}/{}: loss {loss:.4}, test accuracy {accuracy:.4}, {speed:.0} images/s",
            options.epochs
        );
        good = net.state_dict();
    }
    Ok(())
}

/// Put the last good weights back, save them, and say what happened.
fn give_up(
    net: &dyn Layer,
    good: &StateDict,
    epoch: usize,
    loss: f64,
    options: &Options,
) -> gradus::Result<()> {
    net.load_state_dict(good)?;
    let mut message = format!("the loss became {loss} in epoch {epoch}: try a smaller --lr");
    if let Some(file) = options.file_to_save() {
        good.save(file)?;
        let epoch = epoch - 1;
        message += &format!("; {} holds the model after epoch {epoch}", file.display());
    }
    Err(message.into())
}

/// What the network says of every digit.
pub(crate) fn predict(net: &dyn Layer, data: &Mnist, batch_size: usize) -> gradus::Result<Seen> {
    let _mode = net.eval_scope();
    let (mut said, mut truth) = (Vec::new(), Vec::new());
    for batch in DataLoader::new(data).batch_size(batch_size).iter() {
        let (x, y) = batch?;
        let logits = no_grad(|| net.forward(&x)).array();
        said.extend(logits.argmax(1).to_vec::<i64>());
        truth.extend(y.to_vec::<i64>());
    }
    Ok(Seen { said, truth })
}

/// A bar on a terminal, nothing elsewhere.
fn bar(epoch: usize, epochs: usize, steps: usize) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{prefix} {bar:40} {pos}/{len} {msg}");
    let bar = ProgressBar::new(steps as u64).with_prefix(format!("epoch {epoch:>2}/{epochs}"));
    match style {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
