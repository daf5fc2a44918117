//! The mean of every window.

use super::windows::{Span, Windows};
use super::{FEW, Inside, NARROW, Rows, WIDE, blocks, check, has_wide, is_small, lanes};
use crate::kernels::dispatch::Kernel;
use crate::kernels::level::{Level, level};
use crate::kernels::real::{Float, Real, unwrapped};
use std::ops::Range;

/// Lanes of the sum over one wide window: four AVX-512 registers of f32, so that additions overlap.
const LANES: usize = 64;

/// The sum of every window of every plane, divided by what [`Windows`] says.
///
/// # Panics
/// If the lengths do not fit, or the windows have a dilation.
pub fn average<T: Float>(x: &[T], windows: &Windows, y: &mut [T]) {
    average_at(level(), x, windows, y);
}

/// [`average`] with the instructions of `level`.
#[doc(hidden)]
pub fn average_at<T: Float>(level: Level, x: &[T], windows: &Windows, y: &mut [T]) {
    check(x.len(), y.len(), windows);
    assert!(windows.is_dense(), "averages have no dilation");
    if !y.is_empty() {
        T::run_at(level, Average { x, windows, y });
    }
}

struct Average<'a, T> {
    x: &'a [T],
    windows: &'a Windows,
    y: &'a mut [T],
}

impl<T: Float> Kernel for Average<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(self) {
        let Self { x, windows, mut y } = self;
        let across = &windows.axes[2];
        let (width, few) = (across.spans.len(), is_small(across));
        let inside = Inside::new::<T>(across);
        let divisors = Divisors::new(windows);
        let mut columns = vec![T::default(); across.input];
        for rows in super::rows(x, windows, 0..y.len() / width) {
            if few {
                rows.few_sums::<FMA>(&inside, y);
            } else {
                rows.sums::<FMA>(&mut y[..width], &mut columns);
            }
            divisors.divide::<FMA>(rows.counted, &mut y[..width]);
            y = &mut y[width..];
        }
    }
}

/// What the windows divide by: a number of the row times one of the column.
pub(super) struct Divisors<T> {
    across: Vec<T>,
    fixed: Option<T>,
}

impl<T: Float> Divisors<T> {
    pub(super) fn new(windows: &Windows) -> Self {
        let number = |v: f64| T::unwrap::<false>(T::Real::<false>::of(v));
        let count =
            |s: &Span| number(if windows.divisor.is_some() { 1.0 } else { s.counted as f64 });
        let across = windows.axes[2].spans.iter().map(count).collect();
        Divisors { across, fixed: windows.divisor.map(number) }
    }
    /// Divides a row whose windows count `rows` entries in the other axes.
    #[inline(always)]
    pub(super) fn divide<const FMA: bool>(&self, rows: usize, y: &mut [T]) {
        let counted = T::Real::<FMA>::of(rows as f64);
        let by_row = self.fixed.map_or(counted, T::wrap::<FMA>);
        for (y, count) in y.iter_mut().zip(&self.across) {
            *y = T::unwrap::<FMA>(y.wrap::<FMA>() / (by_row * count.wrap::<FMA>()));
        }
    }
}

impl<T: Float> Rows<'_, T> {
    /// Sums of small windows, entry by entry; `y` begins with this row.
    #[inline(always)]
    fn few_sums<const FMA: bool>(&self, inside: &Inside, y: &mut [T]) {
        let (across, lanes) = (self.across, inside.lanes);
        let served = self.in_blocks(inside, y.len());
        match (across.kernel, across.stride) {
            (2, _) => self.sized_sums::<FMA, 2, 2>(lanes, &served, y),
            (_, 2) => self.sized_sums::<FMA, 3, 2>(lanes, &served, y),
            _ => self.sized_sums::<FMA, 3, 1>(lanes, &served, y),
        }
        for at in (0..served.start).chain(served.end..across.spans.len()) {
            let span = across.spans[at];
            let mut total = T::Real::<FMA>::of(0.0);
            for line in self.lines {
                for v in &self.x[line.start + span.start..line.start + span.end] {
                    total = total + v.wrap::<FMA>();
                }
            }
            y[at] = T::unwrap::<FMA>(total);
        }
    }
    /// [`Rows::blocks_of_sums`] of so many lanes.
    #[inline(always)]
    fn sized_sums<const FMA: bool, const K: usize, const S: usize>(
        &self,
        lanes: usize,
        served: &Range<usize>,
        y: &mut [T],
    ) {
        match lanes {
            WIDE if has_wide::<T>() => self.blocks_of_sums::<FMA, WIDE, K, S>(served, y),
            NARROW => self.blocks_of_sums::<FMA, NARROW, K, S>(served, y),
            _ => self.blocks_of_sums::<FMA, FEW, K, S>(served, y),
        }
    }
    /// Sums of the windows inside the plane, `L` side by side, with `K` entries and stride `S` across.
    #[inline(always)]
    fn blocks_of_sums<const FMA: bool, const L: usize, const K: usize, const S: usize>(
        &self,
        served: &Range<usize>,
        y: &mut [T],
    ) {
        for at in blocks::<L>(served) {
            let start = self.across.spans[at].start;
            let mut sums = [T::Real::<FMA>::of(0.0); L];
            for line in self.lines {
                let row = &self.x[line.start + start..][..(L - 1) * S + K];
                for k in 0..K {
                    let block: [T; L] = lanes(&row[k..], S);
                    for l in 0..L {
                        sums[l] = sums[l] + block[l].wrap::<FMA>();
                    }
                }
            }
            *y[at..].first_chunk_mut::<L>().expect("a block") = unwrapped::<T, FMA, L>(&sums);
        }
    }
    /// Sums of windows of any size: first down the columns, then across.
    #[inline(always)]
    fn sums<const FMA: bool>(&self, y: &mut [T], columns: &mut [T]) {
        let width = self.across.input;
        let whole = self.across.spans.iter().all(|s| s.end - s.start == width);
        let (all, from);
        let mut spans = &self.across.spans[..];
        if let ([first, ..], [.., last]) = (self.lines, self.lines)
            && whole
            && last.start - first.start == (self.lines.len() - 1) * width
        {
            // Whole rows lie one behind the other, and all windows of this row are the same.
            from = &self.x[first.start..last.start + width];
            all = [Span { end: from.len(), ..spans[0] }];
            spans = &all;
        } else {
            columns.fill(T::default());
            for line in self.lines {
                for (sum, v) in columns.iter_mut().zip(&self.x[line.start..line.start + width]) {
                    *sum = T::unwrap::<FMA>(sum.wrap::<FMA>() + v.wrap::<FMA>());
                }
            }
            from = columns;
        }
        for (y, span) in y.iter_mut().zip(spans) {
            *y = T::unwrap::<FMA>(sum::<T, FMA>(&from[span.start..span.end]));
        }
        let last = y[spans.len() - 1];
        y[spans.len()..].fill(last);
    }
}

#[inline(always)]
fn sum<T: Float, const FMA: bool>(x: &[T]) -> T::Real<FMA> {
    let (blocks, rest) = x.as_chunks::<LANES>();
    let zero = T::Real::<FMA>::of(0.0);
    let mut total = rest.iter().fold(zero, |sum, v| sum + v.wrap::<FMA>());
    if !blocks.is_empty() {
        let mut lanes = [zero; LANES];
        for block in blocks {
            for l in 0..LANES {
                lanes[l] = lanes[l] + block[l].wrap::<FMA>();
            }
        }
        // Halves, so that these additions overlap, too.
        let mut half = LANES / 2;
        while half > 0 {
            for l in 0..half {
                lanes[l] = lanes[l] + lanes[l + half];
            }
            half /= 2;
        }
        total = total + lanes[0];
    }
    total
}
