//! A step is one pass over the flat list of all parameters, cut by elements for the threads.

use crate::jobs::Job;
use crate::{ElementRule, Progress};
use gradus_tensor::kernels::convert::Convert;
use gradus_tensor::kernels::real::Float;
use gradus_tensor::kernels::update::{Gradient, Piece, Update, update};
use gradus_tensor::{Array, DType, Element, bf16, f16, threads};
use smallvec::SmallVec;

/// Elements of one task: with Adam 448 KiB of memory traffic, about 10 µs. The same for any number of
/// threads.
const CHUNK: usize = 16 << 10;
/// Serial nanoseconds for each element, measured with Adam on 10 M f32 from memory; only the switch
/// between serial and parallel reads it.
const NS_PER_ELEMENT: f64 = 0.6;

/// Takes one step of every job.
pub(crate) fn run<R: ElementRule>(mut jobs: Vec<Job<'_, R>>) {
    // All values are lent at once. Two optimizers that share parameters and run at the same time lend
    // in the same order, so that neither waits for the other for ever.
    jobs.sort_unstable_by_key(|job| job.parameter.id());
    let mut lent: Vec<_> = jobs.iter().map(|job| job.parameter.lend()).collect();
    let elements: usize = lent.iter().map(|value| value.numel()).sum();
    let mut tasks = Vec::with_capacity(lent.len() + elements / CHUNK);
    for (job, value) in jobs.iter_mut().zip(&mut lent) {
        job.cut(value, &mut tasks);
    }
    threads::run_chunks(&mut tasks, 1, elements as f64 * NS_PER_ELEMENT, &|_, task| task[0].run());
}

/// One pass over arrays of one shape and type, f32 or f64: a part of the step of a tensor rule.
pub(crate) fn pass<'a, U: Update>(
    rule: U,
    value: &'a mut Array,
    grad: &'a mut Array,
    slots: Slots<'a>,
) {
    let elements = value.numel();
    let constants = Constants { rule, unscale: 1.0 };
    let mut tasks = Vec::with_capacity(1 + elements / CHUNK);
    if value.dtype() == DType::F64 {
        wide(value, grad, slots).cut(|s| tasks.push(constants.on(Part::F64(s))));
    } else {
        wide(value, grad, slots).cut(|s| tasks.push(constants.on(Part::F32(s))));
    }
    threads::run_chunks(&mut tasks, 1, elements as f64 * NS_PER_ELEMENT, &|_, task| task[0].run());
}

impl<R: ElementRule> Job<'_, R> {
    /// Advances the state of the parameter, and adds the tasks that advance its elements.
    fn cut<'s>(&'s mut self, value: &'s mut Array, tasks: &mut Vec<Task<'s, R::Step>>) {
        let state = &mut *self.state;
        let fresh = state.prepare(self.options, value.meta());
        state.t += 1;
        let at = Progress { t: state.t, fresh, scalars: &mut state.scalars };
        let constants = Constants { rule: self.options.step(at), unscale: self.unscale };
        if !value.dtype().is_half() {
            state.master = None;
        }
        let used = |(j, slot): (usize, &'s mut Option<Array>)| {
            slot.as_mut().filter(|_| self.options.uses(j))
        };
        let slots: Slots<'s> = state.slots.iter_mut().enumerate().map(used).collect();
        let (grad, master) = (&mut self.grad, &mut state.master);
        match value.dtype() {
            DType::F16 => {
                halves(value, master, grad, slots).cut(|s| tasks.push(constants.on(Part::F16(s))));
            }
            DType::Bf16 => {
                halves(value, master, grad, slots).cut(|s| tasks.push(constants.on(Part::Bf16(s))));
            }
            DType::F64 => {
                wide(value, grad, slots).cut(|s| tasks.push(constants.on(Part::F64(s))));
            }
            _ => wide(value, grad, slots).cut(|s| tasks.push(constants.on(Part::F32(s)))),
        }
    }
}

pub(crate) type Slots<'a> = SmallVec<[Option<&'a mut Array>; 3]>;

/// A parameter that is computed in its own type.
fn wide<'a, T: Element + Float>(
    value: &'a mut Array,
    grad: &'a mut Array,
    slots: Slots<'a>,
) -> Slices<'a, T, T> {
    become_flat(grad, T::DTYPE);
    Slices {
        value: value.elements_mut(),
        stored: None,
        grad: Gradient::Wide(grad.elements()),
        state: slots.into_iter().map(|slot| slot.map(Array::elements_mut)).collect(),
    }
}

/// A parameter of a half type, with master weights in f32.
fn halves<'a, S: Element>(
    value: &'a mut Array,
    master: &'a mut Option<Array>,
    grad: &'a mut Array,
    slots: Slots<'a>,
) -> Slices<'a, f32, S> {
    let as_stored = grad.dtype() == S::DTYPE;
    become_flat(grad, if as_stored { S::DTYPE } else { DType::F32 });
    let master = master.get_or_insert_with(|| value.clone().cast(DType::F32).contiguous());
    Slices {
        value: master.elements_mut(),
        stored: Some(value.elements_mut()),
        grad: if as_stored {
            Gradient::Stored(grad.elements())
        } else {
            Gradient::Wide(grad.elements())
        },
        state: slots.into_iter().map(|slot| slot.map(Array::elements_mut)).collect(),
    }
}

/// Row-major and of this type; a copy only if it is not.
fn become_flat(grad: &mut Array, dtype: DType) {
    if grad.dtype() != dtype || !grad.is_contiguous() {
        *grad = grad.clone().cast(dtype).contiguous();
    }
}

#[derive(Clone, Copy)]
struct Constants<U> {
    rule: U,
    unscale: f64,
}

impl<U: Update> Constants<U> {
    fn on(self, part: Part<'_>) -> Task<'_, U> {
        Task { constants: self, part }
    }
}

/// The update of up to [`CHUNK`] elements.
struct Task<'a, U> {
    constants: Constants<U>,
    part: Part<'a>,
}

enum Part<'a> {
    F32(Slices<'a, f32, f32>),
    F64(Slices<'a, f64, f64>),
    F16(Slices<'a, f32, f16>),
    Bf16(Slices<'a, f32, bf16>),
}

impl<U: Update> Task<'_, U> {
    fn run(&mut self) {
        match &mut self.part {
            Part::F32(slices) => slices.run(self.constants),
            Part::F64(slices) => slices.run(self.constants),
            Part::F16(slices) => slices.run(self.constants),
            Part::Bf16(slices) => slices.run(self.constants),
        }
    }
}

/// A [`Piece`] that owns its list of states.
struct Slices<'a, T, S> {
    value: &'a mut [T],
    stored: Option<&'a mut [S]>,
    grad: Gradient<'a, T, S>,
    state: SmallVec<[Option<&'a mut [T]>; 3]>,
}

impl<T, S> Slices<'_, T, S> {
    fn run<U: Update>(&mut self, constants: Constants<U>)
    where
        T: Float + Convert<S>,
        S: Convert<T> + Default + PartialEq,
    {
        let piece = Piece {
            value: std::mem::take(&mut self.value),
            stored: self.stored.take(),
            grad: self.grad,
            state: &mut self.state,
        };
        update(constants.rule, constants.unscale, piece);
    }
}

impl<'a, T, S> Slices<'a, T, S> {
    fn cut(mut self, mut task: impl FnMut(Slices<'a, T, S>)) {
        while self.value.len() > CHUNK {
            task(self.split_off());
        }
        if !self.value.is_empty() {
            task(self);
        }
    }
    /// Takes the first [`CHUNK`] elements off.
    fn split_off(&mut self) -> Slices<'a, T, S> {
        let (grad, rest) = match self.grad {
            Gradient::Wide(g) => (Gradient::Wide(&g[..CHUNK]), Gradient::Wide(&g[CHUNK..])),
            Gradient::Stored(g) => (Gradient::Stored(&g[..CHUNK]), Gradient::Stored(&g[CHUNK..])),
        };
        self.grad = rest;
        Slices {
            value: split_off(&mut self.value),
            stored: self.stored.as_mut().map(split_off),
            grad,
            state: self.state.iter_mut().map(|s| s.as_mut().map(split_off)).collect(),
        }
    }
}

fn split_off<'a, T>(slice: &mut &'a mut [T]) -> &'a mut [T] {
    let (first, rest) = std::mem::take(slice).split_at_mut(CHUNK);
    *slice = rest;
    first
}
