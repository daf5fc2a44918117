//! The pool of blocks: counts are exact, what is kept is bounded, and blocks that wander between threads
//! come back.

use gradus_tensor::{
    Array, DType, MemoryStats, cached_bytes, empty_cache, live_bytes, memory_stats, peak_bytes,
    reset_peak,
};
use std::sync::mpsc;
use std::thread;

/// In one thread, because another test's thread would keep blocks until it ends.
#[test]
fn the_pool() {
    let checks: [fn(); 7] = [
        what_is_kept_is_bounded,
        counts_are_exact,
        the_next_array_of_a_size_takes_the_block_of_the_last,
        a_program_that_changes_its_sizes_is_warm_again_soon,
        blocks_that_are_dropped_by_another_thread_come_back,
        a_thread_that_ends_leaves_its_blocks_and_its_counts,
        many_threads_at_once_lose_nothing,
    ];
    for check in checks {
        empty_cache();
        reset_peak();
        assert_eq!((live_bytes(), cached_bytes(), peak_bytes()), (0, 0, 0));
        check();
    }
}

fn zeros(bytes: usize) -> Array {
    Array::zeros(bytes, DType::U8)
}

/// Blocks that `f` takes from the system.
fn from_system(f: impl FnOnce()) -> u64 {
    let before = memory_stats().from_system;
    f();
    memory_stats().from_system - before
}

fn counts_are_exact() {
    let (a, b) = (zeros(10), zeros(1000));
    let c = zeros(3 << 20);
    let all = 10 + 1000 + (3 << 20);
    assert_eq!((live_bytes(), peak_bytes(), cached_bytes()), (all, all, 0));
    let view = c.narrow(0, 5, 100);
    drop(c);
    assert_eq!(live_bytes(), all, "a view holds the elements of its source");
    drop((a, view));
    let MemoryStats { live, peak, cached, reserved, .. } = memory_stats();
    assert_eq!((live, peak, cached), (1000, all, 3 << 20));
    assert_eq!(reserved, 1024 + (3 << 20), "ten bytes have no block");
    drop(b);
    assert_eq!((live_bytes(), cached_bytes()), (0, 1024 + (3 << 20)));
    reset_peak();
    assert_eq!(peak_bytes(), 0);
    // Up and down below what a thread tells the others at once.
    drop(zeros(700));
    drop(zeros(800));
    assert_eq!((peak_bytes(), live_bytes()), (800, 0));
    empty_cache();
    assert_eq!((cached_bytes(), memory_stats().reserved), (0, 0));
}

fn the_next_array_of_a_size_takes_the_block_of_the_last() {
    for bytes in [33, 100, 5000, 64 << 10, 100_000, 2 << 20, 7 << 20] {
        assert_eq!(from_system(|| drop(zeros(bytes))), 1, "{bytes}");
        let again = || (0..100).for_each(|_| drop(zeros(bytes)));
        assert_eq!(from_system(again), 0, "{bytes}");
    }
    assert_eq!(from_system(|| (0..100).for_each(|i| drop(zeros(i % 33)))), 0);
}

fn what_is_kept_is_bounded() {
    const SLACK: usize = (1 << 20) + (2 << 20);
    let bound = || peak_bytes() / 4 * 5 + SLACK;
    // One size after the other, never two at a time.
    for i in 1..200 {
        drop(zeros(i * 100_000));
        assert!(cached_bytes() <= bound(), "{} of {}", cached_bytes(), bound());
    }
    // Many small ones of many sizes.
    for bytes in (40..60_000).step_by(500) {
        let many: Vec<Array> = (0..50).map(|_| zeros(bytes)).collect();
        drop(many);
        assert!(cached_bytes() <= bound());
    }
    assert_eq!(live_bytes(), 0);
}

fn a_program_that_changes_its_sizes_is_warm_again_soon() {
    let step = |bytes: usize| drop((zeros(bytes), zeros(bytes), zeros(bytes / 2)));
    for bytes in [4 << 20, 3 << 20, 5 << 20, 1 << 20] {
        (0..3).for_each(|_| step(bytes));
        // Blocks of the sizes before have made room.
        assert_eq!(from_system(|| (0..10).for_each(|_| step(bytes))), 0, "{bytes}");
    }
}

fn blocks_that_are_dropped_by_another_thread_come_back() {
    for bytes in [100, 5000, 1 << 20] {
        let (send, receive) = mpsc::sync_channel::<Array>(4);
        let (done, wait) = mpsc::channel();
        let reader = thread::spawn(move || {
            for array in receive {
                drop(array);
                done.send(()).expect("the test waits");
            }
        });
        let rounds = |n: usize| {
            for _ in 0..n {
                send.send(zeros(bytes)).expect("the reader waits");
                wait.recv().expect("the reader answers");
            }
        };
        rounds(2000);
        // The reader's list of small blocks fills up, goes to the shelf, and from there back here.
        assert_eq!(from_system(|| rounds(5000)), 0, "{bytes}");
        drop(send);
        reader.join().expect("no panic");
    }
}

fn a_thread_that_ends_leaves_its_blocks_and_its_counts() {
    let kept = thread::spawn(|| {
        drop((zeros(100), zeros(3000), zeros(1 << 20)));
        zeros(200)
    });
    let kept = kept.join().expect("no panic");
    assert_eq!(live_bytes(), 200);
    assert_eq!(from_system(|| drop((zeros(100), zeros(3000), zeros(1 << 20)))), 0);
    drop(kept);
    assert_eq!((live_bytes(), cached_bytes()), (0, memory_stats().reserved));
}

fn many_threads_at_once_lose_nothing() {
    let work = |t: usize| {
        let mut held: Vec<Array> = Vec::new();
        for i in 0..3000_usize {
            let bytes = (i * 7919 + t * 104_729) % 200_000;
            held.push(Array::full(bytes, (i % 250) as i64, DType::U8));
            if held.len() > 20 {
                let old = held.swap_remove(i % 20);
                let values = old.elements::<u8>();
                assert!(values.iter().all(|v| v == &values[0]), "nobody else wrote");
            }
        }
    };
    let threads: Vec<_> = (0..8).map(|t| thread::spawn(move || work(t))).collect();
    threads.into_iter().for_each(|t| t.join().expect("no panic"));
    assert_eq!(live_bytes(), 0);
    empty_cache();
    assert_eq!((cached_bytes(), memory_stats().reserved), (0, 0));
}
