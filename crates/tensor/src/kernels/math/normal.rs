//! The normal distribution, in f32.

use super::exp::bell_of;
use super::{mul_add, polynomial_by_halves};

/// `e^(x²/2)·½·erfc(x/√2) = w·G(x·w − 1)` with `w = 2/(x + K)` on `0 ≤ x ≤ FAR`, relative error 2⁻²⁶·⁸; `G(−1)` is `K/4`
/// without rounding, so that Φ(0) is ½.
const G: [f32; 10] = [
    0.377_642_57,
    -0.303_948_28,
    0.193_568_45,
    -0.093_261_72,
    0.030_201_916,
    -0.003_762_635_6,
    -0.001_756_276_9,
    0.000_784_961_74,
    8.967714e-05,
    -6.5985885e-05,
];
/// A power of two, whose reciprocal is exact.
const K: f32 = 4.0;
/// From here on `e^(−x²/2)` rounds to 0.
const FAR: f32 = 14.5;

/// `Φ(x) = ½·erfc(−x/√2)` and `e^(−x²/2)`, without cancellation in either tail.
#[inline(always)]
pub(crate) fn normal<const FMA: bool>(x: f32) -> (f32, f32) {
    let size = x.abs();
    let t = if size > FAR { FAR } else { size };
    let w = 2.0 / (t + K);
    let bell = bell_of::<FMA>(t);
    let tail = polynomial_by_halves::<FMA, 10>(G, mul_add::<FMA>(t, w, -1.0)) * (bell * w);
    (if x.is_sign_negative() { tail } else { 1.0 - tail }, bell)
}
