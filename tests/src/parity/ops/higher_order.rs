//! The kind `higher_order`: value, gradient, Hessian and a third derivative of scalar functions.

use super::functions::{neighbours, norm, softplus};
use super::{Function, function, gradient, jacobian_of, leaf};
use crate::parity::case::Case;
use crate::parity::miss::Miss;
use gradus_autodiff::Tensor;
use gradus_tensor::Array;

const FUNCTIONS: &[(&str, Function)] = &[
    ("rosenbrock", rosenbrock),
    ("rosenbrock2", rosenbrock),
    ("logreg", logreg),
    ("mlp_tanh", mlp_tanh),
    ("poly", |x, _| Ok(x.pow(3).sum() + x.select(0, 0) * x.select(0, 1) * x.select(0, 2))),
    ("expdot", |x, _| Ok((x.sum() * 0.3).exp() + (x.select(0, 0) * x.select(0, -1)).sin())),
    ("softmax_sq", |x, _| {
        let weights: Vec<f64> = (1..=x.numel()).map(|i| i as f64).collect();
        let weights = Tensor::new(Array::from_f64(x.shape(), x.dtype(), &weights));
        Ok(x.softmax(0).dot(&weights).square())
    }),
    ("lse_tanh", |x, _| Ok(x.logsumexp(&[0], false) * x.tanh().sum())),
    ("norm3", |x, _| Ok(norm(x).pow(3) + (x.dot(x) + 1.0).reciprocal())),
    ("grad_penalty", |x, case| {
        let a = case.shared("const/gp/A").map(Tensor::new)?;
        Ok(gradient(&a.matmul(x).tanh().sum(), None, x)?.square().sum())
    }),
    ("matpoly", |x, _| {
        let m = x.reshape(&[3, 3]);
        let product = m.t().matmul(&m).matmul(&m);
        let trace = (product * Tensor::new(Array::eye(3, x.dtype()))).sum();
        Ok(m.matmul(&m).sum() + trace)
    }),
];

fn rosenbrock(x: &Tensor, _: &Case<'_>) -> Result<Tensor, Miss> {
    let (next, this) = neighbours(x);
    Ok(((next - this.square()).square() * 100.0 + (&this - 1.0).square()).sum())
}

fn logreg(w: &Tensor, case: &Case<'_>) -> Result<Tensor, Miss> {
    let constant = |key| case.shared(key).map(Tensor::new);
    let (x, y) = (constant("const/logreg/X")?, constant("const/logreg/y")?);
    let z = x.matmul(&w.narrow(0, 0, 3)) + w.select(0, 3);
    Ok(softplus(&z).sum() - (y * &z).sum() + w.square().sum() * 0.05)
}

fn mlp_tanh(x: &Tensor, case: &Case<'_>) -> Result<Tensor, Miss> {
    let constant = |key| case.shared(key).map(Tensor::new);
    let part = |start, len, sizes: &[isize]| x.narrow(0, start, len).reshape(sizes);
    let (w1, b1) = (part(0, 12, &[4, 3]), part(12, 4, &[4]));
    let (w2, b2) = (part(16, 8, &[2, 4]), part(24, 2, &[2]));
    let hidden = constant("const/mlp/X")?.linear(&w1, Some(&b1)).tanh();
    Ok((hidden.linear(&w2, Some(&b2)) - constant("const/mlp/Y")?).square().mean())
}

pub(in crate::parity) fn replay(case: &Case<'_>) -> Result<(), Miss> {
    let f = function(FUNCTIONS, case)?;
    let x = leaf(case.input("in/x")?);
    let (v, u) = (case.constant("in/v")?, case.constant("in/u")?);
    let value = f(&x, case)?;
    let first = gradient(&value, None, &x)?;
    let along = first.dot(&v);
    let second = gradient(&along, None, &x)?;
    let results = [
        ("out/value", value),
        ("out/hessian", jacobian_of(&first, &x)?),
        ("out/grad", first),
        ("out/jvp", along),
        ("out/third", gradient(&u.dot(&second), None, &x)?),
        ("out/hvp", second),
    ];
    results.iter().try_for_each(|(key, got)| case.check(key, &got.array()))
}
