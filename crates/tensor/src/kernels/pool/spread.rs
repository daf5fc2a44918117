//! The adjoint of averaging: every gradient, divided, goes to all entries of its window.

use super::average::Divisors;
use super::windows::{AxisWindows, Windows};
use super::{NARROW, SHORT, WIDE, block_start, blocks, check};
use crate::kernels::dispatch::Kernel;
use crate::kernels::level::{Level, level};
use crate::kernels::real::Float;

/// For gradients `g` of the averages those of the entries.
///
/// # Panics
/// If the lengths do not fit, or the windows have a dilation.
pub fn spread<T: Float>(g: &[T], windows: &Windows, gx: &mut [T]) {
    spread_at(level(), g, windows, gx);
}

/// [`spread`] with the instructions of `level`.
#[doc(hidden)]
pub fn spread_at<T: Float>(level: Level, g: &[T], windows: &Windows, gx: &mut [T]) {
    check(gx.len(), g.len(), windows);
    assert!(windows.is_dense(), "averages have no dilation");
    if g.is_empty() {
        gx.fill(T::default());
    } else if !gx.is_empty() {
        T::run_at(level, Spread { g, windows, gx });
    }
}

struct Spread<'a, T> {
    g: &'a [T],
    windows: &'a Windows,
    gx: &'a mut [T],
}

impl<T: Float> Kernel for Spread<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(self) {
        let [.., across] = &self.windows.axes;
        match (across.kernel, across.stride) {
            (2, 2) => self.planes::<FMA, 2, 2>(),
            (3, 2) => self.planes::<FMA, 3, 2>(),
            (3, 1) => self.planes::<FMA, 3, 1>(),
            _ => self.planes::<FMA, 0, 0>(),
        }
    }
}

impl<T: Float> Spread<'_, T> {
    /// Windows of `K` entries and stride `S` across; 0 if the compiler does not know them.
    #[inline(always)]
    fn planes<const FMA: bool, const K: usize, const S: usize>(self) {
        let [deep, _, across] = &self.windows.axes;
        let (width, input) = (across.spans.len(), across.input);
        let divisors = Divisors::new(self.windows);
        let mut line = Gradients::<T>::new::<K, S>(across);
        let g = self.g.chunks_exact(self.windows.output_plane());
        for (g, gx) in g.zip(self.gx.chunks_exact_mut(self.windows.input_plane())) {
            // What lies from here on is not written yet; with several depths lines come in no order.
            let mut fresh = 0;
            if deep.input > 1 {
                gx.fill(T::default());
                fresh = gx.len();
            }
            for (g, row) in g.chunks_exact(width).zip(&self.windows.rows) {
                let sums = line.fill::<FMA, K, S>(g, across, &divisors, row.counted);
                for to in &self.windows.lines[row.lines.clone()] {
                    let end = to.start + input;
                    if to.start < fresh {
                        add::<T, FMA>(&mut gx[to.start..end], sums);
                    } else {
                        gx[fresh..to.start].fill(T::default());
                        gx[to.start..end].copy_from_slice(sums);
                        fresh = end;
                    }
                }
            }
            gx[fresh..].fill(T::default());
        }
    }
}

#[inline(always)]
fn add<T: Float, const FMA: bool>(to: &mut [T], row: &[T]) {
    for (to, v) in to.iter_mut().zip(row) {
        *to = T::unwrap::<FMA>(to.wrap::<FMA>() + v.wrap::<FMA>());
    }
}

/// One row of the plane, made from one row of gradients.
struct Gradients<T> {
    /// The divided gradients, between as many zeros as windows overlap.
    g: Vec<T>,
    zeros: usize,
    /// From the first entry of the first window on, which may lie in the padding.
    row: Vec<T>,
}

impl<T: Float> Gradients<T> {
    fn new<const K: usize, const S: usize>(across: &AxisWindows) -> Self {
        let zeros = if K > 0 { (K - 1) / S } else { 0 };
        let g = vec![T::default(); across.spans.len() + 2 * zeros];
        let reached = (across.spans.len() + zeros) * S;
        let row = vec![T::default(); reached.max(across.padding + across.input)];
        Gradients { g, zeros, row }
    }
    #[inline(always)]
    fn fill<const FMA: bool, const K: usize, const S: usize>(
        &mut self,
        g: &[T],
        across: &AxisWindows,
        divisors: &Divisors<T>,
        counted: usize,
    ) -> &[T] {
        let to = &mut self.g[self.zeros..][..g.len()];
        to.copy_from_slice(g);
        divisors.divide::<FMA>(counted, to);
        let inside = across.padding..across.padding + across.input;
        if K == 0 {
            let row = &mut self.row[inside];
            row.fill(T::default());
            for (g, span) in to.iter().zip(&across.spans) {
                for to in &mut row[span.start..span.end] {
                    *to = T::unwrap::<FMA>(to.wrap::<FMA>() + g.wrap::<FMA>());
                }
            }
            return row;
        }
        let steps = g.len() + self.zeros;
        match steps {
            0..SHORT => self.gather::<FMA, 1, K, S>(steps),
            SHORT..NARROW => self.gather::<FMA, SHORT, K, S>(steps),
            NARROW..WIDE => self.gather::<FMA, NARROW, K, S>(steps),
            _ => self.gather::<FMA, WIDE, K, S>(steps),
        }
        &self.row[inside]
    }
    /// Entry `S·m + r` gets the gradients of the windows `m − t` whose entry `r + S·t` it is.
    #[inline(always)]
    fn gather<const FMA: bool, const L: usize, const K: usize, const S: usize>(
        &mut self,
        steps: usize,
    ) {
        let zeros = (K - 1) / S;
        let steps = 0..steps;
        for i in 0..blocks::<L>(&steps) {
            let at = block_start::<L>(&steps, i);
            let g = &self.g[at..][..L + zeros];
            let row = &mut self.row[at * S..][..L * S];
            for r in 0..S {
                for l in 0..L {
                    let mut sum = g[zeros + l].wrap::<FMA>();
                    for t in 1..=(K - 1 - r) / S {
                        sum = sum + g[zeros + l - t].wrap::<FMA>();
                    }
                    row[l * S + r] = T::unwrap::<FMA>(sum);
                }
            }
        }
    }
}
