//! The direction of a Newton step: from a factored Hessian, or by conjugate gradients.

use super::hessian::Curved;
use super::{NewtonMethod, NewtonOptions};
use crate::OptimError;
use crate::arithmetic::{Times, sum};
use crate::whole::{Flat, along, dot};
use gradus_tensor::{Array, Shape};

/// Elements up to which the whole Hessian is computed: its 1000 sweeps and the factorization of 1000³/3
/// products take about as long as conjugate gradients with a full number of iterations.
const EXACT_AT_MOST: usize = 1000;
/// The first shift that is tried where a Hessian is not positive definite, relative to its diagonal
/// (β of Nocedal & Wright, Algorithm 3.3).
const FIRST_SHIFT: f64 = 1e-3;

/// A direction in which the loss falls.
pub(super) fn find(
    here: &Curved,
    options: &NewtonOptions,
    flat: &Flat,
) -> Result<Array, OptimError> {
    let small = here.gradient.numel() <= EXACT_AT_MOST;
    match options.method {
        NewtonMethod::ConjugateGradient => conjugate(here, options, flat),
        NewtonMethod::Auto if !small => conjugate(here, options, flat),
        _ => exact(here, options.damping, flat),
    }
}

/// `(H + δ·I)·d = −g`, with the smallest δ ≥ damping of a growing row that makes the matrix positive
/// definite. A Hessian with a NaN gives `d = −g`.
fn exact(here: &Curved, damping: f64, flat: &Flat) -> Result<Array, OptimError> {
    let hessian = here.hessian(flat)?;
    let n = here.gradient.numel();
    let negative: Vec<f64> = here.gradient.to_vec::<f64>().iter().map(|g| -g).collect();
    let diagonal = || (0..n).map(|i| hessian[i * n + i]);
    let size = diagonal().fold(0.0_f64, |m, v| m.max(v.abs())).max(f64::MIN_POSITIVE);
    let least = diagonal().fold(f64::INFINITY, f64::min);
    let mut shift = if least > 0.0 { 0.0 } else { FIRST_SHIFT * size - least };
    while shift.is_finite() && hessian.iter().all(|v| v.is_finite()) {
        if let Some(d) = solve(hessian.clone(), n, damping + shift, negative.clone()) {
            return Ok(Array::from_f64(Shape::new(&[n]), here.gradient.dtype(), &d));
        }
        shift = (2.0 * shift).max(FIRST_SHIFT * size);
    }
    Ok(here.gradient.clone().map(Times(-1.0)))
}

/// Solves `(A + δ·I)·x = b` by Cholesky's factorization; `None` if the matrix is not positive definite.
fn solve(mut a: Vec<f64>, n: usize, delta: f64, mut b: Vec<f64>) -> Option<Vec<f64>> {
    // L, row by row, into the lower half.
    for i in 0..n {
        let (above, rest) = a.split_at_mut(i * n);
        let row = &mut rest[..n];
        for j in 0..i {
            let other = &above[j * n..j * n + j + 1];
            row[j] = (row[j] - product(&row[..j], &other[..j])) / other[j];
        }
        let square = row[i] + delta - product(&row[..i], &row[..i]);
        if square.is_nan() || square <= 0.0 {
            return None;
        }
        row[i] = square.sqrt();
    }
    for i in 0..n {
        b[i] = (b[i] - product(&a[i * n..i * n + i], &b[..i])) / a[i * n + i];
    }
    for i in (0..n).rev() {
        b[i] /= a[i * n + i];
        let (before, last) = b.split_at_mut(i);
        before.iter_mut().zip(&a[i * n..]).for_each(|(b, l)| *b -= l * last[0]);
    }
    Some(b)
}

/// Four sums side by side: one alone would wait for each addition.
fn product(a: &[f64], b: &[f64]) -> f64 {
    let (a, rest_a) = a.as_chunks::<4>();
    let (b, rest_b) = b.as_chunks::<4>();
    let mut sums = [0.0; 4];
    for (a, b) in a.iter().zip(b) {
        (0..4).for_each(|k| sums[k] += a[k] * b[k]);
    }
    let rest: f64 = rest_a.iter().zip(rest_b).map(|(a, b)| a * b).sum();
    sums[0] + sums[1] + (sums[2] + sums[3]) + rest
}

/// Conjugate gradients on `(H + δ·I)·d = −g`, until the residual is `min(½, √‖g‖)·‖g‖` or the curvature
/// is not positive: then what has been found, or `−g` if nothing has.
fn conjugate(here: &Curved, options: &NewtonOptions, flat: &Flat) -> Result<Array, OptimError> {
    let g = &here.gradient;
    let size = dot(g, g).sqrt();
    let enough = size.sqrt().min(0.5) * size;
    let mut found = g.zeros_like();
    let mut residual = g.clone();
    let mut p = g.clone().map(Times(-1.0));
    let mut square = dot(&residual, &residual);
    for i in 0..options.max_cg_iter.unwrap_or(g.numel()) {
        let product = along(&here.times(&p, flat)?, options.damping, &p);
        let curvature = dot(&p, &product);
        if curvature.is_nan() || curvature <= 0.0 {
            return Ok(if i == 0 { p } else { found });
        }
        let alpha = square / curvature;
        found = along(&found, alpha, &p);
        residual = along(&residual, alpha, &product);
        let next = dot(&residual, &residual);
        if next.sqrt() < enough {
            break;
        }
        p = sum(-1.0, residual.copy(), next / square, p);
        square = next;
    }
    Ok(found)
}
