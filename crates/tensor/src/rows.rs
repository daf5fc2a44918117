//! Fused passes over the rows of one axis: softmax and its relatives.

use crate::kernels::element::Lane;
use crate::shape::Axes;
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
