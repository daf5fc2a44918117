//! What a profile sees, and what it leaves behind.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use gradus_autodiff::{
    Convolution, Pass, Profile, Sweep, Tensor, enter_scope, grad, no_grad, profile, profile_with,
};
use gradus_tensor::{Array, DType};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

fn calls(report: &Profile, op: &str, pass: Pass) -> u64 {
    report.row(op, pass).map_or(0, |row| row.calls)
}

fn all_calls(report: &Profile) -> u64 {
    report.rows().iter().map(|row| row.calls).sum()
}

fn leaf(shape: impl Into<gradus_tensor::Shape>) -> Tensor {
    Tensor::new(Array::randn(shape)).requires_grad_()
}

#[test]
fn every_operation_is_counted_in_its_pass() {
    let (w, b, x) = (leaf([4, 3]), leaf(4), Tensor::new(Array::randn([2, 3])));
    let report = profile(|| {
        for _ in 0..3 {
            x.linear(&w, Some(&b)).relu().sum().backward();
        }
        drop(no_grad(|| x.linear(&w, None)));
    });
    for (op, pass, want) in [
        ("linear", Pass::Forward, 4),
        ("relu", Pass::Forward, 3),
        ("sum", Pass::Forward, 3),
        ("relu_backward", Pass::Backward, 3),
        ("matmul", Pass::Backward, 3),
        ("matmul", Pass::Forward, 0),
        ("sum_to", Pass::Backward, 3),
        ("relu_backward", Pass::Forward, 0),
        ("add", Pass::Backward, 4), // the second and third gradient of two leaves
    ] {
        assert_eq!(calls(&report, op, pass), want, "{op} {pass:?}\n{report}");
    }
}

#[test]
fn work_is_that_of_the_shapes() {
    let (a, b) = (Tensor::new(Array::randn([5, 6, 7])), Tensor::new(Array::randn([7, 8])));
    let report = profile(|| a.matmul(&b).transpose(0, 1).exp().to_dtype(DType::F64));
    let work = |op| report.row(op, Pass::Forward).unwrap().work;
    assert_eq!(work("matmul").flops, (2 * 5 * 6 * 8 * 7) as f64);
    assert_eq!(work("matmul").bytes, (4 * (5 * 6 * 7 + 7 * 8 + 5 * 6 * 8)) as f64);
    assert_eq!((work("transpose").flops, work("transpose").bytes), (0.0, 0.0));
    assert_eq!(work("exp").bytes, (2 * 4 * 5 * 6 * 8) as f64);
    assert_eq!(work("to_dtype").bytes, (12 * 5 * 6 * 8) as f64);
}

#[test]
fn the_three_maps_of_a_convolution_do_the_same_work() {
    let (x, w, b) = (leaf([2, 4, 7, 6]), leaf([6, 2, 3, 2]), leaf(6));
    let by = Convolution { stride: [2, 1].into(), padding: 1.into(), groups: 2, ..plain() };
    let report = profile(|| x.conv2d(&w, Some(&b), &by).sum().backward());
    let output = 2 * 6 * 4 * 7;
    let flops = (2 * output * 2 * 3 * 2) as f64;
    let (x, w) = (2 * 4 * 7 * 6, 6 * 2 * 3 * 2);
    for (op, pass, bytes) in [
        ("convolution", Pass::Forward, 4 * (x + w + 6 + output)),
        ("convolution_input_gradient", Pass::Backward, 4 * (output + w + x)),
        ("convolution_weight_bias_gradient", Pass::Backward, 4 * (x + output + w + 6)),
    ] {
        let row = report.row(op, pass).unwrap_or_else(|| panic!("{op}\n{report}"));
        assert_eq!((row.calls, row.work.flops, row.work.bytes), (1, flops, bytes as f64), "{op}");
    }
    assert!(report.to_string().contains("GF/s"), "{report}");
    // Transposed, the roles of input and output are exchanged.
    let (x, w) = (leaf([2, 3, 5]), leaf([3, 2, 4]));
    let report = profile(|| x.conv_transpose1d(&w, None, &plain(), 0.into()).sum().backward());
    for (op, pass) in [
        ("convolution_input_gradient", Pass::Forward),
        ("convolution", Pass::Backward),
        ("convolution_weight_gradient", Pass::Backward),
    ] {
        assert_eq!(report.row(op, pass).unwrap().work.flops, (2 * 2 * 3 * 5 * 2 * 4) as f64);
    }
}

fn plain() -> Convolution {
    Convolution::default()
}

#[test]
fn time_is_where_it_was_spent() {
    // Small, so that on no machine it takes nearly as long as the pause.
    let (a, b) = (leaf([60, 60]), leaf([60, 60]));
    let report = profile(|| {
        let y = a.matmul(&b).sum();
        std::thread::sleep(Duration::from_millis(30));
        y.backward();
    });
    let parts = [Pass::Forward, Pass::Backward].map(|p| report.kernels(p) + report.bookkeeping(p));
    assert_eq!(parts[0] + parts[1] + report.outside(), report.wall());
    assert!(report.outside() >= Duration::from_millis(29), "{report}");
    assert!(parts[0] + parts[1] < Duration::from_millis(25), "the pause is nobody's\n{report}");
    let rows: Duration = report.rows().iter().map(|row| row.time).sum();
    assert_eq!(rows, report.kernels(Pass::Forward) + report.kernels(Pass::Backward));
}

#[test]
fn casts_and_sums_of_gradients_have_their_rows() {
    let x = leaf([2, 3]);
    let wide = Tensor::new(Array::ones([2, 3], DType::F64));
    let report = profile(|| (&x * &wide + &x * &x).sum().backward());
    assert_eq!(calls(&report, "to_dtype", Pass::Forward), 2, "{report}");
    assert_eq!(calls(&report, "to_dtype", Pass::Backward), 2, "{report}");
    assert!(calls(&report, "accumulate", Pass::Backward) >= 2, "{report}");
}

#[test]
fn derivatives_of_derivatives_are_backward_too() {
    let x = leaf(4);
    let report = profile(|| {
        let first = grad(&[&x.exp().sum()], &[&x], Sweep::CREATE).remove(0);
        first.sum().backward();
    });
    assert_eq!(calls(&report, "exp", Pass::Forward), 1);
    assert!(calls(&report, "mul", Pass::Backward) >= 2, "{report}");
    assert_eq!(calls(&report, "sum", Pass::Forward), 2);
}

#[test]
fn layers_have_their_rules_too() {
    let (x, path) = (leaf([3, 3]), "net.0".into());
    let report = profile(|| {
        let h = {
            let _layer = enter_scope(&path);
            x.matmul(&x)
        };
        h.sum().backward();
    });
    let layers = report.layers();
    let layer = layers.iter().find(|row| &*row.layer == "net.0").unwrap();
    assert!(layer.calls >= 3, "the product and its two gradients\n{report:#}");
    assert!(layer.forward > Duration::ZERO && layer.backward > Duration::ZERO);
    assert_eq!(layers.iter().map(|row| row.calls).sum::<u64>(), all_calls(&report));
    assert!(format!("{report:#}").contains("net.0"));
}

#[test]
fn an_inner_profile_is_part_of_the_outer() {
    let x = leaf(3);
    let (inner, outer) = profile_with(|| {
        let y = x.exp();
        let inner = profile(|| x.tanh().sum().backward());
        (y.sin(), inner).1
    });
    assert_eq!((calls(&inner, "exp", Pass::Forward), calls(&inner, "tanh", Pass::Forward)), (0, 1));
    for op in ["exp", "tanh", "sum", "sin"] {
        assert_eq!(calls(&outer, op, Pass::Forward), 1, "{op}");
    }
    assert!(inner.wall() < outer.wall());
    assert!(inner.kernels(Pass::Backward) <= outer.kernels(Pass::Backward));
}

#[test]
fn a_panic_inside_leaves_nothing_switched_on() {
    let x = leaf(3);
    let (caught, outer) = profile_with(|| {
        let broken = || profile(|| drop((x.exp(), x.matmul(&Tensor::new(Array::randn([4, 4]))))));
        catch_unwind(AssertUnwindSafe(broken)).is_err()
    });
    assert!(caught);
    assert_eq!(all_calls(&outer), 1, "what ran before the panic: {outer}");
    let alone = catch_unwind(|| profile(|| -> () { panic!("in a program of the user") }));
    assert!(alone.is_err());
    drop(x.exp());
    assert_eq!(all_calls(&profile(|| ())), 0, "nothing is left of it");
    assert_eq!(all_calls(&profile(|| x.exp())), 1);
}

#[test]
fn a_refused_operation_is_not_counted() {
    let x = leaf(3);
    let report = profile(|| assert!(x.try_matmul(&Tensor::new(Array::randn([4, 4]))).is_err()));
    assert_eq!(all_calls(&report), 0);
}

#[test]
fn other_threads_have_their_own() {
    let x = leaf(3);
    let ((), report) = profile_with(|| {
        let theirs = std::thread::scope(|s| {
            s.spawn(|| {
                drop(x.exp());
                profile(|| x.tanh())
            })
            .join()
            .unwrap()
        });
        assert_eq!(all_calls(&theirs), 1);
        drop(x.sin());
    });
    assert_eq!((all_calls(&report), calls(&report, "sin", Pass::Forward)), (1, 1));
}

#[test]
fn numbers_are_the_same_with_a_profile() {
    let x = leaf([3, 3]);
    let run = || {
        x.zero_grad();
        let y = x.matmul(&x).tanh().softmax(-1).square().sum();
        y.backward();
        (y.array(), x.grad().unwrap().array())
    };
    assert_eq!(run(), profile_with(run).0);
}

#[test]
fn the_table_names_everything() {
    let (w, x) = (leaf([64, 64]), Tensor::new(Array::randn([32, 64])));
    let text = profile(|| x.linear(&w, None).relu().sum().backward()).to_string();
    for part in ["op ", "calls", "share", "rate", "MB", "forward\n", "backward\n", "GF/s", "GB/s"] {
        assert!(text.contains(part), "{part}:\n{text}");
    }
    assert!(text.contains("bookkeeping, backward") && text.contains("outside of operations"));
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
}
