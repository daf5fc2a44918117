//! Fused passes over the rows of one axis: softmax and its relatives.

use crate::kernels::element::Lane;
use crate::kernels::rows::{self as kernels, Rows};
use crate::kernels::stream::Write;
use crate::shape::Axes;
use crate::storage::as_uninit;
use crate::strided::gather;
use crate::{Array, DType, Element, columns, threads};

/// Serial nanoseconds for each element: an exponential and two passes.
const NS_PER_ELEMENT: f64 = 1.0;
/// Elements of one task, at least.
const CHUNK: usize = 8 << 10;

/// A kernel over whole rows of length `n`: `(first input, others, n, output, how to write it)`.
pub(crate) type RowKernel<'k, T> = dyn Fn(&[T], &[Rows<T>], usize, &mut [T], Write) + Sync + 'k;

/// An input of a row kernel.
pub(crate) struct RowInput<'a, T> {
    x: &'a Array,
    n: usize,
    /// The rows where they lie, if they are in order or one element repeated; else they are gathered when
    /// they are asked for.
    there: Option<Rows<'a, T>>,
}

impl<'a, T: Element> RowInput<'a, T> {
    /// The rows of `n` elements of `x`.
    pub(crate) fn new(x: &'a Array, n: usize) -> Self {
        let there = match two_strides(x, n) {
            _ if x.numel() == 0 => Some(Rows { data: &[][..], stride: 0, repeated: false }),
            Some((stride @ 0.., step @ 0..=1)) => {
                let data = &x.stored::<T>()[x.offset()..];
                Some(Rows { data, stride: stride as usize, repeated: step == 0 })
            }
            _ => None,
        };
        RowInput { x, n, there }
    }
    /// `count` rows from `start` on; `room` holds those that must be gathered.
    pub(crate) fn rows<'r>(&self, start: usize, count: usize, room: &'r mut Vec<T>) -> Rows<'r, T>
    where
        'a: 'r,
    {
        match self.there {
            Some(rows) => Rows { data: &rows.data[start * rows.stride..], ..rows },
            None => Rows::packed(self.gathered(start, count, room), self.n),
        }
    }
    /// The same as one slice.
    fn packed<'r>(&self, start: usize, count: usize, room: &'r mut Vec<T>) -> &'r [T]
    where
        'a: 'r,
    {
        match self.there {
            Some(Rows { data, stride, repeated: false }) if stride == self.n => {
                &data[start * stride..][..count * stride]
            }
            _ => self.gathered(start, count, room),
        }
    }
    fn gathered<'r>(&self, start: usize, count: usize, room: &'r mut Vec<T>) -> &'r [T] {
        room.resize(count * self.n, T::default());
        gather(self.x, start * self.n, room);
        room
    }
}

/// Steps from row to row and inside a row of `n` elements, if there is one each.
fn two_strides(x: &Array, n: usize) -> Option<(isize, isize)> {
    let (shape, strides) = (x.shape(), x.strides());
    let mut first = x.rank();
    let mut inside = 1;
    while inside < n && first > 0 {
        first -= 1;
        inside *= shape[first];
    }
    let axes = || shape.iter().copied().zip(strides.iter().copied());
    let single = |axes: &mut dyn Iterator<Item = (usize, isize)>| {
        let mut found: Option<(usize, isize)> = None;
        for (size, stride) in axes.filter(|(size, _)| *size != 1) {
            found = match found {
                None => Some((size, stride)),
                Some((many, outer)) if outer == stride * size as isize => {
                    Some((many * size, stride))
                }
                Some(_) => return None,
            };
        }
        Some(found.map_or(0, |(_, stride)| stride))
    };
    let step = single(&mut axes().skip(first))?;
    let step = if n == 1 { 1 } else { step };
    (inside == n).then_some((single(&mut axes().take(first))?, step))
}

/// Run `kernel` over the rows of the last axis.
pub(crate) fn along<T: Lane + Element>(inputs: &[&Array], kernel: &RowKernel<'_, T>) -> Array {
    let x = inputs[0];
    let n = x.shape().last().copied().unwrap_or(1);
    let rows = (CHUNK / n.max(1)).max(1);
    let feeds: Vec<RowInput<'_, T>> = inputs.iter().map(|x| RowInput::new(x, n)).collect();
    let how = Write::of(x.numel() * size_of::<T>());
    Array::build::<T>(x.shape(), |out| {
        let cost = out.len() as f64 * NS_PER_ELEMENT;
        threads::run_chunks(out, (rows * n).max(1), cost, &|i, out| {
            let (start, count) = (i * rows, out.len() / n);
            let mut rooms: Vec<Vec<T>> = feeds.iter().map(|_| Vec::new()).collect();
            let (first, others) = rooms.split_at_mut(1);
            let x = feeds[0].packed(start, count, &mut first[0]);
            let others = feeds[1..].iter().zip(others);
            let others: Vec<Rows<'_, T>> =
                others.map(|(f, room)| f.rows(start, count, room)).collect();
            kernel(x, &others, n, out, how);
        });
    })
}

/// The type row kernels compute in.
pub(crate) fn row_lane(dtype: DType) -> DType {
    if dtype == DType::F64 { DType::F64 } else { DType::F32 }
}

/// Run `$body` with `$T` bound to the type that rows of this dtype are computed in.
macro_rules! lane {
    ($dtype:expr, $T:ident => $body:expr) => {
        if crate::rows::row_lane($dtype) == $crate::DType::F64 {
            crate::element::arm!($T, f64, $body)
        } else {
            crate::element::arm!($T, f32, $body)
        }
    };
}
pub(crate) use lane;

/// Run `$kernel` over the rows of `$axis` in f32 or f64, and come back to the dtype of the first input.
macro_rules! over_rows {
    ([$($x:expr),*], $axis:expr, $kernel:expr) => {{
        let turned = turned(&[$($x),*], $axis);
        let inputs: Vec<&Array> = turned.iter().collect();
        let y = lane!(inputs[0].dtype(), T => along::<T>(&inputs, &$kernel));
        turned_back(y, $axis, [$($x),*][0])
    }};
}

/// The inputs in the type of the kernels, with `axis` at the end.
fn turned(inputs: &[&Array], axis: usize) -> Vec<Array> {
    let dtype = row_lane(inputs[0].dtype());
    let turn = |x: &&Array| {
        let x = (*x).clone().cast(dtype);
        if x.rank() == 0 { x.reshape(&[1].into()) } else { x.permute(&order(x.rank(), axis)) }
    };
    inputs.iter().map(turn).collect()
}

/// A result in the order of the axes, the shape and the dtype of the input.
fn turned_back(y: Array, axis: usize, like: &Array) -> Array {
    let y = y.cast(like.dtype());
    match like.rank() {
        0 => y.into_shape(like.shape()),
        rank if axis + 1 == rank => y,
        rank => y.permute(&order(rank, axis)),
    }
}

/// All axes, `axis` and the last exchanged.
fn order(rank: usize, axis: usize) -> Axes<usize> {
    let mut order: Axes<usize> = (0..rank).collect();
    order.swap(axis, rank - 1);
    order
}

/// Are the rows of `axis` columns of the memory?
fn are_columns(x: &Array, axis: usize) -> bool {
    let after: usize = x.shape().iter().skip(axis + 1).product();
    after > 1 && x.strides()[axis] != 1
}

impl Array {
    /// `eˣ / Σ eˣ` along `axis`, without overflow.
    ///
    /// # Panics
    /// If the axis does not exist.
    #[track_caller]
    pub fn softmax(&self, axis: usize) -> Array {
        if are_columns(self, axis) {
            return columns::softmax(self, axis);
        }
        over_rows!([self], axis, |x, _, n, y, how| kernels::softmax(x, n, as_uninit(y), how))
    }
    /// `y·(g − Σ g·y)` along `axis`, for `y` = `self` and the gradient `g` of the same shape.
    ///
    /// # Panics
    /// If the axis does not exist or the shapes differ.
    #[track_caller]
    pub fn softmax_backward(&self, grad: &Array, axis: usize) -> Array {
        assert!(self.shape() == grad.shape(), "softmax_backward: shapes differ");
        if are_columns(self, axis) {
            return columns::softmax_backward(self, grad, axis);
        }
        over_rows!([self, grad], axis, |y, g, n, dx, how| {
            kernels::softmax_backward(y, g[0], n, as_uninit(dx), how);
        })
    }
    /// `x − log Σ eˣ` along `axis`, without overflow.
    ///
    /// # Panics
    /// If the axis does not exist.
    #[track_caller]
    pub fn log_softmax(&self, axis: usize) -> Array {
        if are_columns(self, axis) {
            return columns::log_softmax(self, axis);
        }
        over_rows!([self], axis, |x, _, n, y, how| kernels::log_softmax(x, n, as_uninit(y), how))
    }
    /// `g − eʸ·Σ g` along `axis`, for `y` = `self` and the gradient `g` of the same shape.
    ///
    /// # Panics
    /// If the axis does not exist or the shapes differ.
    #[track_caller]
    pub fn log_softmax_backward(&self, grad: &Array, axis: usize) -> Array {
        assert!(self.shape() == grad.shape(), "log_softmax_backward: shapes differ");
        if are_columns(self, axis) {
            return columns::log_softmax_backward(self, grad, axis);
        }
        over_rows!([self, grad], axis, |y, g, n, dx, how| {
            kernels::log_softmax_backward(y, g[0], n, as_uninit(dx), how);
        })
    }
    /// `log Σ eˣ` along `axis`, which stays with size 1, without overflow; −∞ of nothing.
    ///
    /// # Panics
    /// If the axis does not exist.
    #[track_caller]
    pub fn logsumexp(&self, axis: usize) -> Array {
        if are_columns(self, axis) {
            return columns::logsumexp(self, axis);
        }
        let order = order(self.rank(), axis);
        let turned = self.permute(&order).cast(row_lane(self.dtype()));
        let last = self.rank() - 1;
        let (to, n) = (turned.shape().with(last, 1), turned.shape()[last]);
        let rows = (CHUNK / n.max(1)).max(1);
        let y = lane!(turned.dtype(), T => {
            let x = RowInput::<T>::new(&turned, n);
            let cost = turned.numel() as f64 * NS_PER_ELEMENT;
            Array::build::<T>(to, |out| threads::run_chunks(out, rows, cost, &|i, out| {
                let mut room = Vec::new();
                let x = x.packed(i * rows, out.len(), &mut room);
                kernels::logsumexp(x, n, as_uninit(out));
            }))
        });
        y.permute(&order).cast(self.dtype())
    }
}
