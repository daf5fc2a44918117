//! A target without threads: everything is serial.

/// Nobody: there is no value of this type.
pub(super) enum Crew {}

impl Crew {
    pub(super) fn enter(self, _work: impl FnOnce()) {
        match self {}
    }
}

pub(super) fn crew(_threads: usize, _cost_ns: f64) -> Option<Crew> {
    None
}

pub(super) fn place() -> usize {
    0
}

pub(super) fn join(a: impl FnOnce(), b: impl FnOnce()) {
    a();
    b();
}
