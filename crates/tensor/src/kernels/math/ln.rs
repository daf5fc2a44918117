//! The natural logarithm of `x` and of `1 + x`.

use super::{LN2_HI, LN2_LO, mul_add, polynomial_by_halves};

/// `ln(1 + f) = f − f²/2 + f³·P(f)` on `√½ − 1 ≤ f < √2 − 1`, relative error 2⁻²⁸·².
const P: [f32; 9] = [
    0.333_333_13,
    -0.250_000_1,
    0.200_021_19,
    -0.166_679_96,
    0.142_195_52,
    -0.124_055_86,
    0.118_881_635,
    -0.116_756_65,
    0.067_466_52,
];

/// The bits of √½: mantissas are taken from √½ to √2, so that `ln` has no cancellation near 1.
const SQRT_HALF: i32 = std::f32::consts::FRAC_1_SQRT_2.to_bits() as i32;

/// `k` and `m` with `x = 2ᵏ·m` and `√½ ≤ m < √2`, for a normal positive `x`.
#[inline(always)]
fn split(x: f32) -> (i32, f32) {
    let above = (x.to_bits() as i32).wrapping_sub(SQRT_HALF);
    (above >> 23, f32::from_bits((above & 0x007f_ffff).wrapping_add(SQRT_HALF) as u32))
}

/// `k·ln 2 + ln(1 + f)`.
#[inline(always)]
fn combine<const FMA: bool>(k: i32, f: f32) -> f32 {
    let k = k as f32;
    let square = f * f;
    let rest = mul_add::<FMA>(k, LN2_LO, square * f * polynomial_by_halves::<FMA, 9>(P, f));
    let rest = mul_add::<FMA>(-0.5, square, rest);
    mul_add::<FMA>(k, LN2_HI, f + rest)
}

/// `ln x`, within 1 ulp, subnormals included; -inf at 0, NaN below.
#[inline(always)]
pub(crate) fn ln<const FMA: bool>(x: f32) -> f32 {
    let subnormal = x < f32::MIN_POSITIVE;
    let (k, m) = split(if subnormal { x * 8_388_608.0 } else { x });
    let y = combine::<FMA>(k.wrapping_sub(if subnormal { 23 } else { 0 }), m - 1.0);
    outside(x, 0.0, y)
}

/// `ln(1 + x)` without cancellation near 0, within 1.5 ulp; -inf at -1, NaN below.
#[inline(always)]
pub(crate) fn ln_1p<const FMA: bool>(x: f32) -> f32 {
    let sum = 1.0 + x;
    // What the rounding of 1 + x lost, computed exactly.
    let lost = if x < 1.0 { x - (sum - 1.0) } else { 1.0 - (sum - x) };
    let (k, m) = split(sum);
    // 2⁻ᵏ; 0 from k = 127 on, where nothing of `lost` is left.
    let scale = f32::from_bits((127i32.wrapping_sub(k).max(0) << 23) as u32);
    let y = combine::<FMA>(k, mul_add::<FMA>(lost, scale, m - 1.0));
    outside(x, -1.0, if x == 0.0 { x } else { y })
}

/// A logarithm `y` whose pole is at `pole`, set right where the formula does not hold.
#[inline(always)]
fn outside(x: f32, pole: f32, y: f32) -> f32 {
    let y = if x == pole { f32::NEG_INFINITY } else { y };
    // inf and NaN stay what they are.
    let y = if x < f32::INFINITY { y } else { x };
    if x < pole { f32::NAN } else { y }
}
