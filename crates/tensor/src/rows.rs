//! Fused passes over the rows of one axis: softmax and its relatives.

use crate::kernels::element::Lane;
use crate::kernels::rows as kernels;
use crate::shape::Axes;
use crate::storage::as_uninit;
use crate::{Array, DType, Element, threads};
use std::borrow::Cow;

/// Serial nanoseconds for each element: an exponential and two passes.
const NS_PER_ELEMENT: f64 = 1.0;
/// Elements of one task, at least.
const CHUNK: usize = 8 << 10;

/// A kernel over whole rows of length `n`: `(inputs, n, output)`.
pub(crate) type RowKernel<'k, T> = dyn Fn(&[&[T]], usize, &mut [T]) + Sync + 'k;

/// Run `kernel` over the rows of `axis`, which is brought to the end and back.
pub(crate) fn along<T: Lane + Element>(
    inputs: &[&Array],
    axis: usize,
    kernel: &RowKernel<'_, T>,
) -> Array {
    let x = inputs[0];
    let rank = x.rank();
    if rank == 0 {
        let row: Vec<Array> = inputs.iter().map(|x| x.reshape(&[1].into())).collect();
        return along(&row.iter().collect::<Vec<_>>(), 0, kernel).into_shape(x.shape());
    }
    if axis + 1 < rank {
        let mut order: Axes<usize> = (0..rank).collect();
        order.swap(axis, rank - 1);
        let turned: Vec<Array> = inputs.iter().map(|x| x.permute(&order)).collect();
        return along(&turned.iter().collect::<Vec<_>>(), rank - 1, kernel).permute(&order);
    }
    let n = x.shape()[axis];
    let rows = (CHUNK / n.max(1)).max(1);
    let data: Vec<Cow<'_, [T]>> = inputs.iter().map(|x| x.read::<T>()).collect();
    Array::build::<T>(x.shape(), |out| {
        let cost = out.len() as f64 * NS_PER_ELEMENT;
        threads::run_chunks(out, (rows * n).max(1), cost, &|i, out| {
            let start = i * rows * n;
            let parts: Vec<&[T]> = data.iter().map(|d| &d[start..start + out.len()]).collect();
            kernel(&parts, n, out);
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

/// Run `$kernel` over the rows in f32 or f64, and come back to the dtype of `$x`.
macro_rules! over_rows {
    ([$($x:ident),*], $axis:expr, $kernel:ident($($arg:ident),*)) => {{
        let dtype = first_dtype(&[$(&*$x),*]);
        let wide = [$($x.clone().cast(row_lane(dtype))),*];
        let refs: Vec<&Array> = wide.iter().collect();
        let y = lane!(dtype, T => along::<T>(&refs, $axis, &|x, n, y| {
            let [$($arg),*] = *x else { return };
            kernels::$kernel($($arg,)* n, as_uninit(y));
        }));
        y.cast(dtype)
    }};
}

fn first_dtype(xs: &[&Array]) -> DType {
    xs[0].dtype()
}

impl Array {
    /// `eˣ / Σ eˣ` along `axis`, without overflow.
    ///
    /// # Panics
    /// If the axis does not exist.
    #[track_caller]
    pub fn softmax(&self, axis: usize) -> Array {
        over_rows!([self], axis, softmax(x))
    }
    /// `y·(g − Σ g·y)` along `axis`, for `y` = `self` and the gradient `g` of the same shape.
    ///
    /// # Panics
    /// If the axis does not exist or the shapes differ.
    #[track_caller]
    pub fn softmax_backward(&self, grad: &Array, axis: usize) -> Array {
        assert!(self.shape() == grad.shape(), "softmax_backward: shapes differ");
        over_rows!([self, grad], axis, softmax_backward(y, g))
    }
    /// `x − log Σ eˣ` along `axis`, without overflow.
    ///
    /// # Panics
    /// If the axis does not exist.
    #[track_caller]
    pub fn log_softmax(&self, axis: usize) -> Array {
        over_rows!([self], axis, log_softmax(x))
    }
    /// `g − eʸ·Σ g` along `axis`, for `y` = `self` and the gradient `g` of the same shape.
    ///
    /// # Panics
    /// If the axis does not exist or the shapes differ.
    #[track_caller]
    pub fn log_softmax_backward(&self, grad: &Array, axis: usize) -> Array {
        assert!(self.shape() == grad.shape(), "log_softmax_backward: shapes differ");
        over_rows!([self, grad], axis, log_softmax_backward(y, g))
    }
    /// `log Σ eˣ` along `axis`, which stays with size 1, without overflow; −∞ of nothing.
    ///
    /// # Panics
    /// If the axis does not exist.
    #[track_caller]
    pub fn logsumexp(&self, axis: usize) -> Array {
        let wide = self.clone().cast(row_lane(self.dtype()));
        let mut order: Axes<usize> = (0..self.rank()).collect();
        let last = order.len() - 1;
        order.swap(axis, last);
        let turned = wide.permute(&order).contiguous();
        let to = turned.shape().with(last, 1);
        let n = turned.shape()[last];
        let y = lane!(turned.dtype(), T => Array::build::<T>(to, |out| {
            kernels::logsumexp(turned.elements::<T>(), n, as_uninit(out));
        }));
        y.permute(&order).cast(self.dtype())
    }
}
