//! Running averages of weights: the mean of all snapshots, or an exponential one.

use crate::OptimError;
use crate::error::in_range;
use crate::in_place::change;
use gradus_autodiff::Parameter;
use gradus_tensor::Array;
use gradus_tensor::kernels::{element::Zip, real::Real, update::lerp};

/// How snapshots of weights are averaged.
///
/// ```text
/// first snapshot    a ← w
/// Mean              a ← a + (w − a)/(n + 1)           n snapshots before this one
/// Ema { decay }     a ← a + (1 − decay)·(w − a)
/// ```
/// # Numerics   in the dtype of the average, half types in f32: keep the average of a half model in f32,
/// where small steps still count
/// # PyTorch    `torch.optim.swa_utils.get_swa_multi_avg_fn`, `get_ema_multi_avg_fn`
/// # Source     Izmailov et al. 2018, <https://arxiv.org/abs/1803.05407>; Polyak & Juditsky 1992
/// # Example
/// ```
/// use gradus_autodiff::Parameter;
/// use gradus_optim::Averaging;
/// let (average, weight) = (Parameter::new([0.0]), Parameter::new([1.0]));
/// for n in 0..3 {
///     weight.set([n as f64].into())?;
///     Averaging::Mean.update([(&average, &weight)], n);
/// }
/// assert_eq!(average.item(), 1.0);
/// # Ok::<(), gradus_autodiff::Misfit>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Averaging {
    /// All snapshots count alike (stochastic weight averaging).
    #[default]
    Mean,
    /// Each snapshot counts `1/decay` times what the one before it counts.
    Ema {
        /// How much of the average is kept at a snapshot; PyTorch's is 0.999.
        decay: f64,
    },
}

impl Averaging {
    /// Is the decay in range?
    ///
    /// # Errors
    /// A decay outside 0 ..= 1.
    pub fn check(self) -> Result<(), OptimError> {
        match self {
            Averaging::Mean => Ok(()),
            Averaging::Ema { decay } => {
                let ok = (0.0..=1.0).contains(&decay);
                in_range("Averaging", "decay", decay, ok, "0 ≤ decay ≤ 1")
            }
        }
    }
    /// Takes a snapshot of each right parameter into the left one; `n` snapshots are in it already.
    ///
    /// # Panics
    /// If a pair differs in shape.
    #[track_caller]
    pub fn update<'a>(
        self,
        pairs: impl IntoIterator<Item = (&'a Parameter, &'a Parameter)>,
        n: u64,
    ) {
        for (average, weight) in pairs {
            let weight = weight.array();
            average.update(|a| self.update_array(a, weight, n));
        }
    }
    /// As [`Averaging::update`], of one array.
    ///
    /// # Panics
    /// If they differ in shape.
    #[track_caller]
    pub fn update_array(self, average: &mut Array, weight: Array, n: u64) {
        let (have, given) = (average.shape().clone(), weight.shape().clone());
        assert!(
            have == given,
            "a snapshot of shape {given} breaks the rule: the average is {have}"
        );
        let weight = weight.cast(average.dtype());
        let share = match self {
            _ if n == 0 => 1.0,
            Averaging::Mean => 1.0 / (n as f64 + 1.0),
            Averaging::Ema { decay } => 1.0 - decay,
        };
        if n == 0 || !average.dtype().is_float() {
            *average = weight;
        } else {
            change(average, |a| a.zip(weight, Lerp(share)));
        }
    }
}

/// From `a` towards `b`, of any type.
#[derive(Clone, Copy)]
struct Lerp(f64);

impl Zip for Lerp {
    #[inline(always)]
    fn f<R: Real>(self, a: R, b: R) -> R {
        lerp(a, b, self.0)
    }
}
