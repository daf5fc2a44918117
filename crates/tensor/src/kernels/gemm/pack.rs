//! The seam for factors that are no strided matrix: a panel is filled by whoever knows how.

use std::ops::Range;

use super::kernel::{GemmElement, Kernels};
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

/// The pack of a strided matrix: copied if its lanes are contiguous, transposed in vector registers
/// if its depth is.
pub(super) struct Strided<'a, T: 'static> {
    pub(super) view: View<'a, T>,
    pub(super) kernels: &'static Kernels<T>,
}

impl<T: GemmElement> Pack<T> for Strided<'_, T> {
    fn lanes(&self) -> usize {
        self.view.lanes
    }

    fn depth(&self) -> usize {
        self.view.depth
    }

    fn pack(&self, lanes: Range<usize>, depth: Range<usize>, width: usize, out: &mut [T]) {
        let View { lane, step, .. } = self.view;
        assert!(lanes.end <= self.view.lanes && depth.end <= self.view.depth);
        assert!(lanes.len() <= width && depth.len() * width <= out.len());
        if lanes.is_empty() || depth.is_empty() {
            return;
        }
        let from = self.view.at(lanes.start, depth.start);
        // SAFETY: both ranges lie in the view, whose elements lie in its slice; `out` is long enough;
        // `Kernels` are only handed out for a level this CPU has.
        unsafe {
            (self.kernels.pack)(
                from,
                lane,
                step,
                lanes.len(),
                depth.len(),
                width,
                out.as_mut_ptr(),
            );
        }
        if lanes.len() < width {
            for row in out[..depth.len() * width].chunks_exact_mut(width) {
                row[lanes.len()..].fill(T::ZERO);
            }
        }
    }
}
