//! `xʸ`, in f64.

use super::exp::exp_of_sum;
use super::ln::split_all;
use super::{LN2_HI, LN2_LO, mul_add, polynomial, upper};

/// `ln((1 + s)/(1 − s)) = 2s + s·z·(⅔ + z·P(z))`, `z = s²`, on `|s| ≤ 0.172`, relative error 2⁻⁷³.
const P: [f64; 8] = [
    0.399_999_999_999_999_8,
    0.285_714_285_714_438_4,
    0.222_222_222_177_898_14,
    0.181_818_188_439_734_02,
    0.153_845_584_305_601_47,
    0.133_362_643_967_638_9,
    0.116_757_832_253_875_36,
    0.119_817_293_798_406_61,
];

/// ⅔ and what its rounding lost.
const TWO_THIRDS: (f64, f64) = (2.0 / 3.0, 3.700_743_415_417_188e-17);

/// A number in two parts: the sum, and what its rounding lost.
type Pair = (f64, f64);

/// `a·b`.
#[inline(always)]
fn product<const FMA: bool>(a: f64, b: f64) -> Pair {
    let p = a * b;
    if FMA {
        return (p, a.mul_add(b, -p));
    }
    let (ah, bh) = (upper(a), upper(b));
    let (al, bl) = (a - ah, b - bh);
    (p, ((ah * bh - p) + ah * bl + al * bh) + al * bl)
}

/// `a·b` of pairs.
#[inline(always)]
fn pair_product<const FMA: bool>(a: Pair, b: Pair) -> Pair {
    let (p, lost) = product::<FMA>(a.0, b.0);
    (p, lost + mul_add::<FMA>(a.0, b.1, a.1 * b.0))
}

/// `a + b` for `|a| ≥ |b|` or `a = 0`.
#[inline(always)]
fn sum(a: f64, b: f64) -> Pair {
    let s = a + b;
    (s, (a - s) + b)
}

/// `ln a` for `a ≥ 0`, to 2⁻⁶⁵ of its size; the first part is -inf, inf or NaN where the logarithm is.
#[inline(always)]
fn logarithm<const FMA: bool>(a: f64) -> Pair {
    let (k, m) = split_all(a);
    // s = (m − 1)/(m + 1)
    let (f, d) = (m - 1.0, m + 1.0);
    let d_lost = m - (d - 1.0);
    let inverse = 1.0 / d;
    let s = f * inverse;
    let (p, p_lost) = product::<FMA>(s, d);
    let s = (s, (((f - p) - p_lost) - s * d_lost) * inverse);
    let z = pair_product::<FMA>(s, s);
    let t = z.0 * polynomial::<FMA, 8>(P, z.0);
    let c = sum(TWO_THIRDS.0, t);
    let c = (c.0, c.1 + TWO_THIRDS.1);
    let rest = pair_product::<FMA>(pair_product::<FMA>(s, z), c);
    let near = sum(2.0 * s.0, rest.0);
    let near_lost = near.1 + (2.0 * s.1 + rest.1);
    let whole = sum(k * LN2_HI, near.0);
    let (y, lost) = sum(whole.0, whole.1 + mul_add::<FMA>(k, LN2_LO, near_lost));
    let y = if a == 0.0 { f64::NEG_INFINITY } else { y };
    (if a < f64::INFINITY { y } else { a }, lost)
}

/// Whether `y` is an integer; infinities are.
#[inline(always)]
fn is_integer(y: f64) -> bool {
    /// From here on all f64 are integers.
    const ALL: f64 = 4_503_599_627_370_496.0;
    let size = y.abs();
    (size >= ALL) | ((size + ALL) - ALL == size)
}

/// `xʸ`, within 1 ulp, with the special cases of C's `pow`.
#[inline(always)]
pub(crate) fn powf<const FMA: bool>(x: f64, y: f64) -> f64 {
    let (log, lost) = logarithm::<FMA>(x.abs());
    let (p, p_lost) = product::<FMA>(y, log);
    let size = exp_of_sum::<FMA>(p, p_lost + y * lost);
    let size = if x.abs() == 1.0 && !y.is_nan() { 1.0 } else { size };
    let whole = is_integer(y);
    let odd = whole & !is_integer(0.5 * y);
    let no_root = (x < 0.0) & (x > f64::NEG_INFINITY) & !whole;
    let signed = if odd & x.is_sign_negative() { -size } else { size };
    let signed = if no_root { f64::NAN } else { signed };
    if (x == 1.0) | (y == 0.0) { 1.0 } else { signed }
}
