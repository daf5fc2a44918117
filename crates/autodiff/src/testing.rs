//! Derivatives against central differences, for ops, layers and your own functions.

use crate::{Sweep, Tensor, grad_allow_unused, must};
use gradus_tensor::{Array, DType, Shape};
use std::fmt;

/// A derivative differs from the finite difference.
#[derive(Clone, PartialEq)]
pub struct Mismatch {
    /// Which input.
    pub input: usize,
    /// Which element of it, in row-major order.
    pub element: usize,
    /// What the rules give.
    pub backward: f64,
    /// What the central difference gives.
    pub difference: f64,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Mismatch { input, element, backward, difference } = self;
        write!(
            f,
            "d/d input {input}[{element}]: backward {backward}, finite difference {difference}"
        )
    }
}
impl fmt::Debug for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
impl std::error::Error for Mismatch {}

/// Step of the central difference: the cube root of f64's precision, about.
const STEP: f64 = 1e-5;
/// Allowed difference, relative to 1 or to the derivative: the error of the central difference.
const TOLERANCE: f64 = 1e-6;

/// Are the first derivatives of `f` right at `inputs` (f64)? As `torch.autograd.gradcheck`: the result
/// is weighted with numbers that differ for every element, so permuted gradients are noticed.
///
/// ```
/// use gradus_autodiff::testing::gradcheck;
/// use gradus_tensor::Array;
/// gradcheck(|x| x[0].tanh() * &x[1], &[Array::from([0.3, -0.2]), Array::from([1.0, 2.0])]).unwrap();
/// ```
/// # Errors
/// The first element whose derivative differs.
pub fn gradcheck(f: impl Fn(&[Tensor]) -> Tensor, inputs: &[Array]) -> Result<(), Mismatch> {
    compare(inputs, |x| weighted(&f(x)))
}

/// Are the second derivatives right? [`gradcheck`] of the gradient itself.
///
/// # Errors
/// The first element whose derivative differs.
pub fn gradgradcheck(f: impl Fn(&[Tensor]) -> Tensor, inputs: &[Array]) -> Result<(), Mismatch> {
    compare(inputs, |x| {
        let y = weighted(&f(x));
        let zero = Tensor::scalar(0.0, DType::F64);
        if !y.requires_grad() {
            return zero;
        }
        let all: Vec<&Tensor> = x.iter().collect();
        let grads = must(grad_allow_unused(&[&y], &[], &all, Sweep::CREATE));
        let square = |g: &Tensor| weighted(&(g * g));
        grads.iter().flatten().map(square).fold(zero, |a, b| a + b)
    })
}

/// `Σ wᵢ·yᵢ` with a different weight for every element.
fn weighted(y: &Tensor) -> Tensor {
    let w: Vec<f64> = (0..y.numel()).map(|i| 1.0 + 0.37 * i as f64).collect();
    (y * Tensor::new(Array::from_f64(y.shape(), DType::F64, &w))).sum()
}

fn compare(inputs: &[Array], f: impl Fn(&[Tensor]) -> Tensor) -> Result<(), Mismatch> {
    let leaves = |xs: &[Array]| -> Vec<_> {
        xs.iter().map(|x| Tensor::new(x.clone()).requires_grad_()).collect()
    };
    let value = |xs: &[Array]| f(&leaves(xs)).item();
    let x = leaves(inputs);
    let y = f(&x);
    let all: Vec<&Tensor> = x.iter().collect();
    let got = if y.requires_grad() {
        must(grad_allow_unused(&[&y], &[], &all, Sweep::default()))
    } else {
        vec![None; x.len()] // a derivative that is zero everywhere
    };
    for (i, x) in inputs.iter().enumerate() {
        let got = got[i].as_ref().map_or_else(|| vec![0.0; x.numel()], Tensor::to_vec);
        for (k, &backward) in got.iter().enumerate() {
            let shifted = |h: f64| {
                let mut xs = inputs.to_vec();
                xs[i].elements_mut::<f64>()[k] += h;
                value(&xs)
            };
            let difference = (shifted(STEP) - shifted(-STEP)) / (2.0 * STEP);
            let close = (backward - difference).abs() <= TOLERANCE * difference.abs().max(1.0);
            if !close {
                return Err(Mismatch { input: i, element: k, backward, difference });
            }
        }
    }
    Ok(())
}

/// Reproducible inputs between `low` and `high`, without ties.
pub fn inputs_within(shapes: &[&[usize]], low: f64, high: f64) -> Vec<Array> {
    let mut v = 0.1;
    let mut next = move || {
        v = (v * 97.0_f64 + 0.31).fract();
        low + v * (high - low)
    };
    let mut array = |s: &&[usize]| {
        let shape = Shape::from(*s);
        let data: Vec<f64> = (0..shape.numel()).map(|_| next()).collect();
        Array::new(shape, &data)
    };
    shapes.iter().map(&mut array).collect()
}

/// Reproducible inputs in (−1, 1), without ties.
pub fn inputs(shapes: &[&[usize]]) -> Vec<Array> {
    inputs_within(shapes, -1.0, 1.0)
}

#[cfg(test)]
pub(crate) use case::{Case, same_in_every_dtype, same_on_views};

#[cfg(test)]
mod case {
    use super::{Array, DType, Tensor, inputs_within};

    /// One call of one op, for the catalog's tests: shapes of the inputs, and what to do with them.
    pub(crate) struct Case {
        shapes: &'static [&'static [usize]],
        range: (f64, f64),
        pub(crate) f: fn(&[Tensor]) -> Tensor,
    }

    impl Case {
        pub(crate) fn new(shapes: &'static [&'static [usize]], f: fn(&[Tensor]) -> Tensor) -> Self {
            Case { shapes, range: (-1.0, 1.0), f }
        }
        /// Inputs from this range, for ops that are not defined everywhere.
        pub(crate) fn within(self, low: f64, high: f64) -> Self {
            Case { range: (low, high), ..self }
        }
        pub(crate) fn inputs(&self) -> Vec<Array> {
            inputs_within(self.shapes, self.range.0, self.range.1)
        }
        fn run(&self, inputs: impl IntoIterator<Item = Array>) -> Array {
            let x: Vec<Tensor> = inputs.into_iter().map(Tensor::new).collect();
            (self.f)(&x).array()
        }
    }

    /// The same numbers in a storage with gaps and another order.
    fn scattered(x: &Array) -> Array {
        let axes: Vec<usize> = (0..x.rank()).rev().collect();
        let turned = x.permute(&axes).copy();
        let doubled = Array::cat(&[turned.unsqueeze(-1), turned.unsqueeze(-1)], x.rank());
        doubled.select(-1, 1).permute(&axes)
    }

    fn close(what: &str, got: &Array, want: &Array, tolerance: f64) -> Result<(), String> {
        if got.shape() != want.shape() {
            return Err(format!("{what}: shape {}, not {}", got.shape(), want.shape()));
        }
        let (got, want) = (got.to_vec::<f64>(), want.to_vec::<f64>());
        let most = want.iter().fold(1.0_f64, |m, v| m.max(v.abs()));
        let worst = got.iter().zip(&want).position(|(g, w)| (g - w).abs() > tolerance * most);
        match worst {
            None => Ok(()),
            Some(i) => Err(format!("{what}: element {i} is {}, not {}", got[i], want[i])),
        }
    }

    pub(crate) fn same_on_views(case: &Case) -> Result<(), String> {
        let want = case.run(case.inputs());
        let got = case.run(case.inputs().iter().map(scattered));
        close("on views", &got, &want, 1e-13)
    }

    pub(crate) fn same_in_every_dtype(case: &Case) -> Result<(), String> {
        for (dtype, tolerance) in [(DType::F32, 3e-6), (DType::F16, 2e-2), (DType::Bf16, 1e-1)] {
            // The reference starts from the rounded inputs.
            let inputs = || case.inputs().into_iter().map(|x| x.cast(dtype));
            let want = case.run(inputs().map(|x| x.cast(DType::F64)));
            close(dtype.name(), &case.run(inputs()), &want, tolerance)?;
        }
        Ok(())
    }
}
