//! Another shape for the same elements in row-major order; a view where strides allow it.

use super::prelude::*;

struct Reshape(Shape);

impl Op for Reshape {
    const NAME: &'static str = "reshape";
    const AUTOCAST: Autocast = Autocast::Input;
    type In<T> = T;
    type Out<T> = T;

    fn infer(&self, x: &Meta) -> Result<Meta, OpError> {
        if x.shape.numel() != self.0.numel() {
            let rule = format!("{} has as many elements as the input", self.0);
            let (have, want) = (x.shape.numel(), self.0.numel());
            return Err(OpError::rule(rule).hint(format!("{have} elements for {want}")));
        }
        Ok(x.with_shape(self.0.clone()))
    }
    fn forward(&self, x: Array, _: &mut Save<'_>) -> Array {
        x.reshape(&self.0)
    }
    /// `x̄` is `ȳ` in the old shape.
    fn vjp(&self, saved: &Saved<'_>, g: Tensor) -> Tensor {
        g.reshape_to(saved.shape(0))
    }
    fn work(&self, _: &Meta, _: &Meta) -> Work {
        Work::NONE // a view, where strides allow it
    }
}

/// Sizes of which one may be −1: what is left for it.
fn resolve(sizes: &[isize], numel: usize) -> Result<Shape, OpError> {
    let open = sizes.iter().filter(|&&s| s == -1).count();
    if open > 1 || sizes.iter().any(|&s| s < -1) {
        return Err(OpError::rule("sizes are not negative; one may be -1")
            .hint(format!("sizes are {sizes:?}")));
    }
    let known = sizes.iter().filter(|&&s| s >= 0).map(|&s| s as usize).product::<usize>();
    let rest = match (open, known) {
        (0, _) => 0,
        (_, 0) => return Err(OpError::rule("-1 beside a size of 0 has no meaning")),
        _ if numel.is_multiple_of(known) => numel / known,
        _ => {
            return Err(OpError::rule("the known sizes divide the number of elements")
                .hint(format!("{sizes:?} for {numel} elements")));
        }
    };
    let size = |&s: &isize| if s < 0 { rest } else { s as usize };
    Ok(Shape::new(&sizes.iter().map(size).collect::<gradus_tensor::Axes<usize>>()))
}

impl Tensor {
    /// The same elements in another shape; one size may be −1 (`torch.reshape`).
    ///
    /// # Panics
    /// If the numbers of elements differ.
    #[track_caller]
    pub fn reshape(&self, sizes: &[isize]) -> Tensor {
        must(self.try_reshape(sizes))
    }
    /// As [`Tensor::reshape`].
    ///
    /// # Errors
    /// If the numbers of elements differ.
    #[track_caller]
    pub fn try_reshape(&self, sizes: &[isize]) -> Result<Tensor, OpError> {
        let shape = resolve(sizes, self.numel()).map_err(|e| e.at("reshape", self))?;
        Tensor::try_apply(Reshape(shape), self)
    }
    /// As [`Tensor::reshape`], to a shape that is known.
    ///
    /// # Panics
    /// If the numbers of elements differ.
    #[track_caller]
    pub fn reshape_to(&self, shape: &Shape) -> Tensor {
        if self.shape() == shape {
            return self.clone();
        }
        Tensor::apply(Reshape(shape.clone()), self)
    }
    /// Axes `start..=end` as one (`torch.flatten`); a scalar becomes `[1]`.
    ///
    /// # Panics
    /// If an axis does not exist, or `start` is behind `end`.
    #[track_caller]
    pub fn flatten(&self, start: isize, end: isize) -> Tensor {
        must(self.try_flatten(start, end))
    }
    /// As [`Tensor::flatten`].
    ///
    /// # Errors
    /// If an axis does not exist, or `start` is behind `end`.
    #[track_caller]
    pub fn try_flatten(&self, start: isize, end: isize) -> Result<Tensor, OpError> {
        let shape = self.shape();
        let range = axis(start, shape).and_then(|a| axis(end, shape).map(|b| (a, b)));
        let (a, b) = range.map_err(|e| e.at("flatten", self))?;
        if a > b {
            return Err(OpError::rule("start is not behind end").at("flatten", self));
        }
        if shape.rank() == 0 {
            return Tensor::try_apply(Reshape([1].into()), self);
        }
        let mut sizes = gradus_tensor::Axes::from(&shape[..a]);
        sizes.push(shape[a..=b].iter().product());
        sizes.extend_from_slice(&shape[b + 1..]);
        Tensor::try_apply(Reshape(Shape::new(&sizes)), self)
    }
    /// A new axis of size 1 at `dim` (`torch.unsqueeze`).
    ///
    /// # Panics
    /// If `dim` is not in `-rank-1..=rank`.
    #[track_caller]
    pub fn unsqueeze(&self, dim: isize) -> Tensor {
        must(self.try_unsqueeze(dim))
    }
    /// As [`Tensor::unsqueeze`].
    ///
    /// # Errors
    /// If `dim` is not in `-rank-1..=rank`.
    #[track_caller]
    pub fn try_unsqueeze(&self, dim: isize) -> Result<Tensor, OpError> {
        let rank = self.rank() as isize + 1;
        let axis = if dim < 0 { dim + rank } else { dim };
        if !(0..rank).contains(&axis) {
            let e = OpError::rule("-rank-1 <= dim <= rank").hint(format!("dim is {dim}"));
            return Err(e.at("unsqueeze", self));
        }
        let mut sizes = gradus_tensor::Axes::from(self.shape().dims());
        sizes.insert(axis as usize, 1);
        Tensor::try_apply(Reshape(Shape::new(&sizes)), self)
    }
    /// Axis `dim` gone if its size is 1 (`torch.squeeze(dim)`).
    ///
    /// # Panics
    /// If the axis does not exist.
    #[track_caller]
    pub fn squeeze(&self, dim: isize) -> Tensor {
        must(self.try_squeeze(dim))
    }
    /// As [`Tensor::squeeze`].
    ///
    /// # Errors
    /// If the axis does not exist.
    #[track_caller]
    pub fn try_squeeze(&self, dim: isize) -> Result<Tensor, OpError> {
        let shape = self.shape();
        let axis = axis(dim, shape).map_err(|e| e.at("squeeze", self))?;
        if shape.get(axis) != Some(&1) {
            return Ok(self.clone());
        }
        Tensor::try_apply(Reshape(shape.without(axis)), self)
    }
    /// The axes of `dims` gone whose size is 1 (`torch.squeeze(dims)`).
    ///
    /// # Panics
    /// If an axis does not exist or is named twice.
    #[track_caller]
    pub fn squeeze_dims(&self, dims: &[isize]) -> Tensor {
        must(self.try_squeeze_dims(dims))
    }
    /// As [`Tensor::squeeze_dims`].
    ///
    /// # Errors
    /// If an axis does not exist or is named twice.
    #[track_caller]
    pub fn try_squeeze_dims(&self, dims: &[isize]) -> Result<Tensor, OpError> {
        if dims.is_empty() {
            return Ok(self.clone());
        }
        let named = axes(dims, self.shape()).map_err(|e| e.at("squeeze", self))?;
        let stays = |&i: &usize| self.shape()[i] != 1 || !named.contains(&i);
        let sizes: gradus_tensor::Axes<usize> =
            (0..self.rank()).filter(stays).map(|i| self.shape()[i]).collect();
        Tensor::try_apply(Reshape(Shape::new(&sizes)), self)
    }
    /// All axes of size 1 gone (`torch.squeeze`).
    #[track_caller]
    pub fn squeeze_all(&self) -> Tensor {
        let sizes: gradus_tensor::Axes<usize> =
            self.shape().iter().copied().filter(|&n| n != 1).collect();
        self.reshape_to(&Shape::new(&sizes))
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new(&[&[2, 3]], |x| x[0].reshape(&[3, -1])),
        Case::new(&[&[2, 3]], |x| x[0].t().reshape(&[6]) * 2.0),
        Case::new(&[&[]], |x| x[0].reshape(&[1, 1])),
        Case::new(&[&[0, 3]], |x| x[0].reshape(&[3, 0])),
        Case::new(&[&[2, 3, 2]], |x| x[0].flatten(1, -1)),
        Case::new(&[&[2, 3]], |x| x[0].unsqueeze(-1).squeeze(2).unsqueeze(0)),
        Case::new(&[&[1, 2, 1]], |x| x[0].squeeze_all()),
        Case::new(&[&[1, 2, 1, 1]], |x| x[0].squeeze_dims(&[0, -1, 1])),
    ]
}
