//! Products of f16 and bf16 against a triple loop in f64, with `vdpbf16ps` and without.

mod gemm_reference;

use gemm_reference::{Case, Laid, Numbers, Real, cases, check, random, thin};
use gradus_tensor::kernels::gemm::{Epilogue, MatRef, gemm, gemm_batched, gemm_wide};
use half::{bf16, f16};
use proptest::prelude::*;

fn check_all(case: &Case) {
    check::<f16>(case);
    check::<bf16>(case);
}

proptest! {
    #![proptest_config(random(400))]

    #[test]
    fn small_products_equal_the_triple_loop(case in cases((0..35_usize, 0..70_usize, 0..40_usize))) {
        check_all(&case);
    }

    #[test]
    fn matrix_times_vector_equals_the_triple_loop(
        case in cases(prop_oneof![
            (0..300_usize, Just(1), 0..300_usize),
            (Just(1), 0..600_usize, 0..300_usize),
        ])
    ) {
        check_all(&case);
    }
}

proptest! {
    #![proptest_config(random(40))]

    #[test]
    fn products_of_several_blocks_equal_the_triple_loop(
        case in cases((1..90_usize, 1..300_usize, 1400..2500_usize))
    ) {
        check_all(&case);
    }

    /// More rows than lie near each other if they are columns in memory, and more columns than one task takes.
    #[test]
    fn products_of_many_rows_equal_the_triple_loop(
        case in cases((257..300_usize, 1..60_usize, 300..900_usize))
    ) {
        check_all(&case);
    }
}

#[test]
fn thin_products_of_any_layout_are_right() {
    thin().for_each(|case| check_all(&case));
}

#[test]
fn every_size_of_edge_is_right() {
    for m in 1..=17 {
        for n in 1..=65 {
            check_all(&Case {
                sizes: (m, n, 9 + m % 2),
                layouts: (m % 2, n % 2),
                beta: 0.0,
                epilogue: 1,
                own: (false, false),
                seed: (m * 100 + n) as u64,
            });
        }
    }
}

/// More sums than are kept beside the output at a time, in either direction.
#[test]
fn sums_of_many_rows_are_kept_strip_by_strip() {
    for (m, n, layouts) in [(1300, 900, (0, 0)), (900, 1300, (0, 1)), (1300, 900, (1, 1))] {
        let mut numbers = Numbers(3);
        let a = Laid::<bf16>::new(layouts.0, (m, 5), &mut numbers);
        let b = Laid::<bf16>::new(layouts.1, (5, n), &mut numbers);
        let before: Vec<bf16> = (0..m * n).map(|_| numbers.next()).collect();
        let mut c = before.clone();
        gemm(a.view(), b.view(), bf16::ONE, &mut c, Epilogue::Relu);
        for (at, (&got, &held)) in c.iter().zip(&before).enumerate() {
            let sum: f64 = (0..5).map(|p| a.at(at / n, p).f64() * b.at(p, at % n).f64()).sum();
            let want = (sum + held.f64()).max(0.0);
            assert!((got.f64() - want).abs() <= want / 256.0 + 1e-6, "{at}: {got}, want {want}");
        }
    }
}

#[test]
fn a_wide_result_keeps_what_a_half_one_rounds_away() {
    let mut numbers = Numbers(9);
    let a = Laid::<f16>::new(0, (30, 1700), &mut numbers);
    let b = Laid::<f16>::new(1, (1700, 50), &mut numbers);
    let bias: Vec<f32> = (0..50).map(|_| numbers.next()).collect();
    let (mut wide, mut narrow) = (vec![1.0_f32; 1500], vec![f16::ONE; 1500]);
    gemm_wide(a.view().into(), b.view().into(), 0.5, &mut wide, Epilogue::Bias(&bias));
    let rounded: Vec<f16> = bias.iter().map(|&x| f16::from_f32(x)).collect();
    gemm(a.view(), b.view(), f16::from_f32(0.5), &mut narrow, Epilogue::Bias(&rounded));
    for (at, &got) in wide.iter().enumerate() {
        let (i, j) = (at / 50, at % 50);
        let products = (0..1700).map(|p| a.at(i, p).f64() * b.at(p, j).f64());
        let want = products.clone().sum::<f64>() + 0.5 + f64::from(bias[j]);
        let size: f64 = products.map(f64::abs).sum();
        assert!((f64::from(got) - want).abs() <= 1704.0 * f64::from(f32::EPSILON) * size);
        let short = narrow[at].f64() + f64::from(bias[j]) - rounded[j].f64();
        assert!((short - want).abs() <= want.abs() / 2048.0 + 1e-3, "{at}: {short}, want {want}");
    }
}

#[test]
fn a_batch_is_one_product_after_the_other() {
    let mut numbers = Numbers(7);
    let a: Vec<bf16> = (0..5 * 6 * 70).map(|_| numbers.next()).collect();
    let b: Vec<bf16> = (0..5 * 70 * 40).map(|_| numbers.next()).collect();
    let bias: Vec<bf16> = (0..40).map(|_| numbers.next()).collect();
    let mut c = vec![bf16::ONE; 5 * 6 * 40];
    let mut want = c.clone();
    let left = |i: usize| MatRef::new(&a, i * 420, (6, 70), (70, 1));
    let right = |i: usize| MatRef::new(&b, i * 2800, (70, 40), (1, 70));
    gemm_batched(5, left, right, bf16::ONE, &mut c, Epilogue::BiasRelu(&bias));
    for (i, want) in want.chunks_mut(240).enumerate() {
        gemm(left(i), right(i), bf16::ONE, want, Epilogue::BiasRelu(&bias));
    }
    assert_eq!(c, want);
}

#[test]
fn what_is_too_large_for_f16_is_infinite_and_nan_stays() {
    let a = [300.0, -300.0, f32::NAN].map(f16::from_f32);
    let b = [300.0].map(f16::from_f32);
    let mut c = [f16::ZERO; 3];
    gemm(
        MatRef::row_major(&a, 3, 1),
        MatRef::row_major(&b, 1, 1),
        f16::ZERO,
        &mut c,
        Epilogue::None,
    );
    assert_eq!(c[..2], [f16::INFINITY, f16::NEG_INFINITY]);
    assert!(c[2].is_nan());
}
