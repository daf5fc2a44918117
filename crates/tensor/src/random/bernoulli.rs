//! Coins: 1 with probability `p`, from one word each.

use super::Generator;
use super::fill::fill_each;
use crate::element::dispatch;
use crate::{Array, DType, Element, Scalar, Shape};

impl Array {
    /// 1 with probability `p`, else 0 (`torch.bernoulli`); `p` is rounded to a multiple of 2⁻³².
    ///
    /// ```
    /// use gradus_tensor::{Array, DType, Generator};
    /// let coins = Array::bernoulli_with(0.25, 1000, DType::I64, &mut Generator::new(1));
    /// let heads = coins.to_vec::<i64>().iter().sum::<i64>();
    /// assert!((200..300).contains(&heads));
    /// ```
    /// # Panics
    /// If `p` is not in `0..=1`.
    #[track_caller]
    pub fn bernoulli_with(
        p: f64,
        shape: impl Into<Shape>,
        dtype: DType,
        generator: &mut Generator,
    ) -> Array {
        drawn(p, shape.into(), dtype, generator)
    }
}

#[track_caller]
fn drawn(p: f64, shape: Shape, dtype: DType, generator: &mut Generator) -> Array {
    assert!((0.0..=1.0).contains(&p), "bernoulli: p = {p} is not in 0..=1");
    let limit = (p * 2f64.powi(32)).round() as u64;
    dispatch!(dtype, T => Array::build::<T>(shape, |out| {
        let (zero, one) = (T::of(Scalar::Int(0)), T::of(Scalar::Int(1)));
        let map = |draw| if u64::from(u32::from_le_bytes(draw)) < limit { one } else { zero };
        fill_each(generator, out, map);
    }))
}
