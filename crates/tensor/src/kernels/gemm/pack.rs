//! The seam for factors that are no strided matrix: a panel is filled by whoever knows how.

use std::ops::Range;

use super::kernel::{Kernels, Summand};
use super::matrix::{MatRef, View};

/// A factor of a product that fills packed panels, from anything: half types widened on the way, or
/// the patches of an image (im2col), which then never exist as a matrix.
///
/// A *lane* is a row of the left or a column of the right factor; along its *depth* products are
/// summed.
pub trait Pack<T>: Sync {
    /// Rows of the left, or columns of the right factor.
    fn lanes(&self) -> usize;

    /// Columns of the left, or rows of the right factor.
    fn depth(&self) -> usize;

    /// Writes `out[p · width + j] =` element `depth.start + p` of lane `lanes.start + j`, and 0 for
    /// `lanes.len() <= j < width`; `out` has `depth.len() · width` elements of undefined content.
    ///
    /// Called from several threads at once, and for one panel perhaps more than once.
    fn pack(&self, lanes: Range<usize>, depth: Range<usize>, width: usize, out: &mut [T]);
}

/// One factor of a product: a strided matrix, or something that packs itself.
#[derive(Clone, Copy)]
pub enum Factor<'a, T> {
    /// A strided matrix. It is packed only where that pays.
    Matrix(MatRef<'a, T>),
    /// Always packed, by its own code.
    Packed(&'a dyn Pack<T>),
}

impl<'a, T> From<MatRef<'a, T>> for Factor<'a, T> {
    fn from(matrix: MatRef<'a, T>) -> Self {
        Self::Matrix(matrix)
    }
}

/// How a factor lies, or who packs it.
#[derive(Clone, Copy)]
pub(super) enum Origin<'a, T> {
    Strided(View<'a, T>),
    Foreign(&'a dyn Pack<T>),
}

impl<T: Copy> Origin<'_, T> {
    #[inline]
    pub(super) fn layout(&self) -> Layout {
        match self {
            Self::Strided(View { lane: 1, .. }) => Layout::Lanes,
            Self::Strided(View { step: 1, .. }) => Layout::Depth,
            _ => Layout::Neither,
        }
    }
}

/// Which neighbours in memory are neighbours in a factor.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    /// Lanes of one step.
    Lanes,
    /// Steps of one lane.
    Depth,
    /// None, or nobody knows.
    Neither,
}

/// What fills the panels of one factor.
pub(super) trait Source<P>: Sync {
    /// As [`Pack::pack`]; the depth counts elements of panels.
    fn pack(&self, lanes: Range<usize>, depth: Range<usize>, width: usize, out: &mut [P]);

    /// Whether the rows of a left factor are packed by [`Source::rows`], because that is quicker than groups.
    fn by_rows(&self) -> bool {
        false
    }

    /// Fills `out` with some rows of a left factor, one behind the other. Only of a source that goes by rows.
    fn rows(&self, _lanes: Range<usize>, _depth: Range<usize>, _out: &mut [P]) {
        unreachable!("a source that goes by groups");
    }

    /// Fills `out` with at least one group of `count` rows of a left factor, panels one behind the other.
    fn groups(&self, lanes: Range<usize>, depth: Range<usize>, count: usize, out: &mut [P]) {
        each_group(self, lanes, depth, count, out);
    }

    /// Steps to pack before the next lanes are quicker than the next steps.
    fn steps(&self) -> usize {
        usize::MAX
    }
}

/// Steps of contiguous lanes that are packed before the next lanes of the same steps: so whole rows of
/// the matrix are read in one go, and the lines that one panel leaves half read stay in L1 for the next.
const STEPS: usize = 64;

/// A factor whose elements are multiplied as they are: copied if its lanes are contiguous, transposed
/// in vector registers if its depth is.
pub(super) struct Plain<'a, T: Summand> {
    pub(super) origin: Origin<'a, T>,
    pub(super) kernels: &'static Kernels<T>,
}

impl<T: Summand> Source<T> for Plain<'_, T> {
    fn pack(&self, lanes: Range<usize>, depth: Range<usize>, width: usize, out: &mut [T]) {
        let view = match self.origin {
            Origin::Foreign(pack) => return pack.pack(lanes, depth, width, out),
            Origin::Strided(view) => view,
        };
        assert!(lanes.end <= view.lanes && depth.end <= view.depth);
        if lanes.is_empty() || depth.is_empty() {
            return;
        }
        let here = view.lying::<T>();
        let from = here.at(lanes.start, depth.start);
        let strides = (here.lane, here.step);
        // SAFETY: both ranges lie in the view, whose elements lie in its slice.
        unsafe { fill(self.kernels, (from, strides), lanes.len(), depth.len(), width, out) };
    }

    fn groups(&self, lanes: Range<usize>, depth: Range<usize>, count: usize, out: &mut [T]) {
        match self.origin {
            Origin::Strided(view) if view.lane == 1 && !depth.is_empty() => {
                assert!(lanes.end <= view.lanes && depth.end <= view.depth);
                let here = view.lying::<T>();
                let from = (here.at(lanes.start, depth.start), here.step);
                let sizes = (lanes.len() / count, count, depth.len());
                // SAFETY: both ranges lie in the view, whose elements lie in its slice.
                unsafe { split(self.kernels, from, sizes, depth.len(), out) };
            }
            _ => each_group(self, lanes, depth, count, out),
        }
    }

    fn steps(&self) -> usize {
        if self.origin.layout() == Layout::Lanes { STEPS } else { usize::MAX }
    }
}

/// Parts of some steps, at most so long, and how far from the first each begins.
#[inline]
pub(super) fn parts(
    steps: &Range<usize>,
    most: usize,
) -> impl Iterator<Item = (usize, Range<usize>)> {
    let (start, end) = (steps.start, steps.end);
    (0..steps.len())
        .step_by(most)
        .map(move |first| (first, start + first..end.min((start + first).saturating_add(most))))
}

/// [`Source::groups`], one after the other.
pub(super) fn each_group<P, S: Source<P> + ?Sized>(
    source: &S,
    lanes: Range<usize>,
    depth: Range<usize>,
    count: usize,
    out: &mut [P],
) {
    for (first, steps) in parts(&depth, source.steps()) {
        let groups = lanes.clone().step_by(count);
        for (lane, out) in groups.zip(out.chunks_exact_mut(count * depth.len())) {
            let out = &mut out[first * count..][..steps.len() * count];
            source.pack(lane..lane + count, steps.clone(), count, out);
        }
    }
}

/// Copies contiguous lanes into the panels of groups of `count`, which are `whole` steps deep.
///
/// # Safety
/// The elements, with the step in bytes, are readable.
pub(super) unsafe fn split<P: Summand>(
    kernels: &Kernels<P>,
    (from, step): (*const P, isize),
    (groups, count, depth): (usize, usize, usize),
    whole: usize,
    out: &mut [P],
) {
    assert!(groups > 0 && ((groups - 1) * whole + depth) * count <= out.len());
    let sizes = (groups, count, depth);
    // SAFETY: the caller's promise; `out` is long enough; `Kernels` are only handed out for a level this CPU has.
    unsafe { (kernels.split)(from, step, sizes, count * whole, out.as_mut_ptr()) };
}

/// Transposes or copies `lanes` lanes of `depth` steps into a panel, and pads it.
///
/// # Safety
/// The elements, with strides in bytes, are readable.
pub(in crate::kernels) unsafe fn fill<P: Summand>(
    kernels: &Kernels<P>,
    (from, (lane, step)): (*const P, (isize, isize)),
    lanes: usize,
    depth: usize,
    width: usize,
    out: &mut [P],
) {
    assert!(lanes <= width && depth * width <= out.len());
    // SAFETY: the caller's promise; `out` is long enough; `Kernels` are only handed out for a level
    // this CPU has.
    unsafe { (kernels.pack)(from, lane, step, lanes, depth, width, out.as_mut_ptr()) };
    pad(&mut out[..depth * width], lanes, width);
}

/// Fills what is right of `lanes` in the rows of a panel.
pub(super) fn pad<P: Summand>(out: &mut [P], lanes: usize, width: usize) {
    if lanes < width {
        for row in out.chunks_exact_mut(width) {
            row[lanes..].fill(P::NOTHING);
        }
    }
}
