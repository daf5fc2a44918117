//! Layer norm against its formula in f64, at every level.

use super::super::super::samples::{filled, levels, noise};
use super::*;

const SIZES: [usize; 9] = [1, 2, 10, 63, 64, 65, 130, 1000, 9001];
const ROWS: usize = 5;

fn narrow(x: &[f64]) -> Vec<f32> {
    x.iter().map(|&v| v as f32).collect()
}

/// Numbers that f32 holds exactly.
fn exact(n: usize, seed: u64) -> Vec<f64> {
    noise(n, seed).into_iter().map(|v| f64::from(v as f32)).collect()
}

/// `x̂` and `1/√(σ² + ε)` of one row.
fn plain(x: &[f64], eps: f64) -> (Vec<f64>, f64) {
    let n = x.len() as f64;
    let mean = x.iter().sum::<f64>() / n;
    let variance = x.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n;
    let r = 1.0 / (variance + eps).sqrt();
    (x.iter().map(|v| (v - mean) * r).collect(), r)
}

/// `y` and the statistics.
fn run<T: RowFloat>(level: Level, x: &[T], by: Affine<'_, T>) -> (Vec<T>, Vec<Stats<T>>) {
    let mut stats = vec![Stats::<T>::default(); ROWS];
    let y = filled(x.len(), |y| layer_norm_at(level, x, by, 0.1, y, &mut stats, Write::Cached));
    (y, stats)
}

#[track_caller]
fn close<T: RowFloat>(got: &[T], want: &[f64], tolerance: f64) {
    for (i, (got, want)) in got.iter().zip(want).enumerate() {
        let error = (got.wide() - want).abs();
        assert!(error <= tolerance * want.abs().max(1.0), "{i}: {got:?}, want {want}");
    }
}

#[test]
fn forward_equals_its_formula() {
    for n in SIZES {
        let (x, w, b) = (exact(ROWS * n, 1), exact(n, 2), exact(n, 3));
        for (scaled, moved) in [(false, false), (true, false), (false, true), (true, true)] {
            let weight = |j: usize| if scaled { w[j] } else { 1.0 };
            let bias = |j: usize| if moved { b[j] } else { 0.0 };
            let row = |x: &[f64]| -> Vec<f64> {
                let hat = plain(x, 0.1).0;
                hat.iter().enumerate().map(|(j, v)| v * weight(j) + bias(j)).collect()
            };
            let want: Vec<f64> = x.chunks(n).flat_map(row).collect();
            for level in levels() {
                let by = Affine { weight: scaled.then_some(&w[..]), bias: moved.then_some(&b[..]) };
                close(&run(level, &x, by).0, &want, 1e-13);
                let (x, w, b) = (narrow(&x), narrow(&w), narrow(&b));
                let by = Affine { weight: scaled.then_some(&w[..]), bias: moved.then_some(&b[..]) };
                close(&run(level, &x, by).0, &want, 1e-6);
            }
        }
    }
}

/// One f32 for the mean would leave an error of 5e-4 here.
#[test]
fn a_large_mean_costs_no_digits() {
    for n in [3, 100, 5000] {
        let x: Vec<f64> = noise(ROWS * n, 4).iter().map(|v| f64::from((1e4 + v) as f32)).collect();
        let want: Vec<f64> = x.chunks(n).flat_map(|x| plain(x, 0.1).0).collect();
        for level in levels() {
            let by = Affine { weight: None, bias: None };
            close(&run(level, &narrow(&x), by).0, &want, 2e-6);
        }
    }
    let constant = run(level(), &[16_777_217.0f32; 10], Affine { weight: None, bias: None }).0;
    assert!(constant.iter().all(|&v| v == 0.0), "{constant:?}");
}

fn check_backward(n: usize, repeated: bool, weighted: bool) {
    let (x, w) = (exact(ROWS * n, 5), exact(n, 6));
    let g = exact(ROWS * n, 7);
    let stride = if repeated { 1 } else { n };
    let g_at = |i: usize, j: usize| g[i * stride + if repeated { 0 } else { j }];
    let (mut dx, mut sums) = (Vec::new(), vec![0.0; 2 * n]);
    for (i, x) in x.chunks(n).enumerate() {
        let (hat, r) = plain(x, 0.1);
        let a: Vec<f64> = (0..n).map(|j| g_at(i, j) * if weighted { w[j] } else { 1.0 }).collect();
        let one = a.iter().sum::<f64>() / n as f64;
        let two = a.iter().zip(&hat).map(|(a, h)| a * h).sum::<f64>() / n as f64;
        for j in 0..n {
            dx.push(r * (a[j] - one - hat[j] * two));
            sums[j] += g_at(i, j) * hat[j];
            sums[n + j] += g_at(i, j);
        }
    }
    for level in levels() {
        let stats = run(level, &x, Affine { weight: None, bias: None }).1;
        let (rows, mut got) = (Rows { data: &g, stride, repeated }, vec![1.0; 2 * n]);
        let weight = weighted.then_some(&w[..]);
        let back = filled(x.len(), |dx| {
            layer_norm_backward_at(level, &x, rows, &stats, weight, dx, &mut got, Write::Cached);
        });
        close(&back, &dx, 1e-12);
        // It adds to what is there.
        close(&got, &sums.iter().map(|s| s + 1.0).collect::<Vec<_>>(), 1e-12);

        let (x, g, w) = (narrow(&x), narrow(&g), narrow(&w));
        let stats = run(level, &x, Affine { weight: None, bias: None }).1;
        let (rows, mut got) = (Rows { data: &g, stride, repeated }, vec![0.0; 2 * n]);
        let weight = weighted.then_some(&w[..]);
        let back = filled(x.len(), |dx| {
            layer_norm_backward_at(level, &x, rows, &stats, weight, dx, &mut got, Write::Cached);
        });
        close(&back, &dx, 4e-6);
        close(&got, &sums, 4e-6);
        let streamed = filled(x.len(), |dx| {
            layer_norm_backward_at(level, &x, rows, &stats, weight, dx, &mut [], Write::Streamed);
        });
        assert_eq!(streamed, back);
    }
}

#[test]
fn backward_equals_its_formula() {
    for n in SIZES {
        for (repeated, weighted) in [(false, false), (false, true), (true, true)] {
            check_backward(n, repeated, weighted);
        }
    }
}

#[test]
fn every_level_gives_the_same_bits() {
    for n in SIZES {
        let (x, w) = (narrow(&noise(ROWS * n, 8)), narrow(&noise(n, 9)));
        let by = Affine { weight: Some(&w), bias: Some(&w) };
        let first = run(Level::Baseline, &x, by);
        let back = |level| {
            let mut sums = vec![0.0; 2 * n];
            let g = Rows::packed(&x, n);
            let dx = filled(x.len(), |dx| {
                let (stats, how) = (&first.1, Write::Cached);
                layer_norm_backward_at(level, &x, g, stats, Some(&w), dx, &mut sums, how);
            });
            (dx, sums)
        };
        for level in levels() {
            assert_eq!(run(level, &x, by), first, "{level:?} {n}");
            assert_eq!(back(level), back(Level::Baseline), "{level:?} {n}");
        }
    }
}

#[test]
fn rows_with_infinities_and_nan_are_nan_and_no_other() {
    let mut x = vec![1.0f32; 3 * 70];
    x[69] = f32::INFINITY;
    x[70] = f32::NAN;
    x[200] = 2.0;
    let mut stats = vec![Stats::<f32>::default(); 3];
    let by = Affine { weight: None, bias: None };
    let y = filled(x.len(), |y| layer_norm(&x, by, 1e-5, y, &mut stats, Write::Cached));
    assert!(y[..140].iter().all(|v| v.is_nan()));
    assert!(y[140..].iter().all(|v| v.is_finite()));
}

#[test]
#[should_panic(expected = "one element for each column")]
fn a_weight_of_another_length_is_refused() {
    run(level(), &[0.0f32; 15], Affine { weight: Some(&[1.0; 4]), bias: None });
}
