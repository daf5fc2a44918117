//! Factors of half types, widened to f32 on their way into a panel.

use std::ops::Range;

use super::kernel::{Access, GemmElement, Kernels};
use super::matrix::View;
use super::pack::{Layout, Origin, Pack, Source, each_group, fill, pad, parts, split};
use super::plan::is_far;
use crate::kernels::Level;
use crate::storage::Scratch;

/// Steps that are widened at a time before they are transposed, and of a left factor before the next
/// rows: 48 lanes of them fit in L1.
const STEPS: usize = 64;

/// A factor whose elements are multiplied as f32.
pub(super) struct Widened<'a, T: GemmElement> {
    pub(super) origin: Origin<'a, T>,
    kernels: &'static Kernels<f32>,
    access: &'static Access<T>,
}

impl<T: GemmElement<Sum = f32>> Source<f32> for Widened<'_, T> {
    fn pack(&self, lanes: Range<usize>, depth: Range<usize>, width: usize, out: &mut [f32]) {
        let view = match self.origin {
            Origin::Foreign(pack) => return self.foreign(pack, lanes, depth, width, out),
            Origin::Strided(view) => view,
        };
        let (count, steps) = (lanes.len(), depth.len());
        match self.origin.layout() {
            Layout::Lanes => {
                self.widen_steps(view, (lanes.clone(), depth), width, out);
                pad(&mut out[..steps * width], count, width);
            }
            Layout::Depth => self.transpose(view, lanes, depth, width, out),
            Layout::Neither => {
                for (p, row) in depth.zip(out.chunks_exact_mut(width)) {
                    for (lane, x) in lanes.clone().zip(&mut *row) {
                        *x = view.get(lane, p).widen();
                    }
                    row[count..].fill(0.0);
                }
            }
        }
    }

    fn by_rows(&self) -> bool {
        matches!(self.origin, Origin::Strided(view) if view.step == 1)
    }

    fn rows(&self, lanes: Range<usize>, depth: Range<usize>, out: &mut [f32]) {
        let Origin::Strided(view) = self.origin else {
            unreachable!("a source that goes by groups")
        };
        let length = depth.len();
        self.widen_lanes(view, (lanes, depth), length, out);
    }

    fn groups(&self, lanes: Range<usize>, depth: Range<usize>, count: usize, out: &mut [f32]) {
        let view = match self.origin {
            Origin::Strided(view) if view.lane == 1 && is_far(view.lying::<T>().step) => view,
            _ => return each_group(self, lanes, depth, count, out),
        };
        let width = lanes.len();
        let mut wide = Scratch::<f32>::new(width * STEPS.min(depth.len()));
        for (first, steps) in parts(&depth, STEPS) {
            self.widen_steps(view, (lanes.clone(), steps.clone()), width, &mut wide);
            let from = (wide.as_ptr(), (width * size_of::<f32>()) as isize);
            let out = &mut out[first * count..];
            // SAFETY: `width` lanes of these steps have just been written.
            unsafe {
                split(self.kernels, from, (width / count, count, steps.len()), depth.len(), out)
            };
        }
    }

    fn steps(&self) -> usize {
        if self.origin.layout() == Layout::Lanes { STEPS } else { usize::MAX }
    }
}

impl<'a, T: GemmElement<Sum = f32>> Widened<'a, T> {
    pub(super) fn new(origin: Origin<'a, T>, kernels: &'static Kernels<f32>, level: Level) -> Self {
        Self { origin, kernels, access: T::access(level) }
    }

    /// Steps as rows of contiguous lanes, written `width` apart.
    fn widen_steps(
        &self,
        view: View<'_, T>,
        (lanes, steps): (Range<usize>, Range<usize>),
        width: usize,
        out: &mut [f32],
    ) {
        assert!(view.lane == 1 && lanes.end <= view.lanes && steps.end <= view.depth);
        let from = (view.at(lanes.start, steps.start), view.step);
        // SAFETY: lanes and steps lie in the view, and its lanes are contiguous.
        unsafe { self.widen(from, (steps.len(), lanes.len()), width, out) };
    }

    /// Lanes as rows of contiguous steps, written `width` apart.
    fn widen_lanes(
        &self,
        view: View<'_, T>,
        (lanes, steps): (Range<usize>, Range<usize>),
        width: usize,
        out: &mut [f32],
    ) {
        assert!(view.step == 1 && lanes.end <= view.lanes && steps.end <= view.depth);
        let from = (view.at(lanes.start, steps.start), view.lane);
        // SAFETY: lanes and steps lie in the view, and its steps are contiguous.
        unsafe { self.widen(from, (lanes.len(), steps.len()), width, out) };
    }

    /// `rows` rows of `cols` contiguous elements, `row` apart, into rows `width` apart.
    ///
    /// # Safety
    /// The elements are readable.
    unsafe fn widen(
        &self,
        (from, row): (*const T, isize),
        (rows, cols): (usize, usize),
        width: usize,
        out: &mut [f32],
    ) {
        assert!(cols <= width && rows * width <= out.len());
        // SAFETY: the caller's promise; `out` is long enough; tables are only handed out for a level
        // this CPU has.
        unsafe { (self.access.widen)(from, row, rows, cols, out.as_mut_ptr(), width) };
    }

    fn transpose(
        &self,
        view: View<'_, T>,
        lanes: Range<usize>,
        depth: Range<usize>,
        width: usize,
        out: &mut [f32],
    ) {
        let (count, size) = (lanes.len(), size_of::<f32>() as isize);
        let mut wide = Scratch::<f32>::new(count * STEPS.min(depth.len()));
        for start in depth.clone().step_by(STEPS) {
            let steps = STEPS.min(depth.end - start);
            self.widen_lanes(view, (lanes.clone(), start..start + steps), steps, &mut wide);
            let out = &mut out[(start - depth.start) * width..];
            let from = (wide.as_ptr(), (steps as isize * size, size));
            // SAFETY: `count` lanes of `steps` elements have just been written.
            unsafe { fill(self.kernels, from, count, steps, width, out) };
        }
    }

    /// Packed by foreign code as it is, then widened.
    fn foreign(
        &self,
        pack: &dyn Pack<T>,
        lanes: Range<usize>,
        depth: Range<usize>,
        width: usize,
        out: &mut [f32],
    ) {
        let mut narrow = Scratch::<T>::new(STEPS.min(depth.len()) * width);
        for start in depth.clone().step_by(STEPS) {
            let part = start..depth.end.min(start + STEPS);
            let len = part.len() * width;
            pack.pack(lanes.clone(), part, width, &mut narrow[..len]);
            let out = &mut out[(start - depth.start) * width..][..len];
            // SAFETY: both are `len` elements long; the CPU has the level.
            unsafe { (self.access.widen)(narrow.as_ptr(), 0, 1, len, out.as_mut_ptr(), len) };
        }
    }
}
