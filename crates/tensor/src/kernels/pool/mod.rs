//! Kernels of pooling over contiguous planes, serial; the caller cuts the planes for threads.
//!
//! A plane is what one channel of one sample holds: one to three axes, read as three. Rows of windows
//! that lie inside the plane are computed several side by side, with the sizes of the common windows
//! known to the compiler; the others one by one.
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
use windows::{AxisWindows, Line};

#[cfg(test)]
mod tests;

/// Windows side by side: an AVX-512 register of f32.
const WIDE: usize = 16;
/// Where there are fewer.
const NARROW: usize = 8;
/// Where there are still fewer.
const SHORT: usize = 4;

/// The number of an entry within its window; `()` where it is not wanted.
pub trait Tap: Copy + Send + Sync {
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
    #[inline(always)]
    fn of(_: u32) {}
    #[inline(always)]
    fn at(self) -> usize {
        0
    }
}

/// How many blocks of `L` neighbours cover `range`.
#[inline(always)]
fn blocks<const L: usize>(range: &Range<usize>) -> usize {
    range.len().div_ceil(L)
}

/// Where block `i` begins; the last one overlaps the one before it. The range holds at least `L`.
#[inline(always)]
fn block_start<const L: usize>(range: &Range<usize>, i: usize) -> usize {
    (range.start + i * L).min(range.end - L)
}

/// The planes of input and output lie one after the other, and fill them.
fn check(inputs: usize, outputs: usize, windows: &Windows) {
    let (from, to) = (windows.input_plane(), windows.output_plane());
    assert!(
        (from == 0 || inputs.is_multiple_of(from)) && outputs * from == inputs * to,
        "pool: planes of {from} and {to} do not fill {inputs} and {outputs}"
    );
}

/// What a row of windows looks at.
struct Rows<'a, T> {
    plane: &'a [T],
    lines: &'a [Line],
    counted: usize,
    across: &'a AxisWindows,
}

impl<'a, T> Rows<'a, T> {
    /// Of the row of windows with this number, counted over all planes of `x`.
    #[inline(always)]
    fn new(x: &'a [T], windows: &'a Windows, row: usize) -> Self {
        let (plane, row) = (row / windows.rows.len(), &windows.rows[row % windows.rows.len()]);
        let input = windows.input_plane();
        let (plane, lines) = (&x[plane * input..][..input], &windows.lines[row.lines.clone()]);
        Rows { plane, lines, counted: row.counted, across: &windows.axes[2] }
    }
}
