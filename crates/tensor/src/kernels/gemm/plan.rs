//! Which factor is spread over vectors, and what is packed: by shape and strides alone, so that the
//! result does not depend on threads.

use super::kernel::{GemmElement, Kernels};
use super::matrix::View;
use super::pack::Factor;

/// Steps of depth that are summed in registers before the output is touched.
///
/// A row group of the left factor (8 rows x 384 x 4 bytes = 12 KiB) stays in L1 while panels of the
/// right one stream by.
pub(super) const DEPTH_BLOCK: usize = 384;

/// Bytes of the right factor packed at a time: half of the smallest common L2 cache (1 MiB), from
/// which it is read again for every row group.
pub(super) const PACKED_BYTES: usize = 512 * 1024;

/// A right factor with contiguous lanes is not packed for up to this many rows: it is read only once
/// or twice.
const DIRECT_ROWS: usize = 16;

/// The left factor is packed if at least this many panels read it.
const PACK_LEFT_PANELS: usize = 4;

/// Cycles to pack one element that lies along vectors.
const COPY: f64 = 0.1;
/// Cycles to pack one element that lies across them.
const TRANSPOSE: f64 = 0.25;
/// Cycles to pack one element of a matrix with no contiguous direction, or by foreign code.
const GATHER: f64 = 1.0;
/// Cycles to write one element of a transposed tile.
const TURN: f64 = 0.5;

/// The steps of one block of depth: about equal ones, a function of the depth alone.
pub(super) fn depth_block(depth: usize) -> usize {
    depth.div_ceil(depth.div_ceil(DEPTH_BLOCK)).next_multiple_of(8)
}

/// Whether the right factor can be read where it lies.
pub(super) fn right_is_direct<T>(kernels: &Kernels<T>, rows: usize, right: &Factor<'_, T>) -> bool {
    let Factor::Matrix(right) = right else { return false };
    let view = right.by_cols();
    let whole = kernels.masked || view.lanes % kernels.lanes == 0;
    rows <= DIRECT_ROWS && (view.lane == 1 || view.lanes == 1) && whole
}

/// Whether the left factor can be read where it lies, by one broadcast after the other.
pub(super) fn left_is_direct<T>(left: &Factor<'_, T>, panels: usize) -> bool {
    matches!(left, Factor::Matrix(_)) && panels < PACK_LEFT_PANELS
}

/// Whether to compute the transposed product: vectors along the rows of the left factor.
pub(super) fn swaps<T: GemmElement>(
    kernels: &Kernels<T>,
    left: &Factor<'_, T>,
    right: &Factor<'_, T>,
    (rows, cols, depth): (usize, usize, usize),
) -> bool {
    if let Factor::Matrix(right) = right
        && right.by_cols().lane == 1
        && cols >= kernels.lanes
    {
        return false;
    }
    let (rows, cols, depth) = (rows as f64, cols as f64, depth as f64);
    let product = |rows: f64, cols: f64| {
        let lanes = kernels.lanes as f64;
        rows.max(2.0) * (cols / lanes).ceil() * depth / 2.0
    };
    let straight = product(rows, cols) + cols * depth * pack_cost(right, true);
    let turned = product(cols, rows) + rows * depth * pack_cost(left, false) + rows * cols * TURN;
    turned < straight
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
