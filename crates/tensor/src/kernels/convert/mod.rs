//! From one element type to another.
//!
//! Narrowing floats rounds to nearest, ties to even; NaN stays NaN. Floats become integers by
//! truncation, saturating at the ends (NaN gives 0); integers wrap. What is not 0 is true, NaN too.

use super::dispatch::{self, Kernel};
use super::level::{Level, level};
use half::{bf16, f16};
use std::mem::MaybeUninit;

#[cfg(target_arch = "x86_64")]
mod hardware;
#[cfg(test)]
mod tests;

/// An element type that others convert to and from.
pub trait Value: Copy + Send + Sync + 'static {
    /// Whether loops over it are worth an instruction level: the floats that training converts.
    #[doc(hidden)]
    const HOT: bool;
}

/// One element as another type.
pub trait Convert<To>: Value {
    /// The conversion.
    fn convert(self) -> To;
    /// A whole slice by instructions that no loop over [`Convert::convert`] becomes; `None` if `level` has
    /// none.
    #[doc(hidden)]
    fn by_instruction(level: Level, x: &[Self], y: &mut [MaybeUninit<To>]) -> Option<()> {
        let _ = (level, x, y);
        None
    }
}

/// `y[i] = x[i]` as another type.
///
/// # Panics
///
/// If the lengths differ.
pub fn convert<A: Convert<B>, B: Value>(x: &[A], y: &mut [MaybeUninit<B>]) {
    convert_at(level(), x, y);
}

/// [`convert`] with the instructions of `level`.
#[doc(hidden)]
pub fn convert_at<A: Convert<B>, B: Value>(level: Level, x: &[A], y: &mut [MaybeUninit<B>]) {
    assert_eq!(x.len(), y.len(), "input and output differ in length");
    if A::by_instruction(level, x, y).is_some() {
        return;
    }
    if A::HOT && B::HOT { dispatch::run_at(level, Each { x, y }) } else { each(x, y) }
}

/// Element by element.
fn each<A: Convert<B>, B: Value>(x: &[A], y: &mut [MaybeUninit<B>]) {
    Each { x, y }.run::<false>();
}

struct Each<'a, A, B> {
    x: &'a [A],
    y: &'a mut [MaybeUninit<B>],
}

impl<A: Convert<B>, B: Value> Kernel for Each<'_, A, B> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(self) {
        for (x, y) in self.x.iter().zip(self.y) {
            y.write(x.convert());
        }
    }
}

/// `f16` to `f32`, exactly and without a branch.
#[inline(always)]
fn f16_to_f32(x: f16) -> f32 {
    let bits = u32::from(x.to_bits());
    let size = (bits & 0x7fff) << 13;
    // The exponents differ in their bias, 15 and 127; a product also sets subnormals right.
    let finite = (f32::from_bits(size) * 2f32.powi(112)).to_bits();
    // NaN becomes quiet, as by the instruction.
    let quiet = if bits & 0x03ff == 0 { 0 } else { 0x0040_0000 };
    let special = size | 0x7f80_0000 | quiet;
    let size = if bits & 0x7c00 == 0x7c00 { special } else { finite };
    f32::from_bits(size | ((bits & 0x8000) << 16))
}

/// `f32` to the nearest `f16`, ties to even, without a branch.
#[inline(always)]
fn f32_to_f16(x: f32) -> f16 {
    let size = x.to_bits() & 0x7fff_ffff;
    let sign = (x.to_bits() >> 16) & 0x8000;
    // Change of bias, and half a unit less one, and one more if odd; then cut 13 bits off.
    let odd = (size >> 13) & 1;
    let normal = size.wrapping_sub(112 << 23).wrapping_add(0x0fff).wrapping_add(odd) >> 13;
    // Below 2⁻¹⁴ the unit is 2⁻²⁴, the last place of ½: the sum rounds as it should.
    let subnormal = (f32::from_bits(size) + 0.5).to_bits().wrapping_sub(0.5f32.to_bits());
    let nan = 0x7e00 | ((size >> 13) & 0x03ff);
    let result = if size < 0x3880_0000 { subnormal } else { normal };
    let result = if size >= 0x4780_0000 { 0x7c00 } else { result };
    let result = if size > 0x7f80_0000 { nan } else { result };
    f16::from_bits((result | sign) as u16)
}

/// `bf16` to `f32`, exactly.
#[inline(always)]
fn bf16_to_f32(x: bf16) -> f32 {
    f32::from_bits(u32::from(x.to_bits()) << 16)
}

/// `f32` to the nearest `bf16`, ties to even; unlike the instruction it keeps subnormals.
#[inline(always)]
fn f32_to_bf16(x: f32) -> bf16 {
    let bits = x.to_bits();
    let rounded = bits.wrapping_add(0x7fff).wrapping_add((bits >> 16) & 1) >> 16;
    // Rounding could carry a NaN into an infinity.
    let nan = (bits >> 16) | 0x0040;
    bf16::from_bits((if x.is_nan() { nan } else { rounded }) as u16)
}

macro_rules! values {
    ($($T:ident $hot:literal;)*) => {$(
        impl Value for $T {
            const HOT: bool = $hot;
        }
    )*};
}
values! { f32 true; f64 false; f16 true; bf16 true; i64 false; u8 false; bool false; }

/// `f16` has instructions.
macro_rules! by_instruction {
    ($($A:ident to $B:ident: $convert:ident, $slice:ident;)*) => {$(
        impl Convert<$B> for $A {
            #[inline(always)]
            fn convert(self) -> $B {
                $convert(self)
            }
            #[cfg(target_arch = "x86_64")]
            fn by_instruction(level: Level, x: &[$A], y: &mut [MaybeUninit<$B>]) -> Option<()> {
                hardware::$slice(level, x, y)
            }
        }
    )*};
}
by_instruction! {
    f16 to f32: f16_to_f32, widen;
    f32 to f16: f32_to_f16, narrow;
}

macro_rules! conversions {
    ($($A:ident { $($B:ident $x:ident => $result:expr;)* })*) => {$($(
        impl Convert<$B> for $A {
            #[inline(always)]
            fn convert(self) -> $B {
                let $x = self;
                $result
            }
        }
    )*)*};
}
conversions! {
    f32 {
        f32 x => x;
        f64 x => x.into();
        bf16 x => f32_to_bf16(x);
        i64 x => x as i64;
        u8 x => x as u8;
        bool x => x != 0.0;
    }
    f64 {
        f32 x => x as f32;
        f64 x => x;
        f16 x => f32_to_f16(x as f32);
        bf16 x => f32_to_bf16(x as f32);
        i64 x => x as i64;
        u8 x => x as u8;
        bool x => x != 0.0;
    }
    f16 {
        f64 x => f16_to_f32(x).into();
        f16 x => x;
        bf16 x => f32_to_bf16(f16_to_f32(x));
        i64 x => f16_to_f32(x) as i64;
        u8 x => f16_to_f32(x) as u8;
        bool x => f16_to_f32(x) != 0.0;
    }
    bf16 {
        f32 x => bf16_to_f32(x);
        f64 x => bf16_to_f32(x).into();
        f16 x => f32_to_f16(bf16_to_f32(x));
        bf16 x => x;
        i64 x => bf16_to_f32(x) as i64;
        u8 x => bf16_to_f32(x) as u8;
        bool x => bf16_to_f32(x) != 0.0;
    }
    i64 {
        f32 x => x as f32;
        f64 x => x as f64;
        f16 x => f32_to_f16(x as f32);
        bf16 x => f32_to_bf16(x as f32);
        i64 x => x;
        u8 x => x as u8;
        bool x => x != 0;
    }
    u8 {
        f32 x => x.into();
        f64 x => x.into();
        f16 x => f32_to_f16(x.into());
        bf16 x => f32_to_bf16(x.into());
        i64 x => x.into();
        u8 x => x;
        bool x => x != 0;
    }
    bool {
        f32 x => u8::from(x).into();
        f64 x => u8::from(x).into();
        f16 x => f32_to_f16(u8::from(x).into());
        bf16 x => f32_to_bf16(u8::from(x).into());
        i64 x => x.into();
        u8 x => x.into();
        bool x => x;
    }
}
