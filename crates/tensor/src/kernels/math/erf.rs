//! The error function and its complement, in f32.

use super::exp::{Squared, exp_of_negative, exp_of_square};
use super::{mul_add, polynomial_by_halves};

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

/// `e^(x²)·erfc x = w·G(x·w − 1)` with `w = 2/(x + K)` on `0 ≤ x ≤ 10.5`, relative error 2⁻²⁶.
const G: [f32; 10] = [
    0.528_233_4,
    -0.406_986_6,
    0.234_606_97,
    -0.092_728_41,
    0.018_058_13,
    0.003_304_023_8,
    -0.002_662_522_3,
    -7.265101e-05,
    0.000_332_186_11,
    5.1816965e-05,
];
const K: f32 = 2.55;

/// `erf x` for `|x| ≤ 1`.
#[inline(always)]
fn near<const FMA: bool>(x: f32) -> f32 {
    mul_add::<FMA>(x, polynomial_by_halves::<FMA, 7>(P, x * x), x)
}

/// `e^(x²)·erfc x` for `x ≥ 0`.
#[inline(always)]
fn scaled<const FMA: bool>(x: f32) -> f32 {
    // Above, erfc is 0, and inf / inf must not happen.
    let x = if x > 10.5 { 10.5 } else { x };
    let w = 2.0 / (x + K);
    polynomial_by_halves::<FMA, 10>(G, mul_add::<FMA>(x, w, -1.0)) * w
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
    let far = 1.0 - exp_of_negative::<FMA>(-polynomial_by_halves::<FMA, 7>(R, t));
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
