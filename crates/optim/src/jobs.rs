//! The parameters that take a step, and the two ways of taking it.

use crate::arithmetic::Times;
use crate::group::{State, compute_dtype};
use crate::rule::TensorValue;
use crate::{ElementRule, Progress, TensorRule, TensorStep, fused};
use gradus_autodiff::{Lent, Parameter};
use gradus_tensor::kernels::update::Half;
use gradus_tensor::{Array, DType, Meta, bf16, f16};

/// The parameters that have a gradient, with all that their step needs; what [`crate::Rule::advance`] gets.
pub struct Jobs<'a, R> {
    /// Of each group.
    pub(crate) options: Vec<&'a R>,
    pub(crate) jobs: Vec<Job<'a>>,
}

/// One parameter that has a gradient. It knows the options by the number of its group: what is done with
/// jobs is compiled once, not for each rule.
pub(crate) struct Job<'a> {
    pub(crate) group: usize,
    pub(crate) parameter: &'a Parameter,
    pub(crate) grad: Array,
    /// The rows that `grad` has, of a rule that goes by rows.
    pub(crate) rows: Vec<usize>,
    /// The factor that takes the scale of a gradient scaler off, or that clipping has left to multiply.
    pub(crate) unscale: f64,
    pub(crate) state: &'a mut State,
    /// Which state arrays the next step of an element rule uses.
    pub(crate) uses: [bool; 3],
}

impl<R: ElementRule> Jobs<'_, R> {
    /// One pass over the memory of all parameters, cut by elements for the threads.
    pub fn by_element(self) {
        let Jobs { options, mut jobs } = self;
        let mut lent = fused::lend(&mut jobs);
        let next = |(job, value): (&mut Job<'_>, &Lent<'_>)| {
            let options = options[job.group];
            options.step(job.next(options, value.meta()))
        };
        let steps: Vec<R::Step> = jobs.iter_mut().zip(&lent).map(next).collect();
        fused::run(&mut jobs, &mut lent, &|i| &steps[i]);
    }
}

impl<R: TensorRule> Jobs<'_, R> {
    /// One parameter after the other; the operations of the rule use the threads.
    pub fn by_tensor(self) {
        for job in self.jobs {
            let options = self.options[job.group];
            job.step(options);
        }
    }
}

impl Job<'_> {
    /// Advances the state of the parameter.
    fn next<R: ElementRule>(&mut self, options: &R, value: &Meta) -> Progress<'_> {
        let state = &mut *self.state;
        let fresh = state.prepare(options, value);
        state.t += 1;
        let slots = self.uses.iter_mut().enumerate().take(R::SLOTS.len());
        slots.for_each(|(j, uses)| *uses = options.uses(j));
        Progress { t: state.t, fresh, scalars: &mut state.scalars }
    }
    fn step<R: TensorRule>(self, options: &R) {
        let Job { parameter, grad, rows, unscale, state, .. } = self;
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
    let Some(mut master) = master else {
        return stored.clone().cast(DType::F32).contiguous();
    };
    let to = master.elements_mut();
    match stored.dtype() {
        DType::F16 => f16::refresh(to, &stored.read()),
        _ => bf16::refresh(to, &stored.read()),
    }
    master
}
