//! The pool: every task once, nested calls, panics, changes of size, calls from other threads.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread::ThreadId;

use gradus_tensor::threads::{num_threads, run, run_chunks, set_num_threads};

/// Enough to be worth any hand-off.
const LARGE: f64 = 1e9;

/// The number of threads is one for the process: tests that set it take turns.
static TURN: Mutex<()> = Mutex::new(());

fn with_threads(n: usize, test: impl FnOnce()) {
    let _turn = TURN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    set_num_threads(n);
    assert_eq!(num_threads(), n);
    test();
}

/// Waits until `count` tasks are inside at once, which takes as many threads.
fn meet(inside: &AtomicUsize, count: usize) {
    inside.fetch_add(1, Relaxed);
    while inside.load(Relaxed) < count {
        std::thread::yield_now();
    }
}

#[test]
fn each_task_runs_exactly_once() {
    for threads in [1, 2, 3, 4] {
        with_threads(threads, || {
            for tasks in [0, 1, 2, 3, 7, 1000] {
                for cost_ns in [0.0, 30_000.0, LARGE] {
                    let calls: Vec<AtomicUsize> = (0..tasks).map(|_| AtomicUsize::new(0)).collect();
                    run(tasks, cost_ns, &|i| {
                        calls[i].fetch_add(1, Relaxed);
                    });
                    assert!(calls.iter().all(|n| n.load(Relaxed) == 1));
                }
            }
        });
    }
}

#[test]
fn each_chunk_is_written_exactly_once() {
    for threads in [1, 3] {
        with_threads(threads, || {
            for (len, chunk) in [(0, 0), (1, 5), (10, 3), (1000, 1), (1000, 999)] {
                let mut out = vec![0; len];
                run_chunks(&mut out, chunk, LARGE, &|i, piece| {
                    piece.iter_mut().for_each(|x| *x += i + 1);
                });
                let want: Vec<usize> = (0..len).map(|at| at / chunk + 1).collect();
                assert_eq!(out, want);
            }
        });
    }
}

/// Does not end unless two threads take part.
fn two_at_once() {
    let inside = AtomicUsize::new(0);
    run(2, LARGE, &|_| meet(&inside, 2));
}

#[test]
fn two_tasks_run_at_the_same_time() {
    with_threads(2, || {
        two_at_once();
        // After workers have gone to sleep, too.
        std::thread::sleep(std::time::Duration::from_millis(3));
        two_at_once();
    });
}

#[test]
fn the_pool_follows_the_thread_that_computes_and_comes_back() {
    with_threads(2, || {
        two_at_once();
        std::thread::spawn(two_at_once).join().expect("no panic");
        two_at_once();
        std::thread::spawn(two_at_once).join().expect("no panic");
    });
}

#[test]
#[cfg(target_os = "linux")]
fn pools_that_are_replaced_end_their_threads() {
    let workers = || {
        let tasks = std::fs::read_dir("/proc/self/task").expect("the threads of this process");
        let name = |task: std::fs::DirEntry| std::fs::read_to_string(task.path().join("comm"));
        let names = tasks.flatten().filter_map(|task| name(task).ok());
        names.filter(|name| name.starts_with("gradus-")).count()
    };
    with_threads(2, || {
        // Each of them takes the pool over, then ends.
        for _ in 0..20 {
            std::thread::spawn(two_at_once).join().expect("no panic");
        }
        let start = std::time::Instant::now();
        while workers() > 2 {
            assert!(start.elapsed().as_secs() < 10, "{} workers are left", workers());
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
    });
}

#[test]
fn work_too_small_for_a_hand_over_stays_on_its_thread() {
    with_threads(4, || {
        let here = std::thread::current().id();
        run(100, 1000.0, &|_| assert_eq!(std::thread::current().id(), here));
    });
}

#[test]
fn one_thread_is_the_calling_one() {
    with_threads(1, || {
        let here: ThreadId = std::thread::current().id();
        run(100, LARGE, &|_| assert_eq!(std::thread::current().id(), here));
    });
}

#[test]
fn tasks_may_start_tasks() {
    with_threads(3, || {
        let calls = AtomicUsize::new(0);
        run(5, LARGE, &|_| {
            run(7, LARGE, &|_| {
                run(3, LARGE, &|_| {
                    calls.fetch_add(1, Relaxed);
                });
            });
        });
        assert_eq!(calls.into_inner(), 5 * 7 * 3);
    });
}

#[test]
fn a_panic_in_a_task_reaches_the_caller_and_the_pool_lives_on() {
    for threads in [1, 2, 4] {
        with_threads(threads, || {
            let failed = catch_unwind(AssertUnwindSafe(|| {
                run(50, LARGE, &|i| assert!(i != 33, "task 33 is ill"));
            }));
            let message = *failed.expect_err("task 33 panics").downcast::<&str>().expect("a text");
            assert_eq!(message, "task 33 is ill");
            let sum = AtomicUsize::new(0);
            run(10, LARGE, &|i| {
                sum.fetch_add(i, Relaxed);
            });
            assert_eq!(sum.into_inner(), 45);
        });
    }
}

#[test]
fn many_threads_may_call_at_once() {
    with_threads(2, || {
        std::thread::scope(|scope| {
            for _ in 0..6 {
                scope.spawn(|| {
                    for _ in 0..50 {
                        let sum = AtomicUsize::new(0);
                        run(20, LARGE, &|i| {
                            sum.fetch_add(i, Relaxed);
                        });
                        assert_eq!(sum.into_inner(), 190);
                    }
                });
            }
        });
    });
}

#[test]
fn calls_from_inside_another_pool_work() {
    with_threads(3, || {
        let foreign = rayon_core::ThreadPoolBuilder::new().num_threads(2).build().expect("a pool");
        let sum = AtomicUsize::new(0);
        foreign.install(|| {
            run(20, LARGE, &|i| {
                sum.fetch_add(i, Relaxed);
            });
        });
        assert_eq!(sum.into_inner(), 190);
    });
}

#[test]
#[should_panic(expected = "the number of threads must be at least 1")]
fn no_threads_at_all_is_refused() {
    set_num_threads(0);
}

#[test]
#[should_panic(expected = "a chunk must have at least one element")]
fn chunks_of_nothing_are_refused() {
    run_chunks(&mut [0; 3], 0, 0.0, &|_, _| {});
}
