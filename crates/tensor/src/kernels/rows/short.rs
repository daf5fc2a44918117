//! Short rows, several at a time.
//!
//! A row of ten scores fills no register, and padding it costs five times the work. So the
//! exponentials of many rows are computed as one contiguous piece, between cheap passes by rows.

use super::super::real::Real;
use super::super::reduce::{Fold, Maximum, Sum, fold_rows};
use super::{BLOCK, RowFloat};
use std::mem::MaybeUninit;

/// The longest row that goes this way forward: from here on the passes by rows cost more than they
/// save (0.35 ns an element against 0.39 at 256). Backward has less to save and stops at `BLOCK`.
pub(super) const SHORT: usize = 256;

/// Elements of a group of rows: 16 blocks; with its exponentials 8 KB of f32 in the L1 cache.
pub(super) const GROUP: usize = 16 * BLOCK;

/// Rows a group has at most; rows of one element would be `GROUP`.
const ROWS: usize = 128;

/// A group of rows and what is known of them.
pub(super) struct Group<T> {
    /// `e^(x − shift)` for each element.
    pub(super) exps: [T; GROUP],
    /// What was taken off each row.
    pub(super) shifts: [T; ROWS],
    /// The sum of the exponentials of each row.
    pub(super) sums: [T; ROWS],
}

/// How many elements a group of rows of `n` has.
#[inline(always)]
pub(super) fn group_len(n: usize) -> usize {
    n * (GROUP / n).min(ROWS)
}

impl<T: RowFloat> Group<T> {
    #[inline(always)]
    pub(super) fn new() -> Self {
        Self { exps: [T::ZERO; GROUP], shifts: [T::ZERO; ROWS], sums: [T::ZERO; ROWS] }
    }

    /// Fills the group from the rows `x`. With `keep_infinities` a row whose largest element is
    /// infinite is not shifted, which would make NaN of it.
    #[inline(always)]
    pub(super) fn fill<const FMA: bool>(&mut self, x: &[T], n: usize, keep_infinities: bool) {
        fold_short::<Maximum, T>(Maximum, x, n, &mut self.shifts);
        let rows = x.chunks_exact(n).zip(self.exps.chunks_exact_mut(n));
        for ((x, exps), shift) in rows.zip(&mut self.shifts) {
            if keep_infinities && (*shift == T::LOWEST || *shift == T::HIGHEST) {
                *shift = T::ZERO;
            }
            let shift = shift.wrap::<FMA>();
            for (e, x) in exps.iter_mut().zip(x) {
                *e = T::unwrap::<FMA>(x.wrap::<FMA>() - shift);
            }
        }
        self.exp::<FMA>(x.len());
        fold_short::<Sum, T>(Sum, &self.exps[..x.len()], n, &mut self.sums);
    }

    /// Replaces the first `len` elements by their exponentials.
    #[inline(always)]
    pub(super) fn exp<const FMA: bool>(&mut self, len: usize) {
        // Whole blocks; beyond `len` there are numbers nobody reads.
        for block in self.exps.as_chunks_mut::<BLOCK>().0.iter_mut().take(len.div_ceil(BLOCK)) {
            for v in block {
                *v = T::unwrap::<FMA>(v.wrap::<FMA>().exp());
            }
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
