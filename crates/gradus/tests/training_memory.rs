//! A warm training step asks the system for no memory for numbers: every block comes from the pool, and
//! gradients and updates are made in the buffers that are there.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use gradus::autodiff::live_nodes;
use gradus::prelude::*;
use gradus::tensor::{copies, live_bytes, memory_stats};
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// Calls of the system's allocator for something that is aligned as blocks are, and for something large:
/// graph nodes, handles and lists are neither. Blocks from 2 MiB are mapped, and only the library counts
/// them.
static ALIGNED: AtomicUsize = AtomicUsize::new(0);
static LARGE: AtomicUsize = AtomicUsize::new(0);

/// Bytes from which an allocation is large: more than the lists of an optimizer's tasks and of a batch
/// norm's channels take, less than any activation or weight of the middle net.
const LARGE_FROM: usize = 32 << 10;

struct Counted;

// SAFETY: everything is handed on to the system's allocator.
unsafe impl GlobalAlloc for Counted {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALIGNED.fetch_add(usize::from(layout.align() >= 64), Relaxed);
        LARGE.fetch_add(usize::from(layout.size() >= LARGE_FROM), Relaxed);
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counted = Counted;

#[derive(Module)]
struct Mlp {
    layers: Vec<Linear>,
    norm: BatchNorm1d,
    dropout: Dropout,
}

impl Mlp {
    fn forward(&self, x: &Tensor) -> Tensor {
        let (last, hidden) = self.layers.split_last().unwrap();
        let h = hidden.iter().fold(x.clone(), |h, layer| layer.forward(&h).relu());
        last.forward(&self.dropout.forward(&self.norm.forward(&h)))
    }
}

/// A convolution with padding, and one without.
#[derive(Module)]
struct Cnn {
    convs: Vec<Conv2d>,
    head: Linear,
}

impl Cnn {
    fn new() -> Self {
        let padded = Conv2dOptions { padding: 1.into(), ..Default::default() };
        let convs = vec![Conv2d::with(3, 32, 3, padded), Conv2d::new(32, 64, 3)];
        Cnn { convs, head: Linear::new(64 * 7 * 7, 10) }
    }

    fn forward(&self, x: &Tensor) -> Tensor {
        let h = self.convs.iter().fold(x.clone(), |h, conv| conv.forward(&h).relu());
        self.head.forward(&h.max_pool2d(2).flatten(1, -1))
    }
}

#[derive(Debug, PartialEq)]
struct Counts {
    aligned: usize,
    large: usize,
    from_system: u64,
    copies: u64,
    live: usize,
    nodes: u64,
}

fn counts() -> Counts {
    Counts {
        aligned: ALIGNED.load(Relaxed),
        large: LARGE.load(Relaxed),
        from_system: memory_stats().from_system,
        copies: copies(),
        live: live_bytes(),
        nodes: live_nodes(),
    }
}

/// Steps until every block and list has its size, then steps that are counted.
fn assert_warm(what: &str, mut step: impl FnMut()) {
    (0..5).for_each(|_| step());
    let before = counts();
    (5..20).for_each(|_| step());
    assert_eq!(counts(), before, "{what}: after 20 steps, and after 5");
}

/// One test: the counts are those of the process.
#[test]
fn a_warm_training_step_takes_no_memory_for_numbers_from_the_system() {
    set_num_threads(1);
    manual_seed(1);
    // Small blocks, blocks of the shelves, and blocks of more than 2 MiB.
    for (sizes, batch) in
        [([20, 30, 40, 10], 8), ([784, 256, 128, 10], 64), ([784, 1100, 700, 10], 512)]
    {
        let layers = sizes.windows(2).map(|s| Linear::new(s[0], s[1])).collect();
        let norm = BatchNorm1d::new(sizes[2]);
        let net = Mlp { layers, norm, dropout: Dropout::new(0.1) };
        let x = Tensor::new(Array::randn([batch, sizes[0]]));
        let y = Tensor::new(Array::randint(0, 10, batch));
        let options = AdamOptions { lr: 1e-3, ..Default::default() };
        let mut opt = Adam::new(net.named_parameters(), options).unwrap();
        assert_warm("zero_grad, forward, backward, step", || {
            opt.zero_grad();
            let loss = cross_entropy(&net.forward(&x), &y);
            loss.backward();
            opt.step().unwrap();
            loss.item();
        });
        assert_warm("two batches for a step, clipped", || {
            opt.zero_grad();
            cross_entropy(&net.forward(&x), &y).backward();
            cross_entropy(&net.forward(&x), &y).backward();
            clip_grad_norm(&net.parameters(), 1.0).unwrap();
            opt.step().unwrap();
        });
        assert_warm("evaluation", || {
            drop(no_grad(|| net.forward(&x).softmax(-1).max_dim(-1, false)));
        });
    }
    let net = Cnn::new();
    let x = Tensor::new(Array::randn([33, 3, 16, 16]));
    let y = Tensor::new(Array::randint(0, 10, 33));
    let options = SgdOptions { lr: 1e-2, momentum: 0.9, ..Default::default() };
    let mut opt = Sgd::new(net.named_parameters(), options).unwrap();
    assert_warm("a convolutional net", || {
        opt.zero_grad();
        cross_entropy(&net.forward(&x), &y).backward();
        opt.step().unwrap();
    });
}
