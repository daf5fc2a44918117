//! A step is one pass over the flat list of all parameters, cut by elements for the threads.
//!
//! Nothing here is compiled for each rule: it is the formula behind a reference that differs.

use crate::jobs::Job;
use gradus_autodiff::Lent;
use gradus_tensor::kernels::update::{Gradient, Piece, Steps, update};
use gradus_tensor::{Array, DType, Element, bf16, f16, threads};

/// Elements of one task: with Adam 448 KiB of memory traffic, about 10 µs. The same for any number of
/// threads.
const CHUNK: usize = 16 << 10;
/// Serial nanoseconds for each element, measured with Adam on 10 M f32 from memory; only the switch
/// between serial and parallel reads it.
const NS_PER_ELEMENT: f64 = 0.6;

/// Lends all values at once. Two optimizers that share parameters and run at the same time lend in the
/// same order, so that neither waits for the other for ever.
pub(crate) fn lend<'a>(jobs: &mut [Job<'a>]) -> Vec<Lent<'a>> {
    jobs.sort_unstable_by_key(|job| job.parameter.id());
    jobs.iter().map(|job| job.parameter.lend()).collect()
}

/// Takes one step of every job: on the value lent for it, by its rule.
pub(crate) fn run<'a>(
    jobs: &'a mut [Job<'_>],
    lent: &'a mut [Lent<'_>],
    rule: &dyn Fn(usize) -> &'a dyn Steps,
) {
    let elements: usize = lent.iter().map(|value| value.numel()).sum();
    let mut tasks = Vec::with_capacity(lent.len() + elements / CHUNK);
    for (i, (job, value)) in jobs.iter_mut().zip(lent).enumerate() {
        let constants = Constants { rule: rule(i), unscale: job.unscale };
        let state = &mut *job.state;
        if !value.dtype().is_half() {
            state.master = None;
        }
        let mut states = StateArrays::default();
        for (j, slot) in state.slots.iter_mut().enumerate() {
            states[j] = slot.as_mut().filter(|_| job.uses[j]);
        }
        constants.cut(value, &mut state.master, &mut job.grad, states, &mut tasks);
    }
    run_tasks(tasks, elements);
}

/// One pass over arrays of one shape and type, f32 or f64: a part of the step of a tensor rule.
pub(crate) fn pass(rule: &dyn Steps, value: &mut Array, grad: &mut Array, states: StateArrays<'_>) {
    let elements = value.numel();
    let (mut tasks, mut no_master) = (Vec::with_capacity(1 + elements / CHUNK), None);
    Constants { rule, unscale: 1.0 }.cut(value, &mut no_master, grad, states, &mut tasks);
    run_tasks(tasks, elements);
}

fn run_tasks(mut tasks: Vec<Task<'_>>, elements: usize) {
    let work = elements as f64 * NS_PER_ELEMENT;
    threads::run_chunks(&mut tasks, 1, work, &|_, task| task[0].run());
}

/// The states of a parameter; one that is not in use is absent.
pub(crate) type StateArrays<'a> = [Option<&'a mut Array>; 3];

/// What is the same for all elements of a parameter.
#[derive(Clone, Copy)]
struct Constants<'a> {
    rule: &'a dyn Steps,
    unscale: f64,
}

impl<'a> Constants<'a> {
    /// Adds the tasks that advance the elements of a parameter.
    fn cut(
        self,
        value: &'a mut Array,
        master: &'a mut Option<Array>,
        grad: &'a mut Array,
        states: StateArrays<'a>,
        tasks: &mut Vec<Task<'a>>,
    ) {
        match value.dtype() {
            DType::F16 => self.push(halves(value, master, grad, states), Part::F16, tasks),
            DType::Bf16 => self.push(halves(value, master, grad, states), Part::Bf16, tasks),
            DType::F64 => self.push(full(value, grad, states), Part::F64, tasks),
            _ => self.push(full(value, grad, states), Part::F32, tasks),
        }
    }
    fn push<T, S>(
        self,
        mut piece: Piece<'a, T, S>,
        part: fn(Piece<'a, T, S>) -> Part<'a>,
        tasks: &mut Vec<Task<'a>>,
    ) {
        while piece.value.len() > CHUNK {
            tasks.push(Task { constants: self, part: Some(part(piece.split_off(CHUNK))) });
        }
        if !piece.value.is_empty() {
            tasks.push(Task { constants: self, part: Some(part(piece)) });
        }
    }
}

/// A parameter that is computed in its own type.
fn full<'a, T: Element>(
    value: &'a mut Array,
    grad: &'a mut Array,
    states: StateArrays<'a>,
) -> Piece<'a, T, T> {
    become_flat(grad, T::DTYPE);
    Piece {
        value: value.elements_mut(),
        stored: None,
        grad: Gradient::Wide(grad.elements()),
        states: states.map(|state| state.map(Array::elements_mut)),
    }
}

/// A parameter of a half type, with master weights in f32.
fn halves<'a, S: Element>(
    value: &'a mut Array,
    master: &'a mut Option<Array>,
    grad: &'a mut Array,
    states: StateArrays<'a>,
) -> Piece<'a, f32, S> {
    let as_stored = grad.dtype() == S::DTYPE;
    become_flat(grad, if as_stored { S::DTYPE } else { DType::F32 });
    let master = master.get_or_insert_with(|| value.clone().cast(DType::F32).contiguous());
    Piece {
        value: master.elements_mut(),
        stored: Some(value.elements_mut()),
        grad: if as_stored {
            Gradient::Stored(grad.elements())
        } else {
            Gradient::Wide(grad.elements())
        },
        states: states.map(|state| state.map(Array::elements_mut)),
    }
}

/// Row-major and of this type; a copy only if it is not.
fn become_flat(grad: &mut Array, dtype: DType) {
    if grad.dtype() != dtype || !grad.is_contiguous() {
        *grad = grad.clone().cast(dtype).contiguous();
    }
}

/// The update of up to [`CHUNK`] elements.
struct Task<'a> {
    constants: Constants<'a>,
    /// `None` once it is done.
    part: Option<Part<'a>>,
}

enum Part<'a> {
    F32(Piece<'a, f32, f32>),
    F64(Piece<'a, f64, f64>),
    F16(Piece<'a, f32, f16>),
    Bf16(Piece<'a, f32, bf16>),
}

impl Task<'_> {
    fn run(&mut self) {
        let Constants { rule, unscale } = self.constants;
        match self.part.take() {
            Some(Part::F32(piece)) => update(rule, unscale, piece),
            Some(Part::F64(piece)) => update(rule, unscale, piece),
            Some(Part::F16(piece)) => update(rule, unscale, piece),
            Some(Part::Bf16(piece)) => update(rule, unscale, piece),
            None => {}
        }
    }
}
