//! The element-wise half of an LSTM cell, forward and backward, over rows, serial.
//!
//! A row of gates holds `[i | f | g | o]`, each of `h`: before ([`activate`]) and after the sigmoid or
//! tanh. `t` is the tanh of the new cell state.

use super::dispatch::Kernel;
use super::level::level;
use super::real::{Float, Real};

/// `σ` of the gates i, f and o, `tanh` of g.
///
/// # Panics
///
/// If the lengths do not fit.
pub fn activate<T: Float>(gates: &[T], h: usize, out: &mut [T]) {
    assert!(gates.len() == out.len() && gates.len().is_multiple_of(4 * h.max(1)));
    if h > 0 {
        T::run_at(level(), Activate { gates, h, out });
    }
}

struct Activate<'a, T> {
    gates: &'a [T],
    h: usize,
    out: &'a mut [T],
}

impl<T: Float> Kernel for Activate<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(self) {
        let parts = self.gates.chunks_exact(self.h).zip(self.out.chunks_exact_mut(self.h));
        for (k, (x, y)) in parts.enumerate() {
            let part = x.iter().zip(y);
            if k % 4 == 2 {
                part.for_each(|(x, y)| *y = T::unwrap::<FMA>(x.wrap::<FMA>().tanh()));
            } else {
                part.for_each(|(x, y)| *y = T::unwrap::<FMA>(x.wrap::<FMA>().sigmoid()));
            }
        }
    }
}

/// What the arithmetic of a cell reads beside the activated gates; what a formula does not read may
/// be any slice of this length.
#[derive(Clone, Copy)]
pub struct Cells<'a, T> {
    /// The old cell state.
    pub c: &'a [T],
    /// The tanh of the new one.
    pub t: &'a [T],
    /// The gradient of the new hidden state.
    pub gh: &'a [T],
    /// The gradient of the new cell state.
    pub gc: &'a [T],
}

/// What [`cell`] computes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Part {
    /// `c′ = f·c + i·g`, rows of `h`.
    Cell,
    /// `h′ = o·t`, rows of `h`.
    Hidden,
    /// Gradient of the old cell state: `D·f` with `D = gc + gh·o·(1 − t²)`, rows of `h`.
    CellGradient,
    /// Gradients of the gates before activation, rows of `4h`:
    /// `[D·g·i(1−i) | D·c·f(1−f) | D·i(1−g²) | gh·t·o(1−o)]`.
    GateGradient,
}

/// The arithmetic of the cell, from activated gates.
///
/// # Panics
///
/// If the lengths do not fit.
pub fn cell<T: Float>(part: Part, gates: &[T], x: Cells<'_, T>, h: usize, out: &mut [T]) {
    let width = if part == Part::GateGradient { 4 * h } else { h };
    let Some(rows) = gates.len().checked_div(4 * h) else { return };
    assert!(gates.len() == 4 * rows * h && out.len() == rows * width);
    assert!([x.c, x.t, x.gh, x.gc].iter().all(|x| x.len() == rows * h));
    T::run_at(level(), Arithmetic { part, gates, x, h, out });
}

struct Arithmetic<'a, T> {
    part: Part,
    gates: &'a [T],
    x: Cells<'a, T>,
    h: usize,
    out: &'a mut [T],
}

impl<T: Float> Kernel for Arithmetic<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(self) {
        let Arithmetic { part, gates, x, h, out } = self;
        let width = if part == Part::GateGradient { 4 * h } else { h };
        for (row, (gates, out)) in
            gates.chunks_exact(4 * h).zip(out.chunks_exact_mut(width)).enumerate()
        {
            let (i, f) = (&gates[..h], &gates[h..][..h]);
            let (g, o) = (&gates[2 * h..][..h], &gates[3 * h..][..h]);
            let (c, t) = (&x.c[row * h..][..h], &x.t[row * h..][..h]);
            let (gh, gc) = (&x.gh[row * h..][..h], &x.gc[row * h..][..h]);
            let one = T::Real::<FMA>::of(1.0);
            let w = |x: &[T], j: usize| x[j].wrap::<FMA>();
            let d = |j| w(gc, j) + w(gh, j) * w(o, j) * (one - w(t, j) * w(t, j));
            let slope = |x: &[T], j| w(x, j) * (one - w(x, j));
            match part {
                Part::Cell => fill::<T, FMA>(out, |j| w(f, j) * w(c, j) + w(i, j) * w(g, j)),
                Part::Hidden => fill::<T, FMA>(out, |j| w(o, j) * w(t, j)),
                Part::CellGradient => fill::<T, FMA>(out, |j| d(j) * w(f, j)),
                Part::GateGradient => {
                    let (ai, rest) = out.split_at_mut(h);
                    let (af, rest) = rest.split_at_mut(h);
                    let (ag, ao) = rest.split_at_mut(h);
                    fill::<T, FMA>(ai, |j| d(j) * w(g, j) * slope(i, j));
                    fill::<T, FMA>(af, |j| d(j) * w(c, j) * slope(f, j));
                    fill::<T, FMA>(ag, |j| d(j) * w(i, j) * (one - w(g, j) * w(g, j)));
                    fill::<T, FMA>(ao, |j| w(gh, j) * w(t, j) * slope(o, j));
                }
            }
        }
    }
}

#[inline(always)]
fn fill<T: Float, const FMA: bool>(out: &mut [T], f: impl Fn(usize) -> T::Real<FMA>) {
    for (j, out) in out.iter_mut().enumerate() {
        *out = T::unwrap::<FMA>(f(j));
    }
}
