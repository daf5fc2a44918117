//! Huge angles.

use super::trig::Angle;

/// The bits of 2/π, after 64 zeros.
const TWO_OVER_PI: [u64; 21] = [
    0,
    0xa2f9_836e_4e44_1529,
    0xfc27_57d1_f534_ddc0,
    0xdb62_9599_3c43_9041,
    0xfe51_63ab_debb_c561,
    0xb724_6e3a_424d_d2e0,
    0x0649_2eea_09d1_921c,
    0xfe1d_eb1c_b129_a73e,
    0xe882_35f5_2ebb_4484,
    0xe99c_7026_b45f_7e41,
    0x3991_d639_8353_39f4,
    0x9c84_5f8b_bdf9_283b,
    0x1ff8_97ff_de05_980f,
    0xef2f_118b_5a0a_6d1f,
    0x6d36_7ecf_27cb_09b7,
    0x4f46_3f66_9e5f_ea2d,
    0x7527_bac7_ebe5_f17b,
    0x3d07_39f7_8a52_92ea,
    0x6bfb_5fb1_1f8d_5d08,
    0x5603_3046_fc7b_6bab,
    0xf0cf_bc20_9af4_361d,
];

/// π/2 and what its rounding lost.
const HALF_PI: (f64, f64) = (std::f64::consts::FRAC_PI_2, 6.123_233_995_736_766e-17);

/// 64 bits of 2/π from bit `at` of the table on.
fn bits(at: usize) -> u64 {
    let (word, shift) = (at / 64, at % 64);
    let pair = u128::from(TWO_OVER_PI[word]) << 64 | u128::from(TWO_OVER_PI[word + 1]);
    (pair << shift >> 64) as u64
}

/// `x` in quarter turns modulo 4, for `|x| ≥ 2¹⁹`; a NaN rest for infinities and NaN.
///
/// `x = m·2ᵉ`, so the bits of 2/π that stand for more than 2²⁻ᵉ give whole turns: the product with the
/// 192 bits from there on, without its upper bits, is exact to 2⁻¹³⁷ quarter turns.
///
/// Source: Payne & Hanek 1983, "Radian reduction for trigonometric functions", SIGNUM 18.
#[cold]
pub(super) fn reduce_far(x: f64) -> Angle {
    let biased = (x.to_bits() >> 52 & 0x7ff) as usize;
    if biased == 0x7ff {
        return (0, f64::NAN, 0.0);
    }
    let m = u128::from(x.to_bits() & 0x000f_ffff_ffff_ffff | 1 << 52);
    // Bit e − 1 of 2/π after 64 zeros, where e = biased − 1075.
    let at = biased - 1013;
    let low = m * u128::from(bits(at + 128));
    let middle = m * u128::from(bits(at + 64)) + (low >> 64);
    let high = (m as u64).wrapping_mul(bits(at)).wrapping_add((middle >> 64) as u64);
    let quarters = high.wrapping_add(1 << 61) >> 62;
    // What is left of a quarter turn, from −½ to ½, in units of 2⁻¹²⁸.
    let rest = ((u128::from(high) << 64 | u128::from(middle as u64)) << 2
        | low as u64 as u128 >> 62) as i128;
    let y = rest as f64;
    let lost = rest.wrapping_sub(y as i128) as f64;
    let (y, lost) = (y * 2f64.powi(-128), lost * 2f64.powi(-128));
    let turned = y * HALF_PI.0;
    let lost = y.mul_add(HALF_PI.0, -turned) + (y * HALF_PI.1 + lost * HALF_PI.0);
    if x < 0.0 {
        return (quarters.wrapping_neg(), -turned, -lost);
    }
    (quarters, turned, lost)
}
