//! Reductions against plain loops, at every level.

use super::super::samples::{LENGTHS, filled, less, levels, noise, noise_f32};
use super::*;

/// Shapes `[outer, n, inner]` that take each path: short and long rows, narrow and wide columns.
const SHAPES: [[usize; 3]; 14] = [
    [1, 1, 1],
    [3, 10, 1],
    [2, 64, 1],
    [3, 1000, 1],
    [1, 9000, 1],
    [2, 3, 10],
    [2, 1000, 10],
    [1, 20_000, 3],
    [2, 5, 64],
    [2, 129, 65],
    [1, 70, 300],
    [2, 0, 3],
    [0, 3, 2],
    [2, 3, 0],
];

fn at(shape: [usize; 3], o: usize, k: usize, i: usize) -> usize {
    (o * shape[1] + k) * shape[2] + i
}

/// The elements of each output: `[outer, inner]` lists of `n`.
fn lists<T: Copy>(x: &[T], shape: [usize; 3]) -> Vec<Vec<T>> {
    let [outer, n, inner] = shape;
    let list = |o, i| (0..n).map(|k| x[at(shape, o, k, i)]).collect();
    (0..outer).flat_map(|o| (0..inner).map(move |i| (o, i))).map(|(o, i)| list(o, i)).collect()
}

#[test]
fn sums_have_the_same_bits_at_each_level_and_are_right() {
    for shape in SHAPES {
        let x = noise_f32(shape.iter().product(), 1);
        let rows = shape[0] * shape[2];
        let first = filled(rows, |out| sum_rows(&x, shape[0], shape[1], shape[2], out));
        for level in levels() {
            let sums = filled(rows, |out| fold_rows_at(level, Sum, &x, shape, out));
            assert_eq!(sums, first, "{level:?} {shape:?}");
        }
        for (list, sum) in lists(&x, shape).iter().zip(first) {
            let exact: f64 = list.iter().map(|&v| f64::from(v)).sum();
            let size: f64 = list.iter().map(|&v| f64::from(v.abs())).sum();
            let error = (f64::from(sum) - exact).abs();
            assert!(error <= 2e-7 * size, "{shape:?}: {sum}, want {exact}");
        }
    }
}

#[test]
fn the_error_of_an_f32_sum_does_not_grow_with_the_length() {
    let n = 3_000_017 / less();
    for (x, shape) in [(vec![0.1f32; n], [1, n, 1]), (vec![0.1; 2 * n], [1, n, 2])] {
        let exact = f64::from(0.1f32) * n as f64;
        for sum in filled(shape[2], |out| fold_rows(Sum, &x, shape, out)) {
            let error = (f64::from(sum) - exact).abs() / exact;
            assert!(error < 1e-6, "{shape:?}: {sum}, want {exact}");
        }
    }
}

#[test]
fn sums_products_and_extremes_in_f64_and_i64() {
    for shape in SHAPES {
        let x = noise(shape.iter().product(), 2);
        let whole: Vec<i64> = x.iter().map(|v| (v * 1e18) as i64 | 1).collect();
        let rows = shape[0] * shape[2];
        for level in levels() {
            let sums = filled(rows, |out| fold_rows_at(level, Sum, &x, shape, out));
            let products = filled(rows, |out| fold_rows_at(level, Product, &x, shape, out));
            let largest = filled(rows, |out| fold_rows_at(level, Maximum, &x, shape, out));
            let smallest = filled(rows, |out| fold_rows_at(level, Minimum, &x, shape, out));
            for (j, list) in lists(&x, shape).iter().enumerate() {
                assert!((sums[j] - list.iter().sum::<f64>()).abs() < 1e-11);
                let product: f64 = list.iter().product();
                assert!((products[j] - product).abs() <= 1e-11 * product.abs());
                assert_eq!(largest[j], list.iter().copied().fold(f64::NEG_INFINITY, f64::max));
                assert_eq!(smallest[j], list.iter().copied().fold(f64::INFINITY, f64::min));
            }
            let sums = filled(rows, |out| fold_rows_at(level, Sum, &whole, shape, out));
            let products = filled(rows, |out| fold_rows_at(level, Product, &whole, shape, out));
            for (j, list) in lists(&whole, shape).iter().enumerate() {
                assert_eq!(sums[j], list.iter().fold(0, |a: i64, &b| a.wrapping_add(b)));
                assert_eq!(products[j], list.iter().fold(1, |a: i64, &b| a.wrapping_mul(b)));
            }
        }
    }
}

/// The index that [`max_rows`] promises, by a plain search.
fn first_best<T: Number>(list: &[T], better: impl Fn(T, T) -> bool) -> usize {
    (1..list.len()).fold(0, |best, i| {
        let replaces = better(list[i], list[best]) || (list[i].is_nan() && !list[best].is_nan());
        if replaces { i } else { best }
    })
}

fn check_extremes<T: Number>(x: &[T], shape: [usize; 3]) {
    let rows = shape[0] * shape[2];
    for level in levels() {
        let mut values = Vec::new();
        let indices = filled(rows, |indices| {
            values = filled(rows, |values| max_rows_at(level, x, shape, values, indices));
        });
        let mut small = Vec::new();
        let at_small = filled(rows, |indices| {
            small = filled(rows, |values| min_rows_at(level, x, shape, values, indices));
        });
        for (j, list) in lists(x, shape).iter().enumerate() {
            let best = first_best(list, |a, b| a > b);
            assert_eq!(indices[j], best as i64, "{level:?} {shape:?}: {list:?}");
            assert_eq!(format!("{:?}", values[j]), format!("{:?}", list[best]));
            let best = first_best(list, |a, b| a < b);
            assert_eq!(at_small[j], best as i64, "{level:?} {shape:?}: {list:?}");
            assert_eq!(format!("{:?}", small[j]), format!("{:?}", list[best]));
        }
    }
}

#[test]
fn extremes_take_the_first_of_equals_and_the_first_nan() {
    for shape in SHAPES.into_iter().filter(|s| s[1] > 0 && s.iter().product::<usize>() < 20_000) {
        let n = shape.iter().product();
        for seed in 0..4 {
            // Few different values, so that there are ties, also between 0 and -0.
            let coarse = |v: f64| (v * 4.0).round() / 4.0;
            let mut x: Vec<f64> = noise(n, seed).into_iter().map(coarse).collect();
            let whole: Vec<i64> = x.iter().map(|&v| (v * 4.0) as i64).collect();
            check_extremes(&whole, shape);
            check_extremes(&x, shape);
            if seed > 0 {
                let hits = noise(n, 99 + seed);
                x.iter_mut().zip(hits).filter(|(_, h)| *h > 0.97).for_each(|(v, _)| *v = f64::NAN);
            }
            check_extremes(&x, shape);
            check_extremes(&x.iter().map(|&v| v as f32).collect::<Vec<_>>(), shape);
            check_extremes(&vec![f32::NEG_INFINITY; n], shape);
        }
    }
    check_extremes(&[i64::MIN; 100], [1, 100, 1]);
    // 0 and -0 are equal: the value must be the one at the index.
    for first in 0..100 {
        let zeros: Vec<f32> = (0..100).map(|i| if i < first { -0.0 } else { 0.0 }).collect();
        check_extremes(&zeros, [1, 100, 1]);
        check_extremes(&zeros, [1, 50, 2]);
    }
}

#[test]
#[should_panic(expected = "no extreme of no elements")]
fn an_extreme_of_nothing_is_refused() {
    filled(1, |at| drop(filled::<f32>(1, |values| max_rows(&[], [1, 0, 1], values, at))));
}

#[test]
fn norms_add_up_in_f64() {
    let powers = [2.0, 1.0, 0.0, 3.0, 0.5, -1.0, f64::INFINITY, f64::NEG_INFINITY];
    for n in LENGTHS {
        let x = noise_f32(n, 3);
        let wide: Vec<f64> = x.iter().map(|&v| v.into()).collect();
        for p in powers {
            let size = wide.iter().map(|v| v.abs());
            let want = match p {
                0.0 => n as f64,
                f64::INFINITY => size.fold(0.0, f64::max),
                f64::NEG_INFINITY => size.fold(f64::INFINITY, f64::min),
                _ => size.map(|v| v.powf(p)).sum(),
            };
            for level in levels() {
                for got in [norm_acc_at(level, &x, p), norm_acc_at(level, &wide, p)] {
                    let close = got == want || (got - want).abs() <= 1e-12 * want;
                    assert!(close, "{level:?}, {n} elements, p = {p}: {got}, want {want}");
                }
            }
        }
    }
}

#[test]
fn norms_of_special_values() {
    assert_eq!(norm_acc(&[1e20f32, -1e20], 2.0), 2.0 * f64::from(1e20f32).powi(2));
    assert_eq!(norm_acc(&[0.0f32, -0.0, f32::NAN, 3.0], 0.0), 2.0);
    for p in [1.0, 2.0, 3.0, f64::INFINITY, f64::NEG_INFINITY] {
        assert!(norm_acc(&[1.0f64, f64::NAN, 2.0], p).is_nan(), "p = {p}");
    }
}

#[test]
fn one_pass_multiplies_and_adds_up_as_two_do() {
    for n in LENGTHS {
        let x = noise_f32(n, 4);
        let wide: Vec<f64> = x.iter().map(|&v| v.into()).collect();
        for (level, p) in levels().flat_map(|level| [2.0, 1.0, f64::INFINITY].map(|p| (level, p))) {
            let (mut got, mut got_wide) = (x.clone(), wide.clone());
            let sums = [
                scaled_norm_acc_at(level, &mut got, 0.3, p),
                scaled_norm_acc_at(level, &mut got_wide, 0.3, p),
            ];
            assert_eq!(got, x.iter().map(|v| v * 0.3).collect::<Vec<_>>());
            assert_eq!(got_wide, wide.iter().map(|v| v * 0.3).collect::<Vec<_>>());
            let want = [norm_acc_at(level, &got, p), norm_acc_at(level, &got_wide, p)];
            assert_eq!(sums.map(f64::to_bits), want.map(f64::to_bits), "{level:?}, {n}, p = {p}");
        }
    }
}
