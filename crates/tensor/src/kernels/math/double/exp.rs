//! `eˣ`, `eˣ − 1`, the hyperbolic tangent and the logistic function, in f64.

use super::{LN2_HI, LN2_LO, MAGIC, mul_add, polynomial, power_of_two};

/// `eʳ = 1 + r + r²·Q(r)` on `|r| ≤ ln 2 / 2`, relative error 2⁻⁵⁹.
const Q: [f64; 11] = [
    0.5,
    0.166_666_666_666_666_85,
    0.041_666_666_666_666_08,
    0.008_333_333_333_316_663,
    0.001_388_888_888_911_985_5,
    0.000_198_412_698_973_261_73,
    2.480_158_692_199_477_2e-5,
    2.755_723_390_052_055_8e-6,
    2.755_758_335_192_814_4e-7,
    2.511_237_809_816_398_6e-8,
    2.082_679_948_515_891_2e-9,
];

/// The integer nearest to `x / ln 2`; needs `|x| < 2000`, lets NaN through.
#[inline(always)]
fn whole<const FMA: bool>(x: f64) -> f64 {
    mul_add::<FMA>(x, std::f64::consts::LOG2_E, MAGIC) - MAGIC
}

/// `x − n·ln 2`
#[inline(always)]
fn remainder<const FMA: bool>(x: f64, n: f64) -> f64 {
    mul_add::<FMA>(n, -LN2_LO, mul_add::<FMA>(n, -LN2_HI, x))
}

/// `eʳ − 1` for `|r| ≤ ln 2 / 2`.
#[inline(always)]
fn minus_one<const FMA: bool>(r: f64) -> f64 {
    mul_add::<FMA>(r * r, polynomial::<FMA, 11>(Q, r), r)
}

/// `(1 + p)·2ⁿ` in two factors, as 2¹⁰²⁴ and 2⁻¹⁰⁷⁵ are no f64; 0 without an underflow, which takes
/// CPUs long, if `zero`.
#[inline(always)]
fn scale(p: f64, n: f64, zero: bool) -> f64 {
    let half = (0.5 * n + MAGIC) - MAGIC;
    let rest = if zero { 0.0 } else { power_of_two(n - half) };
    (1.0 + p) * power_of_two(half) * rest
}

/// `x` between the numbers beyond which `eˣ` is 0 and inf; NaN stays NaN.
#[inline(always)]
fn clamp(x: f64) -> f64 {
    let x = if x > 710.0 { 710.0 } else { x };
    if x < -746.0 { -746.0 } else { x }
}

/// `eˣ`, within 1 ulp; overflows to inf above 709.78, rounds subnormal results correctly.
#[inline(always)]
pub(crate) fn exp<const FMA: bool>(x: f64) -> f64 {
    let size = clamp(x);
    let n = whole::<FMA>(size);
    scale(minus_one::<FMA>(remainder::<FMA>(size, n)), n, x < -746.0)
}

/// `e^(high + low)`, `|low| < 1`, as if the sum had more digits than an f64.
#[inline(always)]
pub(super) fn exp_of_sum<const FMA: bool>(high: f64, low: f64) -> f64 {
    let size = clamp(high);
    // Nothing depends on `low` outside, where it may be NaN.
    let low = if size == high { low } else { 0.0 };
    let n = whole::<FMA>(size + low);
    let r = mul_add::<FMA>(n, -LN2_HI, size) + mul_add::<FMA>(n, -LN2_LO, low);
    scale(minus_one::<FMA>(r), n, high < -746.0)
}

/// `eˣ − 1` without cancellation near 0, within 2 ulp.
#[inline(always)]
pub(crate) fn expm1<const FMA: bool>(x: f64) -> f64 {
    // Below -38 the result rounds to -1.
    let size = clamp(x);
    let size = if size < -38.0 { -38.0 } else { size };
    let n = whole::<FMA>(size);
    let p = minus_one::<FMA>(remainder::<FMA>(size, n));
    // One power of two less, because 2¹⁰²⁴ is no f64.
    let half = power_of_two(n - 1.0);
    let y = 2.0 * mul_add::<FMA>(half, p, half - 0.5);
    let y = if n == 0.0 { p } else { y };
    if x == 0.0 { x } else { y }
}

/// `tanh x = (e²ˣ − 1)/(e²ˣ + 1)`, within 2.5 ulp.
#[inline(always)]
pub(crate) fn tanh<const FMA: bool>(x: f64) -> f64 {
    // From 19.1 on the result rounds to 1.
    let size = x.abs();
    let size = if size > 20.0 { 20.0 } else { size };
    let twice = size + size;
    let n = whole::<FMA>(twice);
    let p = minus_one::<FMA>(remainder::<FMA>(twice, n));
    let power = power_of_two(n);
    let t = mul_add::<FMA>(power, p, power - 1.0);
    // t/(t + 2), or 1 − 2/(t + 2), which rises to 1 without a step back.
    let (top, rest) = if t < 2.0 { (t, 0.0) } else { (-2.0, 1.0) };
    // The sign last, so that -0 keeps its own.
    (top / (t + 2.0) + rest).copysign(x)
}

/// `1 / (1 + e⁻ˣ)`, within 2.5 ulp on both sides.
#[inline(always)]
pub(crate) fn sigmoid<const FMA: bool>(x: f64) -> f64 {
    let e = exp::<FMA>(-x.abs());
    let top = if x < 0.0 { e } else { 1.0 };
    top / (1.0 + e)
}
