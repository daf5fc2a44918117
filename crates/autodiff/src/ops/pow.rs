//! `y = aᵇ`, element by element, broadcasting; either side may be a number.

use super::prelude::*;
use super::reciprocal::Reciprocal;
use super::sqrt::Sqrt;
use super::square::Square;

#[derive(Clone, Copy)]
struct Pow;

impl Zip for Pow {
    #[inline(always)]
    fn f<R: Real>(self, a: R, b: R) -> R {
        a.powf(b)
    }
    fn int(self, a: i64, b: i64) -> i64 {
        integer_power(a, b)
    }
}

#[derive(Clone, Copy)]
struct Cube;

impl Map for Cube {
    #[inline(always)]
    fn f<R: Real>(self, x: R) -> R {
        x * x * x
    }
}

/// `aᵇ` modulo 2⁶⁴; for negative `b`, the integer part of the fraction.
fn integer_power(a: i64, b: i64) -> i64 {
    if b < 0 {
        return match a {
            1 => 1,
            -1 => 1 - 2 * (b & 1),
            _ => 0,
        };
    }
    let (mut base, mut rest, mut power) = (a, b, 1_i64);
    while rest > 0 {
        if rest & 1 == 1 {
            power = power.wrapping_mul(base);
        }
        base = base.wrapping_mul(base);
        rest >>= 1;
    }
    power
}

/// Exponents that have a faster formula.
fn by_number(a: Array, b: &Array) -> Array {
    match b.item() {
        1.0 => a,
        2.0 => a.map(Square),
        3.0 => a.map(Cube),
        0.5 => a.map(Sqrt),
        -1.0 => a.map(Reciprocal),
        _ => a.zip(b.clone(), Pow),
    }
}

impl Op for Pow {
    const NAME: &'static str = "pow";
    const AUTOCAST: Autocast = Autocast::F32;
    type In<T> = [T; 2];
    type Out<T> = T;

    fn infer(&self, [a, b]: [&Meta; 2]) -> Result<Meta, OpError> {
        number(a)?;
        broadcast(a, b)
    }
    fn forward(&self, [a, b]: [Array; 2], save: &mut Save<'_>) -> Array {
        save.input(0, &a);
        save.input(1, &b);
        let y =
            if b.rank() == 0 && b.dtype().is_float() { by_number(a, &b) } else { a.zip(b, Pow) };
        if save.need(1) {
            save.output(0, &y);
        }
        y
    }
    /// ```text
    /// ā = ȳ·b·aᵇ⁻¹        0 where b = 0
    /// b̄ = ȳ·y·ln a        0 where a = 0 and b ≥ 0
    /// ```
    /// The logarithm, NaN for a negative base, is computed only for an exponent that wants a gradient.
    fn vjp(&self, saved: &Saved<'_>, g: Tensor) -> [Option<Tensor>; 2] {
        let (a, b) = (saved.input(0), saved.input(1));
        let left = saved.need(0).then(|| {
            if b.rank() == 0 && !b.requires_grad() {
                return match b.item() {
                    0.0 => a.zeros_like(),
                    n => &g * (a.pow(n - 1.0) * n),
                };
            }
            Tensor::where_(&b.eq(0), 0, &g * (&b * a.pow(&b - 1)))
        });
        let right = saved.need(1).then(|| {
            let flat = a.eq(0) * b.ge(0);
            Tensor::where_(&flat, 0, g * (saved.output(0) * a.log()))
        });
        [left, right]
    }
}

impl Tensor {
    /// `selfᵇ` of every pair, for a tensor or a number `b`, broadcasting (`torch.pow`).
    ///
    /// `0⁰ = 1`; a negative base has a power only for whole exponents, else NaN. Integers stay integers,
    /// modulo 2⁶⁴.
    ///
    /// ```
    /// use gradus_autodiff::Tensor;
    /// let x = Tensor::from([-2.0, 3.0]).requires_grad_();
    /// let y = x.pow(3);
    /// y.sum().backward();
    /// assert_eq!(y.to_vec::<f64>(), [-8.0, 27.0]);
    /// assert_eq!(x.grad().unwrap().to_vec::<f64>(), [12.0, 27.0]);
    /// ```
    /// # Panics
    /// If the shapes do not broadcast, both sides are bools, or the base is integer and the exponent a
    /// negative whole number.
    #[track_caller]
    pub fn pow(&self, exponent: impl Operand) -> Tensor {
        must(self.try_pow(exponent))
    }
    /// As [`Tensor::pow`].
    ///
    /// # Errors
    /// If the shapes do not broadcast, both sides are bools, or the base is integer and the exponent a
    /// negative whole number.
    #[track_caller]
    pub fn try_pow(&self, exponent: impl Operand) -> Result<Tensor, OpError> {
        if let Some(Scalar::Int(n)) = exponent.number()
            && n < 0
            && !self.dtype().is_float()
        {
            let e = OpError::rule("integers have no negative powers");
            return Err(e.hint("cast them, or write the exponent with a point").at("pow", self));
        }
        let exponent = exponent.operand(self);
        Tensor::try_apply(Pow, [self, &exponent])
    }
    /// `baseˣ` for `x` = `self` (`torch.pow(base, x)`).
    ///
    /// # Panics
    /// If both are bools.
    #[track_caller]
    pub fn rpow(&self, base: impl Into<Scalar>) -> Tensor {
        let base = base.into().operand(self);
        Tensor::apply(Pow, [&base, self])
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new(&[&[2, 3], &[2, 3]], |x| x[0].pow(&x[1])).within(0.5, 2.0),
        Case::new(&[&[2, 1], &[3]], |x| x[0].pow(&x[1])).within(0.5, 2.0),
        Case::new(&[&[2], &[]], |x| x[0].pow(&x[1])).within(0.5, 2.0),
        Case::new(&[&[], &[0]], |x| x[0].pow(&x[1])).within(0.5, 2.0),
        Case::new(&[&[3]], |x| x[0].pow(&x[0])).within(0.5, 2.0),
        Case::new(&[&[2, 3]], |x| x[0].pow(3) + x[0].pow(2) + x[0].pow(1) + x[0].pow(0)),
        Case::new(&[&[3]], |x| x[0].pow(2.5) + x[0].pow(0.5) + x[0].pow(-1)).within(0.5, 2.0),
        Case::new(&[&[2, 3]], |x| x[0].rpow(2) * x[0].rpow(0.5)),
        Case::new(&[&[3]], |x| x[0].pow(Tensor::from([2.0, 3.0, 0.0]))),
    ]
}
