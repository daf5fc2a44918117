//! Losses of two numbers, each of which is hard in its own way.

use gradus::prelude::*;

/// A loss `f(x, y)` whose smallest value is 0.
pub(crate) struct Surface {
    /// In file names, in the page's data and in its table.
    pub(crate) id: &'static str,
    pub(crate) name: &'static str,
    /// The head of a narrow column.
    pub(crate) short: &'static str,
    pub(crate) formula: &'static str,
    /// What is hard about it.
    pub(crate) why: &'static str,
    pub(crate) start: [f64; 2],
    pub(crate) minima: &'static [[f64; 2]],
    /// What is drawn: the ranges of x and of y, of the same length.
    pub(crate) window: [[f64; 2]; 2],
    /// Element by element: a point in a race, a whole grid for the contours.
    pub(crate) f: fn(&Tensor, &Tensor) -> Tensor,
}

impl Surface {
    /// The loss of a parameter of two elements, whatever its shape.
    pub(crate) fn at(&self, point: &Parameter) -> Tensor {
        let xy = point.reshape(&[2]);
        (self.f)(&xy.select(0, 0), &xy.select(0, 1))
    }
    /// Is the point inside the window?
    pub(crate) fn shows(&self, point: [f64; 2]) -> bool {
        point.iter().zip(self.window).all(|(x, [from, to])| (from..=to).contains(x))
    }
    /// The distance to the nearest minimum.
    pub(crate) fn distance(&self, [x, y]: [f64; 2]) -> f64 {
        let to = |m: &[f64; 2]| (x - m[0]).hypot(y - m[1]);
        self.minima.iter().map(to).fold(f64::INFINITY, f64::min)
    }
}

/// None of the minima is the origin: weight decay and steps relative to the size of a parameter would lead
/// there for free.
pub(crate) const SURFACES: &[Surface] = &[
    Surface {
        id: "rosenbrock",
        name: "Rosenbrock",
        short: "Rosenbrock",
        formula: "(1 − x)² + 100·(y − x²)²",
        why: "A narrow, bent valley: its floor falls slowly, its walls are steep.",
        start: [-1.2, 1.0],
        minima: &[[1.0, 1.0]],
        window: [[-2.0, 2.0], [-1.25, 2.75]],
        f: |x: &Tensor, y: &Tensor| (x - 1.0).square() + (y - x.square()).square() * 100.0,
    },
    Surface {
        id: "beale",
        name: "Beale",
        short: "Beale",
        formula: "(1.5 − x + xy)² + (2.25 − x + xy²)² + (2.625 − x + xy³)²",
        why: "Flat around the minimum, with walls that grow like the eighth power.",
        start: [1.0, 1.0],
        minima: &[[3.0, 0.5]],
        window: [[-0.25, 4.25], [-2.0, 2.5]],
        f: |x: &Tensor, y: &Tensor| {
            let part = |c: f64, power: &Tensor| (c - x + x * power).square();
            let y2 = y.square();
            part(1.5, y) + part(2.25, &y2) + part(2.625, &(&y2 * y))
        },
    },
    Surface {
        id: "himmelblau",
        name: "Himmelblau",
        short: "Himmelblau",
        formula: "(x² + y − 11)² + (x + y² − 7)²",
        why: "Four minima around one hill: which is found depends on the first steps.",
        start: [0.0, -1.0],
        minima: &[
            [3.0, 2.0],
            [-2.805_118_086_952_745, 3.131_312_518_250_573],
            [-3.779_310_253_377_747, -3.283_185_991_286_17],
            [3.584_428_340_330_492, -1.848_126_526_964_404],
        ],
        window: [[-5.5, 5.5], [-5.5, 5.5]],
        f: |x: &Tensor, y: &Tensor| {
            (x.square() + y - 11.0).square() + (x + y.square() - 7.0).square()
        },
    },
    Surface {
        id: "saddle",
        name: "Saddle",
        short: "Saddle",
        formula: "x²/2 + (y² − 1)²/4",
        why: "The start is almost on the ridge: the slope leads to the saddle at (0, 0), and hardly away from it.",
        start: [-1.5, 0.001],
        minima: &[[0.0, 1.0], [0.0, -1.0]],
        window: [[-1.75, 1.75], [-1.75, 1.75]],
        f: |x: &Tensor, y: &Tensor| x.square() * 0.5 + (y.square() - 1.0).square() * 0.25,
    },
    Surface {
        id: "bowl",
        name: "Ill-conditioned bowl",
        short: "Bowl",
        formula: "(u² + 100·v²)/2, u and v: (x − 1, y − 1) turned by 30°",
        why: "A parabola, a hundred times steeper across than along, and not parallel to the axes.",
        start: [-2.0, 0.0],
        minima: &[[1.0, 1.0]],
        window: [[-2.5, 2.5], [-1.5, 3.5]],
        f: |x: &Tensor, y: &Tensor| {
            let (sin, cos) = std::f64::consts::FRAC_PI_6.sin_cos();
            let (x, y) = (x - 1.0, y - 1.0);
            let along = &x * cos + &y * sin;
            let across = y * cos - x * sin;
            (along.square() + across.square() * 100.0) * 0.5
        },
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_minimum_is_one() {
        for s in SURFACES {
            for &m in s.minima {
                let p = Parameter::new(m);
                let loss = s.at(&p);
                loss.backward();
                let slope: Vec<f64> = p.grad().unwrap().to_vec();
                assert!(loss.item() < 1e-20, "{}: {} at {m:?}", s.id, loss.item());
                assert!(slope.iter().all(|g| g.abs() < 1e-9), "{}: {slope:?} at {m:?}", s.id);
            }
        }
    }
}
