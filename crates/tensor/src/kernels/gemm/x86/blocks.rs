//! Square blocks transposed in AVX and AVX-512 registers.

#![allow(
    clippy::needless_range_loop,
    reason = "counted loops over registers, which the compiler unrolls"
)]

use std::arch::x86_64::*;

use super::super::transpose::Block;

/// Blocks of 8 rows of f32.
pub(super) struct F32x8;

impl Block for F32x8 {
    type V = __m256;
    type T = f32;

    #[inline(always)]
    unsafe fn load(from: *const f32, row: isize, columns: &mut [__m256; 16]) {
        // SAFETY: the caller's promise: 8 rows of 8 elements, and AVX.
        unsafe {
            let x = columns;
            for i in 0..8 {
                x[i] = _mm256_loadu_ps(from.wrapping_byte_offset(i as isize * row));
            }
            // Pairs of rows, then quadruples, each within 128 bits; then the two halves.
            let mut y = *x;
            for i in 0..4 {
                y[2 * i] = _mm256_unpacklo_ps(x[2 * i], x[2 * i + 1]);
                y[2 * i + 1] = _mm256_unpackhi_ps(x[2 * i], x[2 * i + 1]);
            }
            let mut z = y;
            for i in [0, 4] {
                z[i] = _mm256_shuffle_ps::<0x44>(y[i], y[i + 2]);
                z[i + 1] = _mm256_shuffle_ps::<0xee>(y[i], y[i + 2]);
                z[i + 2] = _mm256_shuffle_ps::<0x44>(y[i + 1], y[i + 3]);
                z[i + 3] = _mm256_shuffle_ps::<0xee>(y[i + 1], y[i + 3]);
            }
            for i in 0..4 {
                x[i] = _mm256_permute2f128_ps::<0x20>(z[i], z[i + 4]);
                x[i + 4] = _mm256_permute2f128_ps::<0x31>(z[i], z[i + 4]);
            }
        }
    }
}

/// Blocks of 4 rows of f64.
pub(super) struct F64x4;

impl Block for F64x4 {
    type V = __m256d;
    type T = f64;

    #[inline(always)]
    unsafe fn load(from: *const f64, row: isize, columns: &mut [__m256d; 16]) {
        // SAFETY: the caller's promise: 4 rows of 4 elements, and AVX.
        unsafe {
            let x = columns;
            for i in 0..4 {
                x[i] = _mm256_loadu_pd(from.wrapping_byte_offset(i as isize * row));
            }
            let a = [_mm256_unpacklo_pd(x[0], x[1]), _mm256_unpackhi_pd(x[0], x[1])];
            let b = [_mm256_unpacklo_pd(x[2], x[3]), _mm256_unpackhi_pd(x[2], x[3])];
            for i in 0..2 {
                x[i] = _mm256_permute2f128_pd::<0x20>(a[i], b[i]);
                x[i + 2] = _mm256_permute2f128_pd::<0x31>(a[i], b[i]);
            }
        }
    }
}

/// Blocks of 16 rows of f32: whole cache lines on both sides.
pub(super) struct F32x16;

impl Block for F32x16 {
    type V = __m512;
    type T = f32;

    #[inline(always)]
    unsafe fn load(from: *const f32, row: isize, columns: &mut [__m512; 16]) {
        // SAFETY: the caller's promise: 16 rows of 16 elements, and AVX-512.
        unsafe {
            let x = columns;
            for i in 0..16 {
                x[i] = _mm512_loadu_ps(from.wrapping_byte_offset(i as isize * row));
            }
            // As in 8 rows, within 128 bits: column c of rows 4g.. is quarter c / 4 of y[4g + c % 4].
            let mut y = *x;
            for g in [0, 4, 8, 12] {
                let a = _mm512_unpacklo_ps(x[g], x[g + 1]);
                let b = _mm512_unpackhi_ps(x[g], x[g + 1]);
                let c = _mm512_unpacklo_ps(x[g + 2], x[g + 3]);
                let d = _mm512_unpackhi_ps(x[g + 2], x[g + 3]);
                y[g] = _mm512_shuffle_ps::<0x44>(a, c);
                y[g + 1] = _mm512_shuffle_ps::<0xee>(a, c);
                y[g + 2] = _mm512_shuffle_ps::<0x44>(b, d);
                y[g + 3] = _mm512_shuffle_ps::<0xee>(b, d);
            }
            // Then the quarters of four registers, as a transpose of 4 by 4.
            for c in 0..4 {
                let a = _mm512_shuffle_f32x4::<0x88>(y[c], y[c + 4]);
                let b = _mm512_shuffle_f32x4::<0xdd>(y[c], y[c + 4]);
                let d = _mm512_shuffle_f32x4::<0x88>(y[c + 8], y[c + 12]);
                let e = _mm512_shuffle_f32x4::<0xdd>(y[c + 8], y[c + 12]);
                x[c] = _mm512_shuffle_f32x4::<0x88>(a, d);
                x[c + 4] = _mm512_shuffle_f32x4::<0x88>(b, e);
                x[c + 8] = _mm512_shuffle_f32x4::<0xdd>(a, d);
                x[c + 12] = _mm512_shuffle_f32x4::<0xdd>(b, e);
            }
        }
    }
}
