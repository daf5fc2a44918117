//! The functions against f64, over the whole range of f32.

use super::*;

/// The distance of `got` from the exact `want`, in units of the last place of an f32 near `want`.
fn ulps(got: f32, want: f64) -> f64 {
    let rounded = want as f32;
    if got == rounded || (got.is_nan() && want.is_nan()) {
        return 0.0;
    }
    if got.is_nan() || want.is_nan() || got.is_infinite() || rounded.is_infinite() {
        // An overflow on one side only: one step around f32::MAX.
        let near = |v: f32| f64::from(v.clamp(-f32::MAX, f32::MAX));
        let unit = 2f64.powi(104);
        return if got.is_nan() || want.is_nan() {
            f64::INFINITY
        } else {
            (near(got) - want).abs() / unit
        };
    }
    let exponent = (want.abs().max(f64::from(f32::MIN_POSITIVE))).log2().floor() as i32;
    (f64::from(got) - want).abs() / 2f64.powi(exponent - 23)
}

/// Every `step`-th f32 of both signs, and the special ones.
fn inputs(step: usize) -> impl Iterator<Item = f32> {
    let special = [0.0, f32::MIN_POSITIVE, f32::MAX, f32::INFINITY, f32::NAN, 1.0, 1e-45];
    let all = (0..=0x7f80_0000u32).step_by(step).map(f32::from_bits);
    all.chain(special).flat_map(|x| [x, -x])
}

#[track_caller]
fn check(bound: f64, f: impl Fn(f32) -> f32, fused: impl Fn(f32) -> f32, exact: fn(f64) -> f64) {
    let mut worst = [(0.0, 0.0); 2];
    for x in inputs(997) {
        let want = exact(f64::from(x));
        for (worst, got) in worst.iter_mut().zip([f(x), fused(x)]) {
            let error = ulps(got, want);
            if error > worst.0 {
                *worst = (error, x);
            }
            assert!(error <= bound, "at {x:e}: got {got:e}, want {want:e}, off by {error} ulp");
            let zero = want == 0.0 && got == 0.0;
            assert!(!zero || got.is_sign_negative() == want.is_sign_negative(), "sign at {x}");
        }
    }
    println!("worst error in ulp and where, without and with FMA: {worst:?}");
}

#[test]
fn exp_is_within_one_ulp() {
    check(1.0, exp::<false>, exp::<true>, f64::exp);
    assert_eq!(exp::<true>(0.0), 1.0);
}

#[test]
fn expm1_is_within_two_ulp() {
    check(2.0, expm1::<false>, expm1::<true>, f64::exp_m1);
}

#[test]
fn sigmoid_is_within_two_and_a_half_ulp() {
    check(2.5, sigmoid::<false>, sigmoid::<true>, sigmoid_f64);
}

#[test]
fn tanh_is_within_one_and_a_half_ulp() {
    check(1.5, tanh::<false>, tanh::<true>, f64::tanh);
}

#[test]
fn ln_is_within_one_ulp() {
    check(1.0, ln::<false>, ln::<true>, f64::ln);
}

#[test]
fn ln_1p_is_within_one_and_a_half_ulp() {
    check(1.5, ln_1p::<false>, ln_1p::<true>, f64::ln_1p);
}

#[test]
fn erf_is_within_one_and_a_half_ulp() {
    check(1.5, erf::<false>, erf::<true>, erf_f64);
}

/// Interesting bases and exponents: both signs, integers odd and even, halves, extremes.
const NUMBERS: [f32; 24] = [
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.5,
    -0.5,
    2.0,
    -2.0,
    3.0,
    -3.0,
    1.5,
    -1.5,
    0.999_999_9,
    1.000_000_1,
    127.5,
    -149.0,
    1e-45,
    -1e-45,
    1e38,
    -1e38,
    8_388_609.0,
    f32::INFINITY,
    f32::NEG_INFINITY,
    f32::NAN,
];

#[test]
fn powf_has_the_special_cases_of_the_standard_library() {
    for x in NUMBERS {
        for y in NUMBERS {
            let (got, want) = (powf(x, y), f64::from(x).powf(f64::from(y)));
            assert!(ulps(got, want) <= 0.6, "{x:e} ^ {y:e}: got {got:e}, want {want:e}");
            assert!(
                want.is_nan() || got.is_sign_negative() == want.is_sign_negative(),
                "{x:e} ^ {y:e}"
            );
        }
    }
}

#[test]
fn powf_is_within_a_little_more_than_half_an_ulp() {
    for x in inputs(100_003) {
        for y in inputs(100_000_007).chain([2.5, -0.3, 3.0, 1e-3]) {
            let (got, want) = (powf(x, y), f64::from(x).powf(f64::from(y)));
            assert!(ulps(got, want) <= 0.6, "{x:e} ^ {y:e}: got {got:e}, want {want:e}");
        }
    }
}

#[test]
fn erf_in_f64_is_within_two_ulp() {
    // x, erf x, erfc x by mpmath with 40 digits.
    let table = [
        (1e-300, 1.1283791670955126e-300, 1.0),
        (1e-9, 1.1283791670955127e-09, 0.9999999988716208),
        (0.1, 0.1124629160182849, 0.887537083981715),
        (0.3, 0.3286267594591274, 0.6713732405408726),
        (0.5, 0.5204998778130465, 0.4795001221869535),
        (0.7, 0.6778011938374184, 0.32219880616258156),
        (0.84375, 0.7672256612323416, 0.23277433876765838),
        (0.99, 0.8385080695553698, 0.1614919304446302),
        (1.0, 0.8427007929497149, 0.15729920705028513),
        (1.01, 0.8468104962282768, 0.1531895037717233),
        (1.25, 0.9229001282564583, 0.07709987174354177),
        (1.7, 0.9837904585907745, 0.01620954140922544),
        (2.0, 0.9953222650189527, 0.004677734981047266),
        (2.6, 0.9997639655834707, 0.00023603441652934908),
        (3.0, 0.9999779095030014, 2.209049699858544e-05),
        (3.75, 0.9999998862727434, 1.1372725656979665e-07),
        (4.5, 0.9999999998033839, 1.9661604415428876e-10),
        (5.7, 0.9999999999999992, 7.566211621862486e-16),
        (6.0, 1.0, 2.1519736712498913e-17),
        (9.3, 1.0, 1.653244184030135e-39),
        (15.2, 1.0, 1.695311623663205e-102),
        (20.0, 1.0, 5.395865611607901e-176),
        (25.9, 1.0, 1.0202833184732667e-293),
        (26.4, 1.0, 4.4017768588035426e-305),
    ];
    for (x, erf, erfc) in table {
        for (got, want, bound) in [(erf_f64(x), erf, 2.0), (erfc_f64(x), erfc, 5.0)] {
            let off = (got - want).abs() / (want.abs() * f64::EPSILON);
            assert!(off <= bound, "at {x}: got {got:e}, want {want:e}, off by {off} ulp");
        }
        assert_eq!(erf_f64(-x), -erf_f64(x));
    }
    assert_eq!(erf_f64(f64::INFINITY), 1.0);
    assert_eq!(erfc_f64(f64::INFINITY), 0.0);
    assert_eq!(erfc_f64(f64::NEG_INFINITY), 2.0);
    assert!(erf_f64(f64::NAN).is_nan() && erfc_f64(f64::NAN).is_nan());
}
