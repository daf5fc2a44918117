//! `y = x` in a buffer of its own, and the in-place ops that replace all elements.

use super::prelude::*;

struct Copy;

impl Op for Copy {
    const NAME: &'static str = "copy";
    const AUTOCAST: Autocast = Autocast::Input;
    type In<T> = T;
    type Out<T> = T;

    fn infer(&self, x: &Meta) -> Result<Meta, OpError> {
        Ok(x.clone())
    }
    fn forward(&self, x: Array, _: &mut Save<'_>) -> Array {
        x.copy()
    }
    /// `x̄ = ȳ`
    fn vjp(&self, _: &Saved<'_>, g: Tensor) -> Tensor {
        g
    }
}

/// `self ← source`, broadcasting: the old value goes.
struct CopyInto;

impl Op for CopyInto {
    const NAME: &'static str = "copy_";
    const AUTOCAST: Autocast = Autocast::Input;
    type In<T> = [T; 2];
    type Out<T> = T;

    fn infer(&self, [to, from]: [&Meta; 2]) -> Result<Meta, OpError> {
        match Shape::broadcast(&to.shape, &from.shape) {
            Some(shape) if shape == to.shape => Ok(to.clone()),
            _ => Err(OpError::rule("the source broadcasts to the destination")),
        }
    }
    fn forward(&self, [to, from]: [Array; 2], _: &mut Save<'_>) -> Array {
        let shape = to.shape().clone();
        drop(to);
        from.expand(&shape).copy()
    }
    /// `t̄o = 0`, `f̄rom = ȳ`
    fn vjp(&self, saved: &Saved<'_>, g: Tensor) -> [Option<Tensor>; 2] {
        [None, saved.need(1).then_some(g)]
    }
}

impl Tensor {
    /// The same numbers in a buffer of their own, tracked (`torch.clone`). `Clone` is the same tensor.
    #[track_caller]
    pub fn copy(&self) -> Tensor {
        Tensor::apply(Copy, self)
    }
    /// `self ← source`, broadcasting, in the dtype of `self` (`torch.Tensor.copy_`).
    ///
    /// # Panics
    /// If the shapes do not broadcast, or `self` is a leaf that is tracked here.
    #[track_caller]
    pub fn copy_(&mut self, source: &Tensor) {
        let source = source.to_dtype(self.dtype());
        must(self.try_assign(CopyInto, &[&source]));
    }
    /// Every element ← `value` (`torch.Tensor.fill_`).
    ///
    /// # Panics
    /// If `self` is a leaf that is tracked here.
    #[track_caller]
    pub fn fill_(&mut self, value: impl Into<Scalar>) {
        let value = Tensor::scalar(value, self.dtype());
        must(self.try_assign(CopyInto, &[&value]));
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new(&[&[2, 3]], |x| x[0].copy() * &x[0]),
        Case::new(&[&[2, 3], &[3]], |x| {
            let mut y = x[0].tanh();
            y.copy_(&x[1]);
            y * &x[0]
        }),
        Case::new(&[&[2]], |x| {
            let mut y = x[0].tanh();
            y.fill_(2.0);
            y * &x[0]
        }),
    ]
}
