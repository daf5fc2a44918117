//! Conversions against the `half` crate and the language.

use super::super::samples::{LENGTHS, filled, less, levels, noise_f32};
use super::*;

/// All values of f32 that matter for narrowing to a type with `kept` bits fewer below: each f32
/// with the upper bits `0..2¹⁶` or so, exactly, just beside, at a tie and just beside it.
fn around(shift: u32) -> Vec<f32> {
    let tie = 1u32 << (shift - 1);
    let low = [0, 1, tie - 1, tie, tie + 1, (1 << shift) - 1];
    let upper = (0..1u32 << (32 - shift)).step_by(less());
    upper.flat_map(|v| low.map(|l| f32::from_bits(v << shift | l))).collect()
}

#[test]
fn every_f16_and_bf16_becomes_its_f32() {
    let halves: Vec<f16> = (0..=u16::MAX).map(f16::from_bits).collect();
    let brains: Vec<bf16> = (0..=u16::MAX).map(bf16::from_bits).collect();
    for level in levels() {
        let wide: Vec<f32> = filled(halves.len(), |y| convert_at(level, &halves, y));
        for (h, w) in halves.iter().zip(wide) {
            // NaN becomes quiet and keeps its payload.
            assert_eq!(w.to_bits(), h.to_f32_const().to_bits(), "{level:?} {h}");
        }
        let wide: Vec<f32> = filled(brains.len(), |y| convert_at(level, &brains, y));
        for (h, w) in brains.iter().zip(wide) {
            assert_eq!(w.to_bits(), u32::from(h.to_bits()) << 16, "{level:?} {h}");
        }
    }
}

#[test]
fn f32_rounds_to_f16_with_ties_to_even() {
    let x = around(13);
    for level in levels() {
        let y: Vec<f16> = filled(x.len(), |y| convert_at(level, &x, y));
        for (&x, &y) in x.iter().zip(&y) {
            let want = f16::from_f32_const(x);
            assert_eq!(y.to_bits(), want.to_bits(), "{level:?}: {x:e} gave {y}, want {want}");
        }
    }
}

#[test]
fn f32_rounds_to_bf16_with_ties_to_even() {
    let x = around(16);
    for level in levels() {
        let y: Vec<bf16> = filled(x.len(), |y| convert_at(level, &x, y));
        for (&x, &y) in x.iter().zip(&y) {
            let want = bf16::from_f32_const(x);
            assert_eq!(y.to_bits(), want.to_bits(), "{level:?}: {x:e} gave {y}, want {want}");
        }
    }
}

#[test]
fn every_length_and_offset_is_converted_whole() {
    for level in levels() {
        for n in LENGTHS {
            let x = noise_f32(n + 3, 1);
            let narrow: Vec<bf16> = filled(n, |y| convert_at(level, &x[3..], y));
            let back: Vec<f64> = filled(n, |y| convert_at(level, &narrow, y));
            for (x, back) in x[3..].iter().zip(back) {
                assert!((f64::from(*x) - back).abs() <= 0.004 * back.abs());
            }
        }
    }
}

fn all<A: Convert<B>, B: Value>(x: &[A]) -> Vec<B> {
    filled(x.len(), |y| convert(x, y))
}

#[test]
fn floats_become_integers_by_truncation() {
    let x = [1.9f32, -1.9, 255.9, 300.0, f32::NAN, f32::INFINITY, f32::NEG_INFINITY];
    assert_eq!(all::<_, i64>(&x), [1, -1, 255, 300, 0, i64::MAX, i64::MIN]);
    assert_eq!(all::<_, u8>(&x), [1, 0, 255, 255, 0, 255, 0]);
    assert_eq!(all::<_, i64>(&[f16::from_f32(-2.5)]), [-2]);
    assert_eq!(all::<_, u8>(&[bf16::from_f32(2.5)]), [2]);
    assert_eq!(all::<_, i64>(&[-9.99f64, 9e15]), [-9, 9_000_000_000_000_000]);
}

#[test]
fn integers_wrap_or_round_to_floats() {
    assert_eq!(all::<_, u8>(&[-1i64, 256, 257]), [255, 0, 1]);
    assert_eq!(all::<_, f32>(&[16_777_217i64, -3]), [16_777_216.0, -3.0]);
    assert_eq!(all::<_, f16>(&[2049i64, 70_000]), [f16::from_f32(2048.0), f16::INFINITY]);
    assert_eq!(all::<_, f64>(&[200u8]), [200.0]);
}

#[test]
fn what_is_not_zero_is_true() {
    assert_eq!(all::<_, bool>(&[0.0f32, -0.0, 1e-45, f32::NAN]), [false, false, true, true]);
    assert_eq!(all::<_, bool>(&[f16::NEG_ZERO, f16::NAN]), [false, true]);
    assert_eq!(all::<_, bool>(&[0i64, 256]), [false, true]);
    assert_eq!(all::<_, f64>(&[true, false]), [1.0, 0.0]);
    assert_eq!(all::<_, bf16>(&[true]), [bf16::ONE]);
}
