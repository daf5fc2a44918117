//! The maximum of every window, and which entry it is.

use super::windows::{Span, Windows};
use super::{FEW, Inside, NARROW, Rows, Tap, WIDE, blocks, check, has_wide, lanes};
use crate::kernels::dispatch::Kernel;
use crate::kernels::level::{Level, level};
use crate::kernels::real::{Float, Real, unwrapped};
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
    if y.is_empty() {
        return;
    }
    let width = windows.axes[2].spans.len();
    if !C::KEPT {
        let (rows, numbers) = (0..y.len() / width, &mut [][..]);
        return T::run_at(level, Largest::<T, false> { x, windows, rows, y, numbers });
    }
    // The kernel numbers entries in u32, whatever they are kept in: so it need not exist for each.
    let rows = (TOGETHER / width).max(1);
    let mut numbers = vec![0; rows * width + WIDE];
    for (i, taps) in taps.chunks_mut(rows * width).enumerate() {
        let first = i * rows;
        let (rows, y) = (first..first + taps.len() / width, &mut y[first * width..]);
        T::run_at(level, Largest::<T, true> { x, windows, rows, y, numbers: &mut numbers });
        taps.iter_mut().zip(&numbers).for_each(|(to, number)| *to = C::of(*number));
    }
}

/// Windows whose numbers are converted at once, about: these stay in the L1 cache.
pub(super) const TOGETHER: usize = 2048;

struct Largest<'a, T, const TAPS: bool> {
    x: &'a [T],
    windows: &'a Windows,
    /// The rows of windows that are wanted, counted over all planes.
    rows: Range<usize>,
    /// The maxima from the first of these rows on.
    y: &'a mut [T],
    /// The numbers of their entries, if wanted.
    numbers: &'a mut [u32],
}

impl<T: Float, const TAPS: bool> Kernel for Largest<'_, T, TAPS> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(self) {
        let Self { x, windows, rows, mut y, mut numbers } = self;
        let (across, nothing) = (&windows.axes[2], windows.taps() as u32);
        let (width, inside) = (across.spans.len(), Inside::new::<T>(across));
        for rows in super::rows(x, windows, rows) {
            let room = if TAPS { y.len().min(numbers.len()) } else { y.len() };
            let served = rows.in_blocks(&inside, room);
            let mut found =
                Found::<T, TAPS> { y: &mut *y, numbers: &mut *numbers, served: &served, nothing };
            match (across.kernel, across.stride, across.dilation) {
                (2, 2, 1) => found.sized::<FMA, 2, 2>(&rows, inside.lanes),
                (3, 2, 1) => found.sized::<FMA, 3, 2>(&rows, inside.lanes),
                (3, 1, 1) => found.sized::<FMA, 3, 1>(&rows, inside.lanes),
                _ if inside.lanes == NARROW => found.blocks::<FMA, NARROW, 0, 0>(&rows),
                _ => found.blocks::<FMA, FEW, 0, 0>(&rows),
            };
            for at in (0..served.start).chain(served.end..width) {
                let (best, number) = rows.single::<FMA>(across.spans[at], nothing);
                found.y[at] = T::unwrap::<FMA>(best);
                if TAPS {
                    found.numbers[at] = number;
                }
            }
            y = &mut y[width..];
            if TAPS {
                numbers = &mut numbers[width..];
            }
        }
    }
}

/// The results from the first window of a row on.
struct Found<'a, T, const TAPS: bool> {
    y: &'a mut [T],
    numbers: &'a mut [u32],
    /// The windows of this row that blocks serve.
    served: &'a Range<usize>,
    /// The number of an entry of a window without any.
    nothing: u32,
}

impl<T: Float, const TAPS: bool> Found<'_, T, TAPS> {
    /// [`Found::blocks`] of so many lanes.
    #[inline(always)]
    fn sized<const FMA: bool, const K: usize, const S: usize>(
        &mut self,
        rows: &Rows<'_, T>,
        lanes: usize,
    ) {
        match lanes {
            WIDE if has_wide::<T>() => self.blocks::<FMA, WIDE, K, S>(rows),
            NARROW => self.blocks::<FMA, NARROW, K, S>(rows),
            _ => self.blocks::<FMA, FEW, K, S>(rows),
        }
    }
    /// The windows inside the plane, `L` side by side, with `K` entries and stride `S` across, 0 if the compiler
    /// does not know them.
    #[inline(always)]
    fn blocks<const FMA: bool, const L: usize, const K: usize, const S: usize>(
        &mut self,
        rows: &Rows<'_, T>,
    ) {
        for at in blocks::<L>(self.served) {
            let start = rows.across.spans[at].start;
            let (best, numbers) = rows.block::<FMA, L, K, S>(start, self.nothing);
            *self.y[at..].first_chunk_mut::<L>().expect("a block") = unwrapped::<T, FMA, L>(&best);
            if TAPS {
                *self.numbers[at..].first_chunk_mut::<L>().expect("a block") = numbers;
            }
        }
    }
}

impl<T: Float> Rows<'_, T> {
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
            let row = &self.x[line.start + start..];
            let row = &row[..(L - 1) * stride + (kernel - 1) * dilation + 1];
            for k in 0..kernel {
                let tap = (line.number * kernel + k) as u32;
                let block: [T; L] = lanes(&row[k * dilation..], stride);
                for l in 0..L {
                    let v = block[l].wrap::<FMA>();
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
    /// One window, wherever it is.
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
                let v = self.x[line.start + at].wrap::<FMA>();
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
