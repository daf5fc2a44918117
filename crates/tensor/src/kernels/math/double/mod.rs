//! The elementary functions in f64, branch-free like those in f32.
//!
//! SSE2 and AVX2 have no shift that keeps the sign, no comparison and no conversion of 64-bit integers,
//! so exponents are floating numbers here: [`MAGIC`] moves them in and out of the bits.

mod erf;
mod exp;
mod far;
mod ln;
mod power;
mod trig;

pub(crate) use erf::{erf, erfc, normal};
pub(crate) use exp::{exp, expm1, sigmoid, tanh};
pub(crate) use ln::{ln, ln_1p};
pub(crate) use power::powf;
pub(crate) use trig::{cos, cos_near, sin, sin_near};

/// Adding 1.5·2⁵² rounds to an integer, which then stands in the low bits of the sum.
const MAGIC: f64 = 6_755_399_441_055_744.0;

/// ln 2 in two parts. The first has 42 significant bits, so that its product with an exponent is exact.
const LN2_HI: f64 = 0.693_147_180_559_890_3;
const LN2_LO: f64 = 5.497_923_018_708_371e-14;

/// `a·b + c`, rounded once if `FMA`, twice if not.
#[inline(always)]
fn mul_add<const FMA: bool>(a: f64, b: f64, c: f64) -> f64 {
    if FMA { a.mul_add(b, c) } else { a * b + c }
}

/// `c[0] + c[1]·x + c[2]·x² + …` by Horner's rule.
#[inline(always)]
fn polynomial<const FMA: bool, const N: usize>(c: [f64; N], x: f64) -> f64 {
    let mut sum = c[N - 1];
    for i in (0..N - 1).rev() {
        sum = mul_add::<FMA>(sum, x, c[i]);
    }
    sum
}

/// The upper 26 bits of the significand of `x`: what is cut off has 27, so that products of the parts
/// are exact.
#[inline(always)]
fn upper(x: f64) -> f64 {
    f64::from_bits(x.to_bits() & !((1 << 27) - 1))
}

/// `2ᵏ` for an integer `k` between -1022 and 1023.
#[inline(always)]
fn power_of_two(k: f64) -> f64 {
    f64::from_bits((k + (MAGIC + 1023.0)).to_bits() << 52)
}

#[cfg(test)]
mod tests;
