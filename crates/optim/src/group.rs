//! Parameters with their states, in groups of equal options.

use crate::ElementRule;
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
    /// `None` until the first gradient.
    pub(crate) state: Option<State>,
}

/// What is remembered of one parameter.
#[derive(Clone)]
pub(crate) struct State {
    /// How often it moved.
    pub(crate) t: u64,
    /// At the numbers of [`ElementRule::SLOTS`]; `None` if it was never in use.
    pub(crate) slots: Vec<Option<Array>>,
    /// At the numbers of [`ElementRule::SCALARS`].
    pub(crate) scalars: Vec<f64>,
    /// The weights of a half parameter in f32.
    pub(crate) master: Option<Array>,
}

/// The type that a parameter is updated in, and that its state has.
pub(crate) fn compute_dtype(dtype: DType) -> DType {
    if dtype == DType::F64 { DType::F64 } else { DType::F32 }
}

impl State {
    pub(crate) fn new<R: ElementRule>(options: &R) -> Self {
        let scalars = (0..R::SCALARS.len()).map(|i| options.initial_scalar(i)).collect();
        State { t: 0, slots: vec![None; R::SLOTS.len()], scalars, master: None }
    }
    /// Makes what the next step of a parameter needs; true if the first array was made now.
    pub(crate) fn prepare<R: ElementRule>(&mut self, options: &R, meta: &Meta) -> bool {
        let dtype = compute_dtype(meta.dtype);
        let mut fresh = false;
        for (j, slot) in self.slots.iter_mut().enumerate().filter(|(j, _)| options.uses(*j)) {
            let array = match slot.take() {
                Some(array) => array.cast(dtype),
                None => {
                    fresh |= j == 0;
                    Array::full(&meta.shape, options.initial(j), dtype)
                }
            };
            *slot = Some(array);
        }
        fresh
    }
}
