//! Which factor is spread over vectors, and what is packed: by shape and strides alone, so that the
//! result does not depend on threads.

use super::kernel::{Kernels, Summand};
use super::matrix::Lying;
use super::pack::Layout;

/// Steps of depth that are summed in registers before the output is touched.
///
/// A row group of the left factor (8 rows x 800 x 4 bytes = 25 KiB) stays in L1 while panels of the
/// right one stream by. Measured with 48 KiB of L1, f32, AVX-512: 64x784x256 in one block 257 GF/s,
/// in two 230; with 1024 steps, a transposed left factor (a line for each step) falls from 250 to 219.
pub(super) const DEPTH_BLOCK: usize = 800;

/// Bytes of the right factor that a task uses at a time: half of the smallest common L2 cache (1 MiB),
/// from which they are read again for every row group.
pub(super) const RIGHT_BYTES: usize = 512 * 1024;

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
/// Cycles to write an element of a turned tile: its rows are columns of the output, parts of lines that are far
/// from each other. In GF/s, straight and turned, AVX-512 (a peak of 170), depth-contiguous right factors:
/// 384x1024x1024 143 and 88, 64x256x128 127 and 109, 64x512x512 129 and 126, 32x256x256 115 and 112; but 64x1024x1024
/// 118 and 123, 32x1024x1024 100 and 121.
const TURN: f64 = 2.0;
/// Products of up to this many multiplications (20^3) take what can be read where it lies: thinking about
/// it would take longer.
const SMALL: usize = 8000;
/// Cycles from a multiplication to the next that needs its sum.
const LATENCY: f64 = 4.0;

/// The steps of one block of depth: about equal ones, a function of the depth alone.
pub(super) fn depth_block(depth: usize, most: usize) -> usize {
    even(depth, most, 8)
}

/// The size of about equal parts of `all` that are at most `most` long, in whole units.
pub(in crate::kernels) fn even(all: usize, most: usize, unit: usize) -> usize {
    if all <= most {
        return all;
    }
    let most = (most - most % unit).max(unit);
    all.div_ceil(all.div_ceil(most)).next_multiple_of(unit)
}

/// Tasks to aim at: enough to share evenly between a few dozen threads.
pub(super) const TASKS: usize = 32;

/// A packed right factor of at least so many vectors is cut into two sets at least, so that two threads need not both
/// pack all of it: 256x256x256 on two cores of a Granite Rapids 287 GF/s instead of 278, medians of loud minutes.
const HALVED_VECTORS: usize = 16;
/// If it has at least so many steps. 512x10x1024, which mostly writes, falls from 227 GF/s to 179.
const HALVED_DEPTH: usize = 64;
/// And is for at most so many rows, else packing is a small part of the work. 2048x128x512 falls from 310 to 286.
const HALVED_ROWS: usize = 1024;

/// Packed sets of at least so many vectors are equal, for which some panels are thin; narrower ones have whole panels, as
/// have those that nobody packs. 128x128x128 reaches 205 GF/s with 3 + 3 vectors and 2, and 200 with 2 + 2 and 2 + 2.
const EVEN_FROM: usize = 7;
/// And if there are so many at most; of more, one set is a small part of what a thread does. 2048x2048x2048 reaches 207 GF/s
/// with sets of 12 vectors and 203 with those of 11.
const EVEN_UP_TO: usize = 4;

/// Vectors of a set of columns, by which tasks cut a block of so many rows, vectors and steps: so few that the right factor
/// of a set stays in L2, fewer if there are few rows. The flags say which factors are packed.
pub(super) fn set_width<P: Summand>(
    kernels: &Kernels<P>,
    (rows, vectors, depth): (usize, usize, usize),
    [left_packed, right_packed]: [bool; 2],
) -> usize {
    let groups = rows.div_ceil(kernels.rows);
    let bytes = vectors * kernels.lanes * depth * size_of::<P>();
    // If there is one row group, nothing is read twice.
    let fit = if groups == 1 { 1 } else { bytes.div_ceil(kernels.right_bytes) };
    let least = fit.max(TASKS.div_ceil(groups));
    let halved = right_packed
        && !left_packed
        && rows <= HALVED_ROWS
        && vectors >= HALVED_VECTORS
        && depth >= HALVED_DEPTH;
    // An even number of packed sets: tasks are shared by halves, so that threads begin with sets of their own.
    let paired = halved || right_packed && least > 1;
    let sets = if paired { least.next_multiple_of(2) } else { least };
    let each = vectors.div_ceil(sets);
    if right_packed && sets <= EVEN_UP_TO && each >= EVEN_FROM {
        each
    } else {
        each.next_multiple_of(kernels.vectors)
    }
}

/// Whether the right factor can be read where it lies.
pub(super) fn right_is_direct<P: Summand>(
    kernels: &Kernels<P>,
    (rows, cols): (usize, usize),
    right: &Lying<P>,
) -> bool {
    let whole = kernels.masked || cols % kernels.lanes == 0;
    let near = right.step.unsigned_abs() <= DIRECT_STRIDE;
    let few = rows <= if near { DIRECT_ROWS } else { kernels.rows };
    few && whole && (right.lane == size_of::<P>() as isize || cols == 1)
}

/// A left factor whose steps are further apart than this (bytes) is packed: the lines of its steps meet in few sets
/// of the L1 cache, from 4 KiB on each is on a page of its own, and all panels of the right factor come back to
/// them. Where it lies and packed, in GF/s, transposed, with one thread. AVX-512, a peak of 150 and 48 KiB of L1: at
/// 4 KiB 1024x512x1024 78 and 119; at 8 KiB 2048x2048x2048 55 and 85; at 2 KiB 512x512x512 113 and 111. AVX2, a
/// peak of 103 and 32 KiB: at 2 KiB 512x512x512 70 and 86; at 1 KiB 256x256x256 84 and 88.
const LEFT_STRIDE: usize = 512;

/// Whether steps so many bytes apart are further than [`LEFT_STRIDE`].
pub(super) fn is_far(step: isize) -> bool {
    step.unsigned_abs() > LEFT_STRIDE
}

/// Whether the left factor can be read where it lies.
pub(super) fn left_is_direct<P: Summand>(
    kernels: &Kernels<P>,
    cols: usize,
    left: &Lying<P>,
) -> bool {
    !is_far(left.step) || cols <= kernels.lanes * kernels.vectors
}

/// Whether to compute the transposed product: vectors along the rows of the left factor.
pub(super) fn swaps<P: Summand>(
    kernels: &Kernels<P>,
    (left, right): (Layout, Layout),
    (rows, cols, depth): (usize, usize, usize),
) -> bool {
    let small = rows * cols * depth <= SMALL;
    if right == Layout::Lanes && (small || cols >= 2 * kernels.lanes) {
        return false;
    }
    if left == Layout::Lanes && small {
        return true;
    }
    let (m, n, k) = (rows as f64, cols as f64, depth as f64);
    let straight = k * tiles(kernels, rows, cols) + n * k * pack_cost(right);
    let turned = k * tiles(kernels, cols, rows) + m * k * pack_cost(left) + m * n * TURN;
    turned < straight
}

/// Cycles of one step of depth in all tiles: two multiplications, or one broadcast, in each.
fn tiles<P: Summand>(kernels: &Kernels<P>, rows: usize, cols: usize) -> f64 {
    let panels = (cols as f64 / (kernels.lanes * kernels.vectors) as f64).max(1.0);
    let vectors = cols.div_ceil(kernels.lanes).min(kernels.vectors) as f64;
    let tile = |rows: usize| (rows as f64 * (vectors / 2.0).max(1.0)).max(LATENCY);
    let (full, rest) = (rows / kernels.rows, rows % kernels.rows);
    let parts = [4, 2, 1].map(|part| if rest & part == 0 { 0.0 } else { tile(part) });
    panels * (full as f64 * tile(kernels.rows) + parts.iter().sum::<f64>())
}

fn pack_cost(layout: Layout) -> f64 {
    match layout {
        Layout::Lanes => COPY,
        Layout::Depth => TRANSPOSE,
        Layout::Neither => GATHER,
    }
}
