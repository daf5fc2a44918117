//! Normal numbers: the quantile of a uniform one, so that element `i` depends on draw `i` alone.
//!
//! Rejection (Ziggurat, polar) draws a varying number of words, and Box-Muller needs sines that differ
//! in the last bit between systems. The quantile function needs one logarithm for the 15 % of the draws
//! that fall into the tails, and only `+ − × ÷ √`.
//!
//! Source: M. J. Wichura, "Algorithm AS 241: The Percentage Points of the Normal Distribution", Applied
//! Statistics 37 (1988), routine PPND16 (relative error about 1e-16).

#![allow(clippy::excessive_precision, reason = "coefficients as their source prints them")]

use super::fill::{TILE, fill};
use super::{Generator, rng_state, set_rng_state};
use crate::{Array, DType, Shape};
use half::{bf16, f16};

impl Array {
    /// Numbers from the normal distribution with mean 0 and variance 1 in `f32` (`torch.randn`), from
    /// the default generator.
    ///
    /// ```
    /// use gradus_tensor::{Array, manual_seed};
    /// manual_seed(0);
    /// let x = Array::randn(10_000).to_vec::<f32>();
    /// let mean = x.iter().sum::<f32>() / 10_000.0;
    /// assert!(mean.abs() < 0.03);
    /// ```
    #[track_caller]
    pub fn randn(shape: impl Into<Shape>) -> Array {
        let mut generator = rng_state();
        let drawn = Array::randn_with(shape, DType::F32, &mut generator);
        set_rng_state(generator);
        drawn
    }
    /// Numbers from the normal distribution with mean 0 and variance 1.
    ///
    /// ```text
    /// y = Φ⁻¹((k + ½)/2³²)      (f64: 2⁵²)
    /// ```
    /// # Numerics
    /// Computed in f64. The largest number is 6.3 (f64: 8.2); the half types are rounded from f32.
    ///
    /// # Panics
    /// If `dtype` is not floating point.
    #[track_caller]
    pub fn randn_with(shape: impl Into<Shape>, dtype: DType, generator: &mut Generator) -> Array {
        drawn(shape.into(), dtype, generator)
    }
}

#[track_caller]
fn drawn(shape: Shape, dtype: DType, generator: &mut Generator) -> Array {
    match dtype {
        DType::F32 => Array::build(shape, |out| narrow(generator, out, |v| v)),
        DType::F16 => Array::build(shape, |out| narrow(generator, out, f16::from_f32)),
        DType::Bf16 => Array::build(shape, |out| narrow(generator, out, bf16::from_f32)),
        DType::F64 => Array::build(shape, |out| {
            let centred = |d| ((u64::from_le_bytes(d) ^ (1 << 63)) as i64 >> 12) as f64;
            normal::<_, 8>(generator, out, |d| (centred(d) + 0.5) * 2f64.powi(-52), |z| z);
        }),
        DType::Bool | DType::U8 | DType::I64 => panic!("randn: {dtype} is not floating point"),
    }
}

/// From one word, rounded to f32 and from there to `T`.
fn narrow<T>(generator: &mut Generator, out: &mut [T], round: impl Fn(f32) -> T) {
    let centred = |d| f64::from((u32::from_le_bytes(d) ^ (1 << 31)) as i32);
    normal(generator, out, |d| (centred(d) + 0.5) * 2f64.powi(-32), |z| round(z as f32));
}

/// The quantiles of `½ + q(draw)`, rounded.
fn normal<T, const N: usize>(
    generator: &mut Generator,
    out: &mut [T],
    q: impl Fn([u8; N]) -> f64,
    round: impl Fn(f64) -> T,
) {
    fill(generator, out, |draws, out| {
        let (mut qs, mut zs) = ([0.0; TILE], [0.0; TILE]);
        qs.iter_mut().zip(draws).for_each(|(o, &d)| *o = q(d));
        quantiles(&qs[..draws.len()], &mut zs);
        out.iter_mut().zip(&zs).for_each(|(o, &z)| *o = round(z));
    });
}

/// Coefficients of numerator and denominator, highest power first.
type Ratio = ([f64; 8], [f64; 8]);

/// `|q| <= 0.425`, in `0.180625 − q²`.
const CENTRE: Ratio = (
    [
        2.509_080_928_730_122_672_7e3,
        3.343_057_558_358_812_810_5e4,
        6.726_577_092_700_870_085_3e4,
        4.592_195_393_154_987_145_7e4,
        1.373_169_376_550_946_112_5e4,
        1.971_590_950_306_551_442_7e3,
        1.331_416_678_917_843_774_5e2,
        3.387_132_872_796_366_608e0,
    ],
    [
        5.226_495_278_852_854_561e3,
        2.872_908_573_572_194_267_4e4,
        3.930_789_580_009_271_061e4,
        2.121_379_430_158_659_586_7e4,
        5.394_196_021_424_751_107_7e3,
        6.871_870_074_920_579_082_8e2,
        4.231_333_070_160_091_125_2e1,
        1.0,
    ],
);
/// `r <= 5`, in `r − 1.6`, with `r = √(−ln(½ − |q|))`.
const TAIL: Ratio = (
    [
        7.745_450_142_783_414_076_4e-4,
        2.272_384_498_926_918_458_8e-2,
        2.417_807_251_774_506_117_7e-1,
        1.270_458_252_452_368_382_6e0,
        3.647_848_324_763_204_605e0,
        5.769_497_221_460_691_405_5e0,
        4.630_337_846_156_545_295_9e0,
        1.423_437_110_749_683_577_34e0,
    ],
    [
        1.050_750_071_644_416_843_24e-9,
        5.475_938_084_995_344_946e-4,
        1.519_866_656_361_645_719_66e-2,
        1.481_039_764_274_800_745_9e-1,
        6.897_673_349_851_000_045_5e-1,
        1.676_384_830_183_803_849_4e0,
        2.053_191_626_637_758_821_87e0,
        1.0,
    ],
);
/// `r > 5`, in `r − 5`.
const FAR_TAIL: Ratio = (
    [
        2.010_334_399_292_288_132_65e-7,
        2.711_555_568_743_487_578_15e-5,
        1.242_660_947_388_078_438_6e-3,
        2.653_218_952_657_612_309_3e-2,
        2.965_605_718_285_048_912_3e-1,
        1.784_826_539_917_291_335_8e0,
        5.463_784_911_164_114_369_9e0,
        6.657_904_643_501_103_777_2e0,
    ],
    [
        2.044_263_103_389_939_785_64e-15,
        1.421_511_758_316_445_888_7e-7,
        1.846_318_317_510_054_681_8e-5,
        7.868_691_311_456_132_591e-4,
        1.487_536_129_085_061_485_25e-2,
        1.369_298_809_227_358_053_1e-1,
        5.998_322_065_558_879_376_9e-1,
        1.0,
    ],
);

/// The quantiles of `½ + q` for `|q| < ½`, at most [`TILE`] of them.
///
/// The centre's formula is computed for all, without a branch; the tails are gathered, so that their
/// loops have none either (measured on baseline x86-64: 4.0 ns an element, of it 0.8 for ChaCha8).
#[inline(always)]
fn quantiles(q: &[f64], z: &mut [f64; TILE]) {
    for (z, &q) in z.iter_mut().zip(q) {
        *z = q * ratio(&CENTRE, 0.180_625 - q * q);
    }
    let mut tails = [0u16; TILE];
    let mut count = 0;
    for (i, q) in q.iter().enumerate() {
        tails[count] = i as u16;
        count += usize::from(q.abs() > 0.425);
    }
    let tails = &tails[..count];
    let mut r = [0.0; TILE];
    for (r, &i) in r.iter_mut().zip(tails) {
        *r = 0.5 - q[usize::from(i)].abs();
    }
    for r in &mut r[..count] {
        *r = (-ln(*r)).sqrt();
    }
    let mut tail = [0.0; TILE];
    for (t, &r) in tail[..count].iter_mut().zip(&r) {
        *t = ratio(&TAIL, r - 1.6);
    }
    for ((&i, &t), &r) in tails.iter().zip(&tail).zip(&r) {
        let t = if r > 5.0 { ratio(&FAR_TAIL, r - 5.0) } else { t };
        z[usize::from(i)] = t.copysign(q[usize::from(i)]);
    }
}

/// Numerator over denominator at `x`.
#[inline(always)]
fn ratio((above, below): &Ratio, x: f64) -> f64 {
    let horner = |c: &[f64; 8]| c[1..].iter().fold(c[0], |sum, &c| sum * x + c);
    horner(above) / horner(below)
}

/// The natural logarithm of a positive, normal number, to 1 unit in the last place.
///
/// Our own, because the system's differs between systems in the last bit. Series and constants of
/// fdlibm's `e_log.c` (Sun Microsystems 1993): `x = 2ᵏ(1 + f)`, `s = f/(2 + f)`,
/// `ln(1 + f) = f − f²/2 + s(f²/2 + R(s²))`.
#[inline(always)]
fn ln(x: f64) -> f64 {
    const LN2_HIGH: f64 = 6.931_471_803_691_238_164_90e-1;
    const LN2_LOW: f64 = 1.908_214_929_270_587_700_02e-10;
    const SERIES: [f64; 7] = [
        1.479_819_860_511_658_591e-1,
        1.531_383_769_920_937_332e-1,
        1.818_357_216_161_805_012e-1,
        2.222_219_843_214_978_396e-1,
        2.857_142_874_366_239_149e-1,
        3.999_999_999_940_941_908e-1,
        6.666_666_666_666_735_130e-1,
    ];
    /// The bits of √½: the exponent changes there, so that `f` is small on both sides of 1.
    const MIDDLE: u64 = 0x3FE6_A09E_667F_3BCD;
    let shifted = x.to_bits().wrapping_sub(MIDDLE);
    let k = f64::from((shifted >> 32) as i32 >> 20);
    let f = f64::from_bits((shifted & ((1 << 52) - 1)).wrapping_add(MIDDLE)) - 1.0;
    let s = f / (2.0 + f);
    let z = s * s;
    let r = z * SERIES[1..].iter().fold(SERIES[0], |sum, &c| sum * z + c);
    let half = 0.5 * f * f;
    k * LN2_HIGH - ((half - (s * (half + r) + k * LN2_LOW)) - f)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reference: 60 digits of `mpmath`, by bisection of `erfc`.
    #[test]
    fn quantiles_are_those_of_the_normal_distribution() {
        let table = [
            (1e-10, 2.5066282746310006e-10),
            (0.1, 0.25334710313579983),
            (0.2, 0.5244005127080408),
            (-0.3, -0.8416212335729142),
            (0.42, 1.4050715603096324),
            (0.425_000_1, 1.4395321773759004),
            (-0.43, -1.4757910281791706),
            (0.47, 1.8807936081512506),
            (0.499, 3.090232306167813),
            (-0.499_99, -4.264890793922602),
            (0.5 - 2f64.powi(-33), 6.3379577545537895),
            (0.5 - 2f64.powi(-37), 6.752300431407015),
            (0.5 - 2f64.powi(-45), 7.515155294158908),
            (-0.5 + 2f64.powi(-53), -8.209536151601387),
        ];
        for (q, want) in table {
            let mut z = [0.0; TILE];
            quantiles(&[q], &mut z);
            assert!((z[0] - want).abs() <= 4e-16 * f64::abs(want), "{q}: {} is not {want}", z[0]);
        }
    }

    #[test]
    fn the_logarithm_is_right_to_the_last_place() {
        let mut x = 1e-20;
        while x < 4.0 {
            let (got, want) = (ln(x), x.ln());
            assert!((got - want).abs() <= want.abs() * 2.3e-16, "ln({x}): {got}, not {want}");
            x *= 1.000_37;
        }
        assert_eq!(ln(1.0), 0.0);
    }
}
