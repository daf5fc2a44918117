//! Numbers from any distribution of `rand_distr`.

use super::Generator;
use crate::element::dispatch;
use crate::{Array, DType, Element, Scalar, Shape};
use rand_distr::Distribution;

impl Array {
    /// Numbers from any distribution over `f64`, rounded to `dtype`.
    ///
    /// Elements are drawn one after the other, each with as many positions as the distribution wants;
    /// their bits are those of the version of `rand_distr` in use.
    ///
    /// ```
    /// use gradus_tensor::{Array, DType, Generator};
    /// use rand_distr::Exp;
    /// let (mut g, exp) = (Generator::new(1), Exp::new(2.0).unwrap());
    /// let x = Array::sample([3, 4], DType::F32, &exp, &mut g);
    /// assert!(x.to_vec::<f32>().iter().all(|&v| v >= 0.0));
    /// ```
    pub fn sample(
        shape: impl Into<Shape>,
        dtype: DType,
        distribution: &impl Distribution<f64>,
        generator: &mut Generator,
    ) -> Array {
        let mut rng = generator.rng();
        dispatch!(dtype, T => Array::build::<T>(shape, |out| {
            out.fill_with(|| T::of(Scalar::Float(distribution.sample(&mut rng))));
        }))
    }
}
