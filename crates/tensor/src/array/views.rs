//! Views: other shapes and strides on the same elements.

use super::{Array, View};
use crate::Shape;
use crate::shape::Axes;
use std::sync::Arc;

impl Array {
    /// The same storage seen through other strides.
    fn seen(&self, shape: Shape, strides: Axes<isize>, offset: usize) -> Array {
        let view = Some(Arc::new(View { strides, offset }));
        let meta = crate::Meta { shape, dtype: self.dtype() };
        Array { storage: self.storage.clone(), meta, view }
    }
    /// The axis that `dim` names, or a panic at the caller's line.
    #[track_caller]
    pub(crate) fn axis(&self, what: &str, dim: isize) -> usize {
        match self.shape().axis(dim) {
            Some(axis) => axis,
            None => panic!("{what}: dim {dim} is out of range for {}", self.shape()),
        }
    }
    /// Axes in another order (`torch.permute`).
    ///
    /// # Panics
    /// If `axes` is not a permutation of all axes.
    #[track_caller]
    pub fn permute(&self, axes: &[usize]) -> Array {
        let (shape, mut sorted) = (self.shape(), Axes::from(axes));
        sorted.sort_unstable();
        let all = sorted.iter().copied().eq(0..shape.rank());
        assert!(all, "permute: {axes:?} is not an order of the axes of {shape}");
        let strides = self.strides();
        let sizes: Axes<usize> = axes.iter().map(|&a| shape[a]).collect();
        self.seen(Shape::new(&sizes), axes.iter().map(|&a| strides[a]).collect(), self.offset())
    }
    /// Two axes exchanged (`torch.transpose`).
    ///
    /// # Panics
    /// If an axis is out of range.
    #[track_caller]
    pub fn transpose(&self, dim0: isize, dim1: isize) -> Array {
        let (a, b) = (self.axis("transpose", dim0), self.axis("transpose", dim1));
        if self.rank() == 0 {
            return self.clone();
        }
        let mut axes: Axes<usize> = (0..self.rank()).collect();
        axes.swap(a, b);
        self.permute(&axes)
    }
    /// The part `start..start + len` of axis `dim` (`torch.narrow`).
    ///
    /// # Panics
    /// If the part leaves the axis, or the array has no axes.
    #[track_caller]
    pub fn narrow(&self, dim: isize, start: usize, len: usize) -> Array {
        self.entries("narrow", dim, start, 1, len)
    }
    /// `len` entries of axis `dim`: `start, start + step, …`.
    ///
    /// # Panics
    /// If an entry leaves the axis, or the array has no axes.
    #[track_caller]
    pub fn slice(&self, dim: isize, start: usize, step: usize, len: usize) -> Array {
        self.entries("slice", dim, start, step, len)
    }
    #[track_caller]
    fn entries(&self, what: &str, dim: isize, start: usize, step: usize, len: usize) -> Array {
        let shape = self.shape();
        assert!(shape.rank() > 0, "{what}: an array without axes has no entries to choose from");
        let axis = self.axis(what, dim);
        // One past the last entry.
        let end = match len.checked_sub(1) {
            None => Some(start),
            Some(n) => n.checked_mul(step).and_then(|d| d.checked_add(start)?.checked_add(1)),
        };
        assert!(
            end.is_some_and(|end| end <= shape[axis]),
            "{what}: {len} entries from {start} by {step} leave axis {axis} of {shape}"
        );
        let mut strides = self.strides();
        let shift = if len == 0 { 0 } else { start as isize * strides[axis] };
        if len > 1 {
            strides[axis] *= step as isize;
        }
        let offset = self.offset().checked_add_signed(shift).expect("inside the storage");
        self.seen(shape.with(axis, len), strides, offset)
    }
    /// Entry `index` of axis `dim`, without that axis (`torch.select`).
    ///
    /// # Panics
    /// If the index leaves the axis, or the array has no axes.
    #[track_caller]
    pub fn select(&self, dim: isize, index: usize) -> Array {
        let part = self.entries("select", dim, index, 1, 1);
        let axis = self.axis("select", dim);
        let mut strides = part.strides();
        strides.remove(axis);
        part.seen(part.shape().without(axis), strides, part.offset())
    }
    /// Repeat along axes of size 1 and new leading axes, without a copy (`torch.expand`).
    ///
    /// # Panics
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn expand(&self, shape: &Shape) -> Array {
        if self.shape() == shape {
            return self.clone();
        }
        let have = self.shape();
        let fits = Shape::broadcast(have, shape).is_some_and(|s| s == *shape);
        assert!(fits, "expand: {have} does not broadcast to {shape}");
        let (new, old) = (shape.rank() - have.rank(), self.strides());
        let stride = |i: usize| {
            let kept = i >= new && have[i - new] == shape[i];
            if kept { old[i - new] } else { 0 }
        };
        self.seen(shape.clone(), (0..shape.rank()).map(stride).collect(), self.offset())
    }
    /// Another shape for the same elements in row-major order; a view where the strides allow it.
    ///
    /// # Panics
    /// If the numbers of elements differ.
    #[track_caller]
    pub fn reshape(&self, shape: &Shape) -> Array {
        let (have, n) = (self.shape(), shape.numel());
        assert!(have.numel() == n, "reshape: {have} has {} elements, not {n}", have.numel());
        if have == shape {
            return self.clone();
        }
        if self.view.is_none() {
            let meta = crate::Meta { shape: shape.clone(), dtype: self.dtype() };
            return Array { storage: self.storage.clone(), meta, view: None };
        }
        match reshaped_strides(have, &self.strides(), shape) {
            Some(strides) => self.seen(shape.clone(), strides, self.offset()),
            None => self.copy().reshape(shape),
        }
    }
    /// As [`Array::reshape`] of an array that is given up: it stays the only handle.
    pub(crate) fn into_shape(mut self, shape: &Shape) -> Array {
        if self.view.is_none() && self.numel() == shape.numel() {
            self.meta.shape = shape.clone();
            return self;
        }
        self.reshape(shape)
    }
    /// A new axis of size 1 (`torch.unsqueeze`).
    ///
    /// # Panics
    /// If `dim` is not in `-rank-1..=rank`.
    #[track_caller]
    pub fn unsqueeze(&self, dim: isize) -> Array {
        let rank = self.rank() as isize + 1;
        let axis = if dim < 0 { dim + rank } else { dim };
        let shape = self.shape();
        assert!((0..rank).contains(&axis), "unsqueeze: dim {dim} is out of range for {shape}");
        let mut sizes = Axes::from(shape.dims());
        sizes.insert(axis as usize, 1);
        self.reshape(&Shape::new(&sizes))
    }
}

/// Strides that show elements of `shape` and `strides` in the shape `to`, if there are any.
fn reshaped_strides(shape: &[usize], strides: &[isize], to: &[usize]) -> Option<Axes<isize>> {
    if shape.contains(&0) {
        return Some(Shape::new(to).strides());
    }
    let old: Axes<(usize, isize)> =
        shape.iter().copied().zip(strides.iter().copied()).filter(|&(n, _)| n != 1).collect();
    let (mut new, mut at, mut i) = (Axes::new(), 0, 0);
    while i < to.len() {
        if to[i] == 1 {
            new.push(1);
            i += 1;
            continue;
        }
        // The smallest groups of old and new axes that hold the same number of elements.
        let (first, begin) = (at, i);
        let (mut have, mut want) = (old[at].0, to[i]);
        while have != want {
            if have < want {
                at += 1;
                have *= old[at].0;
            } else {
                i += 1;
                want *= to[i];
            }
        }
        let group = &old[first..=at];
        if group.windows(2).any(|w| w[0].1 != w[1].1 * w[1].0 as isize) {
            return None;
        }
        let mut stride = group[group.len() - 1].1;
        let mut part: Axes<isize> = Axes::new();
        for &n in to[begin..=i].iter().rev() {
            part.push(stride);
            stride *= n as isize;
        }
        new.extend(part.into_iter().rev());
        (at, i) = (at + 1, i + 1);
    }
    Some(new)
}
