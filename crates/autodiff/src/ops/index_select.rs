//! The entries of one axis at given positions, and its adjoint.

use super::prelude::*;

struct IndexSelect {
    axis: usize,
}

impl Op for IndexSelect {
    const NAME: &'static str = "index_select";
    const AUTOCAST: Autocast = Autocast::Input;
    const PROMOTION: Promotion = Promotion::Keep;
    type In<T> = [T; 2];
    type Out<T> = T;

    fn infer(&self, [x, index]: [&Meta; 2]) -> Result<Meta, OpError> {
        Ok(x.with_shape(x.shape.with(self.axis, index.shape.numel())))
    }
    fn forward(&self, [x, index]: [Array; 2], save: &mut Save<'_>) -> Array {
        save.cache(0, &index);
        x.index_select(self.axis as isize, &index)
    }
    /// `x̄`: every entry of `ȳ` added where it was taken.
    fn vjp(&self, saved: &Saved<'_>, g: Tensor) -> [Option<Tensor>; 2] {
        let op = IndexAdd { axis: self.axis, size: saved.shape(0)[self.axis] };
        [Some(Tensor::apply(op, [g, Tensor::new(saved.cache(0).clone())])), None]
    }
}

/// Entries added to zeros at the positions of the index: the adjoint of [`IndexSelect`].
struct IndexAdd {
    axis: usize,
    size: usize,
}

impl Op for IndexAdd {
    const NAME: &'static str = "index_select_backward";
    const AUTOCAST: Autocast = Autocast::Input;
    const PROMOTION: Promotion = Promotion::Keep;
    type In<T> = [T; 2];
    type Out<T> = T;

    fn infer(&self, [g, _]: [&Meta; 2]) -> Result<Meta, OpError> {
        Ok(g.with_shape(g.shape.with(self.axis, self.size)))
    }
    fn forward(&self, [g, index]: [Array; 2], save: &mut Save<'_>) -> Array {
        save.cache(0, &index);
        let index = index.positions(self.size).expect("checked when they were selected");
        g.index_add_zeros(self.axis, &index, self.size)
    }
    /// `ḡ`: selected again.
    fn vjp(&self, saved: &Saved<'_>, u: Tensor) -> [Option<Tensor>; 2] {
        let index = Tensor::new(saved.cache(0).clone());
        [Some(Tensor::apply(IndexSelect { axis: self.axis }, [u, index])), None]
    }
}

/// The index as an op wants it: i64, one axis, every entry in range. A negative one is refused, as in
/// PyTorch.
fn check(index: &Tensor, size: usize) -> Result<(), OpError> {
    if index.dtype() != DType::I64 || index.rank() > 1 {
        return Err(OpError::rule("index: [k], int64"));
    }
    let inside = |i: &i64| usize::try_from(*i).is_ok_and(|i| i < size);
    match index.to_vec::<i64>().iter().find(|i| !inside(i)) {
        None => Ok(()),
        Some(i) => {
            let hint = format!("index {i}, the axis has {size}");
            Err(OpError::rule("0 <= index < size of the axis").hint(hint))
        }
    }
}

impl Tensor {
    /// The entries of axis `dim` at the positions in `index`, in that order.
    ///
    /// ```text
    /// y[.., j, ..] = x[.., index[j], ..]
    /// ```
    /// # Shape      `self: [.., n, ..]`, `index: [k]` or `[]`, int64  →  `[.., k, ..]`
    /// # Gradient   positions that are taken twice get both gradients
    /// # Panics     if the axis does not exist, or the index leaves it or is negative
    /// # PyTorch    `torch.index_select`
    /// # Example
    /// ```
    /// use gradus_autodiff::Tensor;
    /// let x = Tensor::from([[1.0, 2.0], [3.0, 4.0]]);
    /// let y = x.index_select(0, &Tensor::from([1_i64, 1, 0]));
    /// assert_eq!(y.to_vec::<f64>(), [3.0, 4.0, 3.0, 4.0, 1.0, 2.0]);
    /// ```
    #[track_caller]
    pub fn index_select(&self, dim: isize, index: &Tensor) -> Tensor {
        must(self.try_index_select(dim, index))
    }
    /// As [`Tensor::index_select`].
    ///
    /// # Errors
    /// If the axis does not exist, or the index leaves it or is negative.
    #[track_caller]
    pub fn try_index_select(&self, dim: isize, index: &Tensor) -> Result<Tensor, OpError> {
        let at = |e: OpError| e.of("index_select", vec![self.meta(), index.meta()]);
        let axis = axis(dim, self.shape()).map_err(at)?;
        if self.rank() == 0 {
            if index.numel() != 1 {
                return Err(at(OpError::rule("of a scalar, index selects one entry")));
            }
            return self.reshape(&[1]).try_index_select(0, index)?.try_reshape(&[]);
        }
        check(index, self.shape()[axis]).map_err(at)?;
        Tensor::try_apply(IndexSelect { axis }, [self, index])
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new(&[&[3, 2]], |x| x[0].index_select(0, &Tensor::from([2_i64, 0, 2, 1]))),
        Case::new(&[&[2, 3, 2]], |x| {
            let y = x[0].index_select(-2, &Tensor::from([1_i64, 1]));
            &y * &y
        }),
        Case::new(&[&[3]], |x| x[0].index_select(0, &Tensor::from(1_i64))),
        Case::new(&[&[]], |x| x[0].index_select(0, &Tensor::from([0_i64]))),
        Case::new(&[&[3, 2]], |x| x[0].index_select(1, &Tensor::new(Array::zeros(0, DType::I64)))),
        Case::new(&[&[3, 2]], |x| {
            let op = IndexAdd { axis: 0, size: 4 };
            Tensor::apply(op, [&x[0], &Tensor::from([3_i64, 1, 3])])
        }),
    ]
}
