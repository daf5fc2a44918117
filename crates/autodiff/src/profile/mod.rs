//! Where does the time go? One table of all operations that a piece of program runs.

mod probe;
mod report;

pub(crate) use probe::{Probe, Sweeping, accumulate, sweeping};
pub use report::{LayerRow, Pass, Profile, Row};

use crate::mode::set_profiled;
use probe::Running;
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Run `f`, and report every operation that this thread runs in it: calls, time, rate and traffic,
/// forward and backward apart, and what the time beside the kernels went to.
///
/// ```
/// use gradus_autodiff::{Pass, Tensor, profile};
/// let w = Tensor::from([[0.5_f32, 1.0], [2.0, -1.0]]).requires_grad_();
/// let x = Tensor::from([[1.0_f32, 2.0]]);
/// let report = profile(|| x.matmul(&w).tanh().sum().backward());
/// println!("{report}");
/// let matmul = report.row("matmul", Pass::Forward).unwrap();
/// assert_eq!((matmul.calls, matmul.work.flops), (1, 8.0));
/// assert!(report.row("tanh_backward", Pass::Backward).is_some());
/// ```
/// prints (of a training step of a larger net)
/// ```text
/// op                      calls       ms   share          rate        MB
/// forward
///   linear                    3    0.151   26.9 %   247.0 GF/s       1.4
///   relu                      2    0.006    1.0 %    35.6 GB/s       0.2
///   …
/// ```
/// The time of a kernel on several threads is that on the clock of this thread. Operations of other
/// threads are theirs to profile. A profile inside another one is part of the other's report too. If
/// `f` panics, the panic goes on, an outer profile has what ran until then, and nothing stays switched on.
/// A program that does not profile pays for one bit that every operation looks at anyway.
///
/// # PyTorch
/// `torch.profiler.profile`, with `key_averages().table()`.
pub fn profile<T>(f: impl FnOnce() -> T) -> Profile {
    profile_with(f).1
}

/// As [`profile`], with what `f` returns.
///
/// ```
/// use gradus_autodiff::{Pass, Tensor, profile_with};
/// let x = Tensor::from([3.0_f32, 4.0]);
/// let (norm, report) = profile_with(|| x.square().sum().sqrt().item());
/// assert_eq!(norm, 5.0);
/// assert_eq!(report.rows().iter().map(|row| row.calls).sum::<u64>(), 3);
/// ```
pub fn profile_with<T>(f: impl FnOnce() -> T) -> (T, Profile) {
    let mut session = Session::start();
    let value = f();
    (value, session.end())
}

thread_local!(static STATE: RefCell<State> = RefCell::default());

/// What this thread has measured.
#[derive(Default)]
struct State {
    /// The profiles that run, the innermost last.
    open: Vec<Profile>,
    /// Time inside of closed doors and sweeps, and of the profiler itself: what an outer one leaves out
    /// of its own time. Grows only.
    inner: Duration,
    /// The operations that run, the innermost last.
    running: Vec<Running>,
    /// Of the profiler itself.
    overhead: Duration,
    /// How many sweeps are running.
    sweeps: usize,
    /// The layer whose rule runs, in a sweep.
    layer: Option<Arc<str>>,
    /// The layers that nodes were recorded in.
    layers: HashMap<u64, Arc<str>>,
    /// What reading the clock costs: each interval contains it once.
    clock: Duration,
}

/// A profile that runs; ends also by a panic.
struct Session {
    start: Instant,
    overhead: Duration,
    running: bool,
}

impl Session {
    fn start() -> Self {
        let overhead = STATE.with_borrow_mut(|s| {
            if s.open.is_empty() {
                s.clock = probe::cost_of_the_clock();
            }
            s.open.push(Profile::default());
            s.overhead
        });
        set_profiled(true);
        Session { start: Instant::now(), overhead, running: true }
    }
    fn end(&mut self) -> Profile {
        let wall = self.start.elapsed();
        self.running = false;
        STATE.with_borrow_mut(|s| {
            let mut profile = s.open.pop().unwrap_or_default();
            profile.wall = wall.saturating_sub(s.overhead - self.overhead);
            match s.open.last_mut() {
                Some(outer) => outer.add(&profile),
                None => {
                    set_profiled(false);
                    *s = State::default();
                }
            }
            profile
        })
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if self.running {
            let _ = self.end();
        }
    }
}
