//! The normal distribution, in f32.

use super::erf::near;
use super::exp::{Squared, bell_of};
use super::{mul_add, polynomial};

/// `e^(x²/2)·½·erfc(x/√2) = G((x − K)/(x + K)) / (x + K)` on `0 ≤ x ≤ FAR`, relative error 2⁻²⁶·⁴.
const G: [f32; 10] = [
    0.747_477_95,
    -0.577_270_75,
    0.334_607_87,
    -0.133_801_15,
    0.027_039_293,
    0.004_283_899_4,
    -0.003_849_062,
    -2.599_615_6e-5,
    0.000_477_558_6,
    6.757_826e-5,
];
const K: f32 = 3.625;
/// From here on `e^(−x²/2)` rounds to 0.
const FAR: f32 = 14.5;

/// `Φ(x) = ½·erfc(−x/√2)` and `e^(−x²/2)`, without cancellation in either tail.
#[inline(always)]
pub(crate) fn normal<const FMA: bool>(x: f32) -> (f32, f32) {
    let size = x.abs();
    // Above, inf / inf must not happen.
    let t = if size > FAR { FAR } else { size };
    let bell = bell_of::<FMA>(Squared::of::<FMA>(t), size > FAR);
    let w = 1.0 / (t + K);
    let tail = bell * (polynomial::<FMA, 10>(G, (t - K) * w) * w);
    let far = if x < 0.0 { tail } else { 1.0 - tail };
    let half = near::<FMA>(x * std::f32::consts::FRAC_1_SQRT_2);
    (if size < 0.75 { mul_add::<FMA>(0.5, half, 0.5) } else { far }, bell)
}
