//! The row kernels against a plain f64 twin, at every level.

use super::super::level::{Level, level};
use super::super::samples::{filled, less, levels, noise};
use super::*;

type Uninit<T> = MaybeUninit<T>;

fn softmax_of<T: RowFloat>(level: Level, x: &[T], n: usize, y: &mut [Uninit<T>]) {
    softmax_at(level, x, n, y, Write::Cached);
}

fn log_softmax_of<T: RowFloat>(level: Level, x: &[T], n: usize, y: &mut [Uninit<T>]) {
    log_softmax_at(level, x, n, y, Write::Cached);
}

fn softmax_back<T: RowFloat>(level: Level, y: &[T], g: &[T], n: usize, dx: &mut [Uninit<T>]) {
    softmax_backward_at(level, y, Rows::packed(g, n), n, dx, Write::Cached);
}

fn log_softmax_back<T: RowFloat>(level: Level, y: &[T], g: &[T], n: usize, dx: &mut [Uninit<T>]) {
    log_softmax_backward_at(level, y, Rows::packed(g, n), n, dx, Write::Cached);
}

const SIZES: [usize; 10] = [1, 2, 10, 31, 63, 64, 65, 130, 1000, 9001];
const ROWS: usize = 3;

fn plain_softmax(x: &[f64]) -> Vec<f64> {
    let max = x.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = x.iter().map(|v| (v - max).exp()).sum();
    x.iter().map(|v| (v - max).exp() / sum).collect()
}

fn plain_logsumexp(x: &[f64]) -> f64 {
    let max = x.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    max + x.iter().map(|v| (v - max).exp()).sum::<f64>().ln()
}

/// `want` row by row from the rows of `inputs`.
fn by_rows(inputs: [&[f64]; 2], n: usize, row: impl Fn(&[f64], &[f64]) -> Vec<f64>) -> Vec<f64> {
    inputs[0].chunks(n).zip(inputs[1].chunks(n)).flat_map(|(a, b)| row(a, b)).collect()
}

/// Compares with `want`, each element with a tolerance relative to its `scale`.
#[track_caller]
fn close(got: impl IntoIterator<Item = f64>, want: &[f64], scale: &[f64], tolerance: f64) {
    for (i, (got, &want)) in got.into_iter().zip(want).enumerate() {
        let close = (got - want).abs() <= tolerance * scale[i];
        assert!(close, "element {i}: got {got:e}, want {want:e}");
    }
}

/// Runs `kernel` on f32 and on f64 inputs, at each level, against `want`.
macro_rules! check {
    ($kernel:ident, $($input:expr),+; $n:expr, $len:expr, $want:expr, $scale:expr) => {
        for level in levels() {
            let got = filled($len, |out| $kernel(level, $($input),+, $n, out));
            close(got, $want, $scale, 1e-13);
            let got = filled($len, |out| $kernel(level, $(&narrow($input)),+, $n, out));
            close(got.into_iter().map(f64::from), $want, $scale, 3e-6);
        }
    };
}

/// At least 1: the scale of what is a difference of larger numbers.
fn at_least_one(x: &[f64]) -> Vec<f64> {
    x.iter().map(|v| v.abs().max(1.0)).collect()
}

fn narrow(x: &[f64]) -> Vec<f32> {
    x.iter().map(|&v| v as f32).collect()
}

/// Noise that f32 holds exactly, so that f32 and f64 kernels see the same.
fn exact(n: usize, seed: u64, scale: f64) -> Vec<f64> {
    noise(n, seed).into_iter().map(|v| f64::from((v * scale) as f32)).collect()
}

#[test]
fn forward_kernels_equal_their_formulas() {
    for n in SIZES {
        let x = exact(ROWS * n, 1, 10.0);
        let y = by_rows([&x, &x], n, |x, _| plain_softmax(x));
        check!(softmax_of, &x; n, x.len(), &y, &y);
        let log = by_rows([&x, &x], n, |x, _| {
            let sum = plain_logsumexp(x);
            x.iter().map(|v| v - sum).collect()
        });
        check!(log_softmax_of, &x; n, x.len(), &log, &at_least_one(&log));
        let sums: Vec<f64> = x.chunks(n).map(plain_logsumexp).collect();
        check!(logsumexp_at, &x; n, ROWS, &sums, &at_least_one(&sums));
    }
}

#[test]
fn softmax_from_its_sums_equals_softmax() {
    for n in SIZES {
        let x = exact(ROWS * n, 5, 10.0);
        let scale = exact(ROWS, 6, 2.0);
        let pair = |x: &[f64]| {
            let max = x.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            vec![max, x.iter().map(|v| (v - max).exp()).sum()]
        };
        let sums: Vec<f64> = x.chunks(n).flat_map(pair).collect();
        check!(exp_sums_at, &x; n, 2 * ROWS, &sums, &at_least_one(&sums));
        let rows = x.chunks(n).zip(&scale);
        let want: Vec<f64> =
            rows.flat_map(|(x, s)| plain_softmax(x).into_iter().map(move |p| s * p)).collect();
        let size: Vec<f64> = want.iter().map(|v| v.abs()).collect();
        for level in levels() {
            let got = filled(x.len(), |y| scaled_softmax_at(level, &x, n, &sums, &scale, y));
            close(got, &want, &size, 1e-13);
            let (x, sums, scale) = (narrow(&x), narrow(&sums), narrow(&scale));
            let got = filled(x.len(), |y| scaled_softmax_at(level, &x, n, &sums, &scale, y));
            close(got.into_iter().map(f64::from), &want, &size, 3e-6);
        }
    }
}

#[test]
fn backward_kernels_equal_their_formulas() {
    for n in SIZES {
        let x = exact(ROWS * n, 2, 3.0);
        let g = exact(ROWS * n, 3, 1.0);
        let y = by_rows([&x, &x], n, |x, _| plain_softmax(x));
        let y: Vec<f64> = y.into_iter().map(|v| f64::from(v as f32)).collect();
        let want = by_rows([&y, &g], n, |y, g| {
            let dot: f64 = y.iter().zip(g).map(|(y, g)| y * g).sum();
            y.iter().zip(g).map(|(y, g)| y * (g - dot)).collect()
        });
        check!(softmax_back, &y, &g; n, x.len(), &want, &y);
        let want = by_rows([&x, &g], n, |y, g| {
            let sum: f64 = g.iter().sum();
            y.iter().zip(g).map(|(y, g)| g - y.exp() * sum).collect()
        });
        let scale = by_rows([&x, &g], n, |y, g| {
            let sum: f64 = g.iter().map(|g| g.abs()).sum();
            y.iter().map(|y| 1.0 + y.exp() * sum).collect()
        });
        check!(log_softmax_back, &x, &g; n, x.len(), &want, &scale);
    }
}

const INF: f32 = f32::INFINITY;

#[test]
fn infinities_and_nan_go_where_pytorch_has_them() {
    // Each row also as the end of a long one, beyond the first block.
    for length in [3, 100] {
        let row = |end: [f32; 3]| {
            let mut row = vec![-INF; length];
            row[length - 3..].copy_from_slice(&end);
            row
        };
        for level in levels() {
            let softmax = |x: &[f32]| filled(length, |y| softmax_of(level, x, length, y));
            let log = |x: &[f32]| filled(length, |y| log_softmax_of(level, x, length, y));
            let sum = |x: &[f32]| filled(1, |y| logsumexp_at(level, x, length, y))[0];

            let x = row([-INF, 1.0, 1.0]);
            assert_eq!(softmax(&x)[length - 3..], [0.0, 0.5, 0.5]);
            assert_eq!(log(&x)[length - 3], -INF);
            assert!((sum(&x) - 1.693_147_2).abs() < 1e-6);

            let x = row([-INF; 3]);
            assert!(softmax(&x).iter().chain(&log(&x)).all(|v| v.is_nan()));
            assert_eq!(sum(&x), -INF);

            let x = row([0.0, INF, 0.0]);
            assert!(softmax(&x).iter().chain(&log(&x)).all(|v| v.is_nan()));
            assert_eq!(sum(&x), INF);

            let x = row([0.0, f32::NAN, INF]);
            assert!(softmax(&x).iter().chain(&log(&x)).all(|v| v.is_nan()));
            assert!(sum(&x).is_nan());
        }
    }
}

#[test]
fn large_elements_do_not_overflow() {
    let x = [1000.0f32, 1000.0, -1000.0];
    assert_eq!(filled(3, |y| softmax_of(level(), &x, 3, y)), [0.5, 0.5, 0.0]);
    assert_eq!(filled(1, |y| logsumexp(&x, 3, y)), [1000.0 + 2f32.ln()]);
}

#[test]
fn the_error_of_a_long_row_does_not_grow() {
    let n = 3_000_017 / less();
    let mut x = vec![0.0f32; n];
    x[0] = 2.3;
    let want = ((n - 1) as f64 + f64::from(2.3f32).exp()).ln();
    let got = filled(1, |out| logsumexp(&x, n, out))[0];
    assert!((f64::from(got) - want).abs() < 1.5e-6, "got {got}, want {want}");
    let got = f64::from(filled(n, |y| softmax_of(level(), &x, n, y))[1]);
    let error = (got - (-want).exp()).abs() / got;
    assert!(error < 5e-7, "relative error {error:e}");
}

#[test]
fn a_row_has_the_same_bits_alone_and_among_others() {
    let x = narrow(&noise(5 * 77, 4));
    let all = filled(x.len(), |y| softmax_of(level(), &x, 77, y));
    for (x, y) in x.chunks(77).zip(all.chunks(77)) {
        assert_eq!(filled(77, |y| softmax_of(level(), x, 77, y)), y);
    }
}

#[test]
#[should_panic(expected = "7 elements are no rows of 3")]
fn parts_of_rows_are_refused() {
    filled(7, |y| softmax_of(level(), &[0.0f32; 7], 3, y));
}

/// Rows of a gradient that are repeated, apart from each other, or the same.
#[test]
fn a_gradient_that_is_not_written_out_gives_the_same_bits() {
    for n in [3, 64, 77, 200] {
        let y = narrow(&noise(ROWS * n, 7));
        let g = narrow(&noise(ROWS * (n + 5), 8));
        let cases = [(0, true), (0, false), (2, true), (n + 5, false)];
        for (stride, repeated) in cases {
            let rows = Rows { data: &g, stride, repeated };
            let element = |i: usize| g[i / n * stride + if repeated { 0 } else { i % n }];
            let written: Vec<f32> = (0..ROWS * n).map(element).collect();
            for level in levels() {
                // As the rows of other lengths, without the way for short rows.
                let packed = |back: fn(Level, &[f32], Rows<'_, f32>, usize, &mut [_], Write)| {
                    let got = filled(y.len(), |dx| back(level, &y, rows, n, dx, Write::Cached));
                    let of = Rows { data: &written, stride: n, repeated: false };
                    let want = filled(y.len(), |dx| back(level, &y, of, n, dx, Write::Cached));
                    let close = |(a, b): (&f32, &f32)| (a - b).abs() <= 1e-5;
                    assert!(got.iter().zip(&want).all(close), "{level:?} {n} {stride}");
                    assert!(n < BLOCK || got == want, "{level:?} {n} {stride}");
                };
                packed(softmax_backward_at);
                packed(log_softmax_backward_at);
            }
        }
    }
}

#[test]
fn streamed_results_have_the_same_bits() {
    for n in [300, 320, 5000] {
        let (x, g) = (narrow(&noise(ROWS * n, 9)), narrow(&noise(ROWS * n, 10)));
        let g = Rows::packed(&g, n);
        for level in levels() {
            let both = |run: &dyn Fn(Write, &mut [Uninit<f32>])| {
                let [a, b] =
                    [Write::Cached, Write::Streamed].map(|how| filled(x.len(), |y| run(how, y)));
                assert_eq!(a, b, "{level:?} {n}");
            };
            both(&|how, y| softmax_at(level, &x, n, y, how));
            both(&|how, y| log_softmax_at(level, &x, n, y, how));
            both(&|how, y| softmax_backward_at(level, &x, g, n, y, how));
            both(&|how, y| log_softmax_backward_at(level, &x, g, n, y, how));
        }
    }
}

#[test]
#[should_panic(expected = "the gradient has fewer rows")]
fn a_gradient_that_is_too_short_is_refused() {
    let rows = Rows { data: &[1.0f32; 5], stride: 1, repeated: false };
    filled(6, |dx| softmax_backward_at(level(), &[0.0; 6], rows, 3, dx, Write::Cached));
    let rows = Rows { data: &[1.0f32; 5], stride: 3, repeated: false };
    filled(6, |dx| softmax_backward_at(level(), &[0.0; 6], rows, 3, dx, Write::Cached));
}

/// More rows than one group has, and groups of different sizes: a row knows nothing of its neighbours.
#[test]
fn many_rows_are_computed_as_each_alone() {
    for n in [1, 3, 10, 64, 100, 256, 257, 700] {
        let rows = 2 * super::ROWS + 3;
        let x = narrow(&noise(rows * n, 11));
        for level in levels() {
            let whole = [
                filled(rows * n, |y| softmax_of(level, &x, n, y)),
                filled(rows * n, |y| log_softmax_of(level, &x, n, y)),
                filled(rows, |y| logsumexp_at(level, &x, n, y)),
                filled(2 * rows, |y| exp_sums_at(level, &x, n, y)),
            ];
            for (i, x) in x.chunks_exact(n).enumerate() {
                let alone = [
                    filled(n, |y| softmax_of(level, x, n, y)),
                    filled(n, |y| log_softmax_of(level, x, n, y)),
                    filled(1, |y| logsumexp_at(level, x, n, y)),
                    filled(2, |y| exp_sums_at(level, x, n, y)),
                ];
                for (whole, alone) in whole.iter().zip(alone) {
                    let len = alone.len();
                    assert_eq!(whole[i * len..][..len], alone, "{level:?} {n} {i}");
                }
            }
        }
    }
}
