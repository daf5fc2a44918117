//! A chart in Braille dots.

use super::Plot;
use super::axis::{Axis, label};

/// The bits of the eight dots of a cell (Unicode 2800): left column from the top, then the right one.
const DOTS: [[u8; 4]; 2] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]];

/// Cells of dots.
struct Canvas {
    columns: usize,
    rows: usize,
    cells: Vec<u8>,
}

impl Canvas {
    /// A dot, at parts of width and height from the lower left corner.
    fn dot(&mut self, x: f64, y: f64) {
        if !((0.0..=1.0).contains(&x) && (0.0..=1.0).contains(&y)) {
            return;
        }
        let column = (x * (2 * self.columns - 1) as f64).round() as usize;
        let row = ((1.0 - y) * (4 * self.rows - 1) as f64).round() as usize;
        self.cells[row / 4 * self.columns + column / 2] |= DOTS[column % 2][row % 4];
    }
    /// Dots from one place to another.
    fn line(&mut self, (x0, y0): (f64, f64), (x1, y1): (f64, f64)) {
        let across = (x1 - x0).abs() * (2 * self.columns) as f64;
        let up = (y1 - y0).abs() * (4 * self.rows) as f64;
        let steps = across.max(up).ceil().clamp(1.0, (4 * self.rows + 2 * self.columns) as f64);
        for i in 0..=steps as usize {
            let t = i as f64 / steps;
            self.dot(x0 + (x1 - x0) * t, y0 + (y1 - y0) * t);
        }
    }
    fn row(&self, i: usize) -> String {
        let cells = &self.cells[i * self.columns..(i + 1) * self.columns];
        let dots = |c: &u8| char::from_u32(0x2800 + u32::from(*c)).unwrap_or(' ');
        cells.iter().map(dots).collect::<String>().trim_end_matches('\u{2800}').to_owned()
    }
}

pub(super) fn draw(plot: &Plot, columns: usize, rows: usize) -> String {
    let x = Axis::around(plot.drawn().map(|p| p.0), plot.log_x);
    let y = Axis::around(plot.drawn().map(|p| p.1), false);
    let ends = y.ends().map(label);
    let margin = ends.iter().map(|l| l.chars().count()).max().unwrap_or(0);
    let columns = columns.saturating_sub(margin + 2).max(4);
    let mut canvas = Canvas { columns, rows, cells: vec![0; columns * rows] };
    for line in &plot.lines {
        let place = |p: &(f64, f64)| (x.part(p.0), y.part(p.1));
        for part in line.points.split(|p| !plot.is_drawn(*p)) {
            part.first().into_iter().for_each(|p| canvas.line(place(p), place(p)));
            part.windows(2).for_each(|pair| canvas.line(place(&pair[0]), place(&pair[1])));
        }
    }
    let dots = 4 * rows;
    for (_, at) in plot.marks.iter().filter(|(_, at)| plot.is_drawn((*at, 0.0))) {
        // Every other dot, to be told from the lines.
        let heights = (0..dots).step_by(2).map(|i| i as f64 / (dots - 1) as f64);
        heights.for_each(|h| canvas.dot(x.part(*at), h));
    }
    let mut out = format!("{}\n", plot.title);
    for i in 0..rows {
        let number = match i {
            0 => ends[1].as_str(),
            _ if i + 1 == rows => ends[0].as_str(),
            _ => "",
        };
        out += &format!("{number:>margin$} ┤{}\n", canvas.row(i));
    }
    let [left, right] = x.ends().map(label);
    let gap = columns.saturating_sub(left.chars().count());
    out += &format!("{:margin$}  {left}{right:>gap$}\n", "");
    let marks: Vec<String> =
        plot.marks.iter().map(|(name, x)| format!("{name}: {}", label(*x))).collect();
    let names: Vec<&str> = plot.lines.iter().map(|l| l.name.as_str()).collect();
    let below = [plot.x_label.clone(), names.join(", "), marks.join(", ")];
    let below: Vec<String> = below.into_iter().filter(|part| !part.is_empty()).collect();
    out + &format!("{:margin$}  {}\n", "", below.join(" · "))
}
