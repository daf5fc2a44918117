//! The error function, in f32.

use super::{exp, mul_add, polynomial};

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

/// `erf x = 2/√π · ∫₀ˣ e^(−t²) dt`, within 1.5 ulp.
#[inline(always)]
pub(crate) fn erf<const FMA: bool>(x: f32) -> f32 {
    let size = x.abs();
    let near = mul_add::<FMA>(x, polynomial::<FMA, 7>(P, x * x), x);
    // From 4 on the result rounds to 1.
    let t = if size > 4.0 { 4.0 } else { size };
    let far = 1.0 - exp::<FMA>(-polynomial::<FMA, 7>(R, t));
    if size < 1.0 { near } else { far.copysign(x) }
}
