//! Uniform numbers: `f32` from 24 bits of one word, `f64` from 53 bits of two.

use super::fill::fill_each;
use super::{Generator, rng_state, set_rng_state};
use crate::{Array, DType, Shape};
use half::{bf16, f16};

impl Array {
    /// Numbers from `[0, 1)` in `f32` (`torch.rand`), from the default generator.
    ///
    /// ```
    /// use gradus_tensor::Array;
    /// let x = Array::rand([2, 3]);
    /// assert!(x.to_vec::<f32>().iter().all(|v| (0.0..1.0).contains(v)));
    /// ```
    #[track_caller]
    pub fn rand(shape: impl Into<Shape>) -> Array {
        let mut generator = rng_state();
        let drawn = Array::rand_with(shape, DType::F32, &mut generator);
        set_rng_state(generator);
        drawn
    }
    /// Numbers from `[0, 1)`.
    ///
    /// # Panics
    /// If `dtype` is not floating point.
    #[track_caller]
    pub fn rand_with(shape: impl Into<Shape>, dtype: DType, generator: &mut Generator) -> Array {
        Array::uniform_with(0.0, 1.0, shape, dtype, generator)
    }
    /// Numbers from `[low, high)` (`torch.Tensor.uniform_`).
    ///
    /// ```text
    /// y = low + (high − low)·u,   u = k/2²⁴ (f64: k/2⁵³)
    /// ```
    /// # Numerics
    /// Computed in f64 and rounded once to `dtype`; what would round to `high` becomes the number
    /// below it. If no number of `dtype` lies below `high` and not below `low`, all elements are `low`.
    ///
    /// # Panics
    /// If `dtype` is not floating point, or not `low <= high`, or `high − low` is not finite.
    #[track_caller]
    pub fn uniform_with(
        low: f64,
        high: f64,
        shape: impl Into<Shape>,
        dtype: DType,
        generator: &mut Generator,
    ) -> Array {
        drawn([low, high], shape.into(), dtype, generator)
    }
}

#[track_caller]
fn drawn([low, high]: [f64; 2], shape: Shape, dtype: DType, generator: &mut Generator) -> Array {
    let range = high - low;
    assert!(range >= 0.0 && range.is_finite(), "uniform: [{low}, {high}) is not a finite range");
    let narrow = move |draw: [u8; 4]| low + range * from_24_bits(draw);
    match dtype {
        DType::F32 => {
            let last = below(high, low, high as f32, f32::next_down);
            let map = |draw| (narrow(draw) as f32).min(last);
            Array::build(shape, |out| fill_each(generator, out, map))
        }
        DType::F16 => {
            let next_down = |v: f16| f16::from_bits(bits_below(v.to_bits()));
            let last = below(high, low, f16::from_f64(high), next_down);
            let map = |draw| f16::from_f32(narrow(draw) as f32).min(last);
            Array::build(shape, |out| fill_each(generator, out, map))
        }
        DType::Bf16 => {
            let next_down = |v: bf16| bf16::from_bits(bits_below(v.to_bits()));
            let last = below(high, low, bf16::from_f64(high), next_down);
            let map = |draw| bf16::from_f32(narrow(draw) as f32).min(last);
            Array::build(shape, |out| fill_each(generator, out, map))
        }
        DType::F64 => {
            let last = below(high, low, high, f64::next_down);
            let map = |draw| (low + range * from_53_bits(draw)).min(last);
            Array::build(shape, |out| fill_each(generator, out, map))
        }
        DType::Bool | DType::U8 | DType::I64 => {
            panic!("uniform: {dtype} is not floating point; randint_with draws integers")
        }
    }
}

/// `k/2²⁴`: the upper bits of a word.
#[inline(always)]
fn from_24_bits(draw: [u8; 4]) -> f64 {
    // As i32: baseline x86-64 has no vector conversion from u32.
    f64::from((u32::from_le_bytes(draw) >> 8) as i32) * 2f64.powi(-24)
}

/// `k/2⁵³`: the upper bits of two words.
#[inline(always)]
fn from_53_bits(draw: [u8; 8]) -> f64 {
    (u64::from_le_bytes(draw) >> 11) as f64 * 2f64.powi(-53)
}

/// The largest number below `high` that is not below `low`; `rounded` is `high` in the dtype.
fn below<T: crate::Element>(high: f64, low: f64, rounded: T, next_down: impl Fn(T) -> T) -> T {
    let last = if rounded.to_f64() >= high { next_down(rounded) } else { rounded };
    let first = T::of(crate::Scalar::Float(low));
    if last < first { first } else { last }
}

/// The next lower number of a half type: its bits are ordered as its magnitudes are.
fn bits_below(bits: u16) -> u16 {
    const SIGN: u16 = 0x8000;
    match bits {
        0 | SIGN => SIGN | 1,
        _ if bits & SIGN == 0 => bits - 1,
        _ => bits + 1,
    }
}
