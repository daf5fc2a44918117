//! Lines of equal loss, by marching squares.

use crate::surfaces::Surface;
use gradus::prelude::*;
use std::collections::HashMap;

/// A line through the unit square: x to the right, y up.
pub(crate) type Line = Vec<[f64; 2]>;

/// Added to a loss before its logarithm: what is smaller does not get lines of its own.
const FLOOR: f64 = 0.3;

/// A square grid of values.
struct Grid {
    side: usize,
    values: Vec<f64>,
}

/// The logarithm of the loss, over the surface's window.
fn logarithms(surface: &Surface, side: usize) -> Grid {
    let axis = |[from, to]: [f64; 2]| {
        let step = (to - from) / (side - 1) as f64;
        (0..side).map(move |i| from + step * i as f64)
    };
    let [xs, ys] = surface.window;
    let x: Vec<f64> = (0..side).flat_map(|_| axis(xs)).collect();
    let y: Vec<f64> = axis(ys).flat_map(|y| std::iter::repeat_n(y, side)).collect();
    let loss = (surface.f)(&Tensor::new(x.into()), &Tensor::new(y.into()));
    Grid { side, values: loss.to_vec::<f64>().into_iter().map(|f| (f + FLOOR).ln()).collect() }
}

/// For each of some levels, in even steps of the logarithm, its lines.
pub(crate) fn contours(surface: &Surface, levels: usize, side: usize) -> Vec<Vec<Line>> {
    let grid = logarithms(surface, side);
    let low = grid.values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = grid.values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let level = |i: usize| low + (high - low) * i as f64 / (levels + 1) as f64;
    (1..=levels).map(|i| grid.lines(level(i))).collect()
}

/// An edge of the grid: from a node to its right (false) or upper (true) neighbour.
type Edge = (usize, bool);

impl Grid {
    fn lines(&self, level: f64) -> Vec<Line> {
        let mut next: HashMap<Edge, Vec<Edge>> = HashMap::new();
        for row in 0..self.side - 1 {
            for column in 0..self.side - 1 {
                for [a, b] in self.cell(row * self.side + column, level) {
                    next.entry(a).or_default().push(b);
                    next.entry(b).or_default().push(a);
                }
            }
        }
        // Open lines first, from their ends; what is left then are rings.
        let mut starts: Vec<Edge> = next.keys().copied().collect();
        starts.sort_unstable_by_key(|edge| (next[edge].len(), *edge));
        starts.into_iter().filter_map(|start| self.follow(start, &mut next, level)).collect()
    }
    /// The pieces of the line in the cell whose lower left node this is.
    fn cell(&self, node: usize, level: f64) -> Vec<[Edge; 2]> {
        let corners = [node, node + 1, node + self.side + 1, node + self.side];
        let edges = [(node, false), (node + 1, true), (node + self.side, false), (node, true)];
        let above = |i: usize| self.values[corners[i % 4]] > level;
        let crossed: Vec<Edge> =
            (0..4).filter(|&i| above(i) != above(i + 1)).map(|i| edges[i]).collect();
        match crossed[..] {
            [a, b] => vec![[a, b]],
            // Two corners above, opposite to each other: the mean decides which are connected.
            [a, b, c, d] => {
                let mean = corners.iter().map(|&c| self.values[c]).sum::<f64>() / 4.0;
                if (mean > level) == above(0) { vec![[a, b], [c, d]] } else { vec![[a, d], [b, c]] }
            }
            _ => vec![],
        }
    }
    fn follow(&self, start: Edge, next: &mut HashMap<Edge, Vec<Edge>>, level: f64) -> Option<Line> {
        let mut line = vec![self.crossing(start, level)];
        let mut at = start;
        while let Some(to) = next.get_mut(&at).and_then(Vec::pop) {
            if let Some(back) = next.get_mut(&to) {
                back.retain(|&edge| edge != at);
            }
            line.push(self.crossing(to, level));
            at = to;
        }
        (line.len() > 1).then_some(line)
    }
    /// Where an edge has the level, in the unit square.
    fn crossing(&self, (node, up): Edge, level: f64) -> [f64; 2] {
        let other = if up { node + self.side } else { node + 1 };
        let (here, there) = (self.values[node], self.values[other]);
        let share = (level - here) / (there - here);
        let (column, row) = ((node % self.side) as f64, (node / self.side) as f64);
        let last = (self.side - 1) as f64;
        if up {
            [column / last, (row + share) / last]
        } else {
            [(column + share) / last, row / last]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_of_a_round_bowl_are_closed_circles() {
        let bowl = Surface {
            id: "",
            name: "",
            short: "",
            formula: "",
            why: "",
            start: [0.0; 2],
            minima: &[],
            window: [[-1.0, 1.0], [-1.0, 1.0]],
            f: |x, y| x.square() + y.square(),
        };
        let lines = contours(&bowl, 9, 121);
        for line in &lines[..3] {
            let [circle] = &line[..] else { panic!("{} lines", line.len()) };
            assert_eq!(circle.first(), circle.last());
            let radius = |p: &[f64; 2]| (p[0] - 0.5).hypot(p[1] - 0.5);
            let first = radius(&circle[0]);
            assert!(circle.iter().all(|p| (radius(p) - first).abs() < 2e-3));
        }
        assert_eq!(lines[8].len(), 4, "the last level is cut off by the four sides");
    }
}
