//! The adjoint of averaging: every gradient, divided, goes to all entries of its window.

use super::average::Divisors;
use super::windows::{AxisWindows, Windows};
use super::{NARROW, check, is_small};
use crate::kernels::dispatch::Kernel;
use crate::kernels::level::{Level, level};
use crate::kernels::real::{Float, unwrapped, wrapped};

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
        let [deep, _, across] = &self.windows.axes;
        let (width, input) = (across.spans.len(), across.input);
        let divisors = Divisors::new(self.windows);
        let mut line = Gradients::<T>::new(across);
        let g = self.g.chunks_exact(self.windows.output_plane());
        for (g, gx) in g.zip(self.gx.chunks_exact_mut(self.windows.input_plane())) {
            // What lies from here on is not written yet; with several depths lines come in no order.
            let mut fresh = 0;
            if deep.input > 1 {
                gx.fill(T::default());
                fresh = gx.len();
            }
            for (g, row) in g.chunks_exact(width).zip(&self.windows.rows) {
                let sums = line.fill::<FMA>(g, across, &divisors, row.counted);
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
    /// The divided gradients; before and behind them as many zeros as windows overlap, and behind them
    /// what fills a block.
    g: Vec<T>,
    zeros: usize,
    /// From the first entry of the first window on, which may lie in the padding.
    row: Vec<T>,
}

impl<T: Float> Gradients<T> {
    fn new(across: &AxisWindows) -> Self {
        let zeros = if is_small(across) { (across.kernel - 1) / across.stride } else { 0 };
        let steps = (across.spans.len() + zeros).next_multiple_of(NARROW);
        let g = vec![T::default(); steps + zeros];
        let row = vec![T::default(); (steps * across.stride).max(across.padding + across.input)];
        Gradients { g, zeros, row }
    }
    #[inline(always)]
    fn fill<const FMA: bool>(
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
        if is_small(across) {
            self.gather::<FMA>(across.stride);
        } else {
            let row = &mut self.row[inside.clone()];
            row.fill(T::default());
            for (g, span) in to.iter().zip(&across.spans) {
                for to in &mut row[span.start..span.end] {
                    *to = T::unwrap::<FMA>(to.wrap::<FMA>() + g.wrap::<FMA>());
                }
            }
        }
        &self.row[inside]
    }
    /// Entry `m` gets the gradients of the windows `m − t` whose entry `t` it is. With stride 2 this is every second
    /// entry, `2m`, of which `t` skips every second; the other ones are in the middle of one window of two or three.
    #[inline(always)]
    fn gather<const FMA: bool>(&mut self, stride: usize) {
        let zeros = self.zeros;
        let rows = self.row.chunks_exact_mut(NARROW * stride);
        for (i, row) in rows.take((self.g.len() - zeros) / NARROW).enumerate() {
            let g = &self.g[i * NARROW..][..NARROW + zeros];
            let last: &[T; NARROW] = g.last_chunk().expect("a block");
            let mut sums = wrapped::<T, FMA, NARROW>(last);
            for t in 1..=zeros {
                let more: &[T; NARROW] = g[zeros - t..].first_chunk().expect("a block");
                for l in 0..NARROW {
                    sums[l] = sums[l] + more[l].wrap::<FMA>();
                }
            }
            let sums = unwrapped::<T, FMA, NARROW>(&sums);
            match row.first_chunk_mut::<{ 2 * NARROW }>() {
                Some(row) if stride == 2 => {
                    for l in 0..NARROW {
                        (row[2 * l], row[2 * l + 1]) = (sums[l], last[l]);
                    }
                }
                _ => *row.first_chunk_mut::<NARROW>().expect("a block") = sums,
            }
        }
    }
}
