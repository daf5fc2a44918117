//! The element-wise half of an LSTM cell over arrays `[.., 4h]` and `[.., h]`.

use crate::kernels::element::Map;
use crate::kernels::lstm::{Cells, Part, activate, cell};
use crate::kernels::real::{Float, Real};
use crate::rows::{lane, row_lane};
use crate::{Array, Element, Shape, threads};

/// Serial nanoseconds for each gate: a sigmoid.
const NS_PER_ELEMENT: f64 = 0.6;
/// Gates of one task, at least.
const CHUNK: usize = 8 << 10;

#[derive(Clone, Copy)]
struct Tanh;

impl Map for Tanh {
    #[inline(always)]
    fn f<R: Real>(self, x: R) -> R {
        x.tanh()
    }
}

/// What an LSTM cell gives, in f64 for f64 gates, else in f32.
pub struct LstmCell {
    /// The new hidden state, `[.., h]`.
    pub h: Array,
    /// The new cell state, `[.., h]`.
    pub c: Array,
    /// The gates after sigmoid and tanh, `[.., 4h]`.
    pub gates: Array,
    /// The tanh of the new cell state, `[.., h]`.
    pub tanh: Array,
}

impl Array {
    /// The cell step for gates `[i | f | g | o]`, `self: [.., 4h]`, before activation:
    ///
    /// ```text
    /// c′ = σ(f)·c + σ(i)·tanh(g),   h′ = σ(o)·tanh(c′)
    /// ```
    /// # Panics
    /// If the shapes do not fit.
    #[track_caller]
    pub fn lstm_cell(&self, c: &Array) -> LstmCell {
        let [gates, c] = [self, c].map(|x| x.clone().cast(row_lane(self.dtype())).contiguous());
        let width = 4 * c.shape()[c.rank() - 1];
        assert!(gates.numel() == 4 * c.numel(), "lstm_cell: {} and {}", gates.meta(), c.meta());
        lane!(gates.dtype(), T => {
            let gates = by_rows::<T>(gates.shape(), width, &|at, out| {
                activate(&gates.elements::<T>()[at..][..out.len()], width / 4, out);
            });
            let new = arithmetic::<T>(Part::Cell, &gates, [&c; 4]);
            let tanh = new.clone().map(Tanh);
            let h = arithmetic::<T>(Part::Hidden, &gates, [&tanh; 4]);
            LstmCell { h, c: new, gates, tanh }
        })
    }
    /// Gradients of the gates before activation, `[.., 4h]`, and of the old cell state `c`, `[.., h]`,
    /// from those of the new states; `self` and `tanh` are [`LstmCell::gates`] and [`LstmCell::tanh`].
    ///
    /// # Panics
    /// If the shapes do not fit.
    #[track_caller]
    pub fn lstm_cell_backward(
        &self,
        tanh: &Array,
        c: &Array,
        gh: &Array,
        gc: &Array,
    ) -> [Array; 2] {
        let [c, gh, gc] = [c, gh, gc].map(|x| x.clone().cast(self.dtype()).contiguous());
        let cells = [&c, tanh, &gh, &gc];
        lane!(self.dtype(), T => [Part::GateGradient, Part::CellGradient]
            .map(|part| arithmetic::<T>(part, self, cells)))
    }
}

/// One part of the arithmetic, with `[c, t, gh, gc]`.
fn arithmetic<T: Float + Element>(part: Part, gates: &Array, cells: [&Array; 4]) -> Array {
    let shape = cells[0].shape();
    let h = shape[shape.rank() - 1];
    let (to, width) = if part == Part::GateGradient { (gates.shape(), 4 * h) } else { (shape, h) };
    let [c, t, gh, gc] = cells.map(|x| x.elements::<T>());
    by_rows::<T>(to, width, &|at, out| {
        let (row, count) = (at / width, out.len() / width);
        let [c, t, gh, gc] = [c, t, gh, gc].map(|x| &x[row * h..][..count * h]);
        let gates = &gates.elements::<T>()[row * 4 * h..][..count * 4 * h];
        cell(part, gates, Cells { c, t, gh, gc }, h, out);
    })
}

/// An array filled by `part(start, elements)` in tasks of whole rows.
fn by_rows<T: Element>(
    shape: &Shape,
    width: usize,
    part: &(dyn Fn(usize, &mut [T]) + Sync),
) -> Array {
    let chunk = (CHUNK / width.max(1)).max(1) * width.max(1);
    Array::build::<T>(shape, |out| {
        let cost = out.len() as f64 * NS_PER_ELEMENT;
        threads::run_chunks(out, chunk, cost, &|i, out| part(i * chunk, out));
    })
}
