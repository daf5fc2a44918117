//! The maximum of every window, and which entry it is.

use super::windows::{Span, Windows};
use super::{NARROW, Rows, SHORT, Tap, WIDE, block_start, blocks, check};
use crate::kernels::dispatch::Kernel;
use crate::kernels::level::{Level, level};
use crate::kernels::real::{Float, Real};
use std::ops::Range;

/// The maximum of every window of every plane, and the number of its entry. A tie goes to the first, NaN
/// wins, and of several the last; a window of nothing has −∞.
///
/// # Panics
/// If the lengths do not fit.
pub fn largest<T: Float, C: Tap>(x: &[T], windows: &Windows, y: &mut [T], taps: &mut [C]) {
    largest_at(level(), x, windows, y, taps);
}

/// [`largest`] with the instructions of `level`.
#[doc(hidden)]
pub fn largest_at<T: Float, C: Tap>(
    level: Level,
    x: &[T],
    windows: &Windows,
    y: &mut [T],
    taps: &mut [C],
) {
    check(x.len(), y.len(), windows);
    assert!(y.len() == taps.len() && windows.taps() < u32::MAX as usize);
    if !y.is_empty() {
        T::run_at(level, Largest { x, windows, y, taps });
    }
}

struct Largest<'a, T, C> {
    x: &'a [T],
    windows: &'a Windows,
    y: &'a mut [T],
    taps: &'a mut [C],
}

impl<T: Float, C: Tap> Kernel for Largest<'_, T, C> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(self) {
        let [.., across] = &self.windows.axes;
        match (across.kernel, across.stride, across.dilation) {
            (2, 2, 1) => self.planes::<FMA, 2, 2>(),
            (3, 2, 1) => self.planes::<FMA, 3, 2>(),
            (3, 1, 1) => self.planes::<FMA, 3, 1>(),
            _ => self.planes::<FMA, 0, 0>(),
        }
    }
}

impl<T: Float, C: Tap> Largest<'_, T, C> {
    /// Windows of `K` entries and stride `S` across; 0 if the compiler does not know them.
    #[inline(always)]
    fn planes<const FMA: bool, const K: usize, const S: usize>(self) {
        let [.., across] = &self.windows.axes;
        let (width, nothing) = (across.spans.len(), self.windows.taps() as u32);
        let rows = self.y.chunks_exact_mut(width).zip(self.taps.chunks_exact_mut(width));
        for (i, (y, taps)) in rows.enumerate() {
            let rows = Rows::new(self.x, self.windows, i);
            let full = across.full.clone();
            match full.len() {
                0..SHORT => rows.singles::<FMA, C>(full, y, taps, nothing),
                SHORT..NARROW => rows.blocks::<FMA, SHORT, K, S, C>(y, taps, nothing),
                NARROW..WIDE => rows.blocks::<FMA, NARROW, K, S, C>(y, taps, nothing),
                _ => rows.blocks::<FMA, WIDE, K, S, C>(y, taps, nothing),
            }
            rows.singles::<FMA, C>(0..across.full.start, y, taps, nothing);
            rows.singles::<FMA, C>(across.full.end..width, y, taps, nothing);
        }
    }
}

impl<T: Float> Rows<'_, T> {
    /// All windows inside the plane, `L` side by side.
    #[inline(always)]
    fn blocks<const FMA: bool, const L: usize, const K: usize, const S: usize, C: Tap>(
        &self,
        y: &mut [T],
        taps: &mut [C],
        nothing: u32,
    ) {
        let full = &self.across.full;
        for i in 0..blocks::<L>(full) {
            let at = block_start::<L>(full, i);
            let (best, tap) = self.block::<FMA, L, K, S>(self.across.spans[at].start, nothing);
            for (y, best) in y[at..at + L].iter_mut().zip(best) {
                *y = T::unwrap::<FMA>(best);
            }
            for (to, tap) in taps[at..at + L].iter_mut().zip(tap) {
                *to = C::of(tap);
            }
        }
    }
    /// `L` windows, the first of which begins at column `start`.
    #[inline(always)]
    fn block<const FMA: bool, const L: usize, const K: usize, const S: usize>(
        &self,
        start: usize,
        nothing: u32,
    ) -> ([T::Real<FMA>; L], [u32; L]) {
        let across = self.across;
        let (kernel, stride) = if K > 0 { (K, S) } else { (across.kernel, across.stride) };
        let dilation = if K > 0 { 1 } else { across.dilation };
        let mut best = [T::Real::<FMA>::of(f64::NEG_INFINITY); L];
        let mut taps = [self.first_tap(0, nothing); L];
        for line in self.lines {
            let row = &self.plane[line.start + start..];
            let row = &row[..(L - 1) * stride + (kernel - 1) * dilation + 1];
            for k in 0..kernel {
                let tap = (line.number * kernel + k) as u32;
                for l in 0..L {
                    let v = row[l * stride + k * dilation].wrap::<FMA>();
                    let take = (v > best[l]) | v.is_nan();
                    best[l] = T::Real::<FMA>::select(take, v, best[l]);
                    taps[l] = if take { tap } else { taps[l] };
                }
            }
        }
        (best, taps)
    }
    /// The number of the first entry inside the plane; `nothing` if there are no lines.
    #[inline(always)]
    fn first_tap(&self, skipped: usize, nothing: u32) -> u32 {
        match self.lines {
            [first, ..] => (first.number * self.across.kernel + skipped) as u32,
            [] => nothing,
        }
    }
    /// Windows one by one.
    #[inline(always)]
    fn singles<const FMA: bool, C: Tap>(
        &self,
        columns: Range<usize>,
        y: &mut [T],
        taps: &mut [C],
        nothing: u32,
    ) {
        for at in columns {
            let (best, tap) = self.single::<FMA>(self.across.spans[at], nothing);
            y[at] = T::unwrap::<FMA>(best);
            taps[at] = C::of(tap);
        }
    }
    #[inline(always)]
    fn single<const FMA: bool>(&self, span: Span, nothing: u32) -> (T::Real<FMA>, u32) {
        let mut best = T::Real::<FMA>::of(f64::NEG_INFINITY);
        if span.start == span.end {
            return (best, nothing);
        }
        let mut tap = self.first_tap(span.skipped, nothing);
        let (kernel, dilation) = (self.across.kernel, self.across.dilation);
        for line in self.lines {
            let mut number = (line.number * kernel + span.skipped) as u32;
            let mut at = span.start;
            while at < span.end {
                let v = self.plane[line.start + at].wrap::<FMA>();
                let take = (v > best) | v.is_nan();
                best = T::Real::<FMA>::select(take, v, best);
                tap = if take { number } else { tap };
                at += dilation;
                number += 1;
            }
        }
        (best, tap)
    }
}
