//! What happens to an element of the product on its way out.

use super::kernel::GemmElement;

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
pub(super) struct Finish<'a, T> {
    /// Factor for what the output holds; if 0, it is not read.
    pub(super) beta: T,
    pub(super) epilogue: Epilogue<'a, T>,
}

impl<T: GemmElement> Finish<'_, T> {
    /// The factor for what the output holds, at the first sum or at a later one; `None` if it is not
    /// to be read.
    #[inline]
    pub(super) fn keep(&self, first: bool) -> Option<T> {
        match first {
            true if self.beta == T::ZERO => None,
            true => Some(self.beta),
            false => Some(T::ONE),
        }
    }
}

/// The numbers to add to a run of neighbouring elements.
#[derive(Clone, Copy)]
pub(super) enum Shift<'a, T> {
    None,
    All(T),
    Each(&'a [T]),
}

/// `out = finish(keep·out + sums)`, element by element; `out` is read only if `keep` is there.
#[inline]
pub(super) fn write<T: GemmElement>(
    out: &mut [T],
    sums: &[T],
    keep: Option<T>,
    shift: Shift<'_, T>,
    relu: bool,
) {
    match keep {
        None => out.copy_from_slice(sums),
        Some(keep) => {
            for (y, &x) in out.iter_mut().zip(sums) {
                *y = y.times_plus(keep, x);
            }
        }
    }
    match shift {
        Shift::None => {}
        Shift::All(by) => out.iter_mut().for_each(|y| *y = y.times_plus(T::ONE, by)),
        Shift::Each(by) => {
            for (y, &by) in out.iter_mut().zip(by) {
                *y = y.times_plus(T::ONE, by);
            }
        }
    }
    if relu {
        for y in out {
            if *y < T::ZERO {
                *y = T::ZERO;
            }
        }
    }
}
