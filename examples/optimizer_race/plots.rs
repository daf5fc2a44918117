//! One small picture for each optimizer: its way over two surfaces.

use crate::contour::contours;
use crate::path::{d, place, short, simplify};
use crate::race::{Entry, GOAL, Run, run, search};
use crate::racers::{RACERS, Racer};
use crate::surfaces::{SURFACES, Surface};
use crate::tables::number;
use gradus::prelude::*;
use std::fmt::Write;
use std::path::Path;

/// The side of a panel, in user units.
const SIDE: f64 = 300.0;
/// Between the panels, and around them.
const GAP: f64 = 10.0;
/// Below the panels, for two lines of text.
const FOOT: f64 = 44.0;
/// Points closer than this are drawn as one.
const FINE: f64 = 0.4;

/// Writes `NAME.svg` for every optimizer that has run on the surfaces; returns how many.
pub(crate) fn write(
    folder: &Path,
    panels: &[&'static str; 2],
    steps: usize,
    rates: &[f64],
) -> gradus::Result<usize> {
    std::fs::create_dir_all(folder).map_err(gradus::Error::Io)?;
    let surfaces: Vec<&Surface> = SURFACES.iter().filter(|s| panels.contains(&s.id)).collect();
    let lines: Vec<String> = surfaces.iter().map(|s| background(s)).collect();
    for racer in RACERS {
        let mut svg = head(racer);
        for (i, (surface, lines)) in surfaces.iter().zip(&lines).enumerate() {
            let best = best(racer, surface, steps, rates)?;
            let left = GAP + (SIDE + GAP) * i as f64;
            let _never_fails = write!(svg, "<g transform=\"translate({left} {GAP})\">{lines}");
            trajectory(&mut svg, surface, &best);
            svg.push_str("</g>\n");
        }
        svg.push_str("</svg>\n");
        std::fs::write(folder.join(format!("{}.svg", racer.id)), svg).map_err(gradus::Error::Io)?;
    }
    Ok(RACERS.len())
}

/// The best run. Muon, which takes no points, gets them as matrices of one row for its picture.
fn best(
    racer: &'static Racer,
    surface: &Surface,
    steps: usize,
    rates: &[f64],
) -> gradus::Result<Run> {
    let start = match racer.refuses_points() {
        Some(_) => Array::from([surface.start]),
        None => Array::from(surface.start),
    };
    let Entry { best, .. } =
        search(racer, rates, |lr| run(racer, surface, Parameter::new(start.clone()), lr, steps))?;
    best.ok_or_else(|| format!("{} has no rate to try", racer.name).into())
}

/// Colours that can be read on white and on black, because a picture does not know the page around it.
fn head(racer: &Racer) -> String {
    let (width, height) = (2.0 * SIDE + 3.0 * GAP, SIDE + GAP + FOOT);
    let name = racer.name;
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" role=\"img\" \
         aria-label=\"The steps of {name} on two surfaces\" font-family=\"sans-serif\" font-size=\"13\">\n\
         <style>path{{fill:none;stroke-linecap:round;stroke-linejoin:round}}.c{{stroke:#888;stroke-width:.6;opacity:.7}}\
         .t{{stroke:#d55e00;stroke-width:1.4}}.p{{stroke:#d55e00;stroke-width:3.6}}\
         .m{{stroke:#0a84c6;stroke-width:2.2}}text{{fill:#808080}}</style>\n\
         <clipPath id=\"w\"><path d=\"M0 0H{SIDE}V{SIDE}H0Z\"/></clipPath>\n"
    )
}

/// Frame, contours and a cross at each minimum.
fn background(surface: &Surface) -> String {
    let contours: String = contours(surface, 9, 121)
        .iter()
        .flatten()
        .map(|line| {
            let at: Vec<_> = line.iter().map(|[x, y]| [x * SIDE, (1.0 - y) * SIDE]).collect();
            d(&simplify(&at, FINE))
        })
        .collect();
    let cross = |m: &[f64; 2]| {
        let [x, y] = place(surface, *m, SIDE).map(short);
        format!("M{} {y}h10M{x} {}v10", short(x - 5.0), short(y - 5.0))
    };
    let crosses: String = surface.minima.iter().map(cross).collect();
    format!(
        "<path class=\"c\" d=\"M0 0H{SIDE}V{SIDE}H0Z{contours}\"/><path class=\"m\" d=\"{crosses}\"/>\n"
    )
}

/// The line, a dot for each step that can be told from the last one, and what was reached.
fn trajectory(svg: &mut String, surface: &Surface, run: &Run) {
    let far = 2.0 * SIDE;
    let all: Vec<_> = run
        .points
        .iter()
        .map(|p| place(surface, *p, SIDE).map(|x| x.clamp(-far, far + SIDE)))
        .collect();
    let mut dots = String::new();
    let mut last = [f64::INFINITY; 2];
    for &[x, y] in &all {
        let inside = (0.0..=SIDE).contains(&x) && (0.0..=SIDE).contains(&y);
        if inside && (x - last[0]).hypot(y - last[1]) > 5.0 {
            let _never_fails = write!(dots, "M{} {}h0", short(x), short(y));
            last = [x, y];
        }
    }
    let reached = match run.arrived() {
        _ if run.diverged => "diverged".to_owned(),
        Some(step) => format!("below {GOAL} after {step} steps"),
        None => format!("loss {} after {} steps", number(run.final_loss()), run.points.len() - 1),
    };
    let _never_fails = write!(
        svg,
        "<g clip-path=\"url(#w)\"><path class=\"t\" d=\"{}\"/><path class=\"p\" d=\"{dots}\"/></g>\
         <text y=\"{}\">{}, lr {}</text><text y=\"{}\">{reached}</text>",
        d(&simplify(&all, FINE)),
        SIDE + 17.0,
        surface.name,
        run.lr,
        SIDE + 35.0,
    );
}
