//! Reading the elements of a view in row-major order, a stretch at a time.

use crate::shape::Axes;
use crate::{Array, Element};

/// Copy the elements `start..start + out.len()` of `x`, counted in row-major order.
///
/// # Panics
/// If the dtype is not `T`'s, or the stretch is out of range.
pub(crate) fn gather<T: Element>(x: &Array, start: usize, out: &mut [T]) {
    assert!(start + out.len() <= x.numel(), "gather: out of range");
    if !out.is_empty() {
        Walk::new(x).copy(x.stored::<T>(), start, out);
    }
}

/// Sizes and strides of a view, with neighbouring axes merged where one stride serves both.
pub(crate) struct Walk {
    sizes: Axes<usize>,
    strides: Axes<isize>,
    offset: usize,
}

impl Walk {
    pub(crate) fn new(x: &Array) -> Self {
        let (mut sizes, mut strides): (Axes<usize>, Axes<isize>) = (Axes::new(), Axes::new());
        for (&n, s) in x.shape().iter().zip(x.strides()) {
            match (sizes.last_mut(), strides.last_mut()) {
                _ if n == 1 => {}
                (Some(m), Some(t)) if *t == s * n as isize => {
                    *m *= n;
                    *t = s;
                }
                _ => {
                    sizes.push(n);
                    strides.push(s);
                }
            }
        }
        Walk { sizes, strides, offset: x.offset() }
    }
    /// Copy the stretch that begins at `start` from `from`, the whole storage.
    pub(crate) fn copy<T: Copy>(&self, from: &[T], start: usize, out: &mut [T]) {
        let Some((&row, outer)) = self.sizes.split_last() else {
            out.fill(from[self.offset]);
            return;
        };
        let stride = self.strides[outer.len()];
        let mut index: Axes<usize> = smallvec::smallvec![0; outer.len()];
        let (mut rest, mut column) = (start / row, start % row);
        for (i, &n) in outer.iter().enumerate().rev() {
            (index[i], rest) = (rest % n, rest / n);
        }
        let step = |i: usize, s: isize| i as isize * s;
        let base = |index: &[usize]| -> isize {
            index.iter().zip(&self.strides).map(|(&i, &s)| step(i, s)).sum()
        };
        let mut out = out;
        while !out.is_empty() {
            let take = (row - column).min(out.len());
            let (part, after) = out.split_at_mut(take);
            let at = self.offset as isize + base(&index) + step(column, stride);
            copy_row(from, at as usize, stride, part);
            (out, column) = (after, 0);
            advance(&mut index, outer);
        }
    }
}

/// One step of an odometer.
fn advance(index: &mut [usize], sizes: &[usize]) {
    for (i, &n) in index.iter_mut().zip(sizes).rev() {
        *i += 1;
        if *i < n {
            return;
        }
        *i = 0;
    }
}

fn copy_row<T: Copy>(from: &[T], at: usize, stride: isize, out: &mut [T]) {
    match stride {
        1 => out.copy_from_slice(&from[at..at + out.len()]),
        0 => out.fill(from[at]),
        _ if stride > 0 => {
            let source = from[at..].iter().step_by(stride as usize);
            out.iter_mut().zip(source).for_each(|(o, &v)| *o = v);
        }
        _ => {
            for (i, o) in out.iter_mut().enumerate() {
                *o = from[(at as isize + i as isize * stride) as usize];
            }
        }
    }
}
