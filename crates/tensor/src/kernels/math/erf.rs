//! The error function and its complement, in f32.

use super::exp::{Squared, exp_of_negative, exp_of_square};
use super::{mul_add, polynomial};

/// `erf x = x + x·P(x²)` on `|x| ≤ 1`, relative error 2⁻²⁸·⁶.
const P: [f32; 7] = [
    0.128_379_17,
    -0.376_126_26,
    0.112_835_854,
    -0.026_853_813,
    0.005_188_327_7,
    -0.000_801_019_37,
    7.853_861_5e-5,
];

/// `erf x = 1 − e^(−R(x))` on `0.9 ≤ x ≤ 4`, relative error 2⁻²⁶·⁷.
const R: [f32; 7] = [
    0.000_166_449_35,
    1.127_797_2,
    0.636_976_1,
    0.104_113_66,
    -0.022_315_204,
    0.003_065_487_8,
    -0.000_198_219_38,
];

/// `e^(x²)·erfc x = G((x − K)/(x + K)) / (x + K)` on `0 ≤ x ≤ 10.5`, relative error 2⁻²⁶.
const G: [f32; 10] = [
    1.056_466_8,
    -0.813_973_2,
    0.469_213_93,
    -0.185_456_83,
    0.036_116_26,
    0.006_608_047_5,
    -0.005_325_044_5,
    -0.000_145_302_02,
    0.000_664_372_23,
    0.000_103_633_93,
];
const K: f32 = 2.55;

/// `erf x` for `|x| ≤ 1`.
#[inline(always)]
fn near<const FMA: bool>(x: f32) -> f32 {
    mul_add::<FMA>(x, polynomial::<FMA, 7>(P, x * x), x)
}

/// `e^(x²)·erfc x` for `x ≥ 0`.
#[inline(always)]
fn scaled<const FMA: bool>(x: f32) -> f32 {
    // Above, erfc is 0, and inf / inf must not happen.
    let x = if x > 10.5 { 10.5 } else { x };
    let w = 1.0 / (x + K);
    polynomial::<FMA, 10>(G, (x - K) * w) * w
}

/// `e^(−x²)`; rounding the square would cost 50 ulp at x = 10.
#[inline(always)]
fn bell<const FMA: bool>(x: f32) -> f32 {
    exp_of_square::<FMA>(&Squared::of::<FMA>(-1.0, x))
}

/// `erf x = 2/√π · ∫₀ˣ e^(−t²) dt`, within 1.5 ulp.
#[inline(always)]
pub(crate) fn erf<const FMA: bool>(x: f32) -> f32 {
    let size = x.abs();
    // From 4 on the result rounds to 1.
    let t = if size > 4.0 { 4.0 } else { size };
    let far = 1.0 - exp_of_negative::<FMA>(-polynomial::<FMA, 7>(R, t));
    if size < 1.0 { near::<FMA>(x) } else { far.copysign(x) }
}

/// `erfc x = 1 − erf x` without cancellation, within 5 ulp where the result is normal.
#[inline(always)]
pub(crate) fn erfc<const FMA: bool>(x: f32) -> f32 {
    let size = x.abs();
    let tail = bell::<FMA>(size) * scaled::<FMA>(size);
    let far = if x < 0.0 { 2.0 - tail } else { tail };
    if size < 0.5 { 1.0 - near::<FMA>(x) } else { far }
}
