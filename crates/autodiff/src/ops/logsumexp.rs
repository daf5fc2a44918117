//! `y = log Σ eˣ` over axes, without overflow.

use super::prelude::*;
use gradus_tensor::Axes;

struct Logsumexp {
    axes: Axes<usize>,
    keepdim: bool,
}

impl Op for Logsumexp {
    const NAME: &'static str = "logsumexp";
    const AUTOCAST: Autocast = Autocast::F32;
    const PROMOTION: Promotion = Promotion::Float;
    type In<T> = T;
    type Out<T> = T;

    fn infer(&self, x: &Meta) -> Result<Meta, OpError> {
        Ok(x.with_shape(without(&x.shape, &self.axes, self.keepdim)))
    }
    /// Several axes are brought to the end as one: the maximum is taken off over all of them.
    fn forward(&self, x: Array, save: &mut Save<'_>) -> Array {
        let shape = without(x.shape(), &self.axes, self.keepdim);
        let y = match self.axes[..] {
            [] => x.clone(),
            [axis] => x.logsumexp(axis).reshape(&shape),
            _ => {
                let kept = (0..x.rank()).filter(|a| !self.axes.contains(a));
                let order: Axes<usize> = kept.chain(self.axes.iter().copied()).collect();
                let mut sizes = without(x.shape(), &self.axes, false).to_vec();
                sizes.push(self.axes.iter().map(|&a| x.shape()[a]).product());
                let rows = x.permute(&order).reshape(&Shape::new(&sizes));
                rows.logsumexp(sizes.len() - 1).reshape(&shape)
            }
        };
        save.input(0, &x);
        save.output(0, &y);
        y
    }
    /// `x̄ = ȳ·eˣ⁻ʸ`, which is 0 where all of `x` is −∞.
    fn vjp(&self, saved: &Saved<'_>, g: Tensor) -> Tensor {
        let kept = without(saved.shape(0), &self.axes, true);
        let y = saved.output(0).reshape_to(&kept);
        let nothing = y.eq(f64::NEG_INFINITY);
        let y = Tensor::where_(&nothing, 0, y);
        (saved.input(0) - y).exp() * g.reshape_to(&kept)
    }
}

impl Tensor {
    /// `log Σ eˣ` over the axes `dims` (none means all), which stay with size 1 if `keepdim`
    /// (`torch.logsumexp`), without overflow; −∞ of nothing.
    ///
    /// Where every element is −∞, so is the result, and the gradient is 0 (NaN in PyTorch).
    ///
    /// ```
    /// use gradus_autodiff::Tensor;
    /// let x = Tensor::from([1000.0, 1000.0]);
    /// assert_eq!(x.logsumexp(&[0], false).item(), 1000.0 + 2.0_f64.ln());
    /// ```
    /// # Panics
    /// If an axis does not exist or is named twice.
    #[track_caller]
    pub fn logsumexp(&self, dims: &[isize], keepdim: bool) -> Tensor {
        must(self.try_logsumexp(dims, keepdim))
    }
    /// As [`Tensor::logsumexp`].
    ///
    /// # Errors
    /// If an axis does not exist or is named twice.
    #[track_caller]
    pub fn try_logsumexp(&self, dims: &[isize], keepdim: bool) -> Result<Tensor, OpError> {
        let axes = axes(dims, self.shape()).map_err(|e| e.at("logsumexp", self))?;
        Tensor::try_apply(Logsumexp { axes, keepdim }, self)
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new(&[&[2, 3]], |x| x[0].logsumexp(&[-1], false)),
        Case::new(&[&[2, 3]], |x| x[0].logsumexp(&[], false)),
        Case::new(&[&[2, 3, 2]], |x| x[0].logsumexp(&[0], true) * &x[0]),
        Case::new(&[&[2, 3, 2]], |x| x[0].logsumexp(&[0, -1], false)),
        Case::new(&[&[]], |x| x[0].logsumexp(&[0], false)),
        Case::new(&[&[0, 3]], |x| x[0].logsumexp(&[1], false)),
        Case::new(&[&[3]], |x| (x[0].exp()).sum().log()),
    ]
}
