//! `y = min(max(x, low), high)`

use super::prelude::*;
use gradus_tensor::result_type;

/// Either bound may be absent.
#[derive(Clone, Copy)]
struct Clamp {
    low: Option<Scalar>,
    high: Option<Scalar>,
}

impl Map for Clamp {
    /// NaN stays, and a bound that is NaN gives NaN; where the bounds cross, the upper one wins.
    #[inline(always)]
    fn f<R: Real>(self, x: R) -> R {
        let y = self.low.map_or(x, |low| x.maximum(R::of(low.to_f64())));
        self.high.map_or(y, |high| y.minimum(R::of(high.to_f64())))
    }
    #[inline(always)]
    fn int(self, x: i64) -> i64 {
        let y = self.low.map_or(x, |low| x.max(low.to_i64()));
        self.high.map_or(y, |high| y.min(high.to_i64()))
    }
}

impl Op for Clamp {
    const NAME: &'static str = "clamp";
    const AUTOCAST: Autocast = Autocast::Input;
    type In<T> = T;
    type Out<T> = T;

    fn infer(&self, x: &Meta) -> Result<Meta, OpError> {
        Ok(x.clone())
    }
    fn forward(&self, x: Array, save: &mut Save<'_>) -> Array {
        save.cache(0, &x);
        x.map(*self)
    }
    /// `x̄ = ȳ` where `low < x < high`, else 0.
    fn vjp(&self, saved: &Saved<'_>, g: Tensor) -> Tensor {
        let x = Tensor::new(saved.cache(0).clone());
        Tensor::apply(ClampBackward(*self), [g, x])
    }
}

/// `(ȳ, x) -> ȳ` strictly between the bounds, else 0, in one pass.
#[derive(Clone, Copy)]
struct ClampBackward(Clamp);

impl Zip for ClampBackward {
    #[inline(always)]
    fn f<R: Real>(self, g: R, x: R) -> R {
        let above = self.0.low.is_none_or(|low| x > R::of(low.to_f64()));
        let below = self.0.high.is_none_or(|high| x < R::of(high.to_f64()));
        R::select(above & below, g, R::of(0.0))
    }
}

impl Op for ClampBackward {
    const NAME: &'static str = "clamp_backward";
    const AUTOCAST: Autocast = Autocast::Input;
    type In<T> = [T; 2];
    type Out<T> = T;

    fn infer(&self, [g, x]: [&Meta; 2]) -> Result<Meta, OpError> {
        broadcast(g, x)
    }
    fn forward(&self, [g, x]: [Array; 2], save: &mut Save<'_>) -> Array {
        save.cache(0, &x);
        g.zip(x, *self)
    }
    /// `ḡ`: as forward; `x` only decides.
    fn vjp(&self, saved: &Saved<'_>, u: Tensor) -> [Option<Tensor>; 2] {
        let x = Tensor::new(saved.cache(0).clone());
        [Some(Tensor::apply(*self, [u, x])), None]
    }
}

impl Clamp {
    /// Integers become f32 beside a bound with a fraction, as everywhere.
    #[track_caller]
    fn of(self, x: &Tensor) -> Tensor {
        let bounds = [self.low, self.high].into_iter().flatten().map(|b| (b.dtype(), None));
        let dtype = result_type(std::iter::once((x.dtype(), Some(x.rank()))).chain(bounds));
        Tensor::apply(self, x.to_dtype(dtype))
    }
}

impl Tensor {
    /// Every element brought between two bounds (`torch.clamp`). The derivative is 1 strictly between
    /// them and 0 elsewhere, the bounds included; NaN stays NaN. If `min > max`, all become `max`.
    ///
    /// ```
    /// use gradus_autodiff::Tensor;
    /// assert_eq!(Tensor::from([-2.0, 0.5, 3.0]).clamp(-1, 1).to_vec::<f64>(), [-1.0, 0.5, 1.0]);
    /// ```
    #[track_caller]
    pub fn clamp(&self, min: impl Into<Scalar>, max: impl Into<Scalar>) -> Tensor {
        Clamp { low: Some(min.into()), high: Some(max.into()) }.of(self)
    }
    /// As [`Tensor::clamp`], with a lower bound only (`torch.clamp(min=…)`).
    #[track_caller]
    pub fn clamp_min(&self, min: impl Into<Scalar>) -> Tensor {
        Clamp { low: Some(min.into()), high: None }.of(self)
    }
    /// As [`Tensor::clamp`], with an upper bound only (`torch.clamp(max=…)`).
    #[track_caller]
    pub fn clamp_max(&self, max: impl Into<Scalar>) -> Tensor {
        Clamp { low: None, high: Some(max.into()) }.of(self)
    }
    /// `self ← clamp(self)`, in place if nobody else holds the buffer (`torch.clamp_`); the dtype stays.
    ///
    /// # Panics
    /// If `self` is a leaf that is tracked here.
    #[track_caller]
    pub fn clamp_(&mut self, min: impl Into<Scalar>, max: impl Into<Scalar>) {
        must(self.try_assign(Clamp { low: Some(min.into()), high: Some(max.into()) }, &[]));
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new(&[&[2, 3]], |x| x[0].clamp(-0.5, 0.4)),
        Case::new(&[&[2, 3]], |x| x[0].clamp_min(0) * &x[0] * &x[0]),
        Case::new(&[&[2, 3]], |x| x[0].clamp_max(0.1)),
        Case::new(&[&[]], |x| x[0].clamp(-1, 1)),
        Case::new(&[&[0, 2]], |x| x[0].clamp(-1, 1)),
        Case::new(&[&[2, 3], &[2, 3]], |x| {
            let clamp = Clamp { low: Some(Scalar::Float(-0.5)), high: Some(Scalar::Float(0.4)) };
            Tensor::apply(ClampBackward(clamp), [&x[0], &x[1]])
        }),
    ]
}
