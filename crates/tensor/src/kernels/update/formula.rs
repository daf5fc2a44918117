//! The part of a step that is compiled for each rule: its formula on whole blocks of memory.

use super::{States, Update};
use crate::kernels::dispatch::{self, Kernel};
use crate::kernels::level::Level;
use crate::kernels::real::{Float, Num, Real};

/// Elements a block, as of an element-wise formula, and for the same reason.
pub(super) const BLOCK: usize = 16;

/// The largest number of states of a rule: Adam with AMSGrad and centered RMSprop have three.
pub(super) const MOST_STATES: usize = 3;

/// Contiguous memory in whole blocks, equally many of value, gradient and each state; none of an absent
/// state.
#[doc(hidden)]
#[derive(Debug)]
pub struct Blocks<'a, T> {
    pub(super) value: &'a mut [[T; BLOCK]],
    pub(super) grad: &'a [[T; BLOCK]],
    pub(super) states: [&'a mut [[T; BLOCK]]; MOST_STATES],
}

/// An [`Update`] as what surrounds the formula sees it: that is compiled once, for all rules.
///
/// A rule is compiled as one loop for each type and level, and called once for many blocks.
pub trait Steps: Send + Sync {
    /// How many states an element has.
    fn states(&self) -> usize;
    /// The formula on f32, with the gradient times `unscale`.
    #[doc(hidden)]
    fn on_f32(&self, level: Level, unscale: f64, blocks: Blocks<'_, f32>);
    /// The formula on f64.
    #[doc(hidden)]
    fn on_f64(&self, level: Level, unscale: f64, blocks: Blocks<'_, f64>);
}

impl<U: Update> Steps for U {
    fn states(&self) -> usize {
        U::State::<Num<f32, false>>::COUNT
    }
    fn on_f32(&self, level: Level, unscale: f64, blocks: Blocks<'_, f32>) {
        dispatch::run_at(level, Pass { rule: *self, unscale, blocks });
    }
    fn on_f64(&self, level: Level, unscale: f64, blocks: Blocks<'_, f64>) {
        dispatch::run_narrow_at(level, Pass { rule: *self, unscale, blocks });
    }
}

struct Pass<'a, U, T> {
    rule: U,
    unscale: f64,
    blocks: Blocks<'a, T>,
}

impl<U: Update, T: Float> Kernel for Pass<'_, U, T> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(self) {
        let Pass { rule, unscale, blocks: Blocks { value, grad, states: [a, b, c] } } = self;
        let states = U::State::<T::Real<FMA>>::COUNT;
        let [mut room_a, mut room_b, mut room_c] = [Room([T::default(); BLOCK]); MOST_STATES];
        for (i, (x, g)) in value.iter_mut().zip(grad).enumerate() {
            let a = present(a, i, states > 0, &mut room_a.0);
            let b = present(b, i, states > 1, &mut room_b.0);
            let c = present(c, i, states > 2, &mut room_c.0);
            block::<U, T, FMA>(rule, unscale, x, g, a, b, c);
        }
    }
}

/// Aligned, because it is written and read at once: where a register crosses a line, the read waits until the write has
/// reached the cache, and with it everything before. Adam then took 13.5 ms for 10 M parameters instead of 7.2, in those
/// processes whose stack began there.
#[derive(Clone, Copy)]
#[repr(align(64))]
struct Room<T>([T; BLOCK]);

/// Block `i` of a state. In the place of an absent one stands a room of zeros, written for each block; if
/// the rule `has` no such state, nobody writes there. To zero it nevertheless took its part of the store
/// queue: SGD with momentum was 6 % slower on one thread.
#[inline(always)]
fn present<'a, T: Copy + Default>(
    state: &'a mut [[T; BLOCK]],
    i: usize,
    has: bool,
    room: &'a mut [T; BLOCK],
) -> &'a mut [T; BLOCK] {
    if !has {
        return room;
    }
    match state.get_mut(i) {
        Some(block) => block,
        None => {
            *room = [T::default(); BLOCK];
            room
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
    let states = U::State::<T::Real<FMA>>::COUNT;
    for i in 0..BLOCK {
        let mut room = [a[i].wrap::<FMA>(), b[i].wrap::<FMA>(), c[i].wrap::<FMA>()];
        let mut state = U::State::first(&room);
        let y = rule.f(x[i].wrap::<FMA>(), g[i].wrap::<FMA>() * unscale, &mut state);
        x[i] = T::unwrap::<FMA>(y);
        state.put(&mut room);
        if states > 0 {
            a[i] = T::unwrap::<FMA>(room[0]);
        }
        if states > 1 {
            b[i] = T::unwrap::<FMA>(room[1]);
        }
        if states > 2 {
            c[i] = T::unwrap::<FMA>(room[2]);
        }
    }
}
