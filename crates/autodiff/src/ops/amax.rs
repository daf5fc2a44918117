//! `y = max x` over axes; all places where it stands share the gradient.

use super::prelude::*;
use gradus_tensor::Axes;

/// The largest or smallest element over axes: what `amax`, `amin`, `max` and `min` have in common.
pub(super) struct Extreme {
    pub(super) axes: Axes<usize>,
    pub(super) keepdim: bool,
    pub(super) largest: bool,
}

impl Extreme {
    pub(super) fn over(
        x: &Tensor,
        dims: &[isize],
        keepdim: bool,
        largest: bool,
    ) -> Result<Self, OpError> {
        Ok(Extreme { axes: axes(dims, x.shape())?, keepdim, largest })
    }
    pub(super) fn infer(&self, x: &Meta) -> Result<Meta, OpError> {
        if self.axes.iter().any(|&a| x.shape[a] == 0) {
            return Err(OpError::rule("an empty axis has no extreme"));
        }
        Ok(x.with_shape(without(&x.shape, &self.axes, self.keepdim)))
    }
    pub(super) fn forward(&self, x: Array, save: &mut Save<'_>) -> Array {
        let shape = without(x.shape(), &self.axes, self.keepdim);
        let all = if self.largest { x.max_axes(&self.axes) } else { x.min_axes(&self.axes) };
        save.cache(0, &x);
        save.cache(1, &all);
        all.reshape(&shape)
    }
    /// `x̄ = ȳ/Σm · m` with `m` = 1 where the extreme stands. Beside a NaN nothing equals the extreme,
    /// and 0/0 makes every gradient NaN, unless NaN counts as equal to itself.
    pub(super) fn rule(&self, saved: &Saved<'_>, g: &Tensor, nan_is_equal: bool) -> Tensor {
        let (x, y) = (saved.cache(0), saved.cache(1));
        let stands = Tensor::new(x.clone().zip(y.clone(), Stands { nan_is_equal }));
        let dims: Axes<isize> = self.axes.iter().map(|&a| a as isize).collect();
        let count = if dims.is_empty() { stands.clone() } else { stands.sum_dims(&dims, true) };
        g.reshape_to(y.shape()) / count * stands
    }
}

/// 1 where an element equals the extreme, else 0.
#[derive(Clone, Copy)]
struct Stands {
    nan_is_equal: bool,
}

impl Zip for Stands {
    #[inline(always)]
    fn f<R: Real>(self, x: R, extreme: R) -> R {
        let both_nan = x.is_nan() & extreme.is_nan() & self.nan_is_equal;
        R::select((x == extreme) | both_nan, R::of(1.0), R::of(0.0))
    }
}

struct Amax(Extreme);

impl Op for Amax {
    const NAME: &'static str = "amax";
    const AUTOCAST: Autocast = Autocast::Input;
    type In<T> = T;
    type Out<T> = T;

    fn infer(&self, x: &Meta) -> Result<Meta, OpError> {
        self.0.infer(x)
    }
    fn forward(&self, x: Array, save: &mut Save<'_>) -> Array {
        self.0.forward(x, save)
    }
    /// `x̄ = ȳ/k` at each of the `k` places of the maximum, 0 elsewhere.
    fn vjp(&self, saved: &Saved<'_>, g: Tensor) -> Tensor {
        self.0.rule(saved, &g, false)
    }
}

impl Tensor {
    /// The maximum over the axes `dims` (none means all), which stay with size 1 if `keepdim`
    /// (`torch.amax`). NaN wins; equal maxima share the gradient.
    ///
    /// ```
    /// use gradus_autodiff::Tensor;
    /// let x = Tensor::from([[1.0, 3.0], [3.0, 2.0]]).requires_grad_();
    /// x.amax(&[0, 1], false).backward();
    /// assert_eq!(x.grad().unwrap().to_vec::<f64>(), [0.0, 0.5, 0.5, 0.0]);
    /// ```
    /// # Panics
    /// If an axis is empty, does not exist or is named twice.
    #[track_caller]
    pub fn amax(&self, dims: &[isize], keepdim: bool) -> Tensor {
        must(self.try_amax(dims, keepdim))
    }
    /// As [`Tensor::amax`].
    ///
    /// # Errors
    /// If an axis is empty, does not exist or is named twice.
    #[track_caller]
    pub fn try_amax(&self, dims: &[isize], keepdim: bool) -> Result<Tensor, OpError> {
        let op = Extreme::over(self, dims, keepdim, true).map_err(|e| e.at("amax", self))?;
        Tensor::try_apply(Amax(op), self)
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new(&[&[2, 3]], |x| x[0].amax(&[], false)),
        Case::new(&[&[2, 3, 2]], |x| x[0].amax(&[0, -1], true) * &x[0]),
        Case::new(&[&[3, 2]], |x| x[0].amax(&[0], false) * 2.0),
        Case::new(&[&[]], |x| x[0].amax(&[0], true)),
        Case::new(&[&[2, 0]], |x| x[0].amax(&[0], false)),
    ]
}
