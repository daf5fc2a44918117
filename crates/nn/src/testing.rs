//! One call of one layer or loss, for the common tests of the catalogs.

use crate::{DeepCopy, Layer, Module};
use gradus_autodiff::{Sweep, Tensor, grad_allow_unused};
use gradus_tensor::{Array, DType, Shape, manual_seed};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

/// Step of the central difference: the cube root of f64's precision, about.
const STEP: f64 = 1e-5;
/// Allowed difference, relative to 1 or to the derivative: the error of the central difference.
const TOLERANCE: f64 = 1e-6;

type Forward = dyn Fn(&[Tensor]) -> Tensor;

/// A module and how it is called.
pub(crate) struct Built {
    pub(crate) module: Rc<dyn Module>,
    forward: Rc<Forward>,
    pub(crate) copy: Rc<dyn Fn() -> Built>,
}

impl Built {
    fn new<M: DeepCopy + Module + 'static>(module: M, call: fn(&M, &[Tensor]) -> Tensor) -> Built {
        let module = Rc::new(module);
        let (called, copied) = (module.clone(), module.clone());
        Built {
            module,
            forward: Rc::new(move |x| call(&called, x)),
            copy: Rc::new(move || Built::new(copied.deep_copy(), call)),
        }
    }
    /// The same random numbers in every call, or no difference quotient would exist.
    pub(crate) fn forward(&self, x: &[Tensor]) -> Tensor {
        manual_seed(5);
        (self.forward)(x)
    }
    fn leaves(&self, x: &[Tensor]) -> Vec<Tensor> {
        let parameters = self.module.parameters();
        x.iter().cloned().chain(parameters.iter().map(Tensor::from)).collect()
    }
}

/// How a module is made, and the shapes of its inputs.
pub(crate) struct Case {
    pub(crate) build: Box<dyn Fn() -> Built>,
    shapes: Vec<&'static [usize]>,
    /// An input without elements, and the shape of its output.
    pub(crate) empty: Option<(&'static [usize], &'static [usize])>,
    /// An input that is refused.
    pub(crate) refused: Option<&'static [usize]>,
    pub(crate) training: bool,
}

impl Case {
    /// A module of any signature; its outputs are joined by `call`.
    pub(crate) fn new<M: DeepCopy + Module + 'static>(
        shapes: &[&'static [usize]],
        make: impl Fn() -> M + 'static,
        call: fn(&M, &[Tensor]) -> Tensor,
    ) -> Self {
        Case {
            build: Box::new(move || {
                let built = Built::new(make(), call);
                built.module.to(DType::F64);
                built
            }),
            shapes: shapes.to_vec(),
            empty: None,
            refused: None,
            training: true,
        }
    }
    /// A layer.
    pub(crate) fn layer<L: Layer + DeepCopy + 'static>(
        shape: &'static [usize],
        make: impl Fn() -> L + 'static,
    ) -> Self {
        Case::new(&[shape], make, |layer, x| layer.forward(&x[0]))
    }
    pub(crate) fn empty(self, input: &'static [usize], output: &'static [usize]) -> Self {
        Case { empty: Some((input, output)), ..self }
    }
    pub(crate) fn refuses(self, input: &'static [usize]) -> Self {
        Case { refused: Some(input), ..self }
    }
    /// The layer in evaluation mode.
    pub(crate) fn eval(self) -> Self {
        Case { training: false, ..self }
    }
    pub(crate) fn built(&self, seed: u64) -> Built {
        manual_seed(seed);
        let built = (self.build)();
        built.module.set_training(self.training);
        built
    }
    pub(crate) fn inputs(&self) -> Vec<Array> {
        gradus_autodiff::testing::inputs(&self.shapes)
    }
    pub(crate) fn tensors(&self) -> Vec<Tensor> {
        self.inputs().into_iter().map(Tensor::new).collect()
    }
    /// First derivatives with respect to inputs and parameters.
    pub(crate) fn gradcheck(&self) -> Result<(), String> {
        compare(&self.built(1), &self.inputs(), |built, x| weighted(&built.forward(x)))
    }
    /// Second derivatives.
    pub(crate) fn gradgradcheck(&self) -> Result<(), String> {
        compare(&self.built(1), &self.inputs(), |built, x| {
            let (y, zero) = (weighted(&built.forward(x)), Tensor::scalar(0.0, DType::F64));
            if !y.requires_grad() {
                return zero;
            }
            let leaves = built.leaves(x);
            let all: Vec<&Tensor> = leaves.iter().collect();
            let grads = grad_allow_unused(&[&y], &[], &all, Sweep::CREATE).expect("y is tracked");
            grads.iter().flatten().map(|g| weighted(&(g * g))).fold(zero, |a, b| a + b)
        })
    }
}

/// `Σ wᵢ·yᵢ` with a different weight for every element.
pub(crate) fn weighted(y: &Tensor) -> Tensor {
    let weights: Vec<f64> = (0..y.numel()).map(|i| 1.0 + 0.37 * i as f64).collect();
    (y * Tensor::new(Array::from_f64(y.shape(), y.dtype(), &weights))).sum()
}

/// The derivatives of `f` against central differences.
fn compare(
    built: &Built,
    inputs: &[Array],
    f: impl Fn(&Built, &[Tensor]) -> Tensor,
) -> Result<(), String> {
    let leaves = |xs: &[Array]| -> Vec<Tensor> {
        xs.iter().map(|x| Tensor::new(x.clone()).requires_grad_()).collect()
    };
    let x = leaves(inputs);
    let all = built.leaves(&x);
    let y = f(built, &x);
    let got = if y.requires_grad() {
        let all: Vec<&Tensor> = all.iter().collect();
        grad_allow_unused(&[&y], &[], &all, Sweep::default()).expect("y is tracked")
    } else {
        vec![None; all.len()] // a derivative that is zero everywhere
    };
    let parameters = built.module.named_parameters();
    for (i, leaf) in all.iter().enumerate() {
        let got = got[i].as_ref().map_or_else(|| vec![0.0; leaf.numel()], Tensor::to_vec);
        for (k, &backward) in got.iter().enumerate() {
            let value = |h: f64| {
                let shift = |x: &mut Array| x.elements_mut::<f64>()[k] += h;
                let mut xs = inputs.to_vec();
                let Some((_, parameter)) = i.checked_sub(inputs.len()).map(|p| &parameters[p])
                else {
                    shift(&mut xs[i]);
                    return f(built, &leaves(&xs)).item();
                };
                let old = parameter.array();
                parameter.update(shift);
                let y = f(built, &leaves(&xs)).item();
                parameter.set(old).expect("its own value");
                y
            };
            let difference = (value(STEP) - value(-STEP)) / (2.0 * STEP);
            if (backward - difference).abs() > TOLERANCE * difference.abs().max(1.0) {
                let name = i
                    .checked_sub(inputs.len())
                    .map_or_else(|| format!("input {i}"), |p| parameters[p].0.clone());
                return Err(format!(
                    "d/d {name}[{k}]: backward {backward}, finite difference {difference}"
                ));
            }
        }
    }
    Ok(())
}

/// The same numbers in a storage with gaps and another order.
pub(crate) fn scattered(x: &Array) -> Array {
    let axes: Vec<usize> = (0..x.rank()).rev().collect();
    let turned = x.permute(&axes).copy();
    let doubled = Array::cat(&[turned.unsqueeze(-1), turned.unsqueeze(-1)], x.rank());
    doubled.select(-1, 1).permute(&axes)
}

pub(crate) fn zeros(shape: &[usize]) -> Tensor {
    Tensor::new(Array::zeros(Shape::new(shape), DType::F64))
}

/// The largest difference, relative to 1 or to the largest number of `want`.
pub(crate) fn close(got: &Array, want: &Array, tolerance: f64) -> Result<(), String> {
    if got.shape() != want.shape() {
        return Err(format!("shape {}, not {}", got.shape(), want.shape()));
    }
    let (got, want) = (got.to_vec::<f64>(), want.to_vec::<f64>());
    let most = want.iter().fold(1.0_f64, |m, v| m.max(v.abs()));
    let near = |g: f64, w: f64| (g - w).abs() <= tolerance * most;
    match got.iter().zip(&want).position(|(&g, &w)| !near(g, w)) {
        None => Ok(()),
        Some(i) => Err(format!("element {i} is {}, not {}", got[i], want[i])),
    }
}

/// Run `check` on every case; report all failures at once.
pub(crate) fn every_case(
    all: Vec<(&'static str, Vec<Case>)>,
    check: impl Fn(&Case) -> Result<(), String>,
) {
    let mut failures = Vec::new();
    for (name, cases) in all {
        assert!(!cases.is_empty(), "{name} has no cases");
        for (i, case) in cases.iter().enumerate() {
            let result = catch_unwind(AssertUnwindSafe(|| check(case)));
            if let Err(e) = result.unwrap_or_else(|_| Err("panicked".into())) {
                failures.push(format!("{name} case {i}: {e}"));
            }
        }
    }
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}

/// The text of the panic.
pub(crate) fn refusal(f: impl FnOnce() -> Tensor) -> String {
    let payload = catch_unwind(AssertUnwindSafe(f)).expect_err("it should be refused");
    payload.downcast::<String>().map_or_else(|_| String::new(), |text| *text)
}
