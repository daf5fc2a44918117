//! Layer normalisation, forward and backward, each in one pass over memory.

use crate::kernels::reduce::sum_rows;
use crate::kernels::rows::{Affine, RowFloat, Stats, layer_norm, layer_norm_backward};
use crate::kernels::stream::Write;
use crate::rows::{RowInput, lane, row_lane};
use crate::storage::as_uninit;
use crate::{Array, Element, Shape, threads};

/// Serial nanoseconds for each element.
const NS_PER_ELEMENT: f64 = 0.5;
/// Elements of one task, at least.
const CHUNK: usize = 8 << 10;
/// Tasks of a backward pass, at most: each has column sums of its own.
const TASKS: usize = 64;

/// Rows of `axes` last axes: how many, and how long.
fn rows_of(shape: &Shape, axes: usize) -> (usize, usize) {
    let (rows, row) = shape.split_at(shape.rank() - axes);
    (rows.iter().product(), row.iter().product())
}

impl Array {
    /// `(x − μ)/√(σ² + ε)·w + b` over the last `axes` axes together, with their mean and biased variance;
    /// also what [`Array::layer_norm_backward`] needs to know of every row. `w` and `b` have the shape of
    /// those axes.
    ///
    /// Half types are computed in f32.
    ///
    /// # Panics
    /// If there are fewer axes, or the shapes do not fit.
    #[track_caller]
    pub fn layer_norm(
        &self,
        axes: usize,
        weight: Option<&Array>,
        bias: Option<&Array>,
        eps: f64,
    ) -> (Array, Array) {
        let (to, dtype) = (self.dtype(), row_lane(self.dtype()));
        let (rows, n) = rows_of(self.shape(), axes);
        let wide = |a: &Array| a.clone().cast(dtype).contiguous();
        let (x, w, b) = (wide(self), weight.map(wide), bias.map(wide));
        let (y, stats) = lane!(dtype, T => {
            let by = Affine {
                weight: w.as_ref().map(|w| w.elements::<T>()),
                bias: b.as_ref().map(|b| b.elements::<T>()),
            };
            forward::<T>(&x, [rows, n], by, eps)
        });
        (y.cast(to), stats)
    }
    /// The gradients of [`Array::layer_norm`] for `x` = `self`, from that of its result and the statistics:
    /// of `x`, and, if `sums`, of `w` and `b`, both in f32 or f64.
    ///
    /// # Panics
    /// If the shapes do not fit.
    #[track_caller]
    pub fn layer_norm_backward(
        &self,
        grad: &Array,
        stats: &Array,
        axes: usize,
        weight: Option<&Array>,
        sums: bool,
    ) -> (Array, Option<[Array; 2]>) {
        assert!(self.shape() == grad.shape(), "layer_norm_backward: shapes differ");
        let (to, dtype) = (self.dtype(), row_lane(self.dtype()));
        let size = rows_of(self.shape(), axes);
        let wide = |a: &Array| a.clone().cast(dtype).contiguous();
        let (x, g, w) = (wide(self), grad.clone().cast(dtype), weight.map(wide));
        let (dx, sums) = lane!(dtype, T => {
            let w = w.as_ref().map(|w| w.elements::<T>());
            backward::<T>(&x, &g, stats, size, w, sums)
        });
        let row = Shape::new(&self.shape()[self.rank() - axes..]);
        let sums = sums.map(|[w, b]| [w, b].map(|s| Array::from_f64(&row, dtype, &s)));
        (dx.cast(to), sums)
    }
}

fn forward<T: RowFloat + Element>(
    x: &Array,
    [rows, n]: [usize; 2],
    by: Affine<'_, T>,
    eps: f64,
) -> (Array, Array) {
    let data = x.elements::<T>();
    let (each, how) = ((CHUNK / n.max(1)).max(1), Write::of(size_of_val(data)));
    let mut stats = vec![Stats::<T>::default(); rows];
    let y = Array::build::<T>(x.shape(), |y| {
        let parts = y.chunks_mut((each * n).max(1)).zip(stats.chunks_mut(each));
        let mut parts: Vec<_> = parts.collect();
        threads::run_chunks(&mut parts, 1, data.len() as f64 * NS_PER_ELEMENT, &|i, parts| {
            for (y, stats) in parts {
                let x = &data[i * each * n..][..y.len()];
                layer_norm(x, by, eps, as_uninit(y), stats, how);
            }
        });
    });
    (y, Array::new([rows, 3], stats.as_flattened()))
}

/// `dx`, and the two sums of each column: every task has its own, which are then added in their order.
fn backward<T: RowFloat + Element>(
    x: &Array,
    g: &Array,
    stats: &Array,
    (rows, n): (usize, usize),
    weight: Option<&[T]>,
    sums: bool,
) -> (Array, Option<[Vec<f64>; 2]>) {
    let data = x.elements::<T>();
    let stats: &[Stats<T>] = stats.elements::<T>().as_chunks().0;
    let (g, how) = (RowInput::<T>::new(g, n), Write::of(size_of_val(data)));
    let each = (CHUNK / n.max(1)).max(rows.div_ceil(TASKS)).max(1);
    let tasks = if n == 0 { 0 } else { rows.div_ceil(each) };
    let width = if sums { 2 * n } else { 0 };
    let mut partial = vec![0.0; tasks * width];
    let dx = Array::build::<T>(x.shape(), |dx| {
        let mut parts: Vec<(&mut [T], &mut [f64])> = Vec::new();
        let mut rest = partial.as_mut_slice();
        for dx in dx.chunks_mut((each * n).max(1)) {
            let (own, after) = rest.split_at_mut(width);
            parts.push((dx, own));
            rest = after;
        }
        threads::run_chunks(&mut parts, 1, data.len() as f64 * NS_PER_ELEMENT, &|i, parts| {
            for (dx, sums) in parts {
                let (start, count) = (i * each, dx.len() / n);
                let (mut room, x) = (Vec::new(), &data[start * n..][..dx.len()]);
                let g = g.rows(start, count, &mut room);
                let stats = &stats[start..start + count];
                layer_norm_backward(x, g, stats, weight, as_uninit(dx), sums, how);
            }
        });
    });
    let total = sums.then(|| {
        let mut total = vec![0.0; width];
        sum_rows(&partial, 1, tasks, width, as_uninit(&mut total));
        let bias = total.split_off(n);
        [total, bias]
    });
    (dx, total)
}
