//! Kernels of pooling over contiguous planes, serial; the caller cuts the planes for threads.
//!
//! A plane is what one channel of one sample holds: one to three axes, read as three. Windows that lie inside
//! the plane are computed side by side, with the sizes of the common ones known to the compiler; the others one
//! by one. Each such size is compiled for three widths of rows, in one loop over all rows.
//!
//! Of a maximum the number of its entry within the window is kept: one byte for windows of up to 255.

mod average;
mod largest;
mod place;
mod spread;
mod windows;

pub use average::{average, average_at};
pub use largest::{largest, largest_at};
pub use place::{pick, place, place_at, positions};
pub use spread::{spread, spread_at};
pub use windows::{Slide, Windows};

use std::ops::Range;
use windows::{AxisWindows, Line, Row};

#[cfg(test)]
mod tests;

/// Windows side by side: an AVX-512 register of f32.
const WIDE: usize = 16;
/// Where there are not more.
const NARROW: usize = 8;
/// Where there are still fewer, or entries are read one by one. Fewer than these are computed one by one.
const FEW: usize = 4;

/// The number of an entry within its window; `()` where it is not wanted.
pub trait Tap: Copy + Send + Sync {
    /// Is it wanted?
    const KEPT: bool = true;
    /// Keep it.
    fn of(tap: u32) -> Self;
    /// As an index.
    fn at(self) -> usize;
}

impl Tap for u8 {
    #[inline(always)]
    fn of(tap: u32) -> u8 {
        tap as u8
    }
    #[inline(always)]
    fn at(self) -> usize {
        self.into()
    }
}

impl Tap for i64 {
    #[inline(always)]
    fn of(tap: u32) -> i64 {
        tap.into()
    }
    #[inline(always)]
    fn at(self) -> usize {
        self as usize
    }
}

impl Tap for () {
    const KEPT: bool = false;
    #[inline(always)]
    fn of(_: u32) {}
    #[inline(always)]
    fn at(self) -> usize {
        0
    }
}

/// Every `stride`-th element of `x`.
#[inline(always)]
fn lanes<T: Copy, const L: usize>(x: &[T], stride: usize) -> [T; L] {
    let x = &x[..(L - 1) * stride + 1];
    let mut lanes = [x[0]; L];
    match stride {
        1 => lanes = *x.first_chunk().expect("a block"),
        2 => {
            for l in 0..L {
                lanes[l] = x[2 * l];
            }
        }
        _ => {
            for l in 0..L {
                lanes[l] = x[l * stride];
            }
        }
    }
    lanes
}

/// The planes of input and output lie one after the other, and fill them.
fn check(inputs: usize, outputs: usize, windows: &Windows) {
    let (from, to) = (windows.input_plane(), windows.output_plane());
    assert!(
        (from == 0 || inputs.is_multiple_of(from)) && outputs * from == inputs * to,
        "pool: planes of {from} and {to} do not fill {inputs} and {outputs}"
    );
}

/// Whether rows of `T` have wide blocks: of f64 they would be but more code.
#[inline(always)]
const fn has_wide<T>() -> bool {
    size_of::<T>() <= 4
}

/// What a row of windows looks at.
struct Rows<'a, T> {
    /// The plane and all behind it.
    x: &'a [T],
    lines: &'a [Line],
    counted: usize,
    across: &'a AxisWindows,
}

/// These rows of windows, counted over all planes of `x`.
#[inline(always)]
fn rows<'a, T>(
    x: &'a [T],
    windows: &'a Windows,
    numbers: Range<usize>,
) -> impl Iterator<Item = Rows<'a, T>> {
    let count = windows.rows.len();
    // One division for all rows, as it takes as long as a narrow row.
    let (mut plane, mut row) = (numbers.start / count, numbers.start % count);
    numbers.map(move |_| {
        let (x, Row { lines, counted }) = (&x[plane * windows.input_plane()..], &windows.rows[row]);
        let lines = &windows.lines[lines.clone()];
        (plane, row) = if row + 1 == count { (plane + 1, 0) } else { (plane, row + 1) };
        Rows { x, lines, counted: *counted, across: &windows.axes[2] }
    })
}

/// Are these the common small windows, whose sizes the compiler knows?
fn is_small(across: &AxisWindows) -> bool {
    matches!((across.kernel, across.stride, across.dilation), (2, 2, 1) | (3, 1 | 2, 1))
}

/// The windows of a row that lie inside the plane, for blocks of so many `lanes`.
struct Inside {
    lanes: usize,
    /// None if there are too few of them.
    full: Range<usize>,
    /// From the first window of the row to the end of the last block.
    width: usize,
    /// From the begin of a line to the end of what the last block looks at.
    reach: usize,
}

impl Inside {
    fn new<T>(across: &AxisWindows) -> Inside {
        let AxisWindows { kernel, stride, dilation, ref full, ref spans, .. } = *across;
        let lanes = match full.len() {
            _ if !is_small(across) && stride > 2 => FEW,
            _ if !is_small(across) => NARROW,
            n if n <= FEW => FEW,
            n if n <= NARROW || !has_wide::<T>() => NARROW,
            _ => WIDE,
        };
        if full.len() < FEW {
            return Inside { lanes, full: 0..0, width: 0, reach: 0 };
        }
        let last = full.start.max(full.end.saturating_sub(lanes));
        let reach = spans[last].start + (lanes - 1) * stride + (kernel - 1) * dilation + 1;
        Inside { lanes, full: full.clone(), width: last + lanes, reach }
    }
}

impl<T> Rows<'_, T> {
    /// The windows that blocks serve, if there is room, for `room` results from the first of the row on, and for
    /// what a block looks at. Behind the last row of the last plane there is nothing.
    #[inline(always)]
    fn in_blocks(&self, inside: &Inside, room: usize) -> Range<usize> {
        let Some(line) = self.lines.last() else { return 0..0 };
        let fits = line.start + inside.reach <= self.x.len() && inside.width <= room;
        if fits { inside.full.clone() } else { 0..0 }
    }
}

/// Where the blocks of `L` begin that cover `range`. The last one overlaps the one before it, or, if it is the only
/// one, holds more than the range: what is written there is overwritten later.
#[inline(always)]
fn blocks<const L: usize>(range: &Range<usize>) -> impl Iterator<Item = usize> + use<L> {
    let (start, last) = (range.start, range.start.max(range.end.saturating_sub(L)));
    (0..range.len().div_ceil(L)).map(move |i| (start + i * L).min(last))
}
