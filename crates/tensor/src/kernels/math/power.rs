//! `xʸ`.

/// `log2 m = s·P(s²)`, `s = (m − 1)/(m + 1)`, on `√½ ≤ m < √2`, relative error 4·10⁻¹².
const LOG2: [f64; 5] = [
    2.885_390_081_790_08,
    0.961_796_673_350_204,
    0.577_083_583_242_292_9,
    0.411_672_828_443_167_2,
    0.340_727_981_660_396,
];

/// `2ʳ` on `|r| ≤ ½`, relative error 2·10⁻⁹.
const EXP2: [f64; 7] = [
    1.000_000_000_554_152_7,
    0.693_147_205_737_360_9,
    0.240_226_468_908_544_4,
    0.055_503_287_769_160_51,
    0.009_618_488_928_784_655,
    0.001_339_993_123_638_408_4,
    0.000_153_458_199_795_923_25,
];

/// Adding 1.5·2⁵² rounds an f64 to an integer, which then stands in the low bits of the sum.
const MAGIC: f64 = 6_755_399_441_055_744.0;

/// Horner's rule; not fused, as the error left over is far below an ulp of the f32 result.
#[inline(always)]
fn polynomial<const N: usize>(c: [f64; N], x: f64) -> f64 {
    let mut sum = c[N - 1];
    for i in (0..N - 1).rev() {
        sum = sum * x + c[i];
    }
    sum
}

/// `log2 a` for `a ≥ 0`, in f64.
#[inline(always)]
fn log2(a: f32) -> f64 {
    const SQRT_HALF: i32 = std::f32::consts::FRAC_1_SQRT_2.to_bits() as i32;
    let subnormal = a < f32::MIN_POSITIVE;
    let normal = if subnormal { a * 8_388_608.0 } else { a };
    let above = (normal.to_bits() as i32).wrapping_sub(SQRT_HALF);
    let k = (above >> 23).wrapping_sub(if subnormal { 23 } else { 0 });
    let m = f64::from(f32::from_bits((above & 0x007f_ffff).wrapping_add(SQRT_HALF) as u32));
    let s = (m - 1.0) / (m + 1.0);
    let y = f64::from(k) + s * polynomial(LOG2, s * s);
    let y = if a == 0.0 { f64::NEG_INFINITY } else { y };
    if a < f32::INFINITY { y } else { f64::from(a) }
}

/// `2ᵉ` for `|e| < 1000`.
#[inline(always)]
fn exp2(e: f64) -> f64 {
    let shifted = e + MAGIC;
    let p = polynomial(EXP2, e - (shifted - MAGIC));
    f64::from_bits(p.to_bits().wrapping_add(shifted.to_bits() << 52))
}

/// Whether `y`, which has at most 24 significant bits, is an integer; infinities are.
#[inline(always)]
fn is_integer(y: f64) -> bool {
    (y + MAGIC) - MAGIC == y
}

/// `xʸ`, within 0.6 ulp, with the special cases of C's `pow`; computed in f64.
#[inline(always)]
pub(crate) fn powf(x: f32, y: f32) -> f32 {
    let wide = f64::from(y);
    let e = wide * log2(x.abs());
    // Beyond these the result is inf or 0 in f32.
    let e = if e > 200.0 { 200.0 } else { e };
    let e = if e < -200.0 { -200.0 } else { e };
    let size = exp2(e) as f32;
    let size = if x.abs() == 1.0 && !y.is_nan() { 1.0 } else { size };
    let odd = is_integer(wide) & !is_integer(0.5 * wide);
    let no_root = (x < 0.0) & (x > f32::NEG_INFINITY) & !is_integer(wide);
    let signed = if odd & x.is_sign_negative() { -size } else { size };
    let signed = if no_root { f32::NAN } else { signed };
    if (x == 1.0) | (y == 0.0) { 1.0 } else { signed }
}
