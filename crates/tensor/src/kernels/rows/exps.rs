//! The passes that softmax and its relatives forward are made of. Each is compiled once for all of them, at each level.

use super::super::dispatch::Kernel;
use super::super::level::Level;
use super::super::real::{Real, unwrapped, wrapped};
use super::super::reduce::{Maximum, Sum};
use super::super::stream::{self, Write};
use super::short::{SHORT, exp_blocks};
use super::{BLOCK, Lanes, ROWS, RowFloat, fold_group, load, runs, store};
use std::mem::MaybeUninit;

/// Elements of a row whose exponentials are kept until their sum is known: 16 KiB of f32. In a longer row
/// they are computed twice.
pub(super) const KEPT: usize = 4096;

/// What is known of a group of rows: what was taken off each row, and the sum of its exponentials.
pub(super) struct Sums<T> {
    pub(super) shifts: [T; ROWS],
    pub(super) sums: [T; ROWS],
}

impl<T: RowFloat> Sums<T> {
    pub(super) fn new() -> Self {
        Self { shifts: [T::ZERO; ROWS], sums: [T::ZERO; ROWS] }
    }
    /// Of the rows `x`, whose exponentials go to `exps`: they need room there, without gaps up to `SHORT` elements,
    /// else each row in whole blocks. Of rows above `SHORT` they may be nowhere. With `keep_infinities` a row
    /// whose largest element is infinite is not shifted, which would make NaN of it.
    pub(super) fn fill(
        &mut self,
        level: Level,
        x: &[T],
        n: usize,
        exps: &mut [T],
        keep_infinities: bool,
    ) {
        fold_group(level, Maximum, x, n, &mut self.shifts);
        let infinite = |v: &&mut T| **v == T::LOWEST || **v == T::HIGHEST;
        if keep_infinities {
            self.shifts[..x.len() / n].iter_mut().filter(infinite).for_each(|v| *v = T::ZERO);
        }
        let Self { shifts, sums } = self;
        if n <= SHORT {
            T::run_at(level, ShortExps { x, n, shifts, exps });
            fold_group(level, Sum, &exps[..x.len()], n, sums);
        } else {
            T::run_at(level, ExpSums { x, n, shifts, exps, sums });
        }
    }
    /// The logarithms of the sums, in their place.
    pub(super) fn ln(&mut self, level: Level, rows: usize) {
        T::run_at(level, Ln { x: &mut self.sums, rows });
    }
}

/// `e^(x − shift)` of short rows, as one contiguous piece.
struct ShortExps<'a, T> {
    x: &'a [T],
    n: usize,
    shifts: &'a [T],
    exps: &'a mut [T],
}

impl<T: RowFloat> Kernel for ShortExps<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(self) {
        let rows = self.x.chunks_exact(self.n).zip(self.exps.chunks_exact_mut(self.n));
        for ((x, exps), shift) in rows.zip(self.shifts) {
            let shift = shift.wrap::<FMA>();
            for (e, x) in exps.iter_mut().zip(x) {
                *e = T::unwrap::<FMA>(x.wrap::<FMA>() - shift);
            }
        }
        exp_blocks::<T, FMA>(self.exps, self.x.len());
    }
}

/// `Σ e^(x − shift)` of each row of `n`, and the exponentials, each row in whole blocks, if there is room.
pub(super) struct ExpSums<'a, T> {
    pub(super) x: &'a [T],
    pub(super) n: usize,
    pub(super) shifts: &'a [T],
    pub(super) exps: &'a mut [T],
    pub(super) sums: &'a mut [T],
}

impl<T: RowFloat> Kernel for ExpSums<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(self) {
        let mut exps = self.exps.as_chunks_mut::<BLOCK>().0.iter_mut();
        let rows = self.x.chunks_exact(self.n).zip(self.shifts).zip(self.sums);
        for ((x, shift), sum) in rows {
            let shift = shift.wrap::<FMA>();
            let mut lanes = Lanes::new();
            for run in runs(self.n) {
                for at in run {
                    stream::fetch_ahead(x[at..].as_ptr());
                    // e^(-inf) = 0: what is padded adds nothing.
                    let mut block = load::<T, FMA>(x, at, T::LOWEST);
                    for v in &mut block {
                        *v = (*v - shift).exp();
                    }
                    if let Some(exps) = exps.next() {
                        *exps = unwrapped::<T, FMA, BLOCK>(&block);
                    }
                    lanes.add(block);
                }
                lanes.flush();
            }
            *sum = T::unwrap::<FMA>(lanes.sum());
        }
    }
}

/// `ln x` for the first `rows` elements; behind them are numbers that nobody reads.
struct Ln<'a, T> {
    x: &'a mut [T; ROWS],
    rows: usize,
}

/// Logarithms side by side: an AVX-512 register of f32.
const LOGS: usize = 16;

impl<T: RowFloat> Kernel for Ln<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(self) {
        let blocks = self.x.as_chunks_mut::<LOGS>().0;
        for block in blocks.iter_mut().take(self.rows.div_ceil(LOGS)) {
            for v in block {
                *v = T::unwrap::<FMA>(v.wrap::<FMA>().ln());
            }
        }
    }
}

/// `y = e/sum` for exponentials as [`Sums::fill`] leaves them.
pub(super) struct Scaled<'a, T> {
    pub(super) exps: &'a [T],
    pub(super) n: usize,
    pub(super) sums: &'a [T],
    pub(super) y: &'a mut [MaybeUninit<T>],
    pub(super) how: Write,
}

impl<T: RowFloat> Kernel for Scaled<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(self) {
        let n = self.n;
        let stride = if n <= SHORT { n } else { n.next_multiple_of(BLOCK) };
        let rows = self.y.chunks_exact_mut(n).zip(self.exps.chunks_exact(stride)).zip(self.sums);
        for ((y, exps), sum) in rows {
            let scale = sum.wrap::<FMA>().recip();
            if n <= SHORT {
                for (e, y) in exps.iter().zip(y) {
                    y.write(T::unwrap::<FMA>(e.wrap::<FMA>() * scale));
                }
                continue;
            }
            for (i, exps) in exps.as_chunks::<BLOCK>().0.iter().enumerate() {
                let mut block = wrapped::<T, FMA, BLOCK>(exps);
                for v in &mut block {
                    *v = *v * scale;
                }
                store::<T, FMA>(y, i * BLOCK, block, self.how);
            }
        }
    }
}

/// `y = x − shift − log` of each row of `n`.
pub(super) struct Shifted<'a, T> {
    pub(super) x: &'a [T],
    pub(super) n: usize,
    pub(super) shifts: &'a [T],
    pub(super) logs: &'a [T],
    pub(super) y: &'a mut [MaybeUninit<T>],
    pub(super) how: Write,
}

impl<T: RowFloat> Kernel for Shifted<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(self) {
        let n = self.n;
        let rows = self.x.chunks_exact(n).zip(self.y.chunks_exact_mut(n));
        for ((x, y), (shift, log)) in rows.zip(self.shifts.iter().zip(self.logs)) {
            let (shift, log) = (shift.wrap::<FMA>(), log.wrap::<FMA>());
            if n <= SHORT {
                for (x, y) in x.iter().zip(y) {
                    y.write(T::unwrap::<FMA>(x.wrap::<FMA>() - shift - log));
                }
                continue;
            }
            for at in (0..n).step_by(BLOCK) {
                let mut block = load::<T, FMA>(x, at, T::ZERO);
                for v in &mut block {
                    *v = *v - shift - log;
                }
                store::<T, FMA>(y, at, block, self.how);
            }
        }
    }
}
