//! What a learning-rate finder has seen.

use crate::Plot;

/// Losses by learning rate.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LrCurve {
    lrs: Vec<f64>,
    losses: Vec<f64>,
    smoothed: Vec<f64>,
}

impl LrCurve {
    pub(super) fn push(&mut self, lr: f64, loss: f64, smoothed: f64) {
        self.lrs.push(lr);
        self.losses.push(loss);
        self.smoothed.push(smoothed);
    }
    /// The least average loss so far; infinite if there is none.
    pub(super) fn least(&self) -> f64 {
        self.smoothed.iter().fold(f64::INFINITY, |m, loss| m.min(*loss))
    }
    /// The rate of each step.
    pub fn lrs(&self) -> &[f64] {
        &self.lrs
    }
    /// The loss of each step, before it was taken.
    pub fn losses(&self) -> &[f64] {
        &self.losses
    }
    /// The running average of the losses.
    pub fn smoothed(&self) -> &[f64] {
        &self.smoothed
    }
    /// The rate at which the average loss falls fastest, up to its minimum.
    ///
    /// ```text
    /// argmin d(average)/d(log lr)              central differences, without the first tenth
    /// ```
    /// `None` if it never falls. A usual choice is this rate, or a little less than
    /// [`LrCurve::minimum`]`/10`.
    pub fn suggestion(&self) -> Option<f64> {
        let least = self.position_of_least()?;
        let slope = |i: usize| {
            let (below, above) = (i - 1, i + 1);
            let way = self.lrs[above].ln() - self.lrs[below].ln();
            (self.smoothed[above] - self.smoothed[below]) / way
        };
        let first = (self.lrs.len() / 10).max(1);
        let inner = first..=least.min(self.lrs.len().saturating_sub(2));
        let steepest = inner.map(|i| (i, slope(i))).min_by(|a, b| a.1.total_cmp(&b.1))?;
        (steepest.1 < 0.0).then(|| self.lrs[steepest.0])
    }
    /// The rate at which the average loss is least: more is too much.
    pub fn minimum(&self) -> Option<f64> {
        self.position_of_least().map(|i| self.lrs[i])
    }
    fn position_of_least(&self) -> Option<usize> {
        let least = self.least();
        self.smoothed.iter().position(|loss| *loss == least)
    }
    /// Losses and their average over the rate, with the suggestion marked.
    pub fn plot(&self) -> Plot {
        let over =
            |values: &[f64]| self.lrs.iter().copied().zip(values.to_vec()).collect::<Vec<_>>();
        let plot = Plot::new("learning-rate finder", "learning rate", "loss")
            .log_x()
            .line("loss", over(&self.losses))
            .line("average", over(&self.smoothed));
        match self.suggestion() {
            Some(lr) => plot.mark("suggestion", lr),
            None => plot,
        }
    }
}
