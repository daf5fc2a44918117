//! The clocks at the door and around a sweep. All of it is cold: without a profile, the door asks one bit.

use super::{STATE, State};
use crate::graph::Node;
use crate::mode::{Mode, current_scope, is_profiled};
use crate::{Op, Pack, Pass, Work};
use gradus_tensor::{Array, Meta};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Readings of the clock, of which the fastest counts.
const READINGS: usize = 200;

/// Time from one reading of the clock to the next.
pub(super) fn cost_of_the_clock() -> Duration {
    let reading = |_| {
        let before = Instant::now();
        before.elapsed()
    };
    (0..READINGS).map(reading).min().unwrap_or_default()
}

/// An operation on its way through the door: its place on the list of those that run, or 0 without a
/// profile. A number and no guard, because a door that no profile stands at must cost nothing: one that
/// a panic or a refusal leaves open is forgotten when the next one around it closes.
#[derive(Clone, Copy)]
pub(crate) struct Probe(u32);

/// What is known of an operation that runs.
pub(super) struct Running {
    entry: Moment,
    /// The begin of the kernel, later its end.
    kernel: Moment,
    /// From the entry to the kernel, without what ran inside.
    before: Duration,
    in_kernel: Duration,
    work: Work,
}

/// A time, and [`State::inner`] then.
type Moment = (Instant, Duration);

impl Probe {
    #[inline]
    pub(crate) fn enter(mode: Mode) -> Probe {
        if mode.is_profiled() { Probe::open() } else { Probe(0) }
    }
    /// The inputs fit; the kernel begins after this.
    #[inline]
    pub(crate) fn kernel<O: Op>(self, op: &O, x: &O::In<Array>, y: &O::Out<Meta>) {
        if self.0 != 0 {
            self.kernel_begins(op, x, y);
        }
    }
    #[inline]
    pub(crate) fn kernel_ends(self) {
        if self.0 != 0 {
            self.with(|running, state| {
                running.in_kernel = state.own(running.kernel);
                running.kernel = state.now();
            });
        }
    }
    /// A node was made in the layer that runs: its rule will belong to it.
    #[inline]
    pub(crate) fn recorded(self, node: &Node) {
        if self.0 != 0 {
            note_layer(node);
        }
    }
    #[inline]
    pub(crate) fn leave(self, name: &'static str) {
        if self.0 != 0 {
            self.close(name);
        }
    }
    #[cold]
    #[inline(never)]
    fn open() -> Probe {
        STATE.with_borrow_mut(|s| {
            let (zero, entry) = (Duration::ZERO, s.now());
            let running =
                Running { entry, kernel: entry, before: zero, in_kernel: zero, work: Work::NONE };
            s.running.push(running);
            Probe(s.running.len() as u32)
        })
    }
    #[cold]
    #[inline(never)]
    fn with(self, f: impl FnOnce(&mut Running, &State)) {
        STATE.with_borrow_mut(|s| {
            s.running.truncate(self.0 as usize);
            if let Some(mut running) = s.running.pop() {
                f(&mut running, s);
                s.running.push(running);
            }
        });
    }
    #[cold]
    #[inline(never)]
    fn kernel_begins<O: Op>(self, op: &O, x: &O::In<Array>, y: &O::Out<Meta>) {
        self.entered();
        let x = Pack::collect(Pack::<Array>::slice(x).iter().map(Array::meta));
        self.starts(op.work(x, Pack::collect(Pack::<Meta>::slice(y).iter())));
    }
    /// The door is passed.
    fn entered(self) {
        self.with(|running, state| running.before = state.own(running.entry));
    }
    fn starts(self, work: Work) {
        self.with(|running, state| {
            running.work = work;
            running.kernel = state.now();
        });
    }
    #[cold]
    #[inline(never)]
    fn close(self, name: &'static str) {
        let scope = current_scope();
        self.with(|running, state| running.before += state.own(running.kernel));
        STATE.with_borrow_mut(|s| {
            let Some(Running { entry, before, in_kernel, work, .. }) = s.running.pop() else {
                return;
            };
            s.note(name, scope, in_kernel, work);
            s.keep_books(before);
            s.closed(entry, in_kernel + before);
        });
    }
}

#[cold]
#[inline(never)]
fn note_layer(node: &Node) {
    if let Some(layer) = current_scope() {
        STATE.with_borrow_mut(|s| s.layers.insert(node.number, layer));
    }
}

impl State {
    fn now(&self) -> Moment {
        (Instant::now(), self.inner)
    }
    /// Time since then, without what ran inside.
    fn own(&self, (start, inner): Moment) -> Duration {
        start.elapsed().saturating_sub(self.inner - inner).saturating_sub(self.clock)
    }
    fn pass(&self) -> Pass {
        if self.sweeps > 0 { Pass::Backward } else { Pass::Forward }
    }
    /// One more call; `scope` is the layer of a forward.
    fn note(&mut self, op: &'static str, scope: Option<Arc<str>>, time: Duration, work: Work) {
        let pass = self.pass();
        let layer = if pass == Pass::Forward { scope } else { self.layer.clone() };
        if let Some(profile) = self.open.last_mut() {
            profile.note(op, pass, layer, time, work);
        }
    }
    fn keep_books(&mut self, time: Duration) {
        let pass = self.pass();
        if let Some(profile) = self.open.last_mut() {
            profile.bookkeeping[pass as usize] += time;
        }
    }
    /// Something that began then has ended, of which `used` is its own.
    fn closed(&mut self, (start, inner): Moment, used: Duration) {
        let all = start.elapsed();
        self.overhead += all.saturating_sub(self.inner - inner).saturating_sub(used);
        self.inner = inner + all;
    }
}

/// The sum of gradients that a sweep makes without the door.
pub(crate) fn accumulate(sum: Array, g: Array, add: impl FnOnce(Array, Array) -> Array) -> Array {
    if !is_profiled() {
        return add(sum, g);
    }
    let work = Work::of([sum.meta(), g.meta(), sum.meta()]);
    let start = STATE.with_borrow(State::now);
    let sum = add(sum, g);
    STATE.with_borrow_mut(|s| {
        let used = s.own(start);
        s.note("accumulate", None, used, work);
        s.closed(start, used);
    });
    sum
}

/// While it lives, operations count as backward, and time outside of them as bookkeeping of the sweep.
pub(crate) struct Sweeping(Option<Started>);

struct Started {
    start: Moment,
    /// The layer of the rule around it, if one sweep runs in another.
    layer: Option<Arc<str>>,
}

/// Mark the begin of a sweep.
pub(crate) fn sweeping() -> Sweeping {
    if !is_profiled() {
        return Sweeping(None);
    }
    STATE.with_borrow_mut(|s| {
        s.sweeps += 1;
        Sweeping(Some(Started { start: s.now(), layer: s.layer.clone() }))
    })
}

impl Sweeping {
    /// The rule of this node runs next.
    #[inline]
    pub(crate) fn at(&self, node: &Node) {
        if self.0.is_some() {
            STATE.with_borrow_mut(|s| s.layer = s.layers.get(&node.number).cloned());
        }
    }
}

impl Drop for Sweeping {
    fn drop(&mut self) {
        let Some(Started { start, layer }) = self.0.take() else { return };
        STATE.with_borrow_mut(|s| {
            let used = s.own(start);
            s.keep_books(used);
            s.closed(start, used);
            s.sweeps = s.sweeps.saturating_sub(1);
            s.layer = layer;
        });
    }
}
