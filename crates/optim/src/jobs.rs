//! The parameters that take a step, and the two ways of taking it.

use crate::arithmetic::Times;
use crate::group::{State, compute_dtype};
use crate::rule::TensorValue;
use crate::{ElementRule, Progress, TensorRule, TensorStep, fused};
use gradus_autodiff::Parameter;
use gradus_tensor::kernels::element::Zip3;
use gradus_tensor::kernels::real::Real;
use gradus_tensor::{Array, DType};

/// The parameters that have a gradient, with all that their step needs; what [`crate::Rule::advance`] gets.
pub struct Jobs<'a, R>(pub(crate) Vec<Job<'a, R>>);

/// One parameter that has a gradient.
pub(crate) struct Job<'a, R> {
    pub(crate) options: &'a R,
    pub(crate) parameter: &'a Parameter,
    pub(crate) grad: Array,
    /// The rows that `grad` has, of a rule that goes by rows.
    pub(crate) rows: Vec<usize>,
    /// The factor that takes the scale of a gradient scaler off.
    pub(crate) unscale: f64,
    pub(crate) state: &'a mut State,
}

impl<R: ElementRule> Jobs<'_, R> {
    /// One pass over the memory of all parameters, cut by elements for the threads.
    pub fn by_element(self) {
        fused::run(self.0);
    }
}

impl<R: TensorRule> Jobs<'_, R> {
    /// One parameter after the other; the operations of the rule use the threads.
    pub fn by_tensor(self) {
        self.0.into_iter().for_each(Job::step);
    }
}

impl<R: TensorRule> Job<'_, R> {
    fn step(self) {
        let Job { options, parameter, grad, rows, unscale, state } = self;
        let mut value = parameter.lend();
        let dtype = value.dtype();
        let fresh = state.prepare(options, value.meta());
        state.t += 1;
        let grad = grad.cast(compute_dtype(dtype)).contiguous();
        let grad = if unscale == 1.0 { grad } else { grad.map(Times(unscale)) };
        let mut master = dtype.is_half().then(|| renewed(state.master.take(), &value));
        let x = TensorValue(master.as_mut().unwrap_or(&mut value));
        let at = Progress { t: state.t, fresh, scalars: &mut state.scalars };
        options.step(at, TensorStep { x, grad, state: &mut state.slots, rows: &rows });
        state.master = master;
        if let Some(master) = &state.master {
            *value = master.clone().cast(dtype);
        }
    }
}

/// Master weights count only where they round to the parameter; elsewhere they start anew from it.
fn renewed(master: Option<Array>, stored: &Array) -> Array {
    let wide = stored.clone().cast(DType::F32).contiguous();
    match master {
        Some(master) => {
            let rounded = master.clone().cast(stored.dtype()).cast(DType::F32);
            master.zip3(rounded, wide, KeepIfEqual)
        }
        None => wide,
    }
}

/// `a` where `b = c`, else `c`.
#[derive(Clone, Copy)]
struct KeepIfEqual;

impl Zip3 for KeepIfEqual {
    #[inline(always)]
    fn f<R: Real>(self, a: R, b: R, c: R) -> R {
        R::select(b == c, a, c)
    }
}
