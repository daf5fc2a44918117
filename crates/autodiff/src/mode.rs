//! What a thread is doing: recording or not, profiling or not, and inside which layer.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

thread_local! {
    /// [`RECORDING`] and [`PROFILED`]: the door reads both at once.
    static MODE: Cell<u8> = const { Cell::new(RECORDING) };
    static SCOPE: RefCell<Vec<Arc<str>>> = const { RefCell::new(Vec::new()) };
}

const RECORDING: u8 = 1;
const PROFILED: u8 = 2;

/// What the door asks at each operation.
#[derive(Clone, Copy)]
pub(crate) struct Mode(u8);

impl Mode {
    #[inline]
    pub(crate) fn now() -> Self {
        Mode(MODE.get())
    }
    #[inline]
    pub(crate) fn records(self) -> bool {
        self.0 & RECORDING != 0
    }
    #[inline]
    pub(crate) fn is_profiled(self) -> bool {
        self.0 & PROFILED != 0
    }
}

/// Does this thread record operations (`torch.is_grad_enabled`)?
#[inline]
pub fn is_grad_enabled() -> bool {
    Mode::now().records()
}

/// Does a profile run on this thread?
#[inline]
pub(crate) fn is_profiled() -> bool {
    Mode::now().is_profiled()
}

fn set(bit: u8, on: bool) {
    MODE.set(if on { MODE.get() | bit } else { MODE.get() & !bit });
}

pub(crate) fn set_profiled(on: bool) {
    set(PROFILED, on);
}

/// Undoes a change of mode when it goes out of scope, also by a panic.
pub(crate) struct Restore(bool);

impl Drop for Restore {
    fn drop(&mut self) {
        set(RECORDING, self.0);
    }
}

pub(crate) fn set_recording(on: bool) -> Restore {
    let before = is_grad_enabled();
    set(RECORDING, on);
    Restore(before)
}

/// Run `f` without recording on this thread (`torch.no_grad`): results are untracked and nothing is
/// kept for a sweep.
///
/// ```
/// use gradus_autodiff::{Tensor, no_grad};
/// let w = Tensor::from([1.0_f32, 2.0]).requires_grad_();
/// assert!((&w * 2.0).requires_grad());
/// assert!(!no_grad(|| &w * 2.0).requires_grad());
/// ```
pub fn no_grad<T>(f: impl FnOnce() -> T) -> T {
    let _restore = set_recording(false);
    f()
}

/// Run `f` with recording, inside a [`no_grad`] (`torch.enable_grad`).
pub fn enable_grad<T>(f: impl FnOnce() -> T) -> T {
    let _restore = set_recording(true);
    f()
}

/// While it lives, errors of this thread name the layer.
#[derive(Debug)]
#[must_use]
pub struct Scope(());

impl Drop for Scope {
    fn drop(&mut self) {
        SCOPE.with_borrow_mut(Vec::pop);
    }
}

/// Enter the layer with this path, such as `encoder.layers.0`.
pub fn enter_scope(path: &Arc<str>) -> Scope {
    SCOPE.with_borrow_mut(|s| s.push(path.clone()));
    Scope(())
}

/// The path of the layer this thread is in, if any.
pub fn current_scope() -> Option<Arc<str>> {
    SCOPE.with_borrow(|s| s.last().cloned())
}
