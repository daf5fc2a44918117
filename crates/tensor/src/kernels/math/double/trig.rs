//! Sine and cosine, in f64.

use super::super::NEAR;
use super::far::reduce_far;
use super::{MAGIC, mul_add, polynomial};

/// π/2 in four parts. The first three have 33 bits, so that their products with the number of quarter
/// turns, below 2²⁰, are exact; together they give the remainder to 2⁻¹³⁰.
const QUARTER: [f64; 4] = [
    1.570_796_326_734_125_6,
    6.077_100_506_303_966e-11,
    2.022_266_248_711_166_5e-21,
    8.478_427_660_368_9e-32,
];

/// `sin y = y + y³·S(y²)` on `|y| ≤ π/4`, relative error 2⁻⁵⁸.
const S: [f64; 6] = [
    -0.166_666_666_666_666_32,
    0.008_333_333_333_322_491,
    -0.000_198_412_698_298_599_17,
    2.755_731_370_778_532_3e-6,
    -2.505_076_035_191_092_2e-8,
    1.589_691_427_845_073_8e-10,
];

/// `cos y = 1 − y²/2 + y⁴·C(y²)` on `|y| ≤ π/4`, error 2⁻⁶⁴.
const C: [f64; 6] = [
    0.041_666_666_666_666_6,
    -0.001_388_888_888_887_447_4,
    2.480_158_728_967_152_3e-5,
    -2.755_731_440_102_672e-7,
    2.087_572_928_001_842e-9,
    -1.135_993_408_534_954_5e-11,
];

/// An angle as a number of quarter turns, of which the last two bits count, and a rest in two parts.
pub(super) type Angle = (u64, f64, f64);

/// For `|x| ≤ NEAR`.
#[inline(always)]
fn reduce<const FMA: bool>(x: f64) -> Angle {
    let shifted = mul_add::<FMA>(x, std::f64::consts::FRAC_2_PI, MAGIC);
    let n = shifted - MAGIC;
    let first = mul_add::<FMA>(n, -QUARTER[0], x);
    let second = n * QUARTER[1];
    let sum = first - second;
    let lost = (first - sum) - second;
    let third = n * QUARTER[2];
    let high = sum - third;
    let lost = lost + ((sum - high) - third);
    let low = mul_add::<FMA>(n, -QUARTER[3], lost);
    let y = high + low;
    (shifted.to_bits(), y, (high - y) + low)
}

/// The sine of an angle; the cosine is the sine of one quarter turn more.
#[inline(always)]
fn sine<const FMA: bool>((quarters, y, low): Angle) -> f64 {
    let z = y * y;
    let rest =
        mul_add::<FMA>(low, mul_add::<FMA>(z, -0.5, 1.0), y * z * polynomial::<FMA, 6>(S, z));
    let sine = y + rest;
    let half = 0.5 * z;
    let one = 1.0 - half;
    let rest = mul_add::<FMA>(z * z, polynomial::<FMA, 6>(C, z), -y * low);
    let cosine = one + (((1.0 - one) - half) + rest);
    let size = if quarters & 1 == 0 { sine } else { cosine };
    f64::from_bits(size.to_bits() ^ ((quarters & 2) << 62))
}

#[inline(always)]
fn quarter_more((quarters, y, low): Angle) -> Angle {
    (quarters.wrapping_add(1), y, low)
}

/// `sin x` for `|x| ≤ NEAR`, within 1 ulp.
#[inline(always)]
pub(crate) fn sin_near<const FMA: bool>(x: f64) -> f64 {
    let y = sine::<FMA>(reduce::<FMA>(x));
    if x == 0.0 { x } else { y }
}

/// `cos x` for `|x| ≤ NEAR`, within 1 ulp.
#[inline(always)]
pub(crate) fn cos_near<const FMA: bool>(x: f64) -> f64 {
    sine::<FMA>(quarter_more(reduce::<FMA>(x)))
}

/// `sin x`, within 1 ulp; NaN for an infinity. With a branch: no loop over it becomes vector code.
#[inline]
pub(crate) fn sin<const FMA: bool>(x: f64) -> f64 {
    if x.abs() > NEAR { sine::<false>(reduce_far(x)) } else { sin_near::<FMA>(x) }
}

/// `cos x`, as [`sin`].
#[inline]
pub(crate) fn cos<const FMA: bool>(x: f64) -> f64 {
    if x.abs() > NEAR { sine::<false>(quarter_more(reduce_far(x))) } else { cos_near::<FMA>(x) }
}
