//! Random integers and orders, from two words each.

use super::fill::{TILE, fill_each};
use super::{Generator, rng_state, set_rng_state};
use crate::element::dispatch;
use crate::{Array, DType, Element, Scalar, Shape};

impl Array {
    /// Integers from `low..high` in `i64` (`torch.randint`), from the default generator.
    ///
    /// # Panics
    /// If not `low < high`.
    #[track_caller]
    pub fn randint(low: i64, high: i64, shape: impl Into<Shape>) -> Array {
        let mut generator = rng_state();
        let drawn = Array::randint_with(low, high, shape, DType::I64, &mut generator);
        set_rng_state(generator);
        drawn
    }
    /// Integers from `low..high`.
    ///
    /// ```text
    /// y = low + ⌊(high − low)·k/2⁶⁴⌋
    /// ```
    /// # Numerics
    /// The probabilities of two integers differ by at most a factor of `1 + (high − low)/2⁶⁴`.
    ///
    /// # Panics
    /// If not `low < high`, or if `dtype` does not hold `low` and `high − 1`.
    ///
    /// # Example
    /// ```
    /// use gradus_tensor::{Array, DType, Generator};
    /// let dice = Array::randint_with(1, 7, 100, DType::U8, &mut Generator::new(1));
    /// assert!(dice.to_vec::<u8>().iter().all(|v| (1..=6).contains(v)));
    /// ```
    #[track_caller]
    pub fn randint_with(
        low: i64,
        high: i64,
        shape: impl Into<Shape>,
        dtype: DType,
        generator: &mut Generator,
    ) -> Array {
        drawn([low, high], shape.into(), dtype, generator)
    }
    /// The numbers `0..n` in a random order (`torch.randperm`), from the default generator.
    ///
    /// ```
    /// use gradus_tensor::Array;
    /// let mut order = Array::randperm(5).to_vec::<i64>();
    /// order.sort();
    /// assert_eq!(order, [0, 1, 2, 3, 4]);
    /// ```
    #[track_caller]
    pub fn randperm(n: usize) -> Array {
        let mut generator = rng_state();
        let drawn = Array::randperm_with(n, &mut generator);
        set_rng_state(generator);
        drawn
    }
    /// The numbers `0..n` in a random order, each order equally likely.
    pub fn randperm_with(n: usize, generator: &mut Generator) -> Array {
        Array::build(n, |out: &mut [i64]| {
            out.iter_mut().zip(0..).for_each(|(o, i)| *o = i);
            generator.shuffle(out);
        })
    }
}

#[track_caller]
fn drawn([low, high]: [i64; 2], shape: Shape, dtype: DType, generator: &mut Generator) -> Array {
    assert!(low < high, "randint: {low}..{high} is empty");
    let range = high.wrapping_sub(low) as u64;
    dispatch!(dtype, T => {
        let held = |v| T::of(Scalar::Int(v)).to_f64() == v as f64;
        assert!(held(low) && held(high - 1), "randint: {dtype} does not hold {low}..{high}");
        let map = |draw| T::of(Scalar::Int(low.wrapping_add(scaled(draw, range) as i64)));
        Array::build::<T>(shape, |out| fill_each(generator, out, map))
    })
}

impl Generator {
    /// Put `items` in a random order, each order equally likely.
    ///
    /// ```
    /// use gradus_tensor::Generator;
    /// let mut cards = ["ace", "king", "queen"];
    /// Generator::new(3).shuffle(&mut cards);
    /// ```
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        // Fisher-Yates from the end: place i takes one of the items 0..=i.
        let (mut draws, mut left) = ([[0; 8]; TILE], items.len());
        while left > 1 {
            let count = (left - 1).min(TILE);
            fill_each(self, &mut draws[..count], |draw| draw);
            for &draw in &draws[..count] {
                left -= 1;
                items.swap(left, scaled(draw, left as u64 + 1) as usize);
            }
        }
    }
}

/// A number below `range`: the upper half of the product with a number of 64 bits.
#[inline(always)]
fn scaled(draw: [u8; 8], range: u64) -> u64 {
    ((u128::from(u64::from_le_bytes(draw)) * u128::from(range)) >> 64) as u64
}
