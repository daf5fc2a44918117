//! Lines as short SVG paths.

use crate::surfaces::Surface;
use std::fmt::Write;

/// A point of the surface in a square of this size, y down.
pub(crate) fn place(surface: &Surface, [x, y]: [f64; 2], size: f64) -> [f64; 2] {
    let [[left, right], [bottom, top]] = surface.window;
    [(x - left) / (right - left) * size, (top - y) / (top - bottom) * size]
}

/// The line without the points that are closer than `tolerance` to the rest (Douglas & Peucker 1973).
pub(crate) fn simplify(line: &[[f64; 2]], tolerance: f64) -> Vec<[f64; 2]> {
    let mut keep = vec![false; line.len()];
    let mut open = vec![(0, line.len().saturating_sub(1))];
    while let Some((from, to)) = open.pop() {
        let (Some(a), Some(b)) = (line.get(from), line.get(to)) else { break };
        (keep[from], keep[to]) = (true, true);
        let distances = (from + 1..to).map(|i| (i, distance(line[i], *a, *b)));
        let farthest = distances.max_by(|x, y| x.1.total_cmp(&y.1));
        if let Some((i, far)) = farthest
            && far > tolerance
        {
            open.extend([(from, i), (i, to)]);
        }
    }
    line.iter().zip(keep).filter(|(_, keep)| *keep).map(|(p, _)| *p).collect()
}

/// From a point to the piece of a line between two others.
fn distance(p: [f64; 2], a: [f64; 2], b: [f64; 2]) -> f64 {
    let (dx, dy) = (b[0] - a[0], b[1] - a[1]);
    let length = dx * dx + dy * dy;
    let along =
        if length == 0.0 { 0.0 } else { ((p[0] - a[0]) * dx + (p[1] - a[1]) * dy) / length };
    let t = along.clamp(0.0, 1.0);
    (p[0] - a[0] - t * dx).hypot(p[1] - a[1] - t * dy)
}

/// The `d` of a path, with one decimal: `M1 2.5L3 4`.
pub(crate) fn d(line: &[[f64; 2]]) -> String {
    let mut text = String::new();
    for (i, [x, y]) in line.iter().enumerate() {
        let letter = if i == 0 { 'M' } else { 'L' };
        let _never_fails = write!(text, "{letter}{} {}", short(*x), short(*y));
    }
    text
}

/// One decimal, and none if it is 0.
pub(crate) fn short(x: f64) -> f64 {
    (x * 10.0).round() / 10.0 + 0.0 // −0 becomes 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_corner_stays_and_a_straight_line_goes() {
        let line = [[0.0, 0.0], [1.0, 0.01], [2.0, 0.0], [2.0, 5.0]];
        assert_eq!(simplify(&line, 0.1), [[0.0, 0.0], [2.0, 0.0], [2.0, 5.0]]);
        assert_eq!(simplify(&line, 0.001).len(), 4);
        assert_eq!(simplify(&[], 0.1), [[0.0; 2]; 0]);
        assert_eq!(d(&simplify(&line, 0.1)), "M0 0L2 0L2 5");
        assert_eq!(d(&[[-0.01, 1.26]]), "M0 1.3");
    }
}
