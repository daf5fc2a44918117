//! The hyperbolic tangent.

use super::exp::exp_of_negative;
use super::{mul_add, polynomial};

/// `tanh x = x + x³·P(x²)` on `|x| ≤ 0.625`, relative error 2⁻²⁶·⁸.
const P: [f32; 5] = [-0.333_332_8, 0.133_314_42, -0.053_739_715, 0.020_639_088, -0.005_704_987_3];

/// `tanh x`, within 1.5 ulp.
#[inline(always)]
pub(crate) fn tanh<const FMA: bool>(x: f32) -> f32 {
    let size = x.abs();
    let square = x * x;
    let near = mul_add::<FMA>(square * size, polynomial::<FMA, 5>(P, square), size);
    let e = exp_of_negative::<FMA>(-2.0 * size);
    let far = 1.0 - (e + e) / (1.0 + e);
    // The sign last, so that -0 keeps its own.
    (if size < 0.625 { near } else { far }).copysign(x)
}
