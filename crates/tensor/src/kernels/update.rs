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

/// Elements a block: four AVX-512 registers of f32, which hides the latency of a root and a division.
const BLOCK: usize = 64;

/// The largest number of states of a rule: Adam with AMSGrad and centered RMSprop have three.
const MOST_STATES: usize = 3;

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
        assert!(state.len() == slots && slots <= MOST_STATES, "the rule has {slots} states");
        let [mut room_x, mut room_g] = [[T::default(); BLOCK]; 2];
        let mut rooms = [[T::default(); BLOCK]; MOST_STATES];
        for at in (0..value.len()).step_by(BLOCK) {
            let here = at..value.len().min(at + BLOCK);
            let x = lent(&mut value[here.clone()], &mut room_x);
            if let Some(stored) = &stored {
                refresh(x, &stored[here.clone()]);
            }
            let g = match grad {
                Gradient::Wide(g) => seen(&g[here.clone()], &mut room_g),
                Gradient::Stored(g) => converted(&g[here.clone()], &mut room_g),
            };
            let mut states = state.iter_mut();
            let mut next = |room| match states.next() {
                Some(Some(state)) => lent(&mut state[here.clone()], room),
                Some(None) => zeroed(room),
                // Zeros from the start, for nobody writes there. To write them for each block took its part
                // of the store queue: SGD with momentum was 6 % slower on one thread.
                None => room,
            };
            let [a, b, c] = &mut rooms;
            let (a, b, c) = (next(a), next(b), next(c));
            block::<U, T, FMA>(rule, unscale, x, g, a, b, c);
            if let Some(stored) = &mut stored {
                stored[here.clone()].iter_mut().zip(x.iter()).for_each(|(s, x)| *s = x.convert());
            }
            if here.len() < BLOCK {
                give_back(&room_x, &mut value[here.clone()]);
                for (room, state) in rooms.iter().zip(state.iter_mut()) {
                    if let Some(state) = state {
                        give_back(room, &mut state[here.clone()]);
                    }
                }
            }
        }
    }
}

/// The formula on one block. One reference for each array, so that the compiler knows that none
/// overlaps another.
#[inline(always)]
fn block<U: Update, T: Float, const FMA: bool>(
    rule: U,
    unscale: f64,
    x: &mut [T; BLOCK],
    g: &[T; BLOCK],
    a: &mut [T; BLOCK],
    b: &mut [T; BLOCK],
    c: &mut [T; BLOCK],
) {
    let unscale = T::Real::<FMA>::of(unscale);
    for i in 0..BLOCK {
        let mut state = U::State::<T::Real<FMA>>::default();
        let from = [a[i], b[i], c[i]];
        state.as_mut().iter_mut().zip(from).for_each(|(s, v)| *s = v.wrap::<FMA>());
        let y = rule.f(x[i].wrap::<FMA>(), g[i].wrap::<FMA>() * unscale, &mut state);
        x[i] = T::unwrap::<FMA>(y);
        let state = state.as_mut();
        if let Some(&s) = state.first() {
            a[i] = T::unwrap::<FMA>(s);
        }
        if let Some(&s) = state.get(1) {
            b[i] = T::unwrap::<FMA>(s);
        }
        if let Some(&s) = state.get(2) {
            c[i] = T::unwrap::<FMA>(s);
        }
    }
}

/// The block itself, or a copy of a last, partial one; [`give_back`] takes its elements home.
#[inline(always)]
fn lent<'a, T: Copy>(part: &'a mut [T], room: &'a mut [T; BLOCK]) -> &'a mut [T; BLOCK] {
    if part.len() < BLOCK {
        room[..part.len()].copy_from_slice(part);
        return room;
    }
    part.first_chunk_mut().expect("a whole block")
}

#[inline(always)]
fn give_back<T: Copy>(room: &[T; BLOCK], part: &mut [T]) {
    part.copy_from_slice(&room[..part.len()]);
}

/// As [`lent`], for reading.
#[inline(always)]
fn seen<'a, T: Copy>(part: &'a [T], room: &'a mut [T; BLOCK]) -> &'a [T; BLOCK] {
    if part.len() < BLOCK {
        room[..part.len()].copy_from_slice(part);
        return room;
    }
    part.first_chunk().expect("a whole block")
}

#[inline(always)]
fn converted<'a, T, S: Convert<T>>(part: &[S], room: &'a mut [T; BLOCK]) -> &'a [T; BLOCK] {
    room.iter_mut().zip(part).for_each(|(g, s)| *g = s.convert());
    room
}

/// What an absent state reads as.
#[inline(always)]
fn zeroed<T: Default + Copy>(room: &mut [T; BLOCK]) -> &mut [T; BLOCK] {
    *room = [T::default(); BLOCK];
    room
}

/// Master weights that do not round to the parameter start anew from it.
#[inline(always)]
fn refresh<T: Float + Convert<S>, S: Convert<T> + PartialEq>(x: &mut [T; BLOCK], stored: &[S]) {
    for (x, &s) in x.iter_mut().zip(stored) {
        *x = if x.convert() == s { *x } else { s.convert() };
    }
}
