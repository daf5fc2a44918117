//! Newton's method on real data: its error is squared at each step.
#![cfg(feature = "digits")]
#![allow(clippy::unwrap_used, reason = "a test")]

use gradus::prelude::*;

/// Samples of the digits 0 and 1.
const SAMPLES: usize = 400;
const L2: f64 = 1e-3;

/// Images and labels of two digits, f64.
fn two_digits() -> (Tensor, Tensor) {
    let digits = Mnist::embedded().unwrap();
    let labels = digits.labels().to_vec::<i64>();
    let rows: Vec<i64> = (0..).zip(&labels).filter(|(_, l)| **l < 2).map(|(i, _)| i).collect();
    let rows = Array::from(&rows[..SAMPLES]);
    let x = digits.images().index_select(0, &rows).cast(DType::F64);
    let y = digits.labels().index_select(0, &rows).cast(DType::F64);
    (Tensor::new(x).reshape(&[SAMPLES as isize, -1]), Tensor::new(y))
}

#[test]
fn logistic_regression_converges_quadratically() {
    let (x, y) = two_digits();
    let w = Parameter::new(Array::zeros([x.size(1)], DType::F64));
    let b = Parameter::new(Array::zeros([1], DType::F64));
    let loss = || {
        let z = x.mv(&w) + b.tensor();
        // ln(e⁰ + eᶻ): max(z, 0) + ln(1 + e⁻|ᶻ|) would have a kink at the start, z = 0.
        let softplus = Tensor::stack(&[&z.zeros_like(), &z], 1).logsumexp(&[1], false);
        (softplus - &y * &z).mean()
            + (w.tensor().square().sum() + b.tensor().square().sum()) * (L2 / 2.0)
    };
    let named = [("w", &w), ("b", &b)].map(|(name, p)| (name.to_owned(), p.clone()));
    let mut opt = Newton::new(named, NewtonOptions::default()).unwrap();
    let (mut path, mut gradients) = (Vec::new(), Vec::new());
    // Until a step of the method moves nothing: the end stands for the minimum.
    for _ in 0..15 {
        let norm: f64 = grad(&[&loss()], &[w.tensor(), b.tensor()], Sweep::default())
            .iter()
            .map(|g| g.square().sum().item())
            .sum();
        gradients.push(norm.sqrt());
        path.push([w.to_vec::<f64>(), b.to_vec::<f64>()].concat());
        if gradients.last().is_some_and(|g| *g < 1e-13) {
            break;
        }
        opt.step_with(&mut || loss()).unwrap();
    }
    let reached = gradients.iter().position(|g| *g < 1e-10);
    assert!(reached.is_some_and(|steps| steps <= 12), "{gradients:?}");
    let end = path.last().unwrap();
    let distance = |x: &Vec<f64>| -> f64 {
        x.iter().zip(end).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt()
    };
    let errors: Vec<f64> = path.iter().map(distance).filter(|e| *e > 1e-11).collect();
    let last = &errors[errors.len() - 4..];
    let constants: Vec<f64> = last.windows(2).map(|e| e[1] / (e[0] * e[0])).collect();
    // The loss is L2-convex, so that ‖∇‖/L2 bounds the distance of the end from the minimum.
    let off = gradients.last().unwrap() / L2;
    assert!(off < 1e-2 * last[3], "{off:e} from the minimum, errors {errors:?}");
    // One constant for the last three steps, where a linear method would need one that grows as 1/e: errors of 1e-1,
    // 1e-2, 3e-4 and 1e-7 give 1.18, 1.55 and 1.65. The bound of the theory, Lipschitz constant over twice the least
    // curvature, is far above.
    assert!(constants.iter().all(|c| *c < 2.0), "errors {errors:?}, constants {constants:?}");
    assert!(constants[2] < 1.5 * constants[0], "it settles: {constants:?}");
    assert!(last[3] < 1e-3 * last[2] && last[2] < 0.1 * last[1], "errors {errors:?}");
}
