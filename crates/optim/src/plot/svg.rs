//! A chart as the text of an SVG file.

use super::Plot;
use super::axis::{Axis, label};
use std::fmt::Write;

/// Of the picture, and of its margins: left, right, top, bottom.
const SIZE: (f64, f64) = (640.0, 360.0);
const MARGINS: [f64; 4] = [64.0, 16.0, 32.0, 44.0];
/// Okabe & Ito 2008: told apart by everyone.
const COLOURS: [&str; 6] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"];

/// A text in which no character is markup.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// Where numbers lie in the picture.
struct Frame {
    x: Axis,
    y: Axis,
}

impl Frame {
    fn x(&self, v: f64) -> f64 {
        let [left, right, ..] = MARGINS;
        left + self.x.part(v) * (SIZE.0 - left - right)
    }
    fn y(&self, v: f64) -> f64 {
        let [.., top, bottom] = MARGINS;
        SIZE.1 - bottom - self.y.part(v) * (SIZE.1 - top - bottom)
    }
}

pub(super) fn draw(plot: &Plot) -> String {
    let x = Axis::around(plot.drawn().map(|p| p.0), plot.log_x);
    let frame = Frame { x, y: Axis::around(plot.drawn().map(|p| p.1), false) };
    let (width, height) = SIZE;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
         width=\"{width}\" height=\"{height}\" font-family=\"sans-serif\" font-size=\"11\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n"
    );
    // Writing to a String cannot fail.
    let _ = grid(&mut out, plot, &frame)
        .and_then(|()| lines(&mut out, plot, &frame))
        .and_then(|()| marks(&mut out, plot, &frame));
    out + "</svg>\n"
}

/// A text at a place; `anchor` is start, middle or end.
fn text(out: &mut String, at: (f64, f64), anchor: &str, words: &str) -> std::fmt::Result {
    let (x, y) = at;
    let words = escaped(words);
    writeln!(out, "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{words}</text>")
}

fn grid(out: &mut String, plot: &Plot, frame: &Frame) -> std::fmt::Result {
    let ([left, right, top, bottom], (width, height)) = (MARGINS, SIZE);
    writeln!(out, "<g stroke=\"#dddddd\">")?;
    let (xs, ys) = (frame.x.ticks(8), frame.y.ticks(6));
    for x in xs.iter().map(|x| frame.x(*x)) {
        let (y1, y2) = (top, height - bottom);
        writeln!(out, "<line x1=\"{x:.1}\" y1=\"{y1}\" x2=\"{x:.1}\" y2=\"{y2}\"/>")?;
    }
    for y in ys.iter().map(|y| frame.y(*y)) {
        let (x1, x2) = (left, width - right);
        writeln!(out, "<line x1=\"{x1}\" y1=\"{y:.1}\" x2=\"{x2}\" y2=\"{y:.1}\"/>")?;
    }
    writeln!(out, "</g>\n<g fill=\"#333333\">")?;
    for x in xs {
        text(out, (frame.x(x), height - bottom + 16.0), "middle", &label(x))?;
    }
    for y in ys {
        text(out, (left - 6.0, frame.y(y) + 4.0), "end", &label(y))?;
    }
    text(out, ((left + width - right) / 2.0, height - 8.0), "middle", &plot.x_label)?;
    text(out, (8.0, top - 12.0), "start", &plot.y_label)?;
    text(out, (width / 2.0, top - 12.0), "middle", &plot.title)?;
    writeln!(out, "</g>")
}

fn lines(out: &mut String, plot: &Plot, frame: &Frame) -> std::fmt::Result {
    for (i, line) in plot.lines.iter().enumerate() {
        let colour = COLOURS[i % COLOURS.len()];
        for part in line.points.split(|p| !plot.is_drawn(*p)).filter(|part| !part.is_empty()) {
            write!(
                out,
                "<polyline fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\" points=\""
            )?;
            for (x, y) in part {
                write!(out, "{:.1},{:.1} ", frame.x(*x), frame.y(*y))?;
            }
            writeln!(out, "\"/>")?;
        }
        if plot.lines.len() > 1 {
            let y = MARGINS[2] + 14.0 * (i + 1) as f64;
            let (x, name) = (SIZE.0 - MARGINS[1] - 8.0, escaped(&line.name));
            writeln!(
                out,
                "<text x=\"{x}\" y=\"{y}\" text-anchor=\"end\" fill=\"{colour}\">{name}</text>"
            )?;
        }
    }
    Ok(())
}

fn marks(out: &mut String, plot: &Plot, frame: &Frame) -> std::fmt::Result {
    for (name, at) in plot.marks.iter().filter(|(_, x)| plot.is_drawn((*x, 0.0))) {
        let (x, y1, y2) = (frame.x(*at), MARGINS[2], SIZE.1 - MARGINS[3]);
        writeln!(
            out,
            "<line x1=\"{x:.1}\" y1=\"{y1}\" x2=\"{x:.1}\" y2=\"{y2}\" stroke=\"#333333\" \
             stroke-dasharray=\"4 3\"/>"
        )?;
        text(out, (x + 4.0, y1 + 12.0), "start", name)?;
    }
    Ok(())
}
