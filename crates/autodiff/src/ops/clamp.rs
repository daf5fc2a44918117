//! `y = min(max(x, low), high)`

use super::prelude::*;
use gradus_tensor::result_type;

/// Ready for the loop, which must not ask for every element whether a bound is there: an absent one
/// is −∞ or ∞.
#[derive(Clone, Copy)]
struct Clamp {
    low: f64,
    high: f64,
    integers: (i64, i64),
    /// Is there no lower bound? No upper one?
    open: (bool, bool),
}

impl Map for Clamp {
    /// NaN stays, and a bound that is NaN gives NaN; where the bounds cross, the upper one wins.
    #[inline(always)]
    fn f<R: Real>(self, x: R) -> R {
        x.maximum(R::of(self.low)).minimum(R::of(self.high))
    }
    #[inline(always)]
    fn int(self, x: i64) -> i64 {
        x.max(self.integers.0).min(self.integers.1)
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
        let above = (x > R::of(self.0.low)) | self.0.open.0;
        let below = (x < R::of(self.0.high)) | self.0.open.1;
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
    fn new(low: Option<Scalar>, high: Option<Scalar>) -> Self {
        let real = |bound: Option<Scalar>, absent| bound.map_or(absent, Scalar::to_f64);
        let integer = |bound: Option<Scalar>, absent| bound.map_or(absent, Scalar::to_i64);
        Clamp {
            low: real(low, f64::NEG_INFINITY),
            high: real(high, f64::INFINITY),
            integers: (integer(low, i64::MIN), integer(high, i64::MAX)),
            open: (low.is_none(), high.is_none()),
        }
    }
    /// Integers become f32 beside a bound with a fraction, as everywhere.
    #[track_caller]
    fn of(low: Option<Scalar>, high: Option<Scalar>, x: &Tensor) -> Tensor {
        let bounds = [low, high].into_iter().flatten().map(|b| (b.dtype(), None));
        let dtype = result_type(std::iter::once((x.dtype(), Some(x.rank()))).chain(bounds));
        Tensor::apply(Clamp::new(low, high), x.to_dtype(dtype))
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
        Clamp::of(Some(min.into()), Some(max.into()), self)
    }
    /// As [`Tensor::clamp`], with a lower bound only (`torch.clamp(min=…)`).
    #[track_caller]
    pub fn clamp_min(&self, min: impl Into<Scalar>) -> Tensor {
        Clamp::of(Some(min.into()), None, self)
    }
    /// As [`Tensor::clamp`], with an upper bound only (`torch.clamp(max=…)`).
    #[track_caller]
    pub fn clamp_max(&self, max: impl Into<Scalar>) -> Tensor {
        Clamp::of(None, Some(max.into()), self)
    }
    /// `self ← clamp(self)`, in place if nobody else holds the buffer (`torch.clamp_`); the dtype stays.
    ///
    /// # Panics
    /// If `self` is a leaf that is tracked here.
    #[track_caller]
    pub fn clamp_(&mut self, min: impl Into<Scalar>, max: impl Into<Scalar>) {
        must(self.try_assign(Clamp::new(Some(min.into()), Some(max.into())), &[]));
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
            let clamp = Clamp::new(Some(Scalar::Float(-0.5)), None);
            Tensor::apply(ClampBackward(clamp), [&x[0], &x[1]])
        }),
    ]
}
