//! A product allocates nothing once its thread has its buffers.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use gradus_tensor::kernels::gemm::{Epilogue, MatRef, gemm};
use gradus_tensor::threads::set_num_threads;

static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);

/// The system's allocator, counted.
struct Counted;

// SAFETY: everything is handed on to the system's allocator.
unsafe impl GlobalAlloc for Counted {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Relaxed);
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Relaxed);
        // SAFETY: the caller's promise.
        unsafe { System.realloc(at, layout, size) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counted = Counted;

#[test]
fn a_warm_product_allocates_nothing() {
    set_num_threads(1);
    let (a, b) = (vec![1.0_f32; 700 * 600], vec![1.0_f32; 700 * 600]);
    let mut c = vec![0.0; 700 * 600];
    let mut all = || {
        for (m, n, k) in
            [(20, 30, 10), (64, 128, 300), (300, 200, 600), (600, 10, 700), (1, 600, 600)]
        {
            for turned in 0..4 {
                let view = |data, rows, cols, turned| {
                    if turned {
                        MatRef::row_major(data, cols, rows).transpose()
                    } else {
                        MatRef::row_major(data, rows, cols)
                    }
                };
                let (left, right) =
                    (view(&a, m, k, turned & 1 == 1), view(&b, k, n, turned & 2 == 2));
                gemm(left, right, 0.0, &mut c[..m * n], Epilogue::Relu);
            }
        }
    };
    // The buffers take turns, so it takes some rounds until each is large enough.
    (0..5).for_each(|_| all());
    let before = ALLOCATIONS.load(Relaxed);
    (0..10).for_each(|_| all());
    assert_eq!(ALLOCATIONS.load(Relaxed) - before, 0);
}
