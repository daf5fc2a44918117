//! Kernels over the rows of a contiguous matrix, serial; the caller cuts the rows for threads.
//!
//! A row is read in blocks, the last one padded, so that a formula is compiled once and becomes
//! vector code; short rows are taken several at a time. Sums have fixed lanes, so they do not depend on the width of a register.

mod columns;
mod exp_sums;
mod exps;
mod layer_norm;
mod log_softmax;
mod logsumexp;
mod short;
mod softmax;

pub use columns::{column_exp_sums, column_exp_sums_at};
pub use exp_sums::{exp_sums, exp_sums_at, scaled_softmax, scaled_softmax_at};
pub use layer_norm::{
    Affine, Stats, layer_norm, layer_norm_at, layer_norm_backward, layer_norm_backward_at,
};
pub use log_softmax::{log_softmax, log_softmax_at, log_softmax_backward, log_softmax_backward_at};
pub use logsumexp::{logsumexp, logsumexp_at};
pub use softmax::{softmax, softmax_at, softmax_backward, softmax_backward_at};

use super::level::Level;
use super::real::{Float, Real, unwrapped, wrapped};
use super::reduce::{Fold, Number, fold_rows_at};
use super::stream::{self, Write};
use crate::storage::as_uninit;
use std::mem::MaybeUninit;

#[cfg(test)]
mod tests;

/// An element type of these kernels: `f32` or `f64`.
pub trait RowFloat: Float + Number {}
impl RowFloat for f32 {}
impl RowFloat for f64 {}

/// Elements a block: four AVX-512 registers of f32.
const BLOCK: usize = 64;

/// Blocks summed one after the other before the lanes go into the total.
const RUN: usize = 16;

/// Rows that need not lie side by side, nor be written out: a gradient is often one number for all.
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a, T> {
    /// Where the elements are.
    pub data: &'a [T],
    /// Row `i` begins at `i·stride`.
    pub stride: usize,
    /// Is a row one element, repeated?
    pub repeated: bool,
}

/// Side by side, as rows of `n`.
impl<'a, T> Rows<'a, T> {
    /// Rows of `n` without gaps.
    pub fn packed(data: &'a [T], n: usize) -> Self {
        Rows { data, stride: n, repeated: false }
    }
    /// Are all elements of `rows` rows of `n` there?
    fn reach(&self, rows: usize, n: usize) -> bool {
        let last = if self.repeated { n.min(1) } else { n };
        rows == 0 || n == 0 || (rows - 1) * self.stride + last <= self.data.len()
    }
    /// All elements, if they are in order and without gaps.
    fn slice(&self, rows: usize, n: usize) -> Option<&'a [T]> {
        let packed = !self.repeated && self.stride == n;
        packed.then(|| &self.data[..rows * n])
    }
}

impl<T: Float> Rows<'_, T> {
    /// Row `i`; a repeated one is spread in `room`.
    #[inline(always)]
    fn row<'r>(&'r self, i: usize, n: usize, room: &'r mut [T; BLOCK]) -> Row<'r, T> {
        let start = i * self.stride;
        if self.repeated {
            *room = [self.data[start]; BLOCK];
            return Row { x: room, step: 0, n };
        }
        Row { x: &self.data[start..start + n], step: 1, n }
    }
}

/// One row; with `step` 0 a block of equal elements stands for all of it.
struct Row<'a, T> {
    x: &'a [T],
    step: usize,
    n: usize,
}

impl<T: Float> Row<'_, T> {
    /// Fetches what is read soon, if the block at `at` is read now.
    #[inline(always)]
    fn fetch_ahead(&self, at: usize) {
        if self.step > 0 {
            stream::fetch_ahead(self.x[at..].as_ptr());
        }
    }
    /// As [`load`].
    #[inline(always)]
    fn load<const FMA: bool>(&self, at: usize, pad: T) -> [T::Real<FMA>; BLOCK] {
        let rest = &self.x[at * self.step..];
        let count = self.n - at;
        match rest.first_chunk::<BLOCK>() {
            Some(block) if count >= BLOCK => wrapped::<T, FMA, BLOCK>(block),
            _ => padded::<T, FMA>(&rest[..count], pad),
        }
    }
}

/// The block of `x` at `at`, inside formulas; `pad` stands in for what lies beyond the end.
#[inline(always)]
fn load<T: Float, const FMA: bool>(x: &[T], at: usize, pad: T) -> [T::Real<FMA>; BLOCK] {
    let rest = &x[at..];
    match rest.first_chunk::<BLOCK>() {
        Some(block) => wrapped::<T, FMA, BLOCK>(block),
        None => padded::<T, FMA>(rest, pad),
    }
}

/// A partial block.
#[inline(always)]
fn padded<T: Float, const FMA: bool>(x: &[T], pad: T) -> [T::Real<FMA>; BLOCK] {
    let mut block = [pad; BLOCK];
    fill(&mut block, x);
    wrapped::<T, FMA, BLOCK>(&block)
}

/// Copies a partial block; a call, so that there is one for all kernels.
#[inline(never)]
fn fill<T: Copy>(to: &mut [T], from: &[T]) {
    let count = to.len().min(from.len());
    to[..count].copy_from_slice(&from[..count]);
}

/// Writes the block of `y` at `at`, as far as there is one.
#[inline(always)]
fn store<T: Float, const FMA: bool>(
    y: &mut [MaybeUninit<T>],
    at: usize,
    block: [T::Real<FMA>; BLOCK],
    how: Write,
) {
    let mut block = unwrapped::<T, FMA, BLOCK>(&block);
    let rest = &mut y[at..];
    match rest.first_chunk_mut::<BLOCK>() {
        // SAFETY: a whole block is there; a float has no padding.
        Some(whole) => unsafe {
            stream::store::<_, BLOCK, FMA>(whole.as_mut_ptr().cast::<T>(), block, how);
        },
        None => fill(rest, as_uninit(&mut block)),
    }
}

/// A sum of blocks in lanes, in f64 from `RUN` blocks on: its error does not grow with the row. Whoever adds goes by
/// [`runs`], with a [`Lanes::flush`] behind each.
struct Lanes<R> {
    run: [R; BLOCK],
    total: [f64; BLOCK],
}

impl<R: Real> Lanes<R> {
    #[inline(always)]
    fn new() -> Self {
        Self { run: [R::of(0.0); BLOCK], total: [0.0; BLOCK] }
    }

    #[inline(always)]
    fn add(&mut self, block: [R; BLOCK]) {
        for (j, &v) in block.iter().enumerate() {
            self.run[j] = self.run[j] + v;
        }
    }

    #[inline(always)]
    fn flush(&mut self) {
        for j in 0..BLOCK {
            self.total[j] += self.run[j].to_f64();
            self.run[j] = R::of(0.0);
        }
    }

    /// The sum of all lanes.
    #[inline(always)]
    fn sum(self) -> R {
        R::of(self.total())
    }

    /// The sum of all lanes in f64, by halves.
    #[inline(always)]
    fn total(mut self) -> f64 {
        let mut half = BLOCK / 2;
        while half > 0 {
            for j in 0..half {
                self.total[j] += self.total[j + half];
            }
            half /= 2;
        }
        self.total[0]
    }
}

/// For every run of blocks of a row of `n`, where these begin.
#[inline(always)]
fn runs(n: usize) -> impl Iterator<Item = impl Iterator<Item = usize>> {
    const LEN: usize = RUN * BLOCK;
    (0..n).step_by(LEN).map(move |first| (first..n.min(first + LEN)).step_by(BLOCK))
}

/// Elements of a group of rows that go through all passes together: 16 KiB of f32. A longer row is a group by itself.
const TOGETHER: usize = 4096;

/// Rows of a group at most.
const ROWS: usize = 128;

/// How many elements a group of rows of `n` has, if `room` elements are one: one row, or some short ones.
#[inline(always)]
fn group_len(room: usize, n: usize) -> usize {
    n * (room / n).clamp(1, ROWS)
}

/// Folds each row of `x` into one element of `out`; the bits are the same at each level.
fn fold_group<F: Fold, T: RowFloat>(level: Level, f: F, x: &[T], n: usize, out: &mut [T]) {
    fold_rows_at(level, f, x, [x.len() / n, n, 1], as_uninit(&mut out[..x.len() / n]));
}

/// Checks that `len` elements are whole rows of `n`.
#[track_caller]
fn check_rows(n: usize, len: usize, others: &[usize]) {
    assert!(n > 0 || len == 0, "rows of no elements");
    assert!(n == 0 || len.is_multiple_of(n), "{len} elements are no rows of {n}");
    assert!(others.iter().all(|&l| l == len), "inputs and outputs differ in length");
}
