//! Factors of bf16 in pairs of neighbouring steps, as `vdpbf16ps` takes them.

use std::ops::Range;

use half::bf16;

use super::kernel::{Kernels, Pair};
use super::matrix::{Lying, View};
use super::pack::{Layout, Origin, Pack, Source, fill, pad};
use crate::storage::Scratch;

/// Pairs that foreign code packs at a time, and of a left factor before the next rows: 48 lanes of them
/// fit in L1.
const PAIRS: usize = 64;

/// A factor whose depth is taken by two; an odd last step is paired with 0.
pub(super) struct Pairs<'a> {
    pub(super) origin: Origin<'a, bf16>,
    pub(super) kernels: &'static Kernels<Pair>,
    /// Steps, not pairs.
    pub(super) depth: usize,
    pub(super) join: Join,
}

/// `(first, second, row, lanes, pairs, width, out)`: `out[p·width + j]` is the pair of
/// `first[p·row + j]` and `second[p·row + j]`, for `j < lanes`, `p < pairs`.
pub(super) type Join = unsafe fn(*const bf16, *const bf16, isize, usize, usize, usize, *mut Pair);

impl Pairs<'_> {
    /// Where the pairs lie, if they do.
    pub(super) fn lying(&self) -> Option<Lying<Pair>> {
        match self.origin {
            Origin::Strided(view) if view.step == 1 && self.depth.is_multiple_of(2) => {
                Some(view.lying::<Pair>().by_two())
            }
            _ => None,
        }
    }

    /// The steps of some pairs.
    fn range(&self, pairs: &Range<usize>) -> Range<usize> {
        2 * pairs.start..self.depth.min(2 * pairs.end)
    }

    /// Contiguous depth: whole pairs are transposed, an odd last step comes by itself.
    fn transpose(
        &self,
        view: View<'_, bf16>,
        lanes: Range<usize>,
        pairs: Range<usize>,
        width: usize,
        out: &mut [Pair],
    ) {
        let steps = self.range(&pairs);
        let whole = steps.len() / 2;
        let lying = view.lying::<Pair>().by_two();
        let from = (lying.at(lanes.start, pairs.start), (lying.lane, lying.step));
        assert!(lanes.end <= view.lanes && steps.end <= view.depth);
        // SAFETY: `whole` pairs from an even step on lie in the lanes of the view.
        unsafe { fill(self.kernels, from, lanes.len(), whole, width, out) };
        if whole < pairs.len() {
            let row = &mut out[whole * width..][..width];
            row.fill(Pair(0));
            for (x, lane) in row.iter_mut().zip(lanes) {
                *x = Pair::new(view.get(lane, steps.end - 1), bf16::ZERO);
            }
        }
    }

    /// Contiguous lanes: two steps are joined, an odd last one comes by itself.
    fn join(
        &self,
        view: View<'_, bf16>,
        lanes: Range<usize>,
        pairs: Range<usize>,
        width: usize,
        out: &mut [Pair],
    ) {
        let (steps, count) = (self.range(&pairs), lanes.len());
        let whole = steps.len() / 2;
        let at = |step| view.at(lanes.start, step);
        let (first, second, row) = (at(steps.start), at(steps.start + 1), 2 * view.step);
        assert!(lanes.end <= view.lanes && steps.end <= view.depth);
        assert!(count <= width && pairs.len() * width <= out.len());
        // SAFETY: `whole` pairs of steps with contiguous lanes lie in the view; `out` is long enough;
        // the CPU has the instructions.
        unsafe { (self.join)(first, second, row, count, whole, width, out.as_mut_ptr()) };
        if whole < pairs.len() {
            let odd = view.run(lanes.start, steps.end - 1, count);
            for (x, &first) in out[whole * width..].iter_mut().zip(odd) {
                *x = Pair::new(first, bf16::ZERO);
            }
        }
        pad(&mut out[..pairs.len() * width], count, width);
    }

    /// Rows of anything: panels of some pairs, each transposed.
    fn turn(&self, lanes: Range<usize>, pairs: Range<usize>, out: &mut [Pair]) {
        let (count, length) = (lanes.len(), pairs.len());
        assert!(count * length <= out.len());
        let mut panel = Scratch::<Pair>::new(PAIRS.min(length) * count);
        for start in pairs.clone().step_by(PAIRS) {
            let part = start..pairs.end.min(start + PAIRS);
            let panel = &mut panel[..part.len() * count];
            self.pack(lanes.clone(), part.clone(), count, panel);
            let (from, pair) = (panel.as_ptr(), size_of::<Pair>() as isize);
            let to = out[start - pairs.start..].as_mut_ptr();
            // SAFETY: the panel has `part.len()` rows of `count` pairs, and `to` as many columns of as
            // many rows that are `length` long; tables are only handed out for a level this CPU has.
            unsafe {
                let row = count as isize * pair;
                (self.kernels.pack)(from, row, pair, part.len(), count, length, to);
            }
        }
    }

    /// Packed by foreign code step by step, then joined.
    fn foreign(
        &self,
        pack: &dyn Pack<bf16>,
        lanes: Range<usize>,
        pairs: Range<usize>,
        width: usize,
        out: &mut [Pair],
    ) {
        let mut steps = Scratch::<bf16>::new(2 * PAIRS.min(pairs.len()) * width);
        for start in pairs.clone().step_by(PAIRS) {
            let part = start..pairs.end.min(start + PAIRS);
            let range = self.range(&part);
            let steps = &mut steps[..2 * part.len() * width];
            let (packed, odd) = steps.split_at_mut(range.len() * width);
            pack.pack(lanes.clone(), range, width, packed);
            odd.fill(bf16::ZERO);
            let out = &mut out[(start - pairs.start) * width..][..part.len() * width];
            let (first, second) = (steps.as_ptr(), steps[width..].as_ptr());
            let (row, count) = (2 * width as isize, part.len());
            // SAFETY: `2·count` rows as wide as those of `out`; the CPU has the instructions.
            unsafe { (self.join)(first, second, row, width, count, width, out.as_mut_ptr()) };
        }
    }
}

impl Source<Pair> for Pairs<'_> {
    fn pack(&self, lanes: Range<usize>, pairs: Range<usize>, width: usize, out: &mut [Pair]) {
        let view = match self.origin {
            Origin::Foreign(pack) => return self.foreign(pack, lanes, pairs, width, out),
            Origin::Strided(view) => view,
        };
        match self.origin.layout() {
            Layout::Lanes => self.join(view, lanes, pairs, width, out),
            Layout::Depth => self.transpose(view, lanes, pairs, width, out),
            Layout::Neither => {
                let at = |lane, p| if p < self.depth { view.get(lane, p) } else { bf16::ZERO };
                for (pair, row) in pairs.zip(out.chunks_exact_mut(width)) {
                    row.fill(Pair(0));
                    for (lane, x) in lanes.clone().zip(row) {
                        *x = Pair::new(at(lane, 2 * pair), at(lane, 2 * pair + 1));
                    }
                }
            }
        }
    }

    fn by_rows(&self) -> bool {
        self.kernels.by_rows || matches!(self.origin, Origin::Strided(view) if view.step == 1)
    }

    /// Contiguous depth stays so; else panels are transposed.
    fn rows(&self, lanes: Range<usize>, pairs: Range<usize>, out: &mut [Pair]) {
        let view = match self.origin {
            Origin::Strided(view) if view.step == 1 => view,
            _ => return self.turn(lanes, pairs, out),
        };
        let (steps, length) = (self.range(&pairs), pairs.len());
        for (lane, out) in lanes.zip(out.chunks_exact_mut(length)) {
            let (whole, odd) = view.run(lane, steps.start, steps.len()).as_chunks::<2>();
            for (x, &[first, second]) in out.iter_mut().zip(whole) {
                *x = Pair::new(first, second);
            }
            if let ([x], Some(last)) = (odd, out.last_mut()) {
                *last = Pair::new(*x, bf16::ZERO);
            }
        }
    }

    fn steps(&self) -> usize {
        if self.origin.layout() == Layout::Lanes { PAIRS } else { usize::MAX }
    }
}
