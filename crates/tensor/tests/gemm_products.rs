//! Products against a triple loop in f64, for all levels of this CPU, any strides and sizes.

mod gemm_reference;

use gemm_reference::{Case, Numbers, cases, check, random, thin};
use gradus_tensor::kernels::gemm::{Epilogue, MatRef, gemm, gemm_batched, gemm_factors};
use proptest::prelude::*;

fn check_all(case: &Case) {
    check::<f32>(case);
    check::<f64>(case);
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
        case in cases((1..90_usize, 1..900_usize, 300..900_usize))
    ) {
        check_all(&case);
    }

    /// More rows than lie near each other if they are columns in memory, and more columns than one task takes.
    #[test]
    fn products_of_many_rows_equal_the_triple_loop(
        case in cases((257..300_usize, 1..130_usize, 300..900_usize))
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
            let layouts = (m % 2, n % 2);
            check_all(&Case {
                sizes: (m, n, 9),
                layouts,
                beta: 0.0,
                epilogue: 1,
                own: (false, false),
                seed: (m * 100 + n) as u64,
            });
        }
    }
}

#[test]
fn nan_and_infinity_reach_the_result_and_nothing_else_does() {
    let a = [1.0, f32::NAN, f32::INFINITY, 0.0];
    let b = [0.0_f32, 1.0, 1.0, 1.0];
    let mut c = [f32::NAN; 4];
    let (a, b) = (MatRef::row_major(&a, 2, 2), MatRef::row_major(&b, 2, 2));
    gemm(a, b, 0.0, &mut c, Epilogue::Relu);
    assert!(c[0].is_nan() && c[1].is_nan() && c[2].is_nan(), "inf times 0 is NaN: {c:?}");
    assert_eq!(c[3], f32::INFINITY);
    // A beta other than 0 reads the output.
    gemm(a, b, 1.0, &mut c, Epilogue::None);
    assert!(c[2].is_nan());
}

#[test]
fn a_product_without_depth_is_beta_times_c() {
    let empty = MatRef::<f32>::row_major(&[], 2, 0);
    let mut c = [1.0, -2.0, 3.0, -4.0];
    gemm(empty, empty.transpose(), 0.5, &mut c, Epilogue::BiasRelu(&[0.25, 0.5]));
    assert_eq!(c, [0.75, 0.0, 1.75, 0.0]);
    gemm(empty, empty.transpose(), 0.0, &mut c, Epilogue::None);
    assert_eq!(c, [0.0; 4]);
}

#[test]
fn no_rows_or_columns_is_no_work() {
    let some = [1.0_f64; 6];
    gemm(
        MatRef::row_major(&some, 0, 3),
        MatRef::row_major(&some, 3, 2),
        0.0,
        &mut [],
        Epilogue::None,
    );
    gemm_batched(
        0,
        |_| MatRef::row_major(&some, 2, 3),
        |_| MatRef::row_major(&some, 3, 2),
        0.0,
        &mut [],
        Epilogue::None,
    );
    gemm_batched(
        3,
        |_| MatRef::row_major(&some, 2, 3),
        |_| MatRef::row_major(&some, 3, 0),
        0.0,
        &mut [],
        Epilogue::None,
    );
}

#[test]
fn a_batch_is_one_product_after_the_other() {
    let mut numbers = Numbers(7);
    let a: Vec<f32> = (0..5 * 6 * 70).map(|_| numbers.next()).collect();
    let b: Vec<f32> = (0..5 * 70 * 40).map(|_| numbers.next()).collect();
    let bias: Vec<f32> = (0..40).map(|_| numbers.next()).collect();
    let mut c: Vec<f32> = (0..5 * 6 * 40).map(|_| numbers.next()).collect();
    let mut want = c.clone();
    let left = |i: usize| MatRef::new(&a, i * 420, (6, 70), (70, 1));
    let right = |i: usize| MatRef::new(&b, i * 2800, (70, 40), (1, 70));
    gemm_batched(5, left, right, 0.5, &mut c, Epilogue::BiasRelu(&bias));
    for (i, want) in want.chunks_mut(240).enumerate() {
        gemm_factors(left(i).into(), right(i).into(), 0.5, want, Epilogue::BiasRelu(&bias));
    }
    assert_eq!(c, want);
}

#[test]
#[should_panic(expected = "MatRef: 2 x 3 with strides (3, 1) from offset 1 does not fit into 6")]
fn a_view_past_the_end_is_refused() {
    let _ = MatRef::new(&[0.0_f32; 6], 1, (2, 3), (3, 1));
}

#[test]
#[should_panic(expected = "does not fit into 6 elements")]
fn a_view_before_the_start_is_refused() {
    let _ = MatRef::new(&[0.0_f32; 6], 1, (2, 3), (-3, 1));
}

#[test]
#[should_panic(expected = "does not fit into 6 elements")]
fn a_view_with_overflowing_strides_is_refused() {
    let _ = MatRef::new(&[0.0_f32; 6], 0, (usize::MAX, 2), (isize::MAX, isize::MAX));
}

#[test]
#[should_panic(expected = "gemm: [2, 3] x [2, 3]: 3 columns and 2 rows differ")]
fn sizes_that_do_not_fit_are_refused() {
    let a = MatRef::row_major(&[0.0_f32; 6], 2, 3);
    gemm(a, a, 0.0, &mut [0.0; 6], Epilogue::None);
}
