//! Sine and cosine, in f32.

use super::{NEAR, double, mul_add, polynomial};

/// π/2 in two parts: the first has 33 bits, so that its product with the number of quarter turns, below
/// 2²⁰, is exact in f64.
const QUARTER: [f64; 2] = [1.570_796_326_734_125_6, 6.077_100_506_506_192e-11];

/// Adding 1.5·2⁵² rounds an f64 to an integer, which then stands in the low bits of the sum.
const MAGIC: f64 = 6_755_399_441_055_744.0;

/// `sin y = y + y³·S(y²)` on `|y| ≤ π/4`, relative error 2⁻²⁸.
const S: [f32; 3] = [-0.166_666_55, 0.008_332_192, -0.000_195_187_88];

/// `cos y = 1 − y²/2 + y⁴·C(y²)` on `|y| ≤ π/4`, error 2⁻³³.
const C: [f32; 3] = [0.041_666_646, -0.001_388_730_1, 2.443_066_5e-5];

/// An angle as a number of quarter turns, of which the last two bits count, and a rest.
type Angle = (u32, f32);

/// For `|x| ≤ NEAR`. In f64: near a multiple of π the rest is some 2⁻³⁰ of `x`, and all its digits count.
#[inline(always)]
fn reduce<const FMA: bool>(x: f32) -> Angle {
    let wide = |a: f64, b: f64, c: f64| if FMA { a.mul_add(b, c) } else { a * b + c };
    let x = f64::from(x);
    let shifted = wide(x, std::f64::consts::FRAC_2_PI, MAGIC);
    let n = shifted - MAGIC;
    let y = wide(n, -QUARTER[1], wide(n, -QUARTER[0], x));
    (shifted.to_bits() as u32, y as f32)
}

/// The sine of an angle; the cosine is the sine of one quarter turn more.
#[inline(always)]
fn sine<const FMA: bool>((quarters, y): Angle) -> f32 {
    let z = y * y;
    let sine = mul_add::<FMA>(y * z, polynomial::<FMA, 3>(S, z), y);
    let rest = mul_add::<FMA>(z, polynomial::<FMA, 3>(C, z), -0.5);
    let cosine = mul_add::<FMA>(z, rest, 1.0);
    let size = if quarters & 1 == 0 { sine } else { cosine };
    f32::from_bits(size.to_bits() ^ ((quarters & 2) << 30))
}

/// `sin x` for `|x| ≤ NEAR`, within 1.75 ulp.
#[inline(always)]
pub(crate) fn sin_near<const FMA: bool>(x: f32) -> f32 {
    let y = sine::<FMA>(reduce::<FMA>(x));
    if x == 0.0 { x } else { y }
}

/// `cos x` for `|x| ≤ NEAR`, within 1.75 ulp.
#[inline(always)]
pub(crate) fn cos_near<const FMA: bool>(x: f32) -> f32 {
    let (quarters, y) = reduce::<FMA>(x);
    sine::<FMA>((quarters.wrapping_add(1), y))
}

/// `sin x`, within 1.75 ulp; NaN for an infinity. With a branch: no loop over it becomes vector code.
#[inline]
pub(crate) fn sin<const FMA: bool>(x: f32) -> f32 {
    let wide = f64::from(x);
    if wide.abs() > NEAR { double::sin::<false>(wide) as f32 } else { sin_near::<FMA>(x) }
}

/// `cos x`, as [`sin`].
#[inline]
pub(crate) fn cos<const FMA: bool>(x: f32) -> f32 {
    let wide = f64::from(x);
    if wide.abs() > NEAR { double::cos::<false>(wide) as f32 } else { cos_near::<FMA>(x) }
}
