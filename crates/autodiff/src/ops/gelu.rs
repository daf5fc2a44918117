//! `y = x·Φ(x)`, with Φ the distribution function of the normal distribution, or nearly so by a tanh.

use super::prelude::*;
use std::f64::consts::{FRAC_2_SQRT_PI, SQRT_2};

/// How `Φ` is computed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum GeluApproximate {
    /// Exactly: `Φ(x) = ½·(1 + erf(x/√2))`.
    #[default]
    None,
    /// `Φ(x) ≈ ½·(1 + tanh(√(2/π)·(x + 0.044715·x³)))`.
    Tanh,
}

/// `1/√(2π)`
const DENSITY: f64 = 0.25 * FRAC_2_SQRT_PI * SQRT_2;
/// `½·(1 + tanh(v/2)) = sigmoid(v)` with `v = SLOPE·x + CUBE·x³`, where nothing cancels for negative x.
const SLOPE: f64 = SQRT_2 * FRAC_2_SQRT_PI;
const CUBE: f64 = 0.044715 * SLOPE;
/// Beyond ±30 the derivative of the tanh form is 1 or 0 in f64; its factors would be inf and 0.
const FLAT: f64 = 30.0;

struct Gelu(GeluApproximate);

/// `x·Φ(x)`
#[derive(Clone, Copy)]
struct Exact;

impl Map for Exact {
    #[inline(always)]
    fn f<R: Real>(self, x: R) -> R {
        x * x.normal().0
    }
}

impl Zip for Exact {
    /// `(ȳ, x) -> ȳ·(Φ(x) + x·φ(x))`
    #[inline(always)]
    fn f<R: Real>(self, g: R, x: R) -> R {
        let (phi, bell) = x.normal();
        g * (x * R::of(DENSITY)).mul_add(bell, phi)
    }
}

/// `x·sigmoid(v)`
#[derive(Clone, Copy)]
struct ByTanh;

impl Map for ByTanh {
    #[inline(always)]
    fn f<R: Real>(self, x: R) -> R {
        let v = x * (x * x).mul_add(R::of(CUBE), R::of(SLOPE));
        x * v.sigmoid()
    }
}

impl Zip for ByTanh {
    /// `(ȳ, x) -> ȳ·(s + x·s·(1 − s)·v′)`
    #[inline(always)]
    fn f<R: Real>(self, g: R, x: R) -> R {
        let x = R::select(x > R::of(FLAT), R::of(FLAT), x);
        let x = R::select(x < R::of(-FLAT), R::of(-FLAT), x);
        let square = x * x;
        let s = (x * square.mul_add(R::of(CUBE), R::of(SLOPE))).sigmoid();
        let slope = square.mul_add(R::of(3.0 * CUBE), R::of(SLOPE));
        g * (x * s * (R::of(1.0) - s)).mul_add(slope, s)
    }
}

impl Op for Gelu {
    const NAME: &'static str = "gelu";
    const AUTOCAST: Autocast = Autocast::Input;
    type In<T> = T;
    type Out<T> = T;

    fn infer(&self, x: &Meta) -> Result<Meta, OpError> {
        floating(x)
    }
    fn forward(&self, x: Array, save: &mut Save<'_>) -> Array {
        save.input(0, &x);
        match self.0 {
            GeluApproximate::None => x.map(Exact),
            GeluApproximate::Tanh => x.map(ByTanh),
        }
    }
    /// `x̄ = ȳ·(Φ(x) + x·Φ′(x))`, in one pass.
    fn vjp(&self, saved: &Saved<'_>, g: Tensor) -> Tensor {
        Tensor::apply(GeluBackward(self.0), [g, saved.input(0)])
    }
}

/// `(ȳ, x) -> ȳ·(Φ(x) + x·Φ′(x))`
struct GeluBackward(GeluApproximate);

impl Op for GeluBackward {
    const NAME: &'static str = "gelu_backward";
    const AUTOCAST: Autocast = Autocast::Input;
    type In<T> = [T; 2];
    type Out<T> = T;

    fn infer(&self, [g, x]: [&Meta; 2]) -> Result<Meta, OpError> {
        broadcast(g, x)
    }
    fn forward(&self, [g, x]: [Array; 2], save: &mut Save<'_>) -> Array {
        save.input(0, &g);
        save.input(1, &x);
        match self.0 {
            GeluApproximate::None => g.zip(x, Exact),
            GeluApproximate::Tanh => g.zip(x, ByTanh),
        }
    }
    /// With `u` the gradient of the result: `ḡ = u·(Φ + x·Φ′)`, `x̄ = u·g·(2·Φ′ + x·Φ″)`.
    fn vjp(&self, saved: &Saved<'_>, u: Tensor) -> [Option<Tensor>; 2] {
        let (g, x) = (saved.input(0), saved.input(1));
        [
            saved.need(0).then(|| Tensor::apply(GeluBackward(self.0), [&u, &x])),
            saved.need(1).then(|| u * g * curvature(&x, self.0)),
        ]
    }
}

/// `2·Φ′ + x·Φ″`, the second derivative of `x·Φ(x)`.
///
/// ```text
/// exact   φ·(2 − x²)                                        φ = Φ′ = e^(−x²/2)/√(2π),  Φ″ = −x·φ
/// tanh    s·(1 − s)·(2·v′ + x·(v″ + v′²·(1 − 2s)))          s = sigmoid(v) for Φ
/// ```
fn curvature(x: &Tensor, approximate: GeluApproximate) -> Tensor {
    if approximate == GeluApproximate::None {
        let square = x.square();
        return (&square * -0.5).exp() * (2.0 - square) * DENSITY;
    }
    let x = x.clamp(-FLAT, FLAT);
    let square = x.square();
    let s = (&x * (&square * CUBE + SLOPE)).sigmoid();
    let slope = &square * (3.0 * CUBE) + SLOPE;
    let bend = &x * (6.0 * CUBE) + slope.square() * (1.0 - &s * 2.0);
    (1.0 - &s) * s * (slope * 2.0 + x * bend)
}

impl Tensor {
    /// `x·Φ(x)` of every element, with Φ the distribution function of the standard normal distribution.
    ///
    /// ```text
    /// y = x·Φ(x) = x·½·(1 + erf(x/√2))
    /// ```
    /// # Gradient   `x̄ = ȳ·(Φ(x) + x·e^(−x²/2)/√(2π))`, in one pass
    /// # Numerics   within 6 ulp on both sides: the formula with `1 + erf`, which is 0 below −5.5 in f32,
    /// is not what is computed. −∞ gives NaN, as in PyTorch.
    /// # Panics
    /// If the dtype is not floating point.
    /// # PyTorch    `torch.nn.functional.gelu`
    /// # Source     Hendrycks & Gimpel 2016, <https://arxiv.org/abs/1606.08415>
    /// # Example
    /// ```
    /// use gradus_autodiff::Tensor;
    /// let x = Tensor::from([-1.0, 0.0, 1.0]).requires_grad_();
    /// let y = x.gelu();
    /// y.sum().backward();
    /// let (y, slope) = (y.to_vec::<f64>(), x.grad().unwrap().to_vec::<f64>());
    /// assert!((y[0] + 0.158655).abs() < 1e-6 && y[1] == 0.0);
    /// assert!((slope[0] + 0.083315).abs() < 1e-6 && slope[1] == 0.5);
    /// ```
    #[track_caller]
    pub fn gelu(&self) -> Tensor {
        must(self.try_gelu_with(GeluApproximate::None))
    }
    /// As [`Tensor::gelu`], exactly or by a tanh (`torch.nn.functional.gelu(x, approximate="tanh")`).
    ///
    /// ```
    /// use gradus_autodiff::{GeluApproximate, Tensor};
    /// let y = Tensor::from([-1.0]).gelu_with(GeluApproximate::Tanh);
    /// assert!((y.item() + 0.158808).abs() < 1e-6);
    /// ```
    /// # Panics
    /// If the dtype is not floating point.
    #[track_caller]
    pub fn gelu_with(&self, approximate: GeluApproximate) -> Tensor {
        must(self.try_gelu_with(approximate))
    }
    /// As [`Tensor::gelu_with`].
    ///
    /// # Errors
    /// If the dtype is not floating point.
    #[track_caller]
    pub fn try_gelu_with(&self, approximate: GeluApproximate) -> Result<Tensor, OpError> {
        Tensor::try_apply(Gelu(approximate), self)
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<Case> {
    use GeluApproximate::Tanh;
    vec![
        Case::new(&[&[2, 3]], |x| x[0].gelu()).within(-3.0, 3.0),
        Case::new(&[&[]], |x| x[0].gelu()),
        Case::new(&[&[0, 2]], |x| x[0].gelu()),
        Case::new(&[&[7]], |x| x[0].gelu() * &x[0]).within(-9.0, 9.0),
        Case::new(&[&[2, 3]], |x| x[0].gelu_with(Tanh)).within(-3.0, 3.0),
        Case::new(&[&[]], |x| x[0].gelu_with(Tanh)),
        Case::new(&[&[0]], |x| x[0].gelu_with(Tanh)),
        Case::new(&[&[7]], |x| x[0].gelu_with(Tanh) * &x[0]).within(-9.0, 9.0),
        Case::new(&[&[5], &[5]], |x| {
            Tensor::apply(GeluBackward(GeluApproximate::None), [&x[0], &x[1]])
        })
        .within(-3.0, 3.0),
        Case::new(&[&[5], &[5]], |x| Tensor::apply(GeluBackward(Tanh), [&x[0], &x[1]]))
            .within(-3.0, 3.0),
    ]
}
