//! Join any number of tensors along one axis.

use super::prelude::*;

struct Cat {
    axis: usize,
}

impl Op for Cat {
    const NAME: &'static str = "cat";
    const AUTOCAST: Autocast = Autocast::Widest;
    type In<T> = Vec<T>;
    type Out<T> = T;

    fn infer(&self, xs: Vec<&Meta>) -> Result<Meta, OpError> {
        let first = *xs.first().ok_or_else(|| OpError::rule("at least one input"))?;
        if first.shape.rank() == 0 {
            return Err(OpError::rule("scalars cannot be joined").hint("stack adds an axis"));
        }
        let fits = |x: &&Meta| {
            x.shape.rank() == first.shape.rank()
                && x.shape.with(self.axis, 0) == first.shape.with(self.axis, 0)
        };
        if !xs.iter().all(fits) {
            return Err(OpError::rule("sizes are equal on all axes but dim"));
        }
        let total = xs.iter().map(|x| x.shape[self.axis]).sum();
        Ok(first.with_shape(first.shape.with(self.axis, total)))
    }
    fn forward(&self, xs: Vec<Array>, _: &mut Save<'_>) -> Array {
        Array::cat(&xs, self.axis)
    }
    /// `x̄ᵢ` is its part of `ȳ`.
    fn vjp(&self, saved: &Saved<'_>, g: Tensor) -> Vec<Option<Tensor>> {
        let mut start = 0;
        let part = |i| {
            let len = saved.shape(i)[self.axis];
            start += len;
            saved.need(i).then(|| g.narrow(self.axis as isize, start - len, len))
        };
        (0..saved.inputs()).map(part).collect()
    }
}

/// PyTorch's old rule: an empty vector joins anything.
fn is_nothing(x: &Tensor) -> bool {
    *x.shape() == [0]
}

impl Tensor {
    /// Join along `dim` (`torch.cat`). Dtypes are promoted; a tensor `[0]` joins anything.
    ///
    /// # Panics
    /// If there are no inputs, or sizes differ on another axis.
    #[track_caller]
    pub fn cat(xs: &[&Tensor], dim: isize) -> Tensor {
        must(Tensor::try_cat(xs, dim))
    }
    /// As [`Tensor::cat`].
    ///
    /// # Errors
    /// If there are no inputs, or sizes differ on another axis.
    #[track_caller]
    pub fn try_cat(xs: &[&Tensor], dim: isize) -> Result<Tensor, OpError> {
        let real: Vec<&Tensor> = xs.iter().copied().filter(|x| !is_nothing(x)).collect();
        let xs = if real.is_empty() { xs.to_vec() } else { real };
        let axis = match xs.first() {
            Some(x) => axis(dim, x.shape()).map_err(|e| e.at("cat", x))?,
            None => 0,
        };
        Tensor::try_apply(Cat { axis }, xs)
    }
    /// Join along a new axis `dim` (`torch.stack`); all shapes are equal.
    ///
    /// # Panics
    /// If there are no inputs, or shapes differ.
    #[track_caller]
    pub fn stack(xs: &[&Tensor], dim: isize) -> Tensor {
        must(Tensor::try_stack(xs, dim))
    }
    /// As [`Tensor::stack`].
    ///
    /// # Errors
    /// If there are no inputs, or shapes differ.
    #[track_caller]
    pub fn try_stack(xs: &[&Tensor], dim: isize) -> Result<Tensor, OpError> {
        if let Some(x) = xs.iter().find(|x| x.shape() != xs[0].shape()) {
            let hint = format!("the first is {}", xs[0].meta());
            return Err(OpError::rule("all shapes are equal").hint(hint).at("stack", x));
        }
        let raised: Vec<Tensor> =
            xs.iter().map(|x| x.try_unsqueeze(dim)).collect::<Result<_, _>>()?;
        let axis =
            if dim < 0 { dim + raised.first().map_or(0, Tensor::rank) as isize } else { dim };
        Tensor::try_apply(Cat { axis: axis as usize }, raised)
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new(&[&[2, 1], &[2, 3], &[2, 2]], |x| Tensor::cat(&[&x[0], &x[1], &x[2]], 1)),
        Case::new(&[&[2, 2]], |x| Tensor::cat(&[&x[0], &x[0].exp()], -2)),
        Case::new(&[&[1, 2], &[0, 2]], |x| Tensor::cat(&[&x[0], &x[1]], 0)),
        Case::new(&[&[2], &[2]], |x| Tensor::stack(&[&x[0], &x[1].tanh()], -1)),
        Case::new(&[&[], &[]], |x| Tensor::stack(&[&x[0], &x[1], &x[0]], 0)),
    ]
}
