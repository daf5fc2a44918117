//! `y[i][j] = x[index[i][j]][j]` along one axis, and its adjoint.

use super::prelude::*;

struct Gather {
    axis: usize,
}

/// The rule that index tensors of gather and its adjoint obey.
fn index_rule(x: &Meta, index: &Meta, axis: usize) -> Result<(), OpError> {
    if index.dtype != DType::I64 {
        return Err(OpError::rule("the index is int64"));
    }
    let fits = |(i, (&n, &m)): (usize, (&usize, &usize))| i == axis || n <= m;
    let pairs = index.shape.iter().zip(x.shape.iter()).enumerate();
    if index.shape.rank() != x.shape.rank() || !pairs.into_iter().all(fits) {
        return Err(OpError::rule("the index has the rank of x, and at most its sizes off dim"));
    }
    Ok(())
}

impl Op for Gather {
    const NAME: &'static str = "gather";
    const AUTOCAST: Autocast = Autocast::Input;
    const PROMOTION: Promotion = Promotion::Keep;
    type In<T> = [T; 2];
    type Out<T> = T;

    fn infer(&self, [x, index]: [&Meta; 2]) -> Result<Meta, OpError> {
        index_rule(x, index, self.axis)?;
        Ok(x.with_shape(index.shape.clone()))
    }
    fn forward(&self, [x, index]: [Array; 2], save: &mut Save<'_>) -> Array {
        save.cache(0, &index);
        x.gather(self.axis, &index)
    }
    /// `x̄`: every `ȳ` added where it was taken.
    fn vjp(&self, saved: &Saved<'_>, g: Tensor) -> [Option<Tensor>; 2] {
        let index = Tensor::new(saved.cache(0).clone());
        [Some(g.scatter_zeros(self.axis, &index, saved.shape(0))), None]
    }
}

/// Elements added to zeros at the positions of `index`: the adjoint of [`Gather`].
struct ScatterZeros {
    axis: usize,
    shape: Shape,
}

impl Op for ScatterZeros {
    const NAME: &'static str = "gather_backward";
    const AUTOCAST: Autocast = Autocast::Input;
    const PROMOTION: Promotion = Promotion::Keep;
    type In<T> = [T; 2];
    type Out<T> = T;

    fn infer(&self, [g, index]: [&Meta; 2]) -> Result<Meta, OpError> {
        index_rule(&g.with_shape(self.shape.clone()), index, self.axis)?;
        Ok(g.with_shape(self.shape.clone()))
    }
    fn forward(&self, [g, index]: [Array; 2], save: &mut Save<'_>) -> Array {
        save.cache(0, &index);
        g.scatter_add_zeros(self.axis, &index, &self.shape)
    }
    /// `ḡ`: picked again.
    fn vjp(&self, saved: &Saved<'_>, u: Tensor) -> [Option<Tensor>; 2] {
        let index = Tensor::new(saved.cache(0).clone());
        [Some(Tensor::apply(Gather { axis: self.axis }, [u, index])), None]
    }
}

/// Bad positions are found before the op runs: `infer` sees no numbers.
fn check(x: &Tensor, axis: usize, index: &Tensor) -> Result<(), OpError> {
    let size = x.shape().get(axis).copied().unwrap_or(1);
    index.array().positions(size).map(drop).map_err(|i| {
        let e = OpError::rule("-size <= index < size of the axis");
        e.hint(format!("index {i}, the axis has {size}")).at("gather", x)
    })
}

impl Tensor {
    /// `y[i][j] = x[index[i][j]][j]` for `dim = 0`, and so on (`torch.gather`); `index` is i64 of the
    /// same rank.
    ///
    /// # Panics
    /// If the index has another rank or dtype, or a position that leaves the axis.
    #[track_caller]
    pub fn gather(&self, dim: isize, index: &Tensor) -> Tensor {
        must(self.try_gather(dim, index))
    }
    /// As [`Tensor::gather`].
    ///
    /// # Errors
    /// If the index has another rank or dtype, or a position that leaves the axis.
    #[track_caller]
    pub fn try_gather(&self, dim: isize, index: &Tensor) -> Result<Tensor, OpError> {
        let axis = axis(dim, self.shape()).map_err(|e| e.at("gather", self))?;
        if self.rank() == 0 {
            check(self, axis, index)?;
            return self.reshape(&[1]).try_gather(0, &index.reshape(&[-1]))?.try_squeeze(0);
        }
        index_rule(&self.meta(), &index.meta(), axis).map_err(|e| e.at("gather", self))?;
        check(self, axis, index)?;
        Tensor::try_apply(Gather { axis }, [self, index])
    }
    /// Elements added to zeros of `shape` where `index` says; positions are in range.
    #[track_caller]
    pub(super) fn scatter_zeros(&self, axis: usize, index: &Tensor, shape: &Shape) -> Tensor {
        Tensor::apply(ScatterZeros { axis, shape: shape.clone() }, [self, index])
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new(&[&[3, 2]], |x| x[0].gather(0, &Tensor::from([[0_i64, 2], [2, -1]]))),
        Case::new(&[&[2, 3]], |x| x[0].gather(-1, &Tensor::from([[1_i64, 1, 0, 2]])) * 2.0),
        Case::new(&[&[]], |x| x[0].gather(0, &Tensor::from(0_i64))),
        Case::new(&[&[2, 2]], |x| {
            x[0].scatter_zeros(0, &Tensor::from([[0_i64, 2], [2, 2]]), &[3, 2].into())
        }),
    ]
}
