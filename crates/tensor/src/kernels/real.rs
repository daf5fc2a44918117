//! The arithmetic that a formula may use, whatever the element type and the instruction level.

use super::element::Lane;
use super::math;
use std::fmt::Debug;
use std::ops::{Add, Div, Mul, Neg, Sub};

/// One real number inside a kernel.
///
/// Formulas are written once, over this trait; the loops instantiate them with [`Num`] for each
/// element type and instruction level. All functions but `sin` and `cos` are branch-free, so that
/// loops over them become vector code.
pub trait Real:
    Copy
    + Debug
    + Default
    + PartialOrd
    + Send
    + Sync
    + 'static
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
{
    /// The number nearest to `v`.
    fn of(v: f64) -> Self;
    /// This number, exactly.
    fn to_f64(self) -> f64;
    /// `self·b + c`: one fused instruction where the level has it, else two roundings.
    fn mul_add(self, b: Self, c: Self) -> Self;
    /// `|x|`.
    fn abs(self) -> Self;
    /// `√x`, correctly rounded.
    fn sqrt(self) -> Self;
    /// The largest integer not above.
    fn floor(self) -> Self;
    /// The smallest integer not below.
    fn ceil(self) -> Self;
    /// The nearest integer, ties to even, as PyTorch's `round`.
    fn round(self) -> Self;
    /// The integer part.
    fn trunc(self) -> Self;
    /// The size of `self` with the sign of `sign`.
    fn copysign(self, sign: Self) -> Self;
    /// Whether this is not a number.
    fn is_nan(self) -> bool;
    /// `eˣ`, within 1 ulp.
    fn exp(self) -> Self;
    /// `eˣ − 1`, within 2 ulp.
    fn expm1(self) -> Self;
    /// `ln x`, within 1 ulp.
    fn ln(self) -> Self;
    /// `ln(1 + x)`, within 1.5 ulp.
    fn ln_1p(self) -> Self;
    /// `tanh x`; f32: within 1.5 ulp, f64: within 2.5 ulp.
    fn tanh(self) -> Self;
    /// `1 / (1 + e⁻ˣ)`, within 2.5 ulp.
    fn sigmoid(self) -> Self;
    /// `sin x`; f32: within 1.75 ulp, f64: within 1 ulp. It branches: a formula of an op uses
    /// [`Real::sin_near`] with [`Rare::is_rare`](super::element::Rare::is_rare).
    fn sin(self) -> Self;
    /// `cos x`, as [`Real::sin`].
    fn cos(self) -> Self;
    /// `sin x` where [`Real::is_far`] says no.
    fn sin_near(self) -> Self;
    /// `cos x` where [`Real::is_far`] says no.
    fn cos_near(self) -> Self;
    /// Whether an angle is too large for [`Real::sin_near`] and [`Real::cos_near`]: above 10⁶.
    #[inline(always)]
    fn is_far(self) -> bool {
        self.abs() > Self::of(math::NEAR)
    }
    /// `xʸ` with the special cases of C's `pow`; f32: within 0.6 ulp, f64: within 1 ulp.
    fn powf(self, y: Self) -> Self;
    /// `erf x`, within 1.5 ulp.
    fn erf(self) -> Self;
    /// `1 − erf x` without cancellation, within 5 ulp where the result is normal.
    fn erfc(self) -> Self;
    /// `Φ(x) = ½·erfc(−x/√2)`, the distribution function of the normal distribution, and `e^(−x²/2)`;
    /// without cancellation in either tail, within 5 ulp where the result is normal.
    fn normal(self) -> (Self, Self);

    /// A function that only exists in f64, for the rare op: `x.wide(f64::atan)`.
    #[inline(always)]
    fn wide(self, f: impl Fn(f64) -> f64) -> Self {
        Self::of(f(self.to_f64()))
    }

    /// `1 / x`.
    #[inline(always)]
    fn recip(self) -> Self {
        Self::of(1.0) / self
    }

    /// The larger one; NaN if either is NaN, as PyTorch's `maximum`.
    #[inline(always)]
    fn maximum(self, other: Self) -> Self {
        Self::select((self > other) | self.is_nan(), self, other)
    }

    /// The smaller one; NaN if either is NaN, as PyTorch's `minimum`.
    #[inline(always)]
    fn minimum(self, other: Self) -> Self {
        Self::select((self < other) | self.is_nan(), self, other)
    }

    /// `yes` if `condition`, else `no`; both are computed.
    #[inline(always)]
    fn select(condition: bool, yes: Self, no: Self) -> Self {
        if condition { yes } else { no }
    }
}

/// A number of type `T` at an instruction level with (`FMA`) or without fused multiply-add.
///
/// The level is part of the type because `f32::mul_add` is a slow library call where the CPU, as
/// far as the compiler knows, lacks the instruction.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
#[repr(transparent)]
pub struct Num<T, const FMA: bool>(pub T);

/// A floating element type: `f32` or `f64`.
pub trait Float: Lane {
    /// The number that formulas calculate with.
    type Real<const FMA: bool>: Real;
    /// Enters a formula.
    fn wrap<const FMA: bool>(self) -> Self::Real<FMA>;
    /// Leaves a formula.
    fn unwrap<const FMA: bool>(number: Self::Real<FMA>) -> Self;
    /// The element in f64, exactly.
    fn wide(self) -> f64;
}

/// Elements that enter a formula together. A loop, because the functions of arrays in the standard library are not always
/// inlined, and one that is not has none of the level's instructions.
#[inline(always)]
pub(super) fn wrapped<T: Float, const FMA: bool, const N: usize>(
    block: &[T; N],
) -> [T::Real<FMA>; N] {
    let mut numbers = [T::Real::<FMA>::of(0.0); N];
    for j in 0..N {
        numbers[j] = block[j].wrap::<FMA>();
    }
    numbers
}

/// Numbers that leave a formula together.
#[inline(always)]
pub(super) fn unwrapped<T: Float, const FMA: bool, const N: usize>(
    numbers: &[T::Real<FMA>; N],
) -> [T; N] {
    let mut block = [T::default(); N];
    for j in 0..N {
        block[j] = T::unwrap::<FMA>(numbers[j]);
    }
    block
}

macro_rules! operator {
    ($($Trait:ident $method:ident)*) => {$(
        impl<T: $Trait<Output = T>, const FMA: bool> $Trait for Num<T, FMA> {
            type Output = Self;
            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                Self(self.0.$method(other.0))
            }
        }
    )*};
}
operator!(Add add Sub sub Mul mul Div div);

impl<T: Neg<Output = T>, const FMA: bool> Neg for Num<T, FMA> {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        Self(-self.0)
    }
}

/// `Float` and `Real` of one type; each `method = function` takes and returns one number.
macro_rules! real {
    ($T:ident, $($method:ident = $function:expr;)*) => {
        impl Float for $T {
            type Real<const FMA: bool> = Num<$T, FMA>;
            #[inline(always)]
            fn wrap<const FMA: bool>(self) -> Num<$T, FMA> {
                Num(self)
            }
            #[inline(always)]
            fn unwrap<const FMA: bool>(number: Num<$T, FMA>) -> $T {
                number.0
            }
            #[inline(always)]
            fn wide(self) -> f64 {
                self.into()
            }
        }

        impl<const FMA: bool> Real for Num<$T, FMA> {
            #[inline(always)]
            fn of(v: f64) -> Self {
                Self(v as $T)
            }
            #[inline(always)]
            fn to_f64(self) -> f64 {
                self.0.into()
            }
            #[inline(always)]
            fn mul_add(self, b: Self, c: Self) -> Self {
                Self(if FMA { self.0.mul_add(b.0, c.0) } else { self.0 * b.0 + c.0 })
            }
            #[inline(always)]
            fn copysign(self, sign: Self) -> Self {
                Self(self.0.copysign(sign.0))
            }
            #[inline(always)]
            fn is_nan(self) -> bool {
                self.0.is_nan()
            }
            #[inline(always)]
            fn powf(self, y: Self) -> Self {
                Self(real!(@powf $T)(self.0, y.0))
            }
            #[inline(always)]
            fn normal(self) -> (Self, Self) {
                let (distribution, bell) = real!(@normal $T)(self.0);
                (Self(distribution), Self(bell))
            }
            $(
                #[inline(always)]
                fn $method(self) -> Self {
                    Self($function(self.0))
                }
            )*
        }
    };
    (@powf f32) => { math::powf };
    (@powf f64) => { math::double::powf::<FMA> };
    (@normal f32) => { math::normal::<FMA> };
    (@normal f64) => { math::double::normal::<FMA> };
}

real! { f32,
    abs = f32::abs;
    sqrt = f32::sqrt;
    floor = f32::floor;
    ceil = f32::ceil;
    round = f32::round_ties_even;
    trunc = f32::trunc;
    exp = math::exp::<FMA>;
    expm1 = math::expm1::<FMA>;
    ln = math::ln::<FMA>;
    ln_1p = math::ln_1p::<FMA>;
    tanh = math::tanh::<FMA>;
    sigmoid = math::sigmoid::<FMA>;
    sin = math::sin::<FMA>;
    cos = math::cos::<FMA>;
    sin_near = math::sin_near::<FMA>;
    cos_near = math::cos_near::<FMA>;
    erf = math::erf::<FMA>;
    erfc = math::erfc::<FMA>;
}

real! { f64,
    abs = f64::abs;
    sqrt = f64::sqrt;
    floor = f64::floor;
    ceil = f64::ceil;
    round = f64::round_ties_even;
    trunc = f64::trunc;
    exp = math::double::exp::<FMA>;
    expm1 = math::double::expm1::<FMA>;
    ln = math::double::ln::<FMA>;
    ln_1p = math::double::ln_1p::<FMA>;
    tanh = math::double::tanh::<FMA>;
    sigmoid = math::double::sigmoid::<FMA>;
    sin = math::double::sin::<FMA>;
    cos = math::double::cos::<FMA>;
    sin_near = math::double::sin_near::<FMA>;
    cos_near = math::double::cos_near::<FMA>;
    erf = math::double::erf::<FMA>;
    erfc = math::double::erfc::<FMA>;
}
