//! Line charts without a library: as SVG text, and in dots for a terminal.

mod axis;
mod svg;
mod terminal;

use std::fmt;

/// A chart of one or more lines.
///
/// It is drawn by [`Plot::svg`] as the text of an SVG file, by [`Plot::terminal`] in Braille dots;
/// printing it does the latter, 72 columns wide. Points that are not finite, or not positive on a
/// logarithmic axis, leave a gap.
///
/// # Example
/// ```
/// use gradus_optim::{Plot, Schedule, StepLrOptions};
/// let plot = StepLrOptions { step_size: 10, gamma: 0.5 }.plot(0.1, 40)?;
/// println!("{plot}");
/// assert!(plot.svg().starts_with("<svg"));
///
/// let plot = Plot::new("loss", "step", "loss").line("train", [(0.0, 2.0), (1.0, 1.5)]);
/// assert_eq!(plot.terminal(40, 8).lines().count(), 11);
/// # Ok::<(), gradus_optim::OptimError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Plot {
    title: String,
    x_label: String,
    y_label: String,
    lines: Vec<Line>,
    marks: Vec<(String, f64)>,
    log_x: bool,
}

#[derive(Clone, Debug, PartialEq)]
struct Line {
    name: String,
    points: Vec<(f64, f64)>,
}

impl Plot {
    /// Without a line yet.
    pub fn new(title: &str, x_label: &str, y_label: &str) -> Self {
        let [title, x_label, y_label] = [title, x_label, y_label].map(str::to_owned);
        Plot { title, x_label, y_label, lines: Vec::new(), marks: Vec::new(), log_x: false }
    }
    /// With one more line.
    #[must_use]
    pub fn line(mut self, name: &str, points: impl IntoIterator<Item = (f64, f64)>) -> Self {
        self.lines.push(Line { name: name.to_owned(), points: points.into_iter().collect() });
        self
    }
    /// With a vertical line at `x`.
    #[must_use]
    pub fn mark(mut self, name: &str, x: f64) -> Self {
        self.marks.push((name.to_owned(), x));
        self
    }
    /// With a logarithmic x axis.
    #[must_use]
    pub fn log_x(mut self) -> Self {
        self.log_x = true;
        self
    }
    /// The points of a line, by its number.
    ///
    /// # Panics
    /// If there is no such line.
    #[track_caller]
    pub fn points(&self, line: usize) -> &[(f64, f64)] {
        &self.lines[line].points
    }
    /// The text of an SVG file, 640 by 360.
    pub fn svg(&self) -> String {
        svg::draw(self)
    }
    /// `columns` by `rows` cells of 2 by 4 dots, a line above them with the title and two below with the
    /// ends of the axes. At least 20 by 2.
    pub fn terminal(&self, columns: usize, rows: usize) -> String {
        terminal::draw(self, columns.max(20), rows.max(2))
    }
    /// Can the point be drawn?
    fn is_drawn(&self, (x, y): (f64, f64)) -> bool {
        x.is_finite() && y.is_finite() && !(self.log_x && x <= 0.0)
    }
    /// Every point that can be drawn.
    fn drawn(&self) -> impl Iterator<Item = (f64, f64)> {
        self.lines.iter().flat_map(|l| l.points.iter().copied()).filter(|p| self.is_drawn(*p))
    }
}

impl fmt::Display for Plot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.terminal(72, 16))
    }
}

#[cfg(test)]
mod tests;
