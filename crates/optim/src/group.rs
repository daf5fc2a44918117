//! Parameters with their states, in groups of equal options.

use crate::Rule;
use gradus_autodiff::Parameter;
use gradus_tensor::{Array, DType, Meta};

pub(crate) struct Group<R> {
    pub(crate) options: R,
    /// Set by the first schedule.
    pub(crate) initial_lr: Option<f64>,
    pub(crate) members: Vec<Member>,
}

pub(crate) struct Member {
    pub(crate) name: String,
    pub(crate) parameter: Parameter,
    /// `None` until the first gradient, unless the rule is eager.
    pub(crate) state: Option<State>,
    /// The rows of the next gradient, of a rule that goes by rows.
    pub(crate) rows: Option<Rows>,
}

/// Rows of a gradient.
pub(crate) struct Rows {
    /// Each once, in rising order.
    pub(crate) index: Vec<usize>,
    /// Their numbers; `None` if they stand in the gradient of the parameter.
    pub(crate) values: Option<Array>,
}

/// `factor·array`, of these rows if it is not whole.
pub(crate) struct Gradient<'a> {
    pub(crate) array: Array,
    /// What is left to multiply of a gradient that is not scaled.
    pub(crate) factor: f64,
    pub(crate) rows: &'a [usize],
}

impl Member {
    /// The gradient of the next step.
    pub(crate) fn gradient(&self) -> Option<Gradient<'_>> {
        let Some(rows) = &self.rows else {
            let (grad, factor) = if self.parameter.grad_is_scaled() {
                (self.parameter.grad()?, 1.0)
            } else {
                self.parameter.grad_parts()?
            };
            return Some(Gradient { array: grad.into_array(), factor, rows: &[] });
        };
        let array = match &rows.values {
            Some(values) => values.clone(),
            None => {
                let index: Vec<i64> = rows.index.iter().map(|&i| i as i64).collect();
                self.parameter.grad()?.into_array().index_select(0, &index.into())
            }
        };
        Some(Gradient { array, factor: 1.0, rows: &rows.index })
    }
    /// Is the gradient of the next step multiplied by the scale of a gradient scaler?
    pub(crate) fn is_scaled(&self) -> bool {
        let given = self.rows.as_ref().is_some_and(|rows| rows.values.is_some());
        !given && self.parameter.grad_is_scaled() && self.parameter.grad_parts().is_some()
    }
    pub(crate) fn is_finite(&self) -> bool {
        // A factor that is left to multiply shrinks.
        self.gradient().is_none_or(|grad| grad.array.all_finite())
    }
}

/// What is remembered of one parameter.
#[derive(Clone)]
pub(crate) struct State {
    /// How often it moved.
    pub(crate) t: u64,
    /// At the numbers of [`Rule::SLOTS`]; `None` if it was never in use.
    pub(crate) slots: Vec<Option<Array>>,
    /// At the numbers of [`Rule::SCALARS`].
    pub(crate) scalars: Vec<f64>,
    /// The weights of a half parameter in f32.
    pub(crate) master: Option<Array>,
}

/// The type that a parameter is updated in, and that its state has.
pub(crate) fn compute_dtype(dtype: DType) -> DType {
    if dtype == DType::F64 { DType::F64 } else { DType::F32 }
}

impl State {
    pub(crate) fn new<R: Rule>(options: &R) -> Self {
        let scalars = (0..R::SCALARS.len()).map(|i| options.initial_scalar(i)).collect();
        State { t: 0, slots: vec![None; R::SLOTS.len()], scalars, master: None }
    }
    /// As [`State::new`], with its arrays.
    pub(crate) fn whole<R: Rule>(options: &R, meta: &Meta) -> Self {
        let mut state = State::new(options);
        state.prepare(options, meta);
        state
    }
    /// Makes what the next step of a parameter needs; true if the first array was made now.
    pub(crate) fn prepare<R: Rule>(&mut self, options: &R, meta: &Meta) -> bool {
        let dtype = compute_dtype(meta.dtype);
        let mut fresh = false;
        for (j, slot) in self.slots.iter_mut().enumerate() {
            if let Some(array) = slot.take() {
                *slot = Some(array.cast(dtype));
            } else if let Some(shape) = options.shape(j, &meta.shape) {
                fresh |= j == 0;
                *slot = Some(Array::full(shape, options.initial(j), dtype));
            }
        }
        fresh
    }
}
