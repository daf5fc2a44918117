//! Products against a triple loop in f64, for all levels of this CPU, any strides and sizes.

use gradus_tensor::kernels::Level;
use gradus_tensor::kernels::gemm::{Epilogue, Factor, GemmElement, MatRef, Pack, gemm, gemm_at};
use gradus_tensor::kernels::gemm::{gemm_batched, gemm_factors};
use gradus_tensor::kernels::level::detected;
use proptest::prelude::*;
use std::ops::Range;

trait Real: GemmElement + std::fmt::Debug {
    const EPSILON: f64;
    fn of(x: f64) -> Self;
    fn f64(self) -> f64;
}

impl Real for f32 {
    const EPSILON: f64 = f32::EPSILON as f64;
    fn of(x: f64) -> Self {
        x as f32
    }
    fn f64(self) -> f64 {
        f64::from(self)
    }
}

impl Real for f64 {
    const EPSILON: f64 = f64::EPSILON;
    fn of(x: f64) -> Self {
        x
    }
    fn f64(self) -> f64 {
        self
    }
}

/// Numbers in -1..1 from a multiplicative generator.
struct Numbers(u64);

impl Numbers {
    fn next<T: Real>(&mut self) -> T {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        T::of((self.0 >> 40) as f64 / (1_u64 << 23) as f64 - 1.0)
    }
}

/// A matrix whose slice holds NaN wherever the view does not look.
#[derive(Debug)]
struct Laid<T> {
    data: Vec<T>,
    offset: usize,
    size: (usize, usize),
    strides: (isize, isize),
}

const LAYOUTS: usize = 9;

impl<T: Real> Laid<T> {
    fn new(layout: usize, (rows, cols): (usize, usize), numbers: &mut Numbers) -> Self {
        let (r, c) = (rows as isize, cols as isize);
        let strides = match layout {
            0 => (c, 1),
            1 => (1, r),
            2 => (c + 3, 1),
            3 => (1, r + 5),
            4 => (-(c + 1), 1),
            5 => (-1, -r),
            6 => (0, 1),
            7 => (1, 0),
            _ => (2, 2 * r + 1),
        };
        let low: isize = [(r, strides.0), (c, strides.1)]
            .map(|(n, s)| if n > 0 { ((n - 1) * s).min(0) } else { 0 })
            .iter()
            .sum();
        let offset = 3 + (-low) as usize;
        let at = |i: usize, j: usize| {
            (offset as isize + i as isize * strides.0 + j as isize * strides.1) as usize
        };
        let indices = (0..rows).flat_map(|i| (0..cols).map(move |j| (i, j)));
        let end = indices.clone().map(|(i, j)| at(i, j) + 1).max().unwrap_or(0);
        let mut data = vec![T::of(f64::NAN); end];
        for (i, j) in indices {
            data[at(i, j)] = numbers.next();
        }
        Self { data, offset, size: (rows, cols), strides }
    }

    fn view(&self) -> MatRef<'_, T> {
        MatRef::new(&self.data, self.offset, self.size, self.strides)
    }

    fn at(&self, i: usize, j: usize) -> T {
        let index =
            self.offset as isize + i as isize * self.strides.0 + j as isize * self.strides.1;
        self.data[index as usize]
    }
}

/// Packs itself element by element, as foreign code would.
struct Own<'a, T> {
    matrix: &'a Laid<T>,
    right: bool,
}

impl<T: Real> Pack<T> for Own<'_, T> {
    fn lanes(&self) -> usize {
        if self.right { self.matrix.size.1 } else { self.matrix.size.0 }
    }

    fn depth(&self) -> usize {
        if self.right { self.matrix.size.0 } else { self.matrix.size.1 }
    }

    fn pack(&self, lanes: Range<usize>, depth: Range<usize>, width: usize, out: &mut [T]) {
        assert_eq!(out.len() / width.max(1), depth.len());
        for (p, step) in depth.enumerate() {
            for j in 0..width {
                let lane = lanes.start + j;
                out[p * width + j] = match (lane < lanes.end, self.right) {
                    (false, _) => T::ZERO,
                    (true, true) => self.matrix.at(step, lane),
                    (true, false) => self.matrix.at(lane, step),
                };
            }
        }
    }
}

#[derive(Debug, Clone)]
struct Case {
    sizes: (usize, usize, usize),
    layouts: (usize, usize),
    beta: f64,
    epilogue: usize,
    own: (bool, bool),
    seed: u64,
}

fn epilogue<T>(kind: usize, bias: &[T]) -> Epilogue<'_, T> {
    match kind {
        0 => Epilogue::None,
        1 => Epilogue::Bias(bias),
        2 => Epilogue::BiasRelu(bias),
        _ => Epilogue::Relu,
    }
}

fn check<T: Real>(level: Level, case: &Case) {
    let (m, n, k) = case.sizes;
    let mut numbers = Numbers(case.seed);
    let a = Laid::<T>::new(case.layouts.0, (m, k), &mut numbers);
    let b = Laid::<T>::new(case.layouts.1, (k, n), &mut numbers);
    let bias: Vec<T> = (0..n).map(|_| numbers.next()).collect();
    let before: Vec<T> = (0..m * n).map(|_| numbers.next()).collect();
    let mut c = if case.beta == 0.0 { vec![T::of(f64::NAN); m * n] } else { before.clone() };
    let own = (Own { matrix: &a, right: false }, Own { matrix: &b, right: true });
    let left = if case.own.0 { Factor::Packed(&own.0) } else { a.view().into() };
    let right = if case.own.1 { Factor::Packed(&own.1) } else { b.view().into() };
    let finish = epilogue(case.epilogue, &bias);
    gemm_at(level, left, right, T::of(case.beta), &mut c, finish);
    for i in 0..m {
        for j in 0..n {
            let products = (0..k).map(|p| a.at(i, p).f64() * b.at(p, j).f64());
            let kept = case.beta * before[i * n + j].f64();
            let shift = if matches!(case.epilogue, 1 | 2) { bias[j].f64() } else { 0.0 };
            let sum = products.clone().sum::<f64>() + kept + shift;
            let want = if case.epilogue >= 2 { sum.max(0.0) } else { sum };
            let size = products.map(f64::abs).sum::<f64>() + kept.abs() + shift.abs();
            // The bound for a sum of k + 2 terms in any order; relu does not enlarge it.
            let bound = (k as f64 + 4.0) * T::EPSILON * size;
            let got = c[i * n + j].f64();
            assert!(
                (got - want).abs() <= bound,
                "{level:?} {case:?} [{i}, {j}]: got {got}, want {want}, tolerance {bound}"
            );
        }
    }
}

fn check_all(case: &Case) {
    for level in [Level::Baseline, Level::Avx2, Level::Avx512] {
        if level <= detected() {
            check::<f32>(level, case);
            check::<f64>(level, case);
        }
    }
}

fn cases(size: impl Strategy<Value = (usize, usize, usize)>) -> impl Strategy<Value = Case> {
    let beta = prop_oneof![Just(0.0), Just(1.0), Just(-0.5)];
    let layouts = (0..LAYOUTS, 0..LAYOUTS);
    let own = (prop::bool::weighted(0.15), prop::bool::weighted(0.15));
    (size, layouts, beta, 0..4_usize, own, any::<u64>()).prop_map(
        |(sizes, layouts, beta, epilogue, own, seed)| Case {
            sizes,
            layouts,
            beta,
            epilogue,
            own,
            seed,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

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
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(40) })]

    #[test]
    fn products_of_several_blocks_equal_the_triple_loop(
        case in cases((1..90_usize, 1..900_usize, 300..900_usize))
    ) {
        check_all(&case);
    }
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
