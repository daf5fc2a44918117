//! What the optimizers that move all parameters together share: names and options, one flat vector.

use crate::arithmetic::sum;
use crate::clip::norm_of_array;
use crate::{Jobs, OptimError, Rule};
use gradus_autodiff::Parameter;
use gradus_tensor::{Array, DType, Shape};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// The options of a whole-model optimizer.
pub(crate) trait WholeOptions:
    Clone + Serialize + DeserializeOwned + Send + Sync + 'static
{
    const NAME: &'static str;
    fn check(&self) -> Result<(), OptimError>;
    fn lr(&self) -> f64;
    fn set_lr(&mut self, lr: f64);
}

/// Such options as a rule, for all but the step. It stays inside the crate: it cannot move one parameter.
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Whole<O>(pub(crate) O);

impl<O: WholeOptions> Rule for Whole<O> {
    const NAME: &'static str = O::NAME;
    const SLOTS: &'static [&'static str] = &[];

    fn check(&self) -> Result<(), OptimError> {
        self.0.check()
    }
    fn lr(&self) -> f64 {
        self.0.lr()
    }
    fn set_lr(&mut self, lr: f64) {
        self.0.set_lr(lr);
    }
    fn advance(_: Jobs<'_, Self>) {
        unreachable!("the step is taken by the owner of the parameters")
    }
}

/// The methods of [`crate::Optimizer`] that are those of the optimizer inside, as in
/// `forward_to!(self => self.base);`. `step`, `skip` and what is saved differ, so they are written out.
macro_rules! forward_to {
    ($self:ident => $base:expr) => {
        fn zero_grad(&mut $self) {
            $base.zero_grad();
        }
        fn zero_grad_in_place(&mut $self) {
            $base.zero_grad_in_place();
        }
        fn named_parameters(&$self) -> Vec<(String, Parameter)> {
            $base.named_parameters()
        }
        fn param_groups(&$self) -> Vec<ParamGroup> {
            $base.param_groups()
        }
        fn lrs(&$self) -> Vec<f64> {
            $base.lrs()
        }
        #[track_caller]
        fn set_lr(&mut $self, group: usize, lr: f64) {
            $base.set_lr(group, lr);
        }
        fn momentums(&mut $self) -> Vec<Option<f64>> {
            $base.momentums()
        }
        #[track_caller]
        fn set_momentum(&mut $self, group: usize, momentum: f64) -> bool {
            $base.set_momentum(group, momentum)
        }
        fn initial_lrs(&$self) -> Vec<Option<f64>> {
            $base.initial_lrs()
        }
        #[track_caller]
        fn set_initial_lr(&mut $self, group: usize, lr: f64) {
            $base.set_initial_lr(group, lr);
        }
        fn steps(&$self) -> [u64; 2] {
            $base.steps()
        }
    };
}
pub(crate) use forward_to;

/// Parameters as one vector, one after the other, in the widest type that one of them is computed in.
pub(crate) struct Flat {
    pub(crate) parameters: Vec<Parameter>,
    dtype: DType,
}

impl Flat {
    pub(crate) fn new(parameters: Vec<Parameter>) -> Self {
        let wide = parameters.iter().any(|p| p.dtype() == DType::F64);
        Flat { parameters, dtype: if wide { DType::F64 } else { DType::F32 } }
    }
    pub(crate) fn values(&self) -> Array {
        self.joined(self.parameters.iter().map(|p| p.array()))
    }
    /// Without a gradient: zeros.
    pub(crate) fn gradient(&self) -> Array {
        self.joined(self.parameters.iter().map(|p| match p.grad() {
            Some(grad) => grad.into_array(),
            None => Array::zeros(p.shape(), p.dtype()),
        }))
    }
    /// Arrays in the shapes of the parameters as one vector.
    pub(crate) fn joined(&self, parts: impl Iterator<Item = Array>) -> Array {
        let flat = |x: Array| x.reshape(&Shape::new(&[x.numel()])).contiguous().cast(self.dtype);
        let parts: Vec<Array> = parts.map(flat).collect();
        if parts.len() == 1 { parts[0].clone() } else { Array::cat(&parts, 0) }
    }
    /// A vector as arrays in the shapes and types of the parameters.
    pub(crate) fn parts(&self, x: &Array) -> Vec<Array> {
        let mut start = 0;
        let part = |p: &Parameter| {
            let part = x.narrow(0, start, p.numel());
            start += p.numel();
            part.contiguous().reshape(p.shape()).cast(p.dtype())
        };
        self.parameters.iter().map(part).collect()
    }
    /// Moves the parameters there.
    pub(crate) fn set(&self, x: &Array) {
        for (p, part) in self.parameters.iter().zip(self.parts(x)) {
            p.update(|value| *value = part);
        }
    }
}

/// `a·b` of vectors.
pub(crate) fn dot(a: &Array, b: &Array) -> f64 {
    a.matmul(b).item()
}

/// `x + t·d`
pub(crate) fn along(x: &Array, t: f64, d: &Array) -> Array {
    sum(1.0, x.copy(), t, d.clone())
}

/// `max |xᵢ|`; 0 of nothing.
pub(crate) fn largest(x: &Array) -> f64 {
    if x.numel() == 0 { 0.0 } else { norm_of_array(x.clone(), f64::INFINITY) }
}
