//! Whole blocks from slices of any length, of which some states may be absent.

use super::{BLOCK, Blocks, MOST_STATES, Pass};
use crate::kernels::real::Float;
use std::slice::{from_mut, from_ref};

/// A type that formulas are compiled for.
pub trait Full: Float {
    /// Applies the formula.
    #[doc(hidden)]
    fn run(pass: Pass<'_>, blocks: Blocks<'_, Self>);
}

impl Full for f32 {
    fn run(pass: Pass<'_>, blocks: Blocks<'_, f32>) {
        pass.rule.on_f32(pass.level, pass.unscale, blocks);
    }
}

impl Full for f64 {
    fn run(pass: Pass<'_>, blocks: Blocks<'_, f64>) {
        pass.rule.on_f64(pass.level, pass.unscale, blocks);
    }
}

/// Slices of equal length.
type StateSlices<'a, T> = [Option<&'a mut [T]>; MOST_STATES];

/// Updates slices of equal length.
pub(super) fn update<T: Full>(
    pass: Pass<'_>,
    value: &mut [T],
    grad: &[T],
    states: StateSlices<'_, T>,
) {
    let (value, last_value) = value.as_chunks_mut::<BLOCK>();
    let (grad, last_grad) = grad.as_chunks::<BLOCK>();
    let mut blocks = Blocks { value, grad, states: Default::default() };
    let mut last_states = StateSlices::default();
    for (j, state) in states.into_iter().enumerate() {
        if let Some(state) = state {
            let (whole, rest) = state.as_chunks_mut::<BLOCK>();
            blocks.states[j] = whole;
            last_states[j] = Some(rest);
        }
    }
    if !blocks.value.is_empty() {
        T::run(pass, blocks);
    }
    if !last_value.is_empty() {
        last(pass, last_value, last_grad, last_states);
    }
}

/// A last, partial block: a copy of it, filled up with zeros.
fn last<T: Full>(pass: Pass<'_>, value: &mut [T], grad: &[T], mut states: StateSlices<'_, T>) {
    let n = value.len();
    let [mut x, mut g] = [[T::default(); BLOCK]; 2];
    let mut rooms = [[T::default(); BLOCK]; MOST_STATES];
    x[..n].copy_from_slice(value);
    g[..n].copy_from_slice(grad);
    for (room, state) in rooms.iter_mut().zip(&states) {
        if let Some(state) = state {
            room[..n].copy_from_slice(state);
        }
    }
    let blocks = Blocks {
        value: from_mut(&mut x),
        grad: from_ref(&g),
        states: rooms.each_mut().map(from_mut),
    };
    T::run(pass, blocks);
    value.copy_from_slice(&x[..n]);
    for (room, state) in rooms.iter().zip(&mut states) {
        if let Some(state) = state {
            state.copy_from_slice(&room[..n]);
        }
    }
}
