//! Softmax and its relatives along an axis that is not the last: sums of columns, and element-wise formulas
//! that broadcast them. Nothing is transposed.

use crate::kernels::element::{Map, Zip, Zip3};
use crate::kernels::real::Real;
use crate::kernels::reduce::sum_rows;
use crate::kernels::rows::{RowFloat, column_exp_sums};
use crate::rows::{lane, row_lane};
use crate::storage::as_uninit;
use crate::{Array, Element, Shape, threads};

/// Elements of one task, about: an eighth of a second-level cache, which the second pass reads again.
const CHUNK: usize = 32 << 10;
/// Serial nanoseconds for each element: an exponential and two passes.
const NS_PER_ELEMENT: f64 = 0.6;

/// `x` as `[outer, n, inner]`, in the type of the kernels.
fn columns(x: &Array, axis: usize) -> Array {
    let (outer, n, inner) = x.shape().around(axis);
    x.clone().cast(row_lane(x.dtype())).reshape(&[outer, n, inner].into())
}

/// How many rows of `inner` elements belong together.
fn rows_of(n: usize, inner: usize) -> usize {
    (CHUNK / inner.max(1)).clamp(1, n.max(1))
}

/// The largest element of every column of `[outer, n, inner]`, and `Σ e^(x − max)`, both `[outer, 1, inner]`;
/// the sum is NaN where softmax is.
fn exp_sums(x: &Array) -> (Array, Array) {
    let (max, sum) = lane!(x.dtype(), T => pieces::<T>(x));
    let most = max.max_axes(&[1]);
    let sum = sum.zip3(max, most.clone(), Rescaled).sum_axes(&[1]);
    (most, sum)
}

/// The same for pieces of the columns, `[outer, pieces, inner]`: each is small enough to be read twice.
fn pieces<T: RowFloat + Element>(x: &Array) -> (Array, Array) {
    let &[outer, n, inner] = x.shape().dims() else { unreachable!("columns have three axes") };
    let x = x.clone().contiguous();
    let data = x.elements::<T>();
    let size = rows_of(n, inner);
    let pieces = n.div_ceil(size).max(1);
    let shape = Shape::from([outer, pieces, inner]);
    let mut sum = vec![T::ZERO; shape.numel()];
    let max = Array::build::<T>(&shape, |max| {
        let each = inner.max(1);
        let mut parts: Vec<_> = max.chunks_mut(each).zip(sum.chunks_mut(each)).collect();
        let cost = data.len() as f64 * NS_PER_ELEMENT;
        threads::run_chunks(&mut parts, 1, cost, &|i, parts| {
            for (max, sum) in parts {
                let (o, first) = (i / pieces, i % pieces * size);
                let rows = size.min(n - first);
                let x = &data[(o * n + first) * inner..][..rows * inner];
                column_exp_sums(x, [1, rows, inner], max, sum);
            }
        });
    });
    (max, Array::new(shape, &sum))
}

/// `Σ a·b` over every column of `[outer, n, inner]`, `[outer, 1, inner]`.
fn dots<T: RowFloat + Element>(a: &Array, b: &Array) -> Array {
    let &[outer, n, inner] = a.shape().dims() else { unreachable!("columns have three axes") };
    let (a, b) = (a.clone().contiguous(), b.clone().contiguous());
    let (a, b) = (a.elements::<T>(), b.elements::<T>());
    let size = rows_of(n, inner);
    let pieces = n.div_ceil(size).max(1);
    let cost = a.len() as f64 * NS_PER_ELEMENT;
    let partial = Array::build::<T>([outer, pieces, inner], |out| {
        threads::run_chunks(out, inner.max(1), cost, &|i, out| {
            let (o, first) = (i / pieces, i % pieces * size);
            let rows = size.min(n - first);
            let part = (o * n + first) * inner..(o * n + first + rows) * inner;
            let products = a[part.clone()].iter().zip(&b[part]).map(|(a, b)| a.mul(*b));
            sum_rows(&products.collect::<Vec<T>>(), 1, rows, inner, as_uninit(out));
        });
    });
    partial.sum_axes(&[1])
}

/// `s·e^(m − max)`: a sum of exponentials around another largest element.
#[derive(Clone, Copy)]
struct Rescaled;

impl Zip3 for Rescaled {
    #[inline(always)]
    fn f<R: Real>(self, s: R, m: R, max: R) -> R {
        s * (m - max).exp()
    }
}

/// `e^(x − max)·r`
#[derive(Clone, Copy)]
struct Softmax;

impl Zip3 for Softmax {
    #[inline(always)]
    fn f<R: Real>(self, x: R, max: R, r: R) -> R {
        (x - max).exp() * r
    }
}

/// `x − max − log`
#[derive(Clone, Copy)]
struct LogSoftmax;

impl Zip3 for LogSoftmax {
    #[inline(always)]
    fn f<R: Real>(self, x: R, max: R, log: R) -> R {
        x - max - log
    }
}

/// `y·(g − dot)`
#[derive(Clone, Copy)]
struct SoftmaxBackward;

impl Zip3 for SoftmaxBackward {
    #[inline(always)]
    fn f<R: Real>(self, y: R, g: R, dot: R) -> R {
        y * (g - dot)
    }
}

/// `g − eʸ·sum`
#[derive(Clone, Copy)]
struct LogSoftmaxBackward;

impl Zip3 for LogSoftmaxBackward {
    #[inline(always)]
    fn f<R: Real>(self, y: R, g: R, sum: R) -> R {
        g - y.exp() * sum
    }
}

/// `1/x`
#[derive(Clone, Copy)]
struct Reciprocal;

impl Map for Reciprocal {
    #[inline(always)]
    fn f<R: Real>(self, x: R) -> R {
        x.recip()
    }
}

/// `ln x`
#[derive(Clone, Copy)]
struct Ln;

impl Map for Ln {
    #[inline(always)]
    fn f<R: Real>(self, x: R) -> R {
        x.ln()
    }
}

/// `max + ln sum`; an infinite maximum is the result itself, for its sum is not a number.
#[derive(Clone, Copy)]
struct LogSum;

impl Zip for LogSum {
    #[inline(always)]
    fn f<R: Real>(self, max: R, sum: R) -> R {
        R::select(max.abs() == R::of(f64::INFINITY), max, max + sum.ln())
    }
}

/// A result in the shape and dtype of the input.
fn back(y: Array, like: &Array) -> Array {
    y.into_shape(like.shape()).cast(like.dtype())
}

pub(crate) fn softmax(x: &Array, axis: usize) -> Array {
    let wide = columns(x, axis);
    let (max, sum) = exp_sums(&wide);
    back(wide.zip3(max, sum.map(Reciprocal), Softmax), x)
}

pub(crate) fn log_softmax(x: &Array, axis: usize) -> Array {
    let wide = columns(x, axis);
    let (max, sum) = exp_sums(&wide);
    back(wide.zip3(max, sum.map(Ln), LogSoftmax), x)
}

pub(crate) fn softmax_backward(y: &Array, g: &Array, axis: usize) -> Array {
    let (wide, g) = (columns(y, axis), columns(g, axis));
    let dot = lane!(wide.dtype(), T => dots::<T>(&wide, &g));
    back(wide.zip3(g, dot, SoftmaxBackward), y)
}

pub(crate) fn log_softmax_backward(y: &Array, g: &Array, axis: usize) -> Array {
    let (wide, g) = (columns(y, axis), columns(g, axis));
    let sum = g.sum_axes(&[1]);
    back(wide.zip3(g, sum, LogSoftmaxBackward), y)
}

/// With the axis at size 1.
pub(crate) fn logsumexp(x: &Array, axis: usize) -> Array {
    let (max, sum) = exp_sums(&columns(x, axis));
    max.zip(sum, LogSum).into_shape(&x.shape().with(axis, 1)).cast(x.dtype())
}
