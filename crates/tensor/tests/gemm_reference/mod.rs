//! The plain twin of the products: a triple loop in f64, for matrices of any layout, with all levels of
//! this CPU.

#[cfg(target_os = "linux")]
#[path = "../fence/mod.rs"]
mod fence;

use gradus_tensor::kernels::Level;
use gradus_tensor::kernels::gemm::gemm_at;
use gradus_tensor::kernels::gemm::{Bf16, Cpu, Epilogue, Factor, GemmElement, MatRef, Pack};
use gradus_tensor::kernels::level::detected;
use half::{bf16, f16};
use proptest::prelude::*;
use std::ops::Range;

/// So many random cases; one in `GRADUS_TEST_LESS` of them if that is set,
/// as `scripts/valgrind.sh` does.
pub(crate) fn random(cases: u32) -> ProptestConfig {
    let less = std::env::var("GRADUS_TEST_LESS").ok().and_then(|text| text.parse().ok());
    let cases = cases.div_ceil(less.unwrap_or(1));
    ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(cases) }
}

/// All sets of instructions of this CPU that products are compiled for.
pub(crate) fn cpus() -> Vec<Cpu> {
    let levels = [Level::Baseline, Level::Avx2, Level::Avx512].map(|level| (level, Bf16::Widened));
    let halves = [Bf16::Pairs, Bf16::Tiles].map(|bf16| (Level::Avx512, bf16));
    let all = levels.into_iter().chain(halves);
    let here =
        all.filter(|&(level, bf16)| level <= detected() && Cpu::new(level, bf16).bf16() == bf16);
    here.map(|(level, bf16)| Cpu::new(level, bf16)).collect()
}

pub(crate) trait Real: GemmElement + std::fmt::Debug {
    /// Of the sums.
    const EPSILON: f64;
    /// Of the result, if it is no sum.
    const ROUNDING: f64 = 0.0;
    /// Half of its smallest subnormal.
    const TINY: f64 = 0.0;
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

impl Real for f16 {
    const EPSILON: f64 = f32::EPSILON as f64;
    const ROUNDING: f64 = 1.0 / 2048.0;
    const TINY: f64 = 1.0 / (1_u64 << 25) as f64;
    fn of(x: f64) -> Self {
        f16::from_f64(x)
    }
    fn f64(self) -> f64 {
        self.to_f64()
    }
}

impl Real for bf16 {
    const EPSILON: f64 = f32::EPSILON as f64;
    const ROUNDING: f64 = 1.0 / 256.0;
    fn of(x: f64) -> Self {
        bf16::from_f64(x)
    }
    fn f64(self) -> f64 {
        self.to_f64()
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
pub(crate) struct Numbers(pub u64);

impl Numbers {
    pub(crate) fn next<T: Real>(&mut self) -> T {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        T::of((self.0 >> 40) as f64 / (1_u64 << 23) as f64 - 1.0)
    }
}

/// A matrix whose slice holds NaN wherever the view does not look.
#[derive(Debug)]
pub(crate) struct Laid<T> {
    data: Vec<T>,
    offset: usize,
    size: (usize, usize),
    strides: (isize, isize),
}

const LAYOUTS: usize = 11;

impl<T: Real> Laid<T> {
    pub(crate) fn new(layout: usize, (rows, cols): (usize, usize), numbers: &mut Numbers) -> Self {
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
            8 => (2, 2 * r + 1),
            // Both directions alike: what is a row can only be told by the sizes.
            9 => (1, 1),
            _ => (3, 3),
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

    pub(crate) fn view(&self) -> MatRef<'_, T> {
        MatRef::new(&self.data, self.offset, self.size, self.strides)
    }

    pub(crate) fn at(&self, i: usize, j: usize) -> T {
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
pub(crate) struct Case {
    pub(crate) sizes: (usize, usize, usize),
    pub(crate) layouts: (usize, usize),
    pub(crate) beta: f64,
    pub(crate) epilogue: usize,
    pub(crate) own: (bool, bool),
    pub(crate) seed: u64,
}

/// Products with a side of 1 or 2, for every pair of layouts.
pub(crate) fn thin() -> impl Iterator<Item = Case> {
    let sizes = [(1, 1, 1), (1, 9, 3), (9, 1, 3), (9, 9, 1), (2, 1, 40), (1, 2, 40), (5, 33, 2)];
    (0..LAYOUTS * LAYOUTS).flat_map(move |pair| {
        sizes.into_iter().map(move |sizes| Case {
            sizes,
            layouts: (pair / LAYOUTS, pair % LAYOUTS),
            beta: 1.0,
            epilogue: pair % 4,
            own: (false, false),
            seed: pair as u64,
        })
    })
}

fn epilogue<T>(kind: usize, bias: &[T]) -> Epilogue<'_, T> {
    match kind {
        0 => Epilogue::None,
        1 => Epilogue::Bias(bias),
        2 => Epilogue::BiasRelu(bias),
        _ => Epilogue::Relu,
    }
}

/// Computes a case with all sets of instructions, and compares.
pub(crate) fn check<T: Real>(case: &Case) {
    let (m, n, k) = case.sizes;
    let mut numbers = Numbers(case.seed);
    let a = Laid::<T>::new(case.layouts.0, (m, k), &mut numbers);
    let b = Laid::<T>::new(case.layouts.1, (k, n), &mut numbers);
    let bias: Vec<T> = (0..n).map(|_| numbers.next()).collect();
    let before: Vec<T> = (0..m * n).map(|_| numbers.next()).collect();
    let wanted = wanted(case, &a, &b, &bias, &before);
    let own = (Own { matrix: &a, right: false }, Own { matrix: &b, right: true });
    let left = if case.own.0 { Factor::Packed(&own.0) } else { a.view().into() };
    let right = if case.own.1 { Factor::Packed(&own.1) } else { b.view().into() };
    for cpu in cpus() {
        let mut c = if case.beta == 0.0 { vec![T::of(f64::NAN); m * n] } else { before.clone() };
        let finish = epilogue(case.epilogue, &bias);
        gemm_at(cpu, left, right, T::of(case.beta), &mut c, finish);
        for (at, (&got, &(want, bound))) in c.iter().zip(&wanted).enumerate() {
            assert!(
                (got.f64() - want).abs() <= bound,
                "{} {cpu:?} {case:?} [{}, {}]: got {}, want {want}, tolerance {bound}",
                std::any::type_name::<T>(),
                at / n,
                at % n,
                got.f64()
            );
        }
    }
}

/// The elements of the result, and how far a sum of `k + 2` terms in any order may be from them.
fn wanted<T: Real>(
    case: &Case,
    a: &Laid<T>,
    b: &Laid<T>,
    bias: &[T],
    before: &[T],
) -> Vec<(f64, f64)> {
    let (m, n, k) = case.sizes;
    let wide = |x: &Laid<T>, lanes: usize, at: &dyn Fn(usize, usize) -> (usize, usize)| {
        let element = |i| at(i / k.max(1), i % k.max(1));
        (0..lanes * k).map(|i| x.at(element(i).0, element(i).1).f64()).collect::<Vec<f64>>()
    };
    let (rows, columns) = (wide(a, m, &|i, p| (i, p)), wide(b, n, &|j, p| (p, j)));
    let element = |at: usize| {
        let (i, j) = (at / n, at % n);
        let (mut sum, mut size) = (0.0, 0.0);
        for (x, y) in rows[i * k..][..k].iter().zip(&columns[j * k..][..k]) {
            sum += x * y;
            size += (x * y).abs();
        }
        let kept = case.beta * before[at].f64();
        let shift = if matches!(case.epilogue, 1 | 2) { bias[j].f64() } else { 0.0 };
        sum += kept + shift;
        size += kept.abs() + shift.abs();
        // Relu does not enlarge an error.
        let want = if case.epilogue >= 2 { sum.max(0.0) } else { sum };
        (want, (k as f64 + 4.0) * T::EPSILON * size + T::ROUNDING * want.abs() + T::TINY)
    };
    (0..m * n).map(element).collect()
}

pub(crate) fn cases(
    size: impl Strategy<Value = (usize, usize, usize)>,
) -> impl Strategy<Value = Case> {
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
