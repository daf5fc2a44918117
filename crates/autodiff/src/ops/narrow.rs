//! A part of an axis, as a view: entries `start, start + step, …`.

use super::prelude::*;

struct Narrow {
    axis: usize,
    start: usize,
    step: usize,
    len: usize,
}

impl Op for Narrow {
    const NAME: &'static str = "narrow";
    const AUTOCAST: Autocast = Autocast::Input;
    type In<T> = T;
    type Out<T> = T;

    fn infer(&self, x: &Meta) -> Result<Meta, OpError> {
        Ok(x.with_shape(x.shape.with(self.axis, self.len)))
    }
    fn forward(&self, x: Array, _: &mut Save<'_>) -> Array {
        x.slice(self.axis as isize, self.start, self.step, self.len)
    }
    /// `x̄` is `ȳ` at its place among zeros.
    fn vjp(&self, saved: &Saved<'_>, g: Tensor) -> Tensor {
        let Narrow { axis, start, step, len } = *self;
        let size = saved.shape(0)[axis];
        Tensor::apply(Place { axis, start, step, len, size }, g)
    }
    fn work(&self, _: &Meta, _: &Meta) -> Work {
        Work::NONE // a view
    }
}

/// A part put back at its place among zeros: the adjoint of [`Narrow`].
struct Place {
    axis: usize,
    start: usize,
    step: usize,
    len: usize,
    size: usize,
}

impl Op for Place {
    const NAME: &'static str = "narrow_backward";
    const AUTOCAST: Autocast = Autocast::Input;
    type In<T> = T;
    type Out<T> = T;

    fn infer(&self, x: &Meta) -> Result<Meta, OpError> {
        Ok(x.with_shape(x.shape.with(self.axis, self.size)))
    }
    fn forward(&self, x: Array, _: &mut Save<'_>) -> Array {
        x.place(self.axis, self.start, self.step, self.size)
    }
    /// `x̄` is that part of `ȳ`.
    fn vjp(&self, _: &Saved<'_>, g: Tensor) -> Tensor {
        let Place { axis, start, step, len, .. } = *self;
        Tensor::apply(Narrow { axis, start, step, len }, g)
    }
}

impl Tensor {
    /// The part `start..start + len` of axis `dim`, as a view (`torch.narrow`).
    ///
    /// # Panics
    /// If the axis does not exist or the part leaves it.
    #[track_caller]
    pub fn narrow(&self, dim: isize, start: usize, len: usize) -> Tensor {
        must(self.try_narrow(dim, start, len))
    }
    /// As [`Tensor::narrow`].
    ///
    /// # Errors
    /// If the axis does not exist or the part leaves it.
    #[track_caller]
    pub fn try_narrow(&self, dim: isize, start: usize, len: usize) -> Result<Tensor, OpError> {
        let axis = self.sliced_axis("narrow", dim)?;
        let size = self.shape()[axis];
        if start.checked_add(len).is_none_or(|end| end > size) {
            let e = OpError::rule("start + len <= size of the axis");
            let hint = format!("start {start}, len {len}, axis {axis} has {size}");
            return Err(e.hint(hint).at("narrow", self));
        }
        Tensor::try_apply(Narrow { axis, start, step: 1, len }, self)
    }
    /// `x[start:end:step]` on axis `dim`, with Python's rules: a negative bound counts from the end,
    /// bounds beyond the axis are clamped.
    ///
    /// # Panics
    /// If the axis does not exist or `step` is 0.
    #[track_caller]
    pub fn slice(&self, dim: isize, start: isize, end: isize, step: usize) -> Tensor {
        must(self.try_slice(dim, start, end, step))
    }
    /// As [`Tensor::slice`].
    ///
    /// # Errors
    /// If the axis does not exist or `step` is 0.
    #[track_caller]
    pub fn try_slice(
        &self,
        dim: isize,
        start: isize,
        end: isize,
        step: usize,
    ) -> Result<Tensor, OpError> {
        let axis = self.sliced_axis("slice", dim)?;
        if step == 0 {
            return Err(OpError::rule("step > 0").at("slice", self));
        }
        let size = self.shape()[axis];
        let bound = |b: isize| {
            let b = if b < 0 { b.saturating_add_unsigned(size) } else { b };
            (b.max(0) as usize).min(size)
        };
        let (start, end) = (bound(start), bound(end));
        let len = end.saturating_sub(start).div_ceil(step);
        Tensor::try_apply(Narrow { axis, start, step, len }, self)
    }
    /// Entry `index` of axis `dim`, without that axis (`torch.select`); negative counts from the end.
    ///
    /// # Panics
    /// If the axis does not exist or the index leaves it.
    #[track_caller]
    pub fn select(&self, dim: isize, index: isize) -> Tensor {
        must(self.try_select(dim, index))
    }
    /// As [`Tensor::select`].
    ///
    /// # Errors
    /// If the axis does not exist or the index leaves it.
    #[track_caller]
    pub fn try_select(&self, dim: isize, index: isize) -> Result<Tensor, OpError> {
        let axis = self.sliced_axis("select", dim)?;
        let size = self.shape()[axis];
        let at = if index < 0 { index.checked_add_unsigned(size) } else { Some(index) };
        match at.and_then(|i| usize::try_from(i).ok()).filter(|&i| i < size) {
            Some(start) => {
                let part = Tensor::try_apply(Narrow { axis, start, step: 1, len: 1 }, self)?;
                Ok(part.reshape_to(&self.shape().without(axis)))
            }
            None => {
                let e = OpError::rule("-size <= index < size of the axis");
                Err(e.hint(format!("index {index}, axis {axis} has {size}")).at("select", self))
            }
        }
    }
    fn sliced_axis(&self, op: &'static str, dim: isize) -> Result<usize, OpError> {
        if self.rank() == 0 {
            return Err(OpError::rule("a scalar has no axes").at(op, self));
        }
        axis(dim, self.shape()).map_err(|e| e.at(op, self))
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new(&[&[2, 5]], |x| x[0].narrow(1, 1, 3)),
        Case::new(&[&[5]], |x| x[0].slice(0, 0, isize::MAX, 2) * 2.0),
        Case::new(&[&[5, 2]], |x| x[0].slice(0, -4, -1, 2)),
        Case::new(&[&[5]], |x| x[0].slice(0, 4, 2, 1)),
        Case::new(&[&[2, 3, 2]], |x| x[0].select(1, -1) * &x[0].select(1, 0)),
        Case::new(&[&[0, 3]], |x| x[0].narrow(1, 1, 1)),
    ]
}
