//! The natural logarithm of `x` and of `1 + x`, in f64.

use super::{LN2_HI, LN2_LO, mul_add, polynomial, power_of_two};

/// `ln((1 + s)/(1 − s)) = 2s + s·z·P(z)`, `z = s²`, on `|s| ≤ 0.172`, relative error 2⁻⁵⁹.
const P: [f64; 7] = [
    0.666_666_666_666_673_4,
    0.399_999_999_994_166_2,
    0.285_714_287_420_474_17,
    0.222_221_986_018_682_82,
    0.181_835_630_621_510_6,
    0.153_140_786_483_903_4,
    0.147_957_006_893_054_45,
];

/// The bits of √½: significands are taken from √½ to √2, so that there is no cancellation near 1.
const SQRT_HALF: u64 = std::f64::consts::FRAC_1_SQRT_2.to_bits();
/// The bits of 1.
const ONE: u64 = 1f64.to_bits();
/// 2⁵² and the bias of exponents.
const BIASED: f64 = 4_503_599_627_370_496.0 + 1023.0;

/// `k` and `m` with `x = 2ᵏ·m` and `√½ ≤ m < √2`, for a normal positive `x`.
#[inline(always)]
pub(super) fn split(x: f64) -> (f64, f64) {
    let above = x.to_bits().wrapping_add(ONE - SQRT_HALF);
    let k = f64::from_bits((above >> 52) | 2f64.powi(52).to_bits()) - BIASED;
    (k, f64::from_bits((above & 0x000f_ffff_ffff_ffff).wrapping_add(SQRT_HALF)))
}

/// As [`split`] for any positive `x`.
#[inline(always)]
pub(super) fn split_all(x: f64) -> (f64, f64) {
    let subnormal = x < f64::MIN_POSITIVE;
    let (k, m) = split(if subnormal { x * 2f64.powi(54) } else { x });
    (if subnormal { k - 54.0 } else { k }, m)
}

/// `k·ln 2 + ln(1 + f)`.
#[inline(always)]
fn combine<const FMA: bool>(k: f64, f: f64) -> f64 {
    let s = f / (2.0 + f);
    let z = s * s;
    // 2s = f − s·f, and f is exact.
    let rest = mul_add::<FMA>(s, f - z * polynomial::<FMA, 7>(P, z), -k * LN2_LO);
    mul_add::<FMA>(k, LN2_HI, f - rest)
}

/// `ln x`, within 1 ulp, subnormals included; -inf at 0, NaN below.
#[inline(always)]
pub(crate) fn ln<const FMA: bool>(x: f64) -> f64 {
    let (k, m) = split_all(x);
    outside(x, 0.0, combine::<FMA>(k, m - 1.0))
}

/// `ln(1 + x)` without cancellation near 0, within 1.5 ulp; -inf at -1, NaN below.
#[inline(always)]
pub(crate) fn ln_1p<const FMA: bool>(x: f64) -> f64 {
    let sum = 1.0 + x;
    // What the rounding of 1 + x lost, computed exactly.
    let lost = if x < 1.0 { x - (sum - 1.0) } else { 1.0 - (sum - x) };
    let (k, m) = split(sum);
    // From k = 60 on nothing of `lost` is left.
    let scale = power_of_two(-(if k > 60.0 { 60.0 } else { k }));
    let lost = if k > 60.0 { 0.0 } else { lost };
    let y = combine::<FMA>(k, mul_add::<FMA>(lost, scale, m - 1.0));
    outside(x, -1.0, if x == 0.0 { x } else { y })
}

/// A logarithm `y` whose pole is at `pole`, set right where the formula does not hold.
#[inline(always)]
fn outside(x: f64, pole: f64, y: f64) -> f64 {
    let y = if x == pole { f64::NEG_INFINITY } else { y };
    // inf and NaN stay what they are.
    let y = if x < f64::INFINITY { y } else { x };
    if x < pole { f64::NAN } else { y }
}
