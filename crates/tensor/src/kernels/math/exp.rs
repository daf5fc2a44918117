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

/// `a·e^(r + rest)` for `|r| ≤ ln 2 / 2`, a rest of rounding and a power of two.
#[inline(always)]
fn times_exp<const FMA: bool>(a: f32, r: f32, rest: f32) -> f32 {
    let q = polynomial::<FMA, 5>(Q, r);
    if FMA {
        // Within 0.92 ulp even without the rest; rounded once more, as below, it would be 1.02.
        return (a * r).mul_add(q.mul_add(r, 1.0), a);
    }
    a * (r * r * q + rest + r) + a
}

/// No rest: adding it is nothing, for the compiler too.
const NONE: f32 = -0.0;

/// `n` and `r`, where `x = n·ln 2 + r`.
#[inline(always)]
fn reduce<const FMA: bool>(x: f32) -> (i32, f32) {
    let (n, whole) = whole::<FMA>(x);
    let r = mul_add::<FMA>(whole, -LN2_HI, x);
    (n, mul_add::<FMA>(whole, -LN2_LO, r))
}

/// `2ⁿ` for `-127 < n < 128`; 0 for −127.
#[inline(always)]
fn power_of_two(n: i32) -> f32 {
    f32::from_bits((n.wrapping_add(127) << 23) as u32)
}

/// `x` between `low` and `high`; NaN stays NaN.
#[inline(always)]
fn clamp(x: f32, low: f32, high: f32) -> f32 {
    at_least(if x > high { high } else { x }, low)
}

/// `x`, or `low` if that is more; NaN stays NaN.
#[inline(always)]
fn at_least(x: f32, low: f32) -> f32 {
    if x < low { low } else { x }
}

/// `eˣ`, within 1 ulp; overflows to inf above 88.72, rounds subnormal results correctly.
#[inline(always)]
pub(crate) fn exp<const FMA: bool>(x: f32) -> f32 {
    // Beyond these the result is inf or 0 whatever x is.
    let (n, r) = reduce::<FMA>(clamp(x, ZERO_FROM, 89.0));
    // In two factors, as 2¹²⁸ and 2⁻¹⁵⁰ are no f32: the sign says which end is near.
    let rest = if x.is_sign_negative() { power_of_two(-UP) } else { 4.0 };
    let first =
        f32::from_bits((n.wrapping_add(254) << 23).wrapping_sub(rest.to_bits() as i32) as u32);
    times_exp::<FMA>(first, r, NONE) * rest
}

/// `eˣ` for `x ≤ 0`, as [`exp`] gives it.
#[inline(always)]
pub(super) fn exp_of_negative<const FMA: bool>(x: f32) -> f32 {
    let (n, r) = reduce::<FMA>(at_least(x, ZERO_FROM));
    scaled_down::<FMA>(n, r, NONE)
}

/// From here on down `eˣ` is 0; here `x / ln 2` rounds to −152.
const ZERO_FROM: f32 = -105.25;

/// `n + UP` is the exponent of a normal number for all `n` from −151 to 0, and that of 0 for −152: CPUs take some 50 times
/// longer for a product that underflows, and masked attention is full of e^(-inf).
const UP: i32 = 25;

/// `2ⁿ·e^(r + rest)` for `-152 < n <= 0`, 0 for −152. In two factors, as 2⁻¹⁵⁰ is no f32; the second is always the same, because
/// the exponent is never positive.
#[inline(always)]
fn scaled_down<const FMA: bool>(n: i32, r: f32, rest: f32) -> f32 {
    times_exp::<FMA>(power_of_two(n.wrapping_add(UP)), r, rest) * power_of_two(-UP)
}

/// `e^(high + low)`, not above 1, as if the sum had more digits than an f32.
#[inline(always)]
fn exp_of_sum<const FMA: bool>(x: &Squared) -> f32 {
    // Only without FMA `low` is large enough to matter here.
    let (n, whole) = whole::<FMA>(if FMA { x.high } else { x.high + x.low });
    let high = mul_add::<FMA>(whole, -LN2_HI, x.high);
    let low = mul_add::<FMA>(whole, -LN2_LO, x.low);
    let r = high + low;
    scaled_down::<FMA>(n, r, low - (r - high))
}

/// `e^(high + low)` for a negative square, as if the sum had more digits than an f32.
#[inline(always)]
pub(super) fn exp_of_square<const FMA: bool>(x: &Squared) -> f32 {
    let high = at_least(x.high, ZERO_FROM);
    // Nothing depends on `low` outside, where it may be NaN.
    let low = if high == x.high { x.low } else { 0.0 };
    exp_of_sum::<FMA>(&Squared { high, low })
}

/// `a·x²` in two parts, whose sum has more digits than an f32; `a` is a power of two or its negative.
pub(super) struct Squared {
    high: f32,
    low: f32,
}

impl Squared {
    #[inline(always)]
    pub(super) fn of<const FMA: bool>(a: f32, x: f32) -> Self {
        if FMA {
            let high = a * x * x;
            return Self { high, low: (a * x).mul_add(x, -high) };
        }
        // The square of the first 12 bits is exact.
        let first = f32::from_bits(x.to_bits() & !((1 << 12) - 1));
        Self { high: a * first * first, low: a * (x - first) * (x + first) }
    }
}

/// `e^(−x²/2)` for `x ≤ 14.5`, where it is 0; rounding the square would cost 50 ulp at x = 14.
#[inline(always)]
pub(super) fn bell_of<const FMA: bool>(x: f32) -> f32 {
    exp_of_sum::<FMA>(&Squared::of::<FMA>(-0.5, x))
}

/// `eˣ − 1` without cancellation near 0, within 2 ulp.
#[inline(always)]
pub(crate) fn expm1<const FMA: bool>(x: f32) -> f32 {
    // Below -18 the result rounds to -1.
    let (n, r) = reduce::<FMA>(clamp(x, -18.0, 89.0));
    let p = mul_add::<FMA>(r * r, polynomial::<FMA, 5>(Q, r), r);
    // One power of two less, because 2¹²⁸ is no f32.
    let half = power_of_two(n.wrapping_sub(1));
    let y = 2.0 * mul_add::<FMA>(half, p, half - 0.5);
    let y = if n == 0 { p } else { y };
    if x == 0.0 { x } else { y }
}

/// `1 / (1 + e⁻ˣ)`, within 2.5 ulp on both sides.
#[inline(always)]
pub(crate) fn sigmoid<const FMA: bool>(x: f32) -> f32 {
    let e = exp_of_negative::<FMA>(-x.abs());
    let top = if x.is_sign_negative() { e } else { 1.0 };
    top / (1.0 + e)
}
