//! `eˣ`, `eˣ − 1` and the logistic function.

use super::{LN2_HI, LN2_LO, mul_add, polynomial};

/// Adding 1.5·2²³ rounds to an integer, which then stands in the low bits of the sum.
const MAGIC: f32 = 12_582_912.0;

/// `eʳ = 1 + r + r²·Q(r)` on `|r| ≤ ln 2 / 2`, relative error 2⁻²⁷·⁶.
const Q: [f32; 5] = [0.5, 0.166_664_81, 0.041_665_506, 0.008_373_07, 0.001_403_856_2];

/// The integer nearest to `x / ln 2`, twice; needs `|x| < 2000`, lets NaN through.
#[inline(always)]
fn whole<const FMA: bool>(x: f32) -> (i32, f32) {
    let shifted = mul_add::<FMA>(x, std::f32::consts::LOG2_E, MAGIC);
    ((shifted.to_bits() as i32).wrapping_sub(MAGIC.to_bits() as i32), shifted - MAGIC)
}

/// `eʳ − 1` for `|r| ≤ ln 2 / 2`.
#[inline(always)]
fn minus_one<const FMA: bool>(r: f32) -> f32 {
    mul_add::<FMA>(r * r, polynomial::<FMA, 5>(Q, r), r)
}

/// `n` and `eʳ − 1`, where `x = n·ln 2 + r`.
#[inline(always)]
fn reduce<const FMA: bool>(x: f32) -> (i32, f32) {
    let (n, whole) = whole::<FMA>(x);
    let r = mul_add::<FMA>(whole, -LN2_HI, x);
    (n, minus_one::<FMA>(mul_add::<FMA>(whole, -LN2_LO, r)))
}

/// `2ⁿ` for `-127 < n < 128`.
#[inline(always)]
fn power_of_two(n: i32) -> f32 {
    f32::from_bits((n.wrapping_add(127) << 23) as u32)
}

/// `x` between `low` and `high`; NaN stays NaN.
#[inline(always)]
fn clamp(x: f32, low: f32, high: f32) -> f32 {
    let x = if x > high { high } else { x };
    if x < low { low } else { x }
}

/// `eˣ`, within 1 ulp; overflows to inf above 88.72, rounds subnormal results correctly.
#[inline(always)]
pub(crate) fn exp<const FMA: bool>(x: f32) -> f32 {
    // Beyond these the result is inf or 0 whatever x is.
    let (n, p) = reduce::<FMA>(clamp(x, -104.0, 89.0));
    scale(n, p, x < -104.0)
}

/// `(1 + p)·2ⁿ` in two factors, as 2¹²⁸ and 2⁻¹⁵⁰ are no f32.
#[inline(always)]
fn scale(n: i32, p: f32, zero: bool) -> f32 {
    let half = n >> 1;
    // Underflow would give the 0 too, but CPUs take some 50 times longer for it, and masked
    // attention is full of e^(-inf).
    let rest = if zero { 0.0 } else { power_of_two(n.wrapping_sub(half)) };
    (1.0 + p) * power_of_two(half) * rest
}

/// [`reduce`] of `high + low`, `|low| < 1`, as if the sum had more digits than an f32.
#[inline(always)]
fn reduce_sum<const FMA: bool>(high: f32, low: f32) -> (i32, f32) {
    let (n, whole) = whole::<FMA>(high + low);
    let r = mul_add::<FMA>(whole, -LN2_HI, high) + mul_add::<FMA>(whole, -LN2_LO, low);
    (n, minus_one::<FMA>(r))
}

/// `e^(high + low)`, `|low| < 1`, as if the sum had more digits than an f32.
#[inline(always)]
pub(super) fn exp_of_sum<const FMA: bool>(high: f32, low: f32) -> f32 {
    let size = clamp(high, -104.0, 89.0);
    // Nothing depends on `low` outside, where it may be NaN.
    let low = if size == high { low } else { 0.0 };
    let (n, p) = reduce_sum::<FMA>(size, low);
    scale(n, p, high < -104.0)
}

/// `x²` in two parts, whose sum has more digits than an f32.
pub(super) struct Squared {
    pub(super) high: f32,
    pub(super) low: f32,
}

impl Squared {
    #[inline(always)]
    pub(super) fn of<const FMA: bool>(x: f32) -> Self {
        if FMA {
            let high = x * x;
            return Self { high, low: x.mul_add(x, -high) };
        }
        // The square of the first 12 bits is exact.
        let first = f32::from_bits(x.to_bits() & !((1 << 12) - 1));
        Self { high: first * first, low: (x - first) * (x + first) }
    }
}

/// `e^(−x²/2)` for `x < 15`, or 0; rounding the square would cost 50 ulp at x = 14.
#[inline(always)]
pub(super) fn bell_of<const FMA: bool>(x: Squared, zero: bool) -> f32 {
    let (n, p) = reduce_sum::<FMA>(-0.5 * x.high, -0.5 * x.low);
    // In two factors, as 2⁻¹⁵⁰ is no f32; the second is always the same, because the exponent is never positive.
    let rest = if zero { 0.0 } else { power_of_two(-UP) };
    (1.0 + p) * power_of_two(n.wrapping_add(UP)) * rest
}

/// `n + UP` is the exponent of a normal number for all `n` from −152 to 0.
const UP: i32 = 64;

/// `eˣ − 1` without cancellation near 0, within 2 ulp.
#[inline(always)]
pub(crate) fn expm1<const FMA: bool>(x: f32) -> f32 {
    // Below -18 the result rounds to -1.
    let (n, p) = reduce::<FMA>(clamp(x, -18.0, 89.0));
    // One power of two less, because 2¹²⁸ is no f32.
    let half = power_of_two(n.wrapping_sub(1));
    let y = 2.0 * mul_add::<FMA>(half, p, half - 0.5);
    let y = if n == 0 { p } else { y };
    if x == 0.0 { x } else { y }
}

/// `1 / (1 + e⁻ˣ)`, within 2.5 ulp on both sides.
#[inline(always)]
pub(crate) fn sigmoid<const FMA: bool>(x: f32) -> f32 {
    let e = exp::<FMA>(-x.abs());
    let top = if x < 0.0 { e } else { 1.0 };
    top / (1.0 + e)
}
