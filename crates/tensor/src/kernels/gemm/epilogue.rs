//! What happens to an element of the product on its way out.

use super::kernel::{GemmElement, Sum};
use crate::storage::Scratch;

/// Applied to each element when its last summand is in, while it is still in a register.
///
/// ```text
/// y = x        y = x + bias[j]        y = max(x + bias[j], 0)        y = max(x, 0)
/// ```
/// NaN stays NaN.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Epilogue<'a, T> {
    /// Nothing.
    #[default]
    None,
    /// Adds one number per column.
    Bias(&'a [T]),
    /// Adds one number per column, then takes the positive part.
    BiasRelu(&'a [T]),
    /// Takes the positive part.
    Relu,
}

impl<'a, T: GemmElement> Epilogue<'a, T> {
    /// With a bias of sums, for which `room` is taken if need be.
    pub(super) fn widen(self, room: &'a mut Option<Scratch<T::Sum>>) -> Epilogue<'a, T::Sum> {
        let relu = self.relu();
        let Some(bias) = self.bias() else {
            return if relu { Epilogue::Relu } else { Epilogue::None };
        };
        let bias = match T::sums(bias) {
            Some(sums) => sums,
            None => {
                let room = room.insert(Scratch::new(bias.len()));
                room.iter_mut().zip(bias).for_each(|(wide, x)| *wide = x.widen());
                room
            }
        };
        if relu { Epilogue::BiasRelu(bias) } else { Epilogue::Bias(bias) }
    }
}

impl<'a, T> Epilogue<'a, T> {
    pub(super) fn bias(self) -> Option<&'a [T]> {
        match self {
            Self::Bias(bias) | Self::BiasRelu(bias) => Some(bias),
            Self::None | Self::Relu => None,
        }
    }

    pub(super) fn relu(self) -> bool {
        matches!(self, Self::BiasRelu(_) | Self::Relu)
    }
}

/// What an element of the output becomes: of itself as it was, and of the sum.
#[derive(Clone, Copy)]
pub(super) struct Finish<'a, S> {
    /// Factor for what the output holds; if 0, it is not read.
    pub(super) beta: S,
    pub(super) epilogue: Epilogue<'a, S>,
}

impl<S: Sum> Finish<'_, S> {
    /// The factor for what the output holds; `None` if it is not to be read.
    #[inline]
    pub(super) fn keep(&self) -> Option<S> {
        (self.beta != S::ZERO).then_some(self.beta)
    }
}

/// The numbers to add to a run of neighbouring elements.
#[derive(Clone, Copy)]
pub(super) enum Shift<'a, S> {
    None,
    All(S),
    Each(&'a [S]),
}

/// `out = finish(keep·out + sums)`, element by element; `out` is read only if `keep` is there. What is
/// in `sums` afterwards does not matter.
#[inline]
pub(super) fn write<O: GemmElement>(
    out: &mut [O],
    sums: &mut [O::Sum],
    keep: Option<O::Sum>,
    shift: Shift<'_, O::Sum>,
    relu: bool,
) {
    if let Some(keep) = keep {
        for (x, y) in sums.iter_mut().zip(&*out) {
            *x = y.widen().times_plus(keep, *x);
        }
    }
    match shift {
        Shift::None => {}
        Shift::All(by) => sums.iter_mut().for_each(|x| *x = x.times_plus(O::Sum::ONE, by)),
        Shift::Each(by) => {
            for (x, &by) in sums.iter_mut().zip(by) {
                *x = x.times_plus(O::Sum::ONE, by);
            }
        }
    }
    if relu {
        for x in &mut *sums {
            if *x < O::Sum::ZERO {
                *x = O::Sum::ZERO;
            }
        }
    }
    for (y, &x) in out.iter_mut().zip(&*sums) {
        *y = O::narrow(x);
    }
}
