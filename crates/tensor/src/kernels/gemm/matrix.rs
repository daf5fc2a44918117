//! A matrix in a slice, with any strides; what the products read.

/// A view of `rows × cols` elements of a slice: element `(i, j)` is
/// `data[offset + i·row_stride + j·col_stride]`.
///
/// Strides may be 0 (broadcast) or negative. Bounds are checked once, here.
#[derive(Clone, Copy, Debug)]
pub struct MatRef<'a, T> {
    data: &'a [T],
    offset: usize,
    rows: usize,
    cols: usize,
    row_stride: isize,
    col_stride: isize,
}

impl<'a, T> MatRef<'a, T> {
    /// A view with any strides.
    ///
    /// # Panics
    /// If an element of the view lies outside of `data`.
    #[track_caller]
    pub fn new(
        data: &'a [T],
        offset: usize,
        (rows, cols): (usize, usize),
        (row_stride, col_stride): (isize, isize),
    ) -> Self {
        assert!(
            fits(data.len(), offset, (rows, cols), (row_stride, col_stride)),
            "MatRef: {rows} x {cols} with strides ({row_stride}, {col_stride}) from offset {offset} \
             does not fit into {} elements",
            data.len()
        );
        Self { data, offset, rows, cols, row_stride, col_stride }
    }

    /// A contiguous matrix, row after row.
    ///
    /// # Panics
    /// If `data` has fewer than `rows · cols` elements.
    #[track_caller]
    pub fn row_major(data: &'a [T], rows: usize, cols: usize) -> Self {
        Self::new(data, 0, (rows, cols), (cols as isize, 1))
    }

    /// The transposed view.
    #[must_use]
    pub fn transpose(self) -> Self {
        Self {
            rows: self.cols,
            cols: self.rows,
            row_stride: self.col_stride,
            col_stride: self.row_stride,
            ..self
        }
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of columns.
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// The rows as lanes, along which `cols` steps of depth lie: `self` as the left factor.
    pub(super) fn by_rows(&self) -> View<'a, T> {
        View {
            data: self.data,
            offset: self.offset,
            lanes: self.rows,
            depth: self.cols,
            lane: self.row_stride,
            step: self.col_stride,
        }
    }

    /// The columns as lanes: `self` as the right factor.
    pub(super) fn by_cols(&self) -> View<'a, T> {
        View {
            data: self.data,
            offset: self.offset,
            lanes: self.cols,
            depth: self.rows,
            lane: self.col_stride,
            step: self.row_stride,
        }
    }
}

/// A factor seen from the product: `lanes` rows of the left (or columns of the right) factor, each
/// with `depth` elements that are multiplied and summed.
///
/// Invariant: every element lies in `data`.
#[derive(Clone, Copy)]
pub(super) struct View<'a, T> {
    data: &'a [T],
    offset: usize,
    pub(super) lanes: usize,
    pub(super) depth: usize,
    /// Distance of two lanes.
    pub(super) lane: isize,
    /// Distance of two elements of a lane.
    pub(super) step: isize,
}

impl<'a, T: Copy> View<'a, T> {
    /// The address of an element. In bounds if `lane < lanes` and `step < depth`; else not to be read.
    #[inline]
    pub(super) fn at(&self, lane: usize, step: usize) -> *const T {
        self.data.as_ptr().wrapping_offset(self.index(lane, step))
    }

    /// One element.
    #[inline]
    pub(super) fn get(&self, lane: usize, step: usize) -> T {
        self.data[self.index(lane, step) as usize]
    }

    /// `len` elements from here on, along the direction whose stride is 1.
    #[inline]
    pub(super) fn run(&self, lane: usize, step: usize, len: usize) -> &'a [T] {
        &self.data[self.index(lane, step) as usize..][..len]
    }

    /// Where the elements lie, for loops that read them as `P`.
    #[inline]
    pub(super) fn lying<P>(&self) -> Lying<P> {
        let size = size_of::<T>() as isize;
        Lying { at: self.at(0, 0).cast(), lane: self.lane * size, step: self.step * size }
    }

    #[inline]
    fn index(&self, lane: usize, step: usize) -> isize {
        self.offset as isize + lane as isize * self.lane + step as isize * self.step
    }
}

/// A factor in memory: an address, perhaps not aligned, and strides in bytes.
#[derive(Clone, Copy)]
pub(super) struct Lying<P> {
    at: *const P,
    /// Distance of two lanes.
    pub(super) lane: isize,
    /// Distance of two steps.
    pub(super) step: isize,
}

// SAFETY: it is only read, and as long as the view it comes from.
unsafe impl<P: Sync> Sync for Lying<P> {}

impl<P> Lying<P> {
    /// The address of an element.
    #[inline]
    pub(super) fn at(&self, lane: usize, step: usize) -> *const P {
        self.at.wrapping_byte_offset(lane as isize * self.lane + step as isize * self.step)
    }

    /// Every second step, as the pairs that they are.
    #[inline]
    pub(super) fn by_two(self) -> Self {
        Self { step: 2 * self.step, ..self }
    }
}

/// Whether all elements of a view have an index below `len`.
fn fits(
    len: usize,
    offset: usize,
    (rows, cols): (usize, usize),
    (row_stride, col_stride): (isize, isize),
) -> bool {
    if rows == 0 || cols == 0 {
        return true;
    }
    // i128 holds the product of any length and stride.
    let ends = [(rows, row_stride), (cols, col_stride)].map(|(n, s)| (n as i128 - 1) * s as i128);
    let (mut low, mut high) = (offset as i128, offset as i128);
    for end in ends {
        low = low.saturating_add(end.min(0));
        high = high.saturating_add(end.max(0));
    }
    low >= 0 && high < len as i128
}
