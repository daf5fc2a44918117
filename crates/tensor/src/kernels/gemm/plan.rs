//! Which factor is spread over vectors, and what is packed: by shape and strides alone, so that the
//! result does not depend on threads.

use super::kernel::{GemmElement, Kernels};
use super::matrix::View;
use super::pack::Factor;

/// Steps of depth that are summed in registers before the output is touched.
///
/// A row group of the left factor (8 rows x 800 x 4 bytes = 25 KiB) stays in L1 while panels of the
/// right one stream by. Measured with 48 KiB of L1, f32, AVX-512: 64x784x256 in one block 257 GF/s,
/// in two 230; with 1024 steps, a transposed left factor (a line for each step) falls from 250 to 219.
const DEPTH_BLOCK: usize = 800;

/// Bytes of the right factor that a task uses at a time: half of the smallest common L2 cache (1 MiB),
/// from which they are read again for every row group.
pub(super) const RIGHT_BYTES: usize = 512 * 1024;

/// Bytes a thread reads per ns, for the choice of threads: from L3, or memory in large pages.
pub(super) const BYTES_PER_NS: f64 = 40.0;

/// A right factor with contiguous lanes is read where it lies for up to this many rows. Measured in
/// GF/s, direct and packed: 64x256x784 274 and 240, 128x512x2048 260 and 252, 512x500x1500 237 and
/// 270.
const DIRECT_ROWS: usize = 128;

/// But not if its steps are further apart than this (bytes): every step is then on a page of its own.
/// Direct and packed at 32 KiB: 64x800x8192 114 and 142; at 16 KiB: 64x512x4096 238 and 216.
const DIRECT_STRIDE: usize = 16 * 1024;

/// Cycles to pack an element that lies along vectors.
const COPY: f64 = 0.1;
/// Cycles to pack an element that lies across them: 8x512x48 takes 1.5 µs longer if it is packed so.
const TRANSPOSE: f64 = 0.3;
/// Cycles to pack an element of a matrix with no contiguous direction, or by foreign code.
const GATHER: f64 = 1.0;
/// Cycles to write an element of a turned tile.
const TURN: f64 = 0.25;
/// Products of up to this many multiplications (20^3) take what can be read where it lies: thinking about
/// it would take longer.
const SMALL: usize = 8000;
/// Cycles from a multiplication to the next that needs its sum.
const LATENCY: f64 = 4.0;

/// The steps of one block of depth: about equal ones, a function of the depth alone.
pub(super) fn depth_block(depth: usize) -> usize {
    even(depth, DEPTH_BLOCK, 8)
}

/// The size of about equal parts of `all` that are at most `most` long, in whole units.
pub(super) fn even(all: usize, most: usize, unit: usize) -> usize {
    if all <= most {
        return all;
    }
    let most = (most - most % unit).max(unit);
    all.div_ceil(all.div_ceil(most)).next_multiple_of(unit)
}

/// Whether the right factor can be read where it lies.
pub(super) fn right_is_direct<T>(kernels: &Kernels<T>, rows: usize, right: &Factor<'_, T>) -> bool {
    let Factor::Matrix(right) = right else { return false };
    let view = right.by_cols();
    let whole = kernels.masked || view.lanes % kernels.lanes == 0;
    let near = view.step.unsigned_abs() * size_of::<T>() <= DIRECT_STRIDE;
    let few = rows <= if near { DIRECT_ROWS } else { kernels.rows };
    few && whole && (view.lane == 1 || view.lanes == 1)
}

/// Whether to compute the transposed product: vectors along the rows of the left factor.
pub(super) fn swaps<T: GemmElement>(
    kernels: &Kernels<T>,
    left: &Factor<'_, T>,
    right: &Factor<'_, T>,
    (rows, cols, depth): (usize, usize, usize),
) -> bool {
    let small = rows * cols * depth <= SMALL;
    if let Factor::Matrix(right) = right
        && right.by_cols().lane == 1
        && (small || cols >= 2 * kernels.lanes)
    {
        return false;
    }
    if let Factor::Matrix(left) = left
        && left.by_rows().lane == 1
        && small
    {
        return true;
    }
    let (m, n, k) = (rows as f64, cols as f64, depth as f64);
    let straight = k * tiles(kernels, rows, cols) + n * k * pack_cost(right, true);
    let turned = k * tiles(kernels, cols, rows) + m * k * pack_cost(left, false) + m * n * TURN;
    turned < straight
}

/// Cycles of one step of depth in all tiles: two multiplications, or one broadcast, in each.
fn tiles<T>(kernels: &Kernels<T>, rows: usize, cols: usize) -> f64 {
    let panels = (cols as f64 / (kernels.lanes * kernels.vectors) as f64).max(1.0);
    let vectors = cols.div_ceil(kernels.lanes).min(kernels.vectors) as f64;
    let tile = |rows: usize| (rows as f64 * (vectors / 2.0).max(1.0)).max(LATENCY);
    let (full, rest) = (rows / kernels.rows, rows % kernels.rows);
    let parts = [4, 2, 1].map(|part| if rest & part == 0 { 0.0 } else { tile(part) });
    panels * (full as f64 * tile(kernels.rows) + parts.iter().sum::<f64>())
}

fn pack_cost<T>(factor: &Factor<'_, T>, right: bool) -> f64 {
    let Factor::Matrix(matrix) = factor else { return GATHER };
    let View { lane, step, .. } = if right { matrix.by_cols() } else { matrix.by_rows() };
    match (lane, step) {
        (1, _) => COPY,
        (_, 1) => TRANSPOSE,
        _ => GATHER,
    }
}
