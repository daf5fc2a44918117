//! Nothing grows. One test in a process of its own: the counts are those of the process.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use gradus_autodiff::{Parameter, Sweep, Tensor, grad, live_nodes, no_grad};
use gradus_tensor::{Array, live_bytes};

type Step<'a> = Box<dyn FnMut() + 'a>;

/// Counts after 10 steps and after 1000.
fn counts(mut step: impl FnMut()) -> [(u64, usize); 2] {
    let mut after = |n: usize| {
        (0..n).for_each(|_| step());
        (live_nodes(), live_bytes())
    };
    [after(10), after(990)]
}

#[test]
fn nodes_and_bytes_are_the_same_at_step_10_and_1000() {
    let p = Parameter::new(Array::randn([20, 20]));
    let x = Tensor::new(Array::randn([5, 20]));
    let loss = || x.matmul(&p).tanh().square_mean();
    let mut kept = Vec::with_capacity(1000);
    let loops: [(&str, Step<'_>); 6] = [
        (
            "train",
            Box::new(|| {
                p.zero_grad();
                loss().backward();
                p.update(|w| w.elements_mut::<f32>().iter_mut().for_each(|v| *v *= 0.99));
            }),
        ),
        ("forward only", Box::new(|| drop(loss()))),
        ("eval", Box::new(|| drop(no_grad(loss)))),
        (
            "create_graph",
            Box::new(|| {
                p.zero_grad();
                let mut h = x.matmul(&p).tanh();
                h.retain_grad();
                (&h * &h).sum().try_backward(None, Sweep::CREATE).unwrap();
                let g = p.grad().unwrap(); // p → its gradient → the recorded sweep → p
                (&g * &g).sum().try_backward(None, Sweep::CREATE).unwrap();
            }),
        ),
        (
            "returned gradients of a scaled loss",
            Box::new(|| {
                let g = grad(&[&loss().scale(2.0)], &[&p], Sweep::CREATE).remove(0);
                drop(grad(&[&g.square_mean()], &[&p], Sweep::default()));
            }),
        ),
        ("kept losses", Box::new(|| kept.push(loss().item()))),
    ];
    for (name, step) in loops {
        let [early, late] = counts(step);
        assert_eq!(early, late, "{name}: (nodes, bytes) at step 10 and step 1000");
    }
    p.zero_grad();
    assert_eq!(live_nodes(), 0, "everything but the leaf is gone");
    (&p * &p).sum().try_backward(None, Sweep::CREATE).unwrap();
    assert!(live_nodes() > 0, "the gradient holds its graph");
    drop(p);
    assert_eq!(live_nodes(), 0, "and goes with the leaf");
}

trait SquareMean {
    fn square_mean(&self) -> Tensor;
}
impl SquareMean for Tensor {
    fn square_mean(&self) -> Tensor {
        (self * self).sum() / self.numel() as f64
    }
}
