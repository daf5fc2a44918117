//! Packed panels that a thread keeps from one task of a block to its next.

use std::sync::{Mutex, PoisonError};

use crate::storage::{Plain, Scratch};
use crate::threads;

/// Threads that have a place of their own; more than these share them.
const PLACES: usize = 16;

/// The number of a set, and its panels.
type Place<P> = Mutex<Option<(usize, Scratch<P>)>>;

/// A place for each thread. What is in it is named by its set: within a block that says all.
///
/// One set each, without a list: with room for four, which two threads rarely come back to, small products took a fifth longer.
pub(super) struct Parking<P> {
    places: [Place<P>; PLACES],
}

impl<P: Plain> Parking<P> {
    pub(super) fn new() -> Self {
        Self { places: [const { Mutex::new(None) }; PLACES] }
    }

    fn mine(&self) -> &Place<P> {
        &self.places[threads::place() % PLACES]
    }

    /// The buffer that is parked here if it has this length, and whether it holds these panels.
    pub(super) fn take(&self, set: usize, len: usize) -> Option<(Scratch<P>, bool)> {
        let parked = self.mine().lock().unwrap_or_else(PoisonError::into_inner).take();
        let (held, panels) = parked.filter(|(_, panels)| panels.len() == len)?;
        Some((panels, held == set))
    }

    /// Keeps panels for the next task, in place of those parked before.
    pub(super) fn park(&self, set: usize, panels: Scratch<P>) {
        let mut place = self.mine().lock().unwrap_or_else(PoisonError::into_inner);
        let before = place.replace((set, panels));
        drop(place);
        drop(before);
    }
}
