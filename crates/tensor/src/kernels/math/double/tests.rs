//! The functions in f64 against correctly rounded values (`exact.txt`, by `exact.py`) at the points where
//! algorithms break, and against the standard library everywhere.

use super::super::super::samples::{less, noise};
use super::super::tests::*;
use super::powf;

/// Arguments and values of a function.
fn table(function: &str) -> Vec<Vec<f64>> {
    let number = |s: &str| f64::from_bits(u64::from_str_radix(s, 16).expect("hexadecimal bits"));
    let lines = include_str!("exact.txt").lines().filter_map(|l| l.split_once(' '));
    let lines = lines.filter(|(name, _)| *name == function);
    lines.map(|(_, numbers)| numbers.split(' ').map(number).collect()).collect()
}

/// The distance in units of the last place of `want`, which is correctly rounded.
fn ulps(got: f64, want: f64) -> f64 {
    if got == want || (got.is_nan() && want.is_nan()) {
        return 0.0;
    }
    if !got.is_finite() || !want.is_finite() {
        let near = got.abs() == f64::MAX || want.abs() == f64::MAX;
        return if near && got.signum() == want.signum() { 1.0 } else { f64::INFINITY };
    }
    let unit = want.abs().to_bits() + 1 - u64::from(want.abs() == f64::MAX);
    let unit = f64::from_bits(unit) - want.abs();
    let unit = if unit == 0.0 { 2f64.powi(971) } else { unit };
    (got - want).abs() / unit
}

/// Both zeros, infinities, NaN, and arguments of every size.
fn everywhere() -> Vec<f64> {
    let special = [0.0, f64::INFINITY, f64::NAN, f64::MAX, f64::MIN_POSITIVE, 5e-324, 1.0];
    let sizes = (0..0x7ff0_0000_0000_0000u64).step_by(0x0000_2345_6789_abcd).map(f64::from_bits);
    let usual = noise(100_000, 7).into_iter().flat_map(|v| [v, 8.0 * v, 40.0 * v, 700.0 * v]);
    let rest = sizes.flat_map(|v| [v, -v]).chain(usual).step_by(less());
    special.into_iter().flat_map(|v| [v, -v]).chain(rest).collect()
}

/// At most `bound` ulp from the exact values; from another implementation, the bounds of both.
#[track_caller]
fn check<O: Function>(name: &str, bound: f64, op: O, other: Option<fn(f64) -> f64>) {
    let exact = table(name);
    assert!(exact.len() > 50, "{name}: {} values", exact.len());
    let x: Vec<f64> = exact.iter().map(|row| row[0]).collect();
    let mut worst = (0.0, 0.0);
    for got in at_levels(op, &x) {
        for (row, got) in exact.iter().zip(got) {
            // Half an ulp for the rounding of the table.
            let error = ulps(got, row[1]);
            worst = if error > worst.0 { (error, row[0]) } else { worst };
            assert!(
                error <= bound + 0.5 && got.is_sign_negative() == row[1].is_sign_negative(),
                "{name} {:e}: got {got:e}, want {:e}, off by {error} ulp",
                row[0],
                row[1]
            );
        }
    }
    println!("{name}: worst error in ulp of the rounded value, and where: {worst:?}");
    let Some(other) = other else { return };
    let x = everywhere();
    for got in at_levels(op, &x) {
        for (&x, got) in x.iter().zip(got) {
            let (want, allowed) = (other(x), bound + 2.5);
            assert!(ulps(got, want) <= allowed, "{name} {x:e}: got {got:e}, want {want:e}");
            let zero = want == 0.0 && got == 0.0;
            assert!(!zero || got.is_sign_negative() == want.is_sign_negative(), "sign at {x}");
        }
    }
}

#[test]
fn functions_are_within_their_bounds() {
    check("exp", 1.0, Exp, Some(f64::exp));
    check("expm1", 2.0, Expm1, Some(f64::exp_m1));
    check("ln", 1.0, Ln, Some(f64::ln));
    check("ln_1p", 1.5, Ln1p, Some(f64::ln_1p));
    check("tanh", 2.5, Tanh, Some(f64::tanh));
    check("sigmoid", 2.5, Sigmoid, None);
    check("erf", 1.5, Erf, None);
    check("erfc", 5.0, Erfc, None);
    check("normal", 5.0, Normal, None);
    check("sin", 1.0, Sin, Some(f64::sin));
    check("cos", 1.0, Cos, Some(f64::cos));
}

#[test]
fn functions_without_a_second_implementation_keep_their_limits() {
    let x = [f64::INFINITY, f64::NEG_INFINITY, f64::NAN, -0.0, 750.0, -750.0];
    let check = |got: Vec<Vec<f64>>, want: [f64; 6]| {
        for got in got {
            assert!(got[2].is_nan());
            assert_eq!((&got[..2], &got[3..]), (&want[..2], &want[3..]));
            assert_eq!(got[3].is_sign_negative(), want[3].is_sign_negative());
        }
    };
    check(at_levels(Sigmoid, &x), [1.0, 0.0, f64::NAN, 0.5, 1.0, 0.0]);
    check(at_levels(Erf, &x), [1.0, -1.0, f64::NAN, -0.0, 1.0, -1.0]);
    check(at_levels(Erfc, &x), [0.0, 2.0, f64::NAN, 1.0, 0.0, 2.0]);
    check(at_levels(Normal, &x), [1.0, 0.0, f64::NAN, 0.5, 1.0, 0.0]);
    check(at_levels(Bell, &x), [0.0, 0.0, f64::NAN, 1.0, 0.0, 0.0]);
}

#[test]
fn tails_never_turn_back() {
    fn rising<O: Function>(op: O, low: f64, high: f64) {
        let steps = (0..=200_000).step_by(less());
        let x: Vec<f64> = steps.map(|i| low + (high - low) * f64::from(i) / 2e5).collect();
        for y in at_levels(op, &x) {
            for (i, pair) in y.windows(2).enumerate() {
                assert!(pair[0] <= pair[1], "{} at {:e}", std::any::type_name::<O>(), x[i]);
            }
        }
    }
    rising(Exp, -746.0, -700.0);
    rising(Sigmoid, -746.0, -30.0);
    rising(Sigmoid, 30.0, 40.0);
    rising(Tanh, 17.0, 20.0);
    rising(Erf, 5.3, 6.2);
    rising(Normal, -39.0, -30.0);
    rising(Normal, 7.5, 9.0);
}

#[test]
fn powf_has_the_special_cases_of_c() {
    for [x, y, want] in SPECIAL_POWERS {
        for got in [powf::<false>(x, y), powf::<true>(x, y)] {
            let same = got.to_bits() == want.to_bits() || got.is_nan() && want.is_nan();
            assert!(same, "{x:e} ^ {y:e}: got {got:e}, want {want:e}");
        }
    }
}

#[test]
fn powf_is_within_one_ulp() {
    for row in table("powf") {
        let [x, y, want] = row[..] else { panic!("three numbers") };
        for got in [powf::<false>(x, y), powf::<true>(x, y)] {
            assert!(ulps(got, want) <= 1.5, "{x:e} ^ {y:e}: got {got:e}, want {want:e}");
        }
    }
    let all = everywhere().into_iter().step_by(997);
    for (x, y) in all.chain(NUMBERS).flat_map(|x| NUMBERS.map(|y| (x, y))) {
        let want = x.powf(y);
        for got in [powf::<false>(x, y), powf::<true>(x, y)] {
            assert!(ulps(got, want) <= 2.0, "{x:e} ^ {y:e}: got {got:e}, want {want:e}");
            let sign = got.is_sign_negative() == want.is_sign_negative();
            assert!(want.is_nan() || sign, "{x:e} ^ {y:e}");
        }
    }
}
