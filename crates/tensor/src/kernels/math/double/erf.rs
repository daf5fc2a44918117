//! The error function, its complement and the normal distribution, in f64.

use super::exp::exp_of_sum;
use super::{mul_add, polynomial, upper};

/// `erf x = x + x·P(x²)` on `|x| ≤ 1`, relative error 7·10⁻¹⁸.
const P: [f64; 12] = [
    0.128_379_167_095_512_56,
    -0.376_126_389_031_835_2,
    0.112_837_916_709_441_84,
    -0.026_866_170_643_111_472,
    0.005_223_977_606_118_584_5,
    -0.000_854_832_592_932_225_5,
    0.000_120_552_935_771_834_63,
    -1.492_471_230_815_566_7e-5,
    1.644_713_165_381_754e-6,
    -1.620_631_443_093_992_5e-7,
    1.371_098_344_596_252_6e-8,
    -7.779_474_387_671_032e-10,
];

/// `e^(x²)·erfc x = G((x − K)/(x + K)) / (x + K)` on `0 ≤ x ≤ 28`, relative error 1.7·10⁻¹⁶.
///
/// The form, which makes `G` almost constant, is of Shepherd & Laframboise 1981, Math. Comp. 36.
const G: [f64; 23] = [
    1.091_922_909_562_789_1,
    -0.958_741_576_652_909_6,
    0.736_318_925_221_750_9,
    -0.490_470_291_207_676_55,
    0.279_062_049_033_830_3,
    -0.131_955_401_178_611_88,
    0.049_118_778_614_200_054,
    -0.012_535_880_039_714_248,
    0.000_986_338_092_760_368_8,
    0.000_794_823_087_609_681_1,
    -0.000_348_646_952_126_402_5,
    1.059_404_944_274_498_7e-5,
    3.747_218_704_059_233_4e-5,
    -8.904_108_312_706_035e-6,
    -3.290_965_025_288_431_7e-6,
    1.656_254_302_138_738_5e-6,
    2.829_635_908_090_605_5e-7,
    -2.635_728_998_769_735e-7,
    -3.084_256_896_851_222e-8,
    3.944_456_319_832_758e-8,
    6.014_503_857_995_344e-9,
    -4.311_757_757_480_715e-9,
    -1.166_710_076_896_871_4e-9,
];
const K: f64 = 3.75;

/// `erf x` for `|x| ≤ 1`.
#[inline(always)]
fn near<const FMA: bool>(x: f64) -> f64 {
    mul_add::<FMA>(x, polynomial::<FMA, 12>(P, x * x), x)
}

/// `e^(x²)·erfc x` for `x ≥ 0`.
#[inline(always)]
fn scaled<const FMA: bool>(x: f64) -> f64 {
    // Above, erfc is 0, and inf / inf must not happen.
    let x = if x > 28.0 { 28.0 } else { x };
    let w = 1.0 / (x + K);
    polynomial::<FMA, 23>(G, (x - K) * w) * w
}

/// `e^(−c·x²)` for `c` = 1 or ½. The square has two parts, the first exact: its rounding would cost
/// 10⁻¹³ at x = 26.
#[inline(always)]
fn bell<const FMA: bool>(x: f64, c: f64) -> f64 {
    let high = upper(x);
    exp_of_sum::<FMA>(-c * high * high, -c * (x - high) * (x + high))
}

/// `erf x`, within 1.5 ulp.
#[inline(always)]
pub(crate) fn erf<const FMA: bool>(x: f64) -> f64 {
    let size = x.abs();
    let far = 1.0 - bell::<FMA>(size, 1.0) * scaled::<FMA>(size);
    if size < 1.0 { near::<FMA>(x) } else { far.copysign(x) }
}

/// `erfc x = 1 − erf x` without cancellation, within 5 ulp where the result is normal.
#[inline(always)]
pub(crate) fn erfc<const FMA: bool>(x: f64) -> f64 {
    let size = x.abs();
    let tail = bell::<FMA>(size, 1.0) * scaled::<FMA>(size);
    let far = if x < 0.0 { 2.0 - tail } else { tail };
    if size < 0.5 { 1.0 - near::<FMA>(x) } else { far }
}

/// `Φ(x) = ½·erfc(−x/√2)` and `e^(−x²/2)`, without cancellation in either tail.
#[inline(always)]
pub(crate) fn normal<const FMA: bool>(x: f64) -> (f64, f64) {
    let size = x.abs();
    let t = x * std::f64::consts::FRAC_1_SQRT_2;
    let e = bell::<FMA>(size, 0.5);
    let tail = 0.5 * e * scaled::<FMA>(t.abs());
    let far = if x < 0.0 { tail } else { 1.0 - tail };
    (if size < 0.75 { mul_add::<FMA>(0.5, near::<FMA>(t), 0.5) } else { far }, e)
}
