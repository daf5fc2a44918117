//! Sums and extremes over axes. Sums of half types and integers are computed in a wider type.

use crate::element::arm;
use crate::kernels::element::{Lane, Map};
use crate::kernels::real::Real;
use crate::kernels::reduce::{Fold, Maximum, Minimum, Number, Sum, fold_rows, max_rows, min_rows};
use crate::shape::Axes;
use crate::storage::{Plain, Scratch, as_uninit};
use crate::{Array, DType, Element, Shape, threads};

/// Elements of one task of a reduction over the last axes, at least.
const CHUNK: usize = 32 << 10;
/// Pieces that a long reduction of wide rows is cut into, at most: each has a row of results.
const WIDE_PIECES: usize = 16;
/// Elements of a wide row.
const WIDE: usize = 256;
/// Serial nanoseconds for each element read (kernels.md: 53 GB/s a thread).
const NS_PER_ELEMENT: f64 = 0.1;

impl Array {
    /// Sum over the axes `dims` (all different), which stay with size 1.
    ///
    /// f16 and bf16 are summed in f32, integers and bools in i64 (the result is i64, as in PyTorch).
    ///
    /// # Panics
    /// If an axis does not exist.
    #[track_caller]
    pub fn sum_axes(&self, dims: &[usize]) -> Array {
        let to = match self.dtype() {
            DType::Bool | DType::U8 => DType::I64,
            d => d,
        };
        let (mut y, mut times) = (self.clone(), 1);
        // What an expanded axis repeats is not read again and again.
        for (axis, stride) in self.strides().into_iter().enumerate() {
            if dims.contains(&axis) && stride == 0 && y.shape()[axis] > 1 {
                times *= y.shape()[axis];
                y = y.narrow(axis as isize, 0, 1);
            }
        }
        let y = fold_axes(y.cast(self.dtype().accumulator()), dims, Sum);
        let y = if times == 1 { y } else { y.map(Repeated(times)) };
        y.cast(to)
    }
    /// Sum over the axes that broadcasting `shape` to the shape of this array repeats.
    ///
    /// # Panics
    /// If `shape` does not broadcast to the shape of this array.
    #[track_caller]
    pub fn sum_to(self, shape: &Shape) -> Array {
        if self.shape() == shape {
            return self;
        }
        let have = self.shape();
        let fits = Shape::broadcast(have, shape).is_some_and(|s| s == *have);
        assert!(fits, "sum_to: {shape} does not broadcast to {have}");
        let new = have.rank() - shape.rank();
        let repeated = |&i: &usize| i < new || (shape[i - new] == 1 && have[i] != 1);
        let dims: Axes<usize> = (0..have.rank()).filter(repeated).collect();
        self.sum_axes(&dims).into_shape(shape)
    }
    /// The sum of all elements, as `[]`.
    pub fn sum_all(&self) -> Array {
        let all: Axes<usize> = (0..self.rank()).collect();
        self.sum_axes(&all).into_shape(&Shape::scalar())
    }
    /// The mean of all elements as a number.
    pub fn mean_all(&self) -> f64 {
        self.sum_all().item() / self.numel() as f64
    }
    /// The maximum over the axes `dims` (all different), which stay with size 1. NaN wins.
    ///
    /// # Panics
    /// If an axis does not exist or is empty.
    #[track_caller]
    pub fn max_axes(&self, dims: &[usize]) -> Array {
        self.extreme_axes(dims, true)
    }
    /// The minimum over the axes `dims`, as [`Array::max_axes`].
    ///
    /// # Panics
    /// If an axis does not exist or is empty.
    #[track_caller]
    pub fn min_axes(&self, dims: &[usize]) -> Array {
        self.extreme_axes(dims, false)
    }
    /// The maximum over one axis and its position (i64), with the axis kept at size 1. NaN wins; a tie
    /// goes to the first.
    ///
    /// # Panics
    /// If the axis is empty.
    #[track_caller]
    pub fn max_axis(&self, axis: usize) -> (Array, Array) {
        self.extreme(axis, true)
    }
    /// The minimum over one axis and its position, as [`Array::max_axis`].
    ///
    /// # Panics
    /// If the axis is empty.
    #[track_caller]
    pub fn min_axis(&self, axis: usize) -> (Array, Array) {
        self.extreme(axis, false)
    }
    /// Position (i64) of the largest element along `dim`, without that axis (`torch.argmax`).
    ///
    /// # Panics
    /// If the axis does not exist or is empty.
    #[track_caller]
    pub fn argmax(&self, dim: isize) -> Array {
        let axis = self.axis("argmax", dim);
        if self.rank() == 0 {
            return Array::scalar(0, DType::I64);
        }
        self.max_axis(axis).1.into_shape(&self.shape().without(axis))
    }
    #[track_caller]
    fn extreme_axes(&self, dims: &[usize], largest: bool) -> Array {
        let shape = self.shape();
        assert!(dims.iter().all(|&d| shape[d] > 0), "max/min: an axis of {shape} is empty");
        let x = self.clone().cast(extreme_lane(self.dtype()));
        let y = if largest { fold_axes(x, dims, Maximum) } else { fold_axes(x, dims, Minimum) };
        y.cast(self.dtype())
    }
    #[track_caller]
    fn extreme(&self, axis: usize, largest: bool) -> (Array, Array) {
        let shape = self.shape();
        assert!(shape[axis] > 0, "max/min: axis {axis} of {shape} is empty");
        let x = self.clone().cast(extreme_lane(self.dtype())).contiguous();
        let (values, indices) = match x.dtype() {
            DType::F32 => extremes::<f32>(&x, axis, largest),
            DType::F64 => extremes::<f64>(&x, axis, largest),
            _ => extremes::<i64>(&x, axis, largest),
        };
        (values.cast(self.dtype()), indices)
    }
}

/// `x·n`, the sum of `n` times `x`.
#[derive(Clone, Copy)]
struct Repeated(usize);

impl Map for Repeated {
    #[inline(always)]
    fn f<R: Real>(self, x: R) -> R {
        x * R::of(self.0 as f64)
    }
    #[inline(always)]
    fn int(self, x: i64) -> i64 {
        x.wrapping_mul(self.0 as i64)
    }
}

/// The type extremes are searched in.
fn extreme_lane(dtype: DType) -> DType {
    match dtype {
        DType::F64 => DType::F64,
        DType::F16 | DType::Bf16 | DType::F32 => DType::F32,
        DType::I64 | DType::U8 | DType::Bool => DType::I64,
    }
}

/// Fold over axes, which stay with size 1; the first ones first, for they are columns, whose folds are
/// whole vectors.
fn fold_axes<F: Fold>(x: Array, dims: &[usize], f: F) -> Array {
    let (mut y, mut dims) = (x, Axes::from(dims));
    dims.sort_unstable();
    let mut dims = dims.into_iter().peekable();
    while let Some(first) = dims.next() {
        // Neighbouring axes are one axis of their product.
        let mut last = first;
        while let Some(next) = dims.next_if(|&d| d == last + 1) {
            last = next;
        }
        y = fold_range(y, first, last, f);
    }
    y
}

/// Fold over the neighbouring axes `first..=last`.
fn fold_range<F: Fold>(x: Array, first: usize, last: usize, f: F) -> Array {
    let x = x.contiguous();
    let n: usize = x.shape()[first..=last].iter().product();
    let outer: usize = x.shape()[..first].iter().product();
    let inner: usize = x.shape()[last + 1..].iter().product();
    let to = (first..=last).fold(x.shape().clone(), |s, d| s.with(d, 1));
    match x.dtype() {
        DType::F32 => arm!(T, f32, folds::<F, T>(&x, [outer, n, inner], to, f)),
        DType::F64 => arm!(T, f64, folds::<F, T>(&x, [outer, n, inner], to, f)),
        _ => arm!(T, i64, folds::<F, T>(&x, [outer, n, inner], to, f)),
    }
}

/// How `[outer, n, inner]` is cut: in groups of outer rows, or each of them in pieces of `n`. The cut
/// depends on the shape alone.
struct Cut {
    /// Outer rows of a task.
    rows: usize,
    /// Elements of `n` of a piece.
    size: usize,
    /// Pieces of an outer row.
    pieces: usize,
}

impl Cut {
    fn new([outer, n, inner]: [usize; 3]) -> Cut {
        let whole = (n * inner).max(1);
        let most = if inner >= WIDE { WIDE_PIECES } else { usize::MAX };
        let pieces = whole.div_ceil(CHUNK).min(most).min(n).max(1);
        if pieces == 1 || outer >= WIDE_PIECES {
            return Cut { rows: (CHUNK / whole).max(1), size: n, pieces: 1 };
        }
        let size = n.div_ceil(pieces);
        Cut { rows: 1, size, pieces: n.div_ceil(size) }
    }
    /// Elements of input and outputs of task `i`: the first outer row or piece, how many rows, and their `n`.
    fn part(&self, i: usize, [outer, n, _]: [usize; 3]) -> (usize, usize, usize) {
        if self.pieces == 1 {
            let first = i * self.rows;
            return (first * n, self.rows.min(outer - first), n);
        }
        let (o, piece) = (i / self.pieces, i % self.pieces);
        (o * n + piece * self.size, 1, self.size.min(n - piece * self.size))
    }
}

/// `[outer, n, inner] -> [outer, inner]`. Long sums are cut into pieces, whose sums are summed.
fn folds<F: Fold, T: Number + Element + Plain>(
    x: &Array,
    shape: [usize; 3],
    to: Shape,
    f: F,
) -> Array {
    let [outer, n, inner] = shape;
    let (x, cut) = (x.elements::<T>(), Cut::new(shape));
    let cost = (outer * n * inner) as f64 * NS_PER_ELEMENT;
    let task = |i: usize, out: &mut [T]| {
        let (at, rows, n) = cut.part(i, shape);
        let part = &x[at * inner..][..rows * n * inner];
        fold_rows(f, part, [rows, n, inner], as_uninit(out));
    };
    if cut.pieces == 1 {
        return Array::build::<T>(to, |out| {
            threads::run_chunks(out, (cut.rows * inner).max(1), cost, &task);
        });
    }
    let mut partial = Scratch::<T>::new(outer * cut.pieces * inner);
    threads::run_chunks(&mut partial, inner.max(1), cost, &task);
    Array::build::<T>(to, |out| {
        fold_rows(f, &partial, [outer, cut.pieces, inner], as_uninit(out));
    })
}

/// Values and positions of each task, and of the best pieces in the end.
fn extremes<T: Number + Lane + Element + Plain>(
    x: &Array,
    axis: usize,
    largest: bool,
) -> (Array, Array) {
    let (outer, n, inner) = x.shape().around(axis);
    let (shape, to) = ([outer, n, inner], x.shape().with(axis, 1));
    let cut = Cut::new(shape);
    let search = if largest { max_rows::<T> } else { min_rows::<T> };
    let x = x.elements::<T>();
    let total = outer * cut.pieces * inner;
    let (mut values, mut indices) = (Scratch::<T>::new(total), Scratch::<i64>::new(total));
    let each = (cut.rows * inner).max(1);
    let mut parts: Vec<_> = values.chunks_mut(each).zip(indices.chunks_mut(each)).collect();
    let cost = (outer * n * inner) as f64 * NS_PER_ELEMENT;
    threads::run_chunks(&mut parts, 1, cost, &|i, parts| {
        for (values, indices) in parts {
            let (at, rows, n) = cut.part(i, shape);
            let x = &x[at * inner..][..rows * n * inner];
            search(x, [rows, n, inner], as_uninit(values), as_uninit(indices));
        }
    });
    drop(parts);
    if cut.pieces == 1 {
        return (Array::new(&to, &values), Array::new(to, &indices));
    }
    // The positions among the pieces say where the positions in the pieces are.
    let mut best = Scratch::<T>::new(outer * inner);
    let mut piece = Scratch::<i64>::new(outer * inner);
    search(&values, [outer, cut.pieces, inner], as_uninit(&mut best), as_uninit(&mut piece));
    for (i, piece) in piece.iter_mut().enumerate() {
        let (o, column, p) = (i / inner, i % inner, *piece as usize);
        *piece = (p * cut.size) as i64 + indices[(o * cut.pieces + p) * inner + column];
    }
    (Array::new(&to, &best), Array::new(to, &piece))
}
