//! `y = x − log Σⱼ eˣʲ` along one axis: fused both ways.

use super::prelude::*;

struct LogSoftmax {
    axis: usize,
}

impl Op for LogSoftmax {
    const NAME: &'static str = "log_softmax";
    const AUTOCAST: Autocast = Autocast::F32;
    type In<T> = T;
    type Out<T> = T;

    fn infer(&self, x: &Meta) -> Result<Meta, OpError> {
        floating(x)
    }
    /// The maximum is taken off first, so nothing overflows.
    fn forward(&self, x: Array, save: &mut Save<'_>) -> Array {
        let y = x.log_softmax(self.axis);
        save.output(0, &y);
        y
    }
    /// `x̄ = ȳ − eʸ·Σ ȳ`, in one pass.
    fn vjp(&self, saved: &Saved<'_>, g: Tensor) -> Tensor {
        Tensor::apply(LogSoftmaxBackward { axis: self.axis }, [g, saved.output(0)])
    }
}

/// `(ȳ, y) -> ȳ − eʸ·Σ ȳ`
struct LogSoftmaxBackward {
    axis: usize,
}

impl Op for LogSoftmaxBackward {
    const NAME: &'static str = "log_softmax_backward";
    const AUTOCAST: Autocast = Autocast::F32;
    type In<T> = [T; 2];
    type Out<T> = T;

    fn infer(&self, [g, y]: [&Meta; 2]) -> Result<Meta, OpError> {
        broadcast(g, y)
    }
    fn forward(&self, [g, y]: [Array; 2], save: &mut Save<'_>) -> Array {
        save.input(0, &g);
        save.input(1, &y);
        y.log_softmax_backward(&g, self.axis)
    }
    /// With `u` the gradient of the result, sums along the axis:
    ///
    /// ```text
    /// ḡ = u − Σ u·eʸ        y̅ = −u·eʸ·Σ g
    /// ```
    fn vjp(&self, saved: &Saved<'_>, u: Tensor) -> [Option<Tensor>; 2] {
        let (g, y, dims) = (saved.input(0), saved.input(1), [self.axis as isize]);
        let sum = |x: &Tensor| if x.rank() == 0 { x.clone() } else { x.sum_dims(&dims, true) };
        let weighted = &u * y.exp();
        let right = saved.need(1).then(|| -&weighted * sum(&g));
        [saved.need(0).then(|| u - sum(&weighted)), right]
    }
}

impl Tensor {
    /// `x − log Σ eˣ` along `dim` (`torch.log_softmax`), without overflow: the logarithm of
    /// [`Tensor::softmax`], exact where that is 0.
    ///
    /// ```
    /// use gradus_autodiff::Tensor;
    /// let y = Tensor::from([0.0, -1000.0]).log_softmax(0);
    /// assert_eq!(y.to_vec::<f64>(), [0.0, -1000.0]);
    /// ```
    /// # Panics
    /// If the axis does not exist or the dtype is not floating point.
    #[track_caller]
    pub fn log_softmax(&self, dim: isize) -> Tensor {
        must(self.try_log_softmax(dim))
    }
    /// As [`Tensor::log_softmax`].
    ///
    /// # Errors
    /// If the axis does not exist or the dtype is not floating point.
    #[track_caller]
    pub fn try_log_softmax(&self, dim: isize) -> Result<Tensor, OpError> {
        let axis = axis(dim, self.shape()).map_err(|e| e.at("log_softmax", self))?;
        Tensor::try_apply(LogSoftmax { axis }, self)
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new(&[&[2, 3]], |x| x[0].log_softmax(-1)),
        Case::new(&[&[2, 3, 2]], |x| x[0].log_softmax(1)),
        Case::new(&[&[]], |x| x[0].log_softmax(0)),
        Case::new(&[&[0, 3]], |x| x[0].log_softmax(1)),
        Case::new(&[&[2, 3]], |x| &x[0] - x[0].logsumexp(&[1], true)),
        Case::new(&[&[2, 3], &[2, 3]], |x| {
            Tensor::apply(LogSoftmaxBackward { axis: 1 }, [&x[0], &x[1]])
        }),
    ]
}
