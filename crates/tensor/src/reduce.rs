//! Sums and extremes over axes. Sums of half types and integers are computed in a wider type.

use crate::element::arm;
use crate::kernels::element::Lane;
use crate::kernels::reduce::{Number, max_rows, min_rows, sum_rows};
use crate::shape::Axes;
use crate::storage::as_uninit;
use crate::{Array, DType, Element, Shape, threads};

/// Elements of one task of a reduction over the last axes, at least.
const CHUNK: usize = 32 << 10;
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
        let mut y = self.clone().cast(self.dtype().accumulator());
        let mut dims = Axes::from(dims);
        dims.sort_unstable();
        // Neighbouring axes are one axis of their product; from the last, so that positions stay.
        let full = dims.iter().fold(self.shape().clone(), |s, &d| s.with(d, 1));
        while let Some(last) = dims.pop() {
            let mut first = last;
            while dims.last().is_some_and(|&d| d + 1 == first) {
                first = dims.pop().expect("just seen");
            }
            y = sum_range(y, first, last);
        }
        y.into_shape(&full).cast(to)
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

/// The type extremes are searched in.
fn extreme_lane(dtype: DType) -> DType {
    match dtype {
        DType::F64 => DType::F64,
        DType::F16 | DType::Bf16 | DType::F32 => DType::F32,
        DType::I64 | DType::U8 | DType::Bool => DType::I64,
    }
}

/// Sum over the neighbouring axes `first..=last`.
fn sum_range(x: Array, first: usize, last: usize) -> Array {
    let x = x.contiguous();
    let n: usize = x.shape()[first..=last].iter().product();
    let outer: usize = x.shape()[..first].iter().product();
    let inner: usize = x.shape()[last + 1..].iter().product();
    let to = (first..=last).fold(x.shape().clone(), |s, d| s.with(d, 1));
    match x.dtype() {
        DType::F32 => arm!(T, f32, sums::<T>(&x, [outer, n, inner], to)),
        DType::F64 => arm!(T, f64, sums::<T>(&x, [outer, n, inner], to)),
        _ => arm!(T, i64, sums::<T>(&x, [outer, n, inner], to)),
    }
}

/// `[outer, n, inner] -> [outer, inner]`. Long sums are cut into pieces of fixed size, whose sums are
/// summed: the cut depends on the shape alone.
fn sums<T: Number + Element>(x: &Array, [outer, n, inner]: [usize; 3], to: Shape) -> Array {
    let (x, cost) = (x.elements::<T>(), (outer * n * inner) as f64 * NS_PER_ELEMENT);
    let pieces = if outer == 1 { (n * inner).div_ceil(CHUNK).min(n).max(1) } else { 1 };
    if pieces == 1 {
        // Tasks are whole groups of outer rows.
        let rows = (CHUNK / (n * inner).max(1)).max(1);
        return Array::build::<T>(to, |out| {
            threads::run_chunks(out, (rows * inner).max(1), cost, &|i, out| {
                let count = out.len() / inner.max(1);
                let part = &x[i * rows * n * inner..][..count * n * inner];
                sum_rows(part, count, n, inner, as_uninit(out));
            });
        });
    }
    let size = n.div_ceil(pieces);
    let pieces = n.div_ceil(size);
    let mut partial = vec![T::default(); pieces * inner];
    threads::run_chunks(&mut partial, inner, cost, &|i, out| {
        let rows = size.min(n - i * size);
        sum_rows(&x[i * size * inner..][..rows * inner], 1, rows, inner, as_uninit(out));
    });
    Array::build::<T>(to, |out| sum_rows(&partial, 1, pieces, inner, as_uninit(out)))
}

fn extremes<T: Number + Lane + Element>(x: &Array, axis: usize, largest: bool) -> (Array, Array) {
    let (outer, n, inner) = x.shape().around(axis);
    let to = x.shape().with(axis, 1);
    let mut indices = vec![0_i64; outer * inner];
    let values = Array::build::<T>(&to, |out| {
        let x = x.elements::<T>();
        let search = if largest { max_rows::<T> } else { min_rows::<T> };
        search(x, [outer, n, inner], as_uninit(out), as_uninit(&mut indices));
    });
    (values, Array::new(to, &indices))
}
