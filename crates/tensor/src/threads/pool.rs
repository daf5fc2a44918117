//! Who runs parallel work: a rayon pool with one of the program's own threads as a member.
//!
//! The thread that makes the pool joins it (`use_current_thread`): its `join` is a push on its own
//! queue, 10 to 20 µs cheaper than a hand-off from outside. Other threads stay serial unless the
//! pool has at least two workers of its own and the work is long. A thread that does much work while
//! the member does none takes its place, so the pool follows the thread that computes most, also
//! when the first one has ended.

use std::cell::Cell;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

/// Below this estimated serial time (ns) a thread outside the pool does not hand work over.
///
/// Work of this length then takes 55 to 61 µs on two workers, but work of 50 µs takes 33 to 62
/// (`examples/threads_speed.rs`).
const FOREIGN_SERIAL_BELOW_NS: f64 = 100_000.0;

/// A thread outside the pool that has done so much work (ns) while the member did nothing takes the
/// member's place. Making a pool takes 50 to 100 µs, and about 4 KiB of the old one are not given
/// back (rayon never frees the entry of a thread which joined).
const TAKE_OVER_NS: f64 = 50e6;

/// A worker looks for new work this long after the last call before it sleeps, because to wake it
/// costs the caller 7 µs and comes 20 to 40 µs late. rayon by itself waits about 15 µs: 100 µs of work
/// then take 82 µs on two threads, with lingering 48. Steps of small models leave gaps of 20 to 100 µs.
const LINGER: Duration = Duration::from_micros(200);

/// At most so many workers linger: a short call is not shared by more.
const MOST_LINGERING: usize = 7;

struct Pool {
    /// Threads of the pool, the member included.
    size: usize,
    /// `None` if threads cannot be made: all stays serial.
    rayon: Option<rayon_core::ThreadPool>,
    /// Whether the thread that made the pool is one of `size`.
    joined: bool,
    /// Parallel calls from inside, to see whether the member still computes.
    calls: AtomicU64,
    /// Workers that linger.
    lingering: AtomicUsize,
}

static POOL: RwLock<Option<Arc<Pool>>> = RwLock::new(None);

/// What a thread outside the pool has computed since the pool was last seen at work.
#[derive(Clone, Copy)]
struct Outside {
    calls: u64,
    serial_ns: f64,
}

thread_local! {
    static OUTSIDE: Cell<Outside> = const { Cell::new(Outside { calls: 0, serial_ns: 0.0 }) };
    /// Whether the member is in the middle of a call.
    static BUSY: Cell<bool> = const { Cell::new(false) };
}

/// Where a call comes from.
enum Place {
    Outside,
    Worker,
    Member,
}

/// The right to run work in a pool that lives at least as long.
pub(super) struct Crew {
    pool: Arc<Pool>,
    from: Place,
}

impl Crew {
    /// Runs `work` on a thread of the pool, where [`join`] is parallel.
    pub(super) fn enter(self, work: impl FnOnce() + Send) {
        match (&self.pool.rayon, self.from) {
            (Some(rayon), Place::Outside) => rayon.install(work),
            (Some(rayon), Place::Member) if !BUSY.get() => {
                keep_awake(&self.pool, rayon);
                let _busy = Busy::new();
                work();
            }
            _ => work(),
        }
    }
}

/// Marks the member as busy, also if the work panics.
struct Busy;

impl Busy {
    fn new() -> Self {
        BUSY.set(true);
        Self
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        BUSY.set(false);
    }
}

/// The number of the calling thread in its pool, 0 outside.
pub(super) fn place() -> usize {
    rayon_core::current_thread_index().unwrap_or(0)
}

/// Both, in parallel if another thread of the pool is free.
pub(super) fn join(a: impl FnOnce() + Send, b: impl FnOnce() + Send) {
    rayon_core::join(a, b);
}

/// A pool of `threads` threads, if work of `cost_ns` gains by it on the calling thread.
pub(super) fn crew(threads: usize, cost_ns: f64) -> Option<Crew> {
    let mut pool = current(threads);
    let mut from = pool.place()?;
    if matches!(from, Place::Outside) && pool.joined && takes_over(&pool, cost_ns) {
        pool = replace(threads, Some(&pool));
        from = pool.place()?;
    }
    if matches!(from, Place::Outside) {
        let workers = pool.size - usize::from(pool.joined);
        let gains = workers >= 2 && cost_ns >= FOREIGN_SERIAL_BELOW_NS;
        return gains.then_some(Crew { pool, from });
    }
    pool.calls.fetch_add(1, Relaxed);
    Some(Crew { pool, from })
}

/// Makes the workers linger. For the member only, and not in the middle of a call.
#[inline]
fn keep_awake(pool: &Arc<Pool>, rayon: &rayon_core::ThreadPool) {
    if pool.lingering.load(Relaxed) != 0 {
        return;
    }
    let workers = (pool.size - 1).min(MOST_LINGERING);
    pool.lingering.store(workers, Relaxed);
    let pool = Arc::clone(pool);
    rayon.spawn_broadcast(move |context| {
        if (1..=workers).contains(&context.index()) {
            pool.linger();
        }
    });
    // The member got the job too. It must not stay in its queue, or the pool would never end.
    while rayon_core::yield_local() == Some(rayon_core::Yield::Executed) {}
}

fn takes_over(pool: &Pool, cost_ns: f64) -> bool {
    let calls = pool.calls.load(Relaxed);
    let mut outside = OUTSIDE.get();
    if outside.calls != calls {
        outside = Outside { calls, serial_ns: 0.0 };
    }
    outside.serial_ns += cost_ns;
    let takes_over = outside.serial_ns > TAKE_OVER_NS;
    OUTSIDE.set(if takes_over { Outside { calls, serial_ns: 0.0 } } else { outside });
    takes_over
}

fn current(threads: usize) -> Arc<Pool> {
    // Nothing can panic while the lock is held, and a half-made pool is never stored.
    let slot = POOL.read().unwrap_or_else(PoisonError::into_inner);
    if let Some(pool) = slot.as_ref().filter(|pool| pool.size == threads) {
        return Arc::clone(pool);
    }
    drop(slot);
    replace(threads, None)
}

/// Makes a pool with the calling thread as a member, unless somebody else just did.
///
/// The old pool ends when the last call that uses it does.
fn replace(threads: usize, old: Option<&Arc<Pool>>) -> Arc<Pool> {
    let mut slot = POOL.write().unwrap_or_else(PoisonError::into_inner);
    if let Some(pool) = slot.as_ref().filter(|pool| pool.size == threads)
        && old.is_none_or(|old| !Arc::ptr_eq(old, pool))
    {
        return Arc::clone(pool);
    }
    let pool = Arc::new(Pool::new(threads));
    *slot = Some(Arc::clone(&pool));
    pool
}

impl Pool {
    fn new(size: usize) -> Self {
        let builder = || {
            rayon_core::ThreadPoolBuilder::new()
                .num_threads(size)
                .thread_name(|i| format!("gradus-{i}"))
        };
        let (calls, lingering) = (AtomicU64::new(0), AtomicUsize::new(0));
        match builder().use_current_thread().build() {
            Ok(rayon) => Self { size, rayon: Some(rayon), joined: true, calls, lingering },
            // The thread is in another pool already, and can leave it no more: all hand over from
            // outside.
            Err(_) => Self { size, rayon: builder().build().ok(), joined: false, calls, lingering },
        }
    }

    /// Where the calling thread stands; `None` if there are no threads.
    fn place(&self) -> Option<Place> {
        Some(match self.rayon.as_ref()?.current_thread_index() {
            None => Place::Outside,
            Some(0) if self.joined => Place::Member,
            Some(_) => Place::Worker,
        })
    }

    /// Runs what work there is until there were no calls for some time.
    fn linger(&self) {
        let (mut calls, mut since) = (self.calls.load(Relaxed), Instant::now());
        loop {
            let worked = rayon_core::yield_now() == Some(rayon_core::Yield::Executed);
            let now = self.calls.load(Relaxed);
            if worked || now != calls {
                (calls, since) = (now, Instant::now());
            } else if since.elapsed() > LINGER {
                break;
            }
            std::hint::spin_loop();
        }
        self.lingering.fetch_sub(1, Relaxed);
    }
}
