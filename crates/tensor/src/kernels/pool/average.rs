//! The mean of every window.

use super::windows::{Span, Windows};
use super::{NARROW, Rows, SHORT, WIDE, block_start, blocks, check};
use crate::kernels::dispatch::Kernel;
use crate::kernels::level::{Level, level};
use crate::kernels::real::{Float, Real};
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
        let [.., across] = &self.windows.axes;
        match (across.kernel, across.stride) {
            (2, 2) => self.planes::<FMA, 2, 2>(),
            (3, 2) => self.planes::<FMA, 3, 2>(),
            (3, 1) => self.planes::<FMA, 3, 1>(),
            _ => self.planes::<FMA, 0, 0>(),
        }
    }
}

impl<T: Float> Average<'_, T> {
    /// Windows of `K` entries and stride `S` across; 0 if the compiler does not know them.
    #[inline(always)]
    fn planes<const FMA: bool, const K: usize, const S: usize>(self) {
        let across = &self.windows.axes[2];
        let width = across.spans.len();
        let divisors = Divisors::new(self.windows);
        let mut columns = vec![T::default(); across.input];
        for (i, y) in self.y.chunks_exact_mut(width).enumerate() {
            let rows = Rows::new(self.x, self.windows, i);
            let full = across.full.clone();
            match full.len() {
                _ if K == 0 => rows.sums::<FMA>(y, &mut columns),
                0..SHORT => rows.few_sums::<FMA>(full, y),
                SHORT..NARROW => rows.blocks_of_sums::<FMA, SHORT, K, S>(y),
                NARROW..WIDE => rows.blocks_of_sums::<FMA, NARROW, K, S>(y),
                _ => rows.blocks_of_sums::<FMA, WIDE, K, S>(y),
            }
            if K > 0 {
                rows.few_sums::<FMA>(0..across.full.start, y);
                rows.few_sums::<FMA>(across.full.end..width, y);
            }
            divisors.divide::<FMA>(rows.counted, y);
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
    /// Sums of all windows inside the plane, `L` side by side.
    #[inline(always)]
    fn blocks_of_sums<const FMA: bool, const L: usize, const K: usize, const S: usize>(
        &self,
        y: &mut [T],
    ) {
        let full = &self.across.full;
        for i in 0..blocks::<L>(full) {
            let at = block_start::<L>(full, i);
            let start = self.across.spans[at].start;
            let mut sums = [T::Real::<FMA>::of(0.0); L];
            for line in self.lines {
                let row = &self.plane[line.start + start..][..(L - 1) * S + K];
                for k in 0..K {
                    for l in 0..L {
                        sums[l] = sums[l] + row[l * S + k].wrap::<FMA>();
                    }
                }
            }
            for (y, sum) in y[at..at + L].iter_mut().zip(sums) {
                *y = T::unwrap::<FMA>(sum);
            }
        }
    }
    /// Sums of small windows, one by one.
    #[inline(always)]
    fn few_sums<const FMA: bool>(&self, columns: Range<usize>, y: &mut [T]) {
        for at in columns {
            let span = self.across.spans[at];
            let mut total = T::Real::<FMA>::of(0.0);
            for line in self.lines {
                for v in &self.plane[line.start + span.start..line.start + span.end] {
                    total = total + v.wrap::<FMA>();
                }
            }
            y[at] = T::unwrap::<FMA>(total);
        }
    }
    /// Sums of windows of any size: first down the columns, then across.
    #[inline(always)]
    fn sums<const FMA: bool>(&self, y: &mut [T], columns: &mut [T]) {
        let width = self.across.input;
        let whole = self.across.spans.iter().all(|s| s.end - s.start == width);
        if let ([first, ..], [.., last]) = (self.lines, self.lines)
            && whole
            && last.start - first.start == (self.lines.len() - 1) * width
        {
            // Whole rows lie one behind the other.
            let total = sum::<T, FMA>(&self.plane[first.start..last.start + width]);
            return y.fill(T::unwrap::<FMA>(total));
        }
        columns.fill(T::default());
        for line in self.lines {
            for (sum, v) in columns.iter_mut().zip(&self.plane[line.start..line.start + width]) {
                *sum = T::unwrap::<FMA>(sum.wrap::<FMA>() + v.wrap::<FMA>());
            }
        }
        for (y, span) in y.iter_mut().zip(&self.across.spans) {
            *y = T::unwrap::<FMA>(sum::<T, FMA>(&columns[span.start..span.end]));
        }
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
