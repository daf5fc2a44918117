//! The functions in f32 against f64, over the whole range of f32, as loops run them at every level.

use super::super::element::{Lane, Map, Rare};
use super::super::level::Level;
use super::super::loops::{map_at, map_rare_at};
use super::super::real::Real;
use super::super::samples::{filled, less, levels};
use super::{double, powf};

/// A function, as a loop runs it.
pub(super) trait Function: Copy {
    fn at<T: Lane>(self, level: Level, x: &[T]) -> Vec<T>;
}

/// An op for each function.
macro_rules! ops {
    ($($Op:ident: $x:ident => $formula:expr;)*) => {$(
        #[derive(Clone, Copy)]
        pub(super) struct $Op;

        impl Map for $Op {
            #[inline(always)]
            fn f<R: Real>(self, $x: R) -> R {
                $formula
            }
        }

        impl Function for $Op {
            fn at<T: Lane>(self, level: Level, x: &[T]) -> Vec<T> {
                filled(x.len(), |y| map_at(level, self, x, y))
            }
        }
    )*};
}

ops! {
    Exp: x => x.exp();
    Expm1: x => x.expm1();
    Ln: x => x.ln();
    Ln1p: x => x.ln_1p();
    Tanh: x => x.tanh();
    Sigmoid: x => x.sigmoid();
    Erf: x => x.erf();
    Erfc: x => x.erfc();
    Normal: x => x.normal().0;
    Bell: x => x.normal().1;
}

/// Sine and cosine have rare elements.
macro_rules! turning {
    ($($Op:ident: $near:ident $far:ident;)*) => {$(
        #[derive(Clone, Copy)]
        pub(super) struct $Op;

        impl Map for $Op {
            #[inline(always)]
            fn f<R: Real>(self, x: R) -> R {
                x.$near()
            }
        }

        impl Rare for $Op {
            #[inline(always)]
            fn is_rare<R: Real>(self, x: R) -> bool {
                x.is_far()
            }
            #[inline(always)]
            fn rare<R: Real>(self, x: R) -> R {
                x.$far()
            }
        }

        impl Function for $Op {
            fn at<T: Lane>(self, level: Level, x: &[T]) -> Vec<T> {
                filled(x.len(), |y| map_rare_at(level, self, x, y))
            }
        }
    )*};
}

turning! {
    Sin: sin_near sin;
    Cos: cos_near cos;
}

/// All of `x`, at each level.
pub(super) fn at_levels<T: Lane>(op: impl Function, x: &[T]) -> Vec<Vec<T>> {
    levels().map(|level| op.at(level, x)).collect()
}

/// The distance of `got` from the exact `want`, in units of the last place of an f32 near `want`.
fn ulps(got: f32, want: f64) -> f64 {
    let rounded = want as f32;
    if got == rounded || (got.is_nan() && want.is_nan()) {
        return 0.0;
    }
    if got.is_nan() || want.is_nan() {
        return f64::INFINITY;
    }
    if got.is_infinite() || rounded.is_infinite() {
        // An overflow on one side only: one step around f32::MAX.
        let near = |v: f64| v.clamp(-f64::from(f32::MAX), f64::from(f32::MAX));
        return (near(f64::from(got)) - near(want)).abs() / 2f64.powi(104);
    }
    let exponent = (want.abs().max(f64::from(f32::MIN_POSITIVE))).log2().floor() as i32;
    (f64::from(got) - want).abs() / 2f64.powi(exponent - 23)
}

/// f32 of both signs: every `step`-th from 0 to the NaNs, in pieces.
fn pieces(step: usize) -> impl Iterator<Item = Vec<f32>> {
    const PIECE: usize = 1 << 16;
    // The last two are where e^x was off by 1.002 ulp, and erfc by 5.24.
    const SPECIAL: [f32; 10] = [
        f32::MIN_POSITIVE,
        f32::MAX,
        f32::INFINITY,
        f32::NAN,
        0.5,
        1.0,
        1e6,
        1e-45,
        4.534_714_7,
        0.500_323_4,
    ];
    let special: Vec<f32> = SPECIAL.into_iter().flat_map(|x| [x, -x]).collect();
    let all = (0..=0x7f80_0001u32).step_by(step * PIECE).map(move |start| {
        let last = u32::try_from(step * PIECE - 1).unwrap_or(u32::MAX);
        let bits = (start..=0x7f80_0001.min(start.saturating_add(last))).step_by(step);
        bits.flat_map(|b| [f32::from_bits(b), -f32::from_bits(b)]).collect()
    });
    std::iter::once(special).chain(all)
}

#[track_caller]
fn check_step<O: Function>(step: usize, bound: f64, op: O, exact: fn(f64) -> f64) {
    let mut worst = [(0.0, 0.0); 3];
    for x in pieces(step) {
        let want: Vec<f64> = x.iter().map(|&x| exact(x.into())).collect();
        for (got, worst) in at_levels(op, &x).iter().zip(&mut worst) {
            for ((&x, &got), &want) in x.iter().zip(got).zip(&want) {
                let error = ulps(got, want);
                if error > worst.0 {
                    *worst = (error, x);
                }
                assert!(error <= bound, "at {x:e}: got {got:e}, want {want:e}, off by {error} ulp");
                let zero = want == 0.0 && got == 0.0;
                assert!(!zero || got.is_sign_negative() == want.is_sign_negative(), "sign at {x}");
            }
        }
    }
    println!("{:8} worst error in ulp, and where: {worst:?}", std::any::type_name::<O>());
}

/// The functions, with the error in ulp that their documentation states.
fn check_all(step: usize) {
    check_step(step, 1.0, Exp, f64::exp);
    check_step(step, 2.0, Expm1, f64::exp_m1);
    check_step(step, 1.0, Ln, f64::ln);
    check_step(step, 1.5, Ln1p, f64::ln_1p);
    check_step(step, 1.5, Tanh, f64::tanh);
    check_step(step, 2.5, Sigmoid, double::sigmoid::<false>);
    check_step(step, 1.5, Erf, double::erf::<false>);
    check_step(step, 5.0, Erfc, double::erfc::<false>);
    check_step(step, 5.0, Normal, |x| double::normal::<false>(x).0);
    check_step(step, 1.0, Bell, |x| (-0.5 * x * x).exp());
    check_step(step, 1.75, Sin, f64::sin);
    check_step(step, 1.75, Cos, f64::cos);
}

#[test]
fn functions_are_within_their_bounds_over_the_whole_range() {
    check_all(499 * less());
}

#[test]
#[ignore = "all f32: some 25 minutes"]
fn functions_are_within_their_bounds_for_every_f32() {
    check_all(1);
}

/// All f32 from `low` to `high`, of one sign.
fn every(low: f32, high: f32) -> Vec<f32> {
    let (a, b) = (low.to_bits(), high.to_bits());
    let bits = (a.min(b)..=a.max(b)).step_by(less());
    let mut all: Vec<f32> = bits.map(f32::from_bits).collect();
    all.sort_by(f32::total_cmp);
    all
}

#[test]
fn tails_never_turn_back() {
    fn rising<O: Function>(op: O, low: f32, high: f32) {
        let x = every(low, high);
        for y in at_levels(op, &x) {
            for (i, pair) in y.windows(2).enumerate() {
                assert!(pair[0] <= pair[1], "{} at {:e}", std::any::type_name::<O>(), x[i]);
            }
        }
    }
    rising(Exp, -104.5, -87.0);
    rising(Sigmoid, -104.5, -88.0);
    rising(Sigmoid, 14.0, 20.0);
    rising(Tanh, 8.0, 10.0);
    rising(Erf, 3.7, 4.5);
    rising(Normal, 5.0, 7.0);
    rising(Ln, 1e38, f32::MAX);
}

#[test]
fn exact_values_are_exact() {
    for y in at_levels(Exp, &[0.0f32, -0.0]) {
        assert_eq!(y, [1.0, 1.0]);
    }
    for y in at_levels(Cos, &[0.0f32]).into_iter().chain(at_levels(Erfc, &[0.0])) {
        assert_eq!(y, [1.0]);
    }
    for y in at_levels(Normal, &[0.0f32, 40.0, -40.0]) {
        assert_eq!(y, [0.5, 1.0, 0.0]);
    }
    for y in at_levels(Normal, &[0.0f64, 40.0, -40.0]) {
        assert_eq!(y, [0.5, 1.0, 0.0]);
    }
}

/// What C99, Annex F.9.4.4, says about `pow`, in numbers: base, exponent, power.
pub(super) const SPECIAL_POWERS: [[f64; 3]; 46] = {
    const INF: f64 = f64::INFINITY;
    const NAN: f64 = f64::NAN;
    [
        // ±0 and odd or other negative exponents: a pole.
        [0.0, -3.0, INF],
        [-0.0, -3.0, -INF],
        [0.0, -2.0, INF],
        [-0.0, -2.0, INF],
        [0.0, -0.5, INF],
        [-0.0, -0.5, INF],
        [0.0, -INF, INF],
        [-0.0, -INF, INF],
        // ±0 and positive exponents.
        [0.0, 3.0, 0.0],
        [-0.0, 3.0, -0.0],
        [0.0, 2.0, 0.0],
        [-0.0, 2.0, 0.0],
        [-0.0, 0.5, 0.0],
        [-0.0, INF, 0.0],
        // -1 to the infinities; 1 to anything, anything to ±0.
        [-1.0, INF, 1.0],
        [-1.0, -INF, 1.0],
        [1.0, NAN, 1.0],
        [1.0, INF, 1.0],
        [NAN, 0.0, 1.0],
        [NAN, -0.0, 1.0],
        [INF, 0.0, 1.0],
        [-0.0, 0.0, 1.0],
        [-7.0, -0.0, 1.0],
        // A negative base has no root.
        [-2.0, 0.5, NAN],
        [-1e-30, 1.5, NAN],
        [-3.0, -0.25, NAN],
        // Infinite exponents.
        [0.5, -INF, INF],
        [-0.5, -INF, INF],
        [2.0, -INF, 0.0],
        [-2.0, -INF, 0.0],
        [0.5, INF, 0.0],
        [-0.5, INF, 0.0],
        [2.0, INF, INF],
        [-2.0, INF, INF],
        // Infinite bases.
        [-INF, -3.0, -0.0],
        [-INF, -2.0, 0.0],
        [-INF, -0.5, 0.0],
        [-INF, 3.0, -INF],
        [-INF, 2.0, INF],
        [-INF, 0.5, INF],
        [INF, -0.5, 0.0],
        [INF, 0.5, INF],
        // NaN otherwise.
        [NAN, 2.0, NAN],
        [2.0, NAN, NAN],
        [-1.0, NAN, NAN],
        [0.0, NAN, NAN],
    ]
};

/// Interesting bases and exponents: both signs, integers odd and even, halves, extremes.
pub(super) const NUMBERS: [f64; 28] = [
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
    0.999_999_940_395_355_2,
    1.000_000_119_209_289_6,
    127.5,
    -149.0,
    1e-45,
    -1e-45,
    1e38,
    -1e38,
    8_388_609.0,
    -8_388_609.0,
    4_503_599_627_370_497.0,
    9_007_199_254_740_991.0,
    9_007_199_254_740_992.0,
    f64::INFINITY,
    f64::NEG_INFINITY,
    f64::NAN,
];

#[test]
fn powf_has_the_special_cases_of_c() {
    for [x, y, want] in SPECIAL_POWERS {
        let got = powf(x as f32, y as f32);
        let same = got.to_bits() == (want as f32).to_bits() || got.is_nan() && want.is_nan();
        assert!(same, "{x:e} ^ {y:e}: got {got:e}, want {want:e}");
    }
    for (x, y) in NUMBERS.into_iter().flat_map(|x| NUMBERS.map(|y| (x as f32, y as f32))) {
        let (got, want) = (powf(x, y), f64::from(x).powf(y.into()));
        assert!(ulps(got, want) <= 0.6, "{x:e} ^ {y:e}: got {got:e}, want {want:e}");
        let sign = got.is_sign_negative() == want.is_sign_negative();
        assert!(want.is_nan() || sign, "{x:e} ^ {y:e}");
    }
}

#[test]
fn powf_is_within_a_little_more_than_half_an_ulp() {
    for x in pieces(200_003 * less()).flatten() {
        let y = (0..0x7f80_0000u32).step_by(100_000_007).map(f32::from_bits);
        for y in y.flat_map(|y| [y, -y]).chain([2.5, -0.3, 3.0, 1e-3]) {
            let (got, want) = (powf(x, y), f64::from(x).powf(f64::from(y)));
            assert!(ulps(got, want) <= 0.6, "{x:e} ^ {y:e}: got {got:e}, want {want:e}");
        }
    }
}
