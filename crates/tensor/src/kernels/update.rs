//! One step of an optimizer, fused: a single pass over value, gradient and state.

use super::convert::Convert;
use super::dispatch::Kernel;
use super::level::{Level, level};
use super::real::{Float, Real};

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
///     state: &mut [Some(&mut b)],
/// };
/// update(Momentum { lr: 1.0, mu: 0.5 }, 1.0, piece);
/// assert_eq!((x, b), ([0.0, 2.5], [1.0, -0.5]));
/// ```
pub trait Update: Copy + Send + Sync + 'static {
    /// `[R; N]`: what is remembered of an element.
    type State<R: Real>: Copy + Default + AsMut<[R]>;
    /// The new value of an element with gradient `g`.
    fn f<R: Real>(self, x: R, g: R, state: &mut Self::State<R>) -> R;
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
pub struct Piece<'a, 's, T, S> {
    /// The parameter, or its master weights.
    pub value: &'a mut [T],
    /// The parameter, if `value` is its master: it gets the value rounded. A master counts only where
    /// it rounds to the parameter; where it does not, the parameter was set by somebody else, and the
    /// master starts anew from it.
    pub stored: Option<&'a mut [S]>,
    /// The gradient.
    pub grad: Gradient<'a, T, S>,
    /// As many as [`Update::State`] has; an absent one reads as 0 and forgets what is written.
    pub state: &'s mut [Option<&'a mut [T]>],
}

/// Applies `rule` to every element of `piece`, with the gradient times `unscale`.
///
/// # Panics
///
/// If the slices differ in length, or if their number is not the rule's.
pub fn update<U: Update, T: Float + Convert<S>, S: Convert<T> + Default + PartialEq>(
    rule: U,
    unscale: f64,
    piece: Piece<'_, '_, T, S>,
) {
    update_at(level(), rule, unscale, piece);
}

/// [`update`] with the instructions of `level`.
#[doc(hidden)]
pub fn update_at<U: Update, T: Float + Convert<S>, S: Convert<T> + Default + PartialEq>(
    level: Level,
    rule: U,
    unscale: f64,
    piece: Piece<'_, '_, T, S>,
) {
    let n = piece.value.len();
    let grad = match piece.grad {
        Gradient::Wide(g) => g.len(),
        Gradient::Stored(g) => g.len(),
    };
    let equal = grad == n
        && piece.stored.as_ref().is_none_or(|s| s.len() == n)
        && piece.state.iter().flatten().all(|s| s.len() == n);
    assert!(equal, "value, gradient and state of an update differ in length");
    T::run_at(level, Fused { rule, unscale, piece });
}

/// Elements a block: two AVX-512 registers of f32 for each of value, gradient and three states, so
/// that a block is loaded, computed and stored in registers.
const BLOCK: usize = 32;

struct Fused<'a, 's, U, T, S> {
    rule: U,
    unscale: f64,
    piece: Piece<'a, 's, T, S>,
}

impl<U: Update, T: Float + Convert<S>, S: Convert<T> + Default + PartialEq> Kernel
    for Fused<'_, '_, U, T, S>
{
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(self) {
        let Fused { rule, unscale, piece: Piece { value, mut stored, grad, state } } = self;
        let slots = U::State::<T::Real<FMA>>::default().as_mut().len();
        assert_eq!(state.len(), slots, "an update with another number of states than its rule");
        for at in (0..value.len()).step_by(BLOCK) {
            let here = at..value.len().min(at + BLOCK);
            let mut x = load(&value[here.clone()]);
            if let Some(stored) = &stored {
                refresh(&mut x, load(&stored[here.clone()]));
            }
            let g = match grad {
                Gradient::Wide(g) => load(&g[here.clone()]),
                Gradient::Stored(g) => load(&g[here.clone()]).map(S::convert),
            };
            let mut s = [[T::default(); BLOCK]; MOST_STATES];
            for (room, from) in s.iter_mut().zip(state.iter()) {
                if let Some(from) = from {
                    *room = load(&from[here.clone()]);
                }
            }
            block::<U, T, FMA>(rule, unscale, &mut x, &g, &mut s, slots);
            for (room, to) in s.iter().zip(state.iter_mut()) {
                if let Some(to) = to {
                    store(room, &mut to[here.clone()]);
                }
            }
            store(&x, &mut value[here.clone()]);
            if let Some(stored) = &mut stored {
                store(&x.map(T::convert), &mut stored[here]);
            }
        }
    }
}

/// The largest number of states of a rule: RMSprop, RAdam and Adam with AMSGrad have three.
const MOST_STATES: usize = 4;

/// The formula on one block.
#[inline(always)]
fn block<U: Update, T: Float, const FMA: bool>(
    rule: U,
    unscale: f64,
    x: &mut [T; BLOCK],
    g: &[T; BLOCK],
    s: &mut [[T; BLOCK]; MOST_STATES],
    slots: usize,
) {
    let unscale = T::Real::<FMA>::of(unscale);
    for i in 0..BLOCK {
        let mut state = U::State::<T::Real<FMA>>::default();
        for (j, v) in state.as_mut().iter_mut().enumerate().take(slots) {
            *v = s[j][i].wrap::<FMA>();
        }
        let y = rule.f(x[i].wrap::<FMA>(), g[i].wrap::<FMA>() * unscale, &mut state);
        x[i] = T::unwrap::<FMA>(y);
        for (j, v) in state.as_mut().iter().enumerate().take(slots) {
            s[j][i] = T::unwrap::<FMA>(*v);
        }
    }
}

/// A block; a last, partial one is filled up with zeros.
#[inline(always)]
fn load<T: Copy + Default>(from: &[T]) -> [T; BLOCK] {
    if let Ok(block) = from.try_into() {
        return block;
    }
    let mut block = [T::default(); BLOCK];
    block[..from.len()].copy_from_slice(from);
    block
}

#[inline(always)]
fn store<T: Copy>(block: &[T; BLOCK], to: &mut [T]) {
    match to.try_into() {
        Ok(to) => *<&mut [T; BLOCK]>::from(to) = *block,
        Err(_) => to.copy_from_slice(&block[..to.len()]),
    }
}

/// Master weights that do not round to the parameter start anew from it.
#[inline(always)]
fn refresh<T: Float + Convert<S>, S: Convert<T> + PartialEq>(x: &mut [T; BLOCK], s: [S; BLOCK]) {
    for (x, s) in x.iter_mut().zip(s) {
        *x = if x.convert() == s { *x } else { s.convert() };
    }
}
