//! One step of an optimizer, fused: a single pass over value, gradient and state.
//!
//! `formula.rs` is compiled for each rule. What surrounds it is compiled once: `whole.rs` makes whole blocks
//! of any length and of absent states, `halves.rs` full numbers of half types.

mod formula;
mod halves;
mod whole;

use super::level::{Level, level};
use super::real::Real;
pub use formula::Steps;
use formula::{BLOCK, Blocks, MOST_STATES};
pub use halves::{Half, Stored};
pub use whole::Full;

#[cfg(test)]
mod tests;

/// One step of an optimizer on one element.
///
/// The type holds the constants of the step in f64; the formula rounds them once, by [`Real::of`],
/// and the compiler takes that out of the loop. Mark the formula `#[inline(always)]`, and let it
/// choose by [`Real::select`] instead of branching.
///
/// ```
/// use gradus_tensor::kernels::real::Real;
/// use gradus_tensor::kernels::update::{Gradient, Piece, Update, update};
///
/// /// `b ← μ·b + g`, `x ← x − lr·b`
/// #[derive(Clone, Copy)]
/// struct Momentum { lr: f64, mu: f64 }
///
/// impl Update for Momentum {
///     type State<R: Real> = [R; 1];
///     #[inline(always)]
///     fn f<R: Real>(self, x: R, g: R, [b]: &mut [R; 1]) -> R {
///         *b = R::of(self.mu).mul_add(*b, g);
///         R::of(-self.lr).mul_add(*b, x)
///     }
/// }
///
/// let (mut x, g, mut b) = ([1.0, 2.0], [0.5, -0.5], [1.0, 0.0]);
/// let piece = Piece {
///     value: &mut x,
///     stored: None::<&mut [f64]>,
///     grad: Gradient::Wide(&g),
///     states: [Some(&mut b), None, None],
/// };
/// update(&Momentum { lr: 1.0, mu: 0.5 }, 1.0, piece);
/// assert_eq!((x, b), ([0.0, 2.5], [1.0, -0.5]));
/// ```
pub trait Update: Copy + Send + Sync + 'static {
    /// `[R; N]`: what is remembered of an element.
    type State<R: Real>: States<R>;
    /// The new value of an element with gradient `g`.
    fn f<R: Real>(self, x: R, g: R, state: &mut Self::State<R>) -> R;
}

/// The states of an element: `[R; N]` with N of at most three.
pub trait States<R>: Copy {
    /// How many.
    #[doc(hidden)]
    const COUNT: usize;
    /// The first of `room`.
    #[doc(hidden)]
    fn first(room: &[R; MOST_STATES]) -> Self;
    /// Back to where they were.
    #[doc(hidden)]
    fn put(&self, room: &mut [R; MOST_STATES]);
}

#[allow(clippy::manual_memcpy, reason = "what copies slices is not always inlined")]
impl<R: Real, const N: usize> States<R> for [R; N] {
    const COUNT: usize = N;
    #[inline(always)]
    fn first(room: &[R; MOST_STATES]) -> Self {
        let mut states = [R::of(0.0); N];
        for j in 0..N {
            states[j] = room[j];
        }
        states
    }
    #[inline(always)]
    fn put(&self, room: &mut [R; MOST_STATES]) {
        for j in 0..N {
            room[j] = self[j];
        }
    }
}

/// `a + w·(b − a)`, rounded as PyTorch's `lerp`: from the end that is nearer, fused.
#[inline(always)]
pub fn lerp<R: Real>(a: R, b: R, w: f64) -> R {
    let (near_a, weight) = (w.abs() < 0.5, R::of(w));
    let weight = R::select(near_a, weight, weight - R::of(1.0));
    weight.mul_add(b - a, R::select(near_a, a, b))
}

/// The gradient of a piece: in the type that is computed in, or in the one that is stored.
#[derive(Clone, Copy, Debug)]
pub enum Gradient<'a, T, S> {
    /// As the value.
    Wide(&'a [T]),
    /// As the parameter, which is a half type.
    Stored(&'a [S]),
}

/// What one call updates: slices of equal length.
#[derive(Debug)]
pub struct Piece<'a, T, S> {
    /// The parameter, or its master weights.
    pub value: &'a mut [T],
    /// The parameter, if `value` is its master: it gets the value rounded. A master counts only where
    /// it rounds to the parameter; where it does not, the parameter was set by somebody else, and the
    /// master starts anew from it.
    pub stored: Option<&'a mut [S]>,
    /// The gradient.
    pub grad: Gradient<'a, T, S>,
    /// An absent one reads as 0 and forgets what is written; those that the rule has not are absent.
    pub states: [Option<&'a mut [T]>; MOST_STATES],
}

impl<'a, T, S> Piece<'a, T, S> {
    /// Takes the first `n` elements off.
    ///
    /// # Panics
    ///
    /// If there are fewer.
    #[must_use]
    pub fn split_off(&mut self, n: usize) -> Self {
        let (grad, rest) = match self.grad {
            Gradient::Wide(g) => (Gradient::Wide(&g[..n]), Gradient::Wide(&g[n..])),
            Gradient::Stored(g) => (Gradient::Stored(&g[..n]), Gradient::Stored(&g[n..])),
        };
        self.grad = rest;
        Piece {
            value: split_off(&mut self.value, n),
            stored: self.stored.as_mut().map(|stored| split_off(stored, n)),
            grad,
            states: self.states.each_mut().map(|s| s.as_mut().map(|s| split_off(s, n))),
        }
    }
    /// Do all slices have as many elements as the value, and is there no state but those of the rule?
    fn check(&self, states: usize) {
        let n = self.value.len();
        let grad = match self.grad {
            Gradient::Wide(g) => g.len(),
            Gradient::Stored(g) => g.len(),
        };
        let equal = grad == n
            && self.stored.as_ref().is_none_or(|s| s.len() == n)
            && self.states.iter().flatten().all(|s| s.len() == n);
        assert!(equal, "value, gradient and state of an update differ in length");
        let known = states <= MOST_STATES && self.states[states..].iter().all(Option::is_none);
        assert!(known, "the rule has {states} states");
    }
}

fn split_off<'a, T>(slice: &mut &'a mut [T], n: usize) -> &'a mut [T] {
    let (first, rest) = std::mem::take(slice).split_at_mut(n);
    *slice = rest;
    first
}

/// A rule, and how it is applied.
#[doc(hidden)]
#[derive(Clone, Copy)]
pub struct Pass<'a> {
    rule: &'a dyn Steps,
    level: Level,
    unscale: f64,
}

/// Applies `rule` to every element of `piece`, with the gradient times `unscale`.
///
/// # Panics
///
/// If the slices differ in length, if there is a state that the rule has not, or if a piece of f32 or f64
/// has master weights.
pub fn update<S: Stored>(rule: &dyn Steps, unscale: f64, piece: Piece<'_, S::Full, S>) {
    update_at(level(), rule, unscale, piece);
}

/// [`update`] with the instructions of `level`.
#[doc(hidden)]
pub fn update_at<S: Stored>(
    level: Level,
    rule: &dyn Steps,
    unscale: f64,
    piece: Piece<'_, S::Full, S>,
) {
    S::update(Pass { rule, level, unscale }, piece);
}
