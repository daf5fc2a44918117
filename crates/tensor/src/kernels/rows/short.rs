//! Short rows, several at a time.
//!
//! A row of ten scores fills no register, and padding it costs five times the work. So the
//! exponentials of many rows are computed as one contiguous piece, between cheap passes by rows.

use super::super::real::Real;
use super::super::reduce::{Fold, fold_rows};
use super::{BLOCK, ROWS, RowFloat};
use std::mem::MaybeUninit;

/// The longest row that goes this way forward: from here on the passes by rows cost more than they
/// save (0.35 ns an element against 0.39 at 256). Backward has less to save and stops at `BLOCK`.
pub(super) const SHORT: usize = 256;

/// Elements of a group of rows: 16 blocks; with its exponentials 8 KB of f32 in the L1 cache.
pub(super) const GROUP: usize = 16 * BLOCK;

/// A group of rows and what is known of them.
pub(super) struct Group<T> {
    /// An exponential or a product for each element.
    pub(super) exps: [T; GROUP],
    /// A sum for each row.
    pub(super) sums: [T; ROWS],
}

impl<T: RowFloat> Group<T> {
    #[inline(always)]
    pub(super) fn new() -> Self {
        Self { exps: [T::ZERO; GROUP], sums: [T::ZERO; ROWS] }
    }
}

/// Replaces the first `len` elements by their exponentials, and those behind in the same block by anything.
#[inline(always)]
pub(super) fn exp_blocks<T: RowFloat, const FMA: bool>(x: &mut [T], len: usize) {
    for block in x.as_chunks_mut::<BLOCK>().0.iter_mut().take(len.div_ceil(BLOCK)) {
        for v in block {
            *v = T::unwrap::<FMA>(v.wrap::<FMA>().exp());
        }
    }
}

/// Folds short rows, which has the same bits at each level; a call, so that the code of this level
/// and the best one for such rows do not mix.
pub(super) fn fold_short<F: Fold, T: RowFloat>(f: F, x: &[T], n: usize, out: &mut [T]) {
    let rows = x.len() / n;
    // SAFETY: `MaybeUninit<T>` has the layout of `T`, and `fold_rows_at` only writes elements.
    let out = unsafe { &mut *(&raw mut out[..rows] as *mut [MaybeUninit<T>]) };
    fold_rows(f, x, [rows, n, 1], out);
}
