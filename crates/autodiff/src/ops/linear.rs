//! `y = x·Wᵀ + b`: the affine map of a layer, one product with the bias in its last step.

use super::prelude::*;
use gradus_tensor::{Axes, Finish};

/// With a bias.
struct Linear;
/// Without.
struct LinearNoBias;

impl Op for Linear {
    const NAME: &'static str = "linear";
    const AUTOCAST: Autocast = Autocast::Low;
    type In<T> = [T; 3];
    type Out<T> = T;

    fn infer(&self, [x, w, b]: [&Meta; 3]) -> Result<Meta, OpError> {
        let y = infer(x, w)?;
        match &*b.shape {
            &[n] if n == w.shape[0] => Ok(y),
            _ => Err(OpError::rule("b: [out]").hint(format!("W has {} rows", w.shape[0]))),
        }
    }
    fn forward(&self, [x, w, b]: [Array; 3], save: &mut Save<'_>) -> Array {
        keep(&x, &w, save);
        x.matmul_with(&w.transpose(0, 1), Finish::Bias(b))
    }
    /// `x̄ = ȳ·W`, `W̄ = ȳᵀ·x`, `b̄ = Σ ȳ` over all axes but the last (by the engine, which sums a
    /// gradient to the shape of its input).
    fn vjp(&self, saved: &Saved<'_>, g: Tensor) -> [Option<Tensor>; 3] {
        let [x, w] = rule(saved, &g);
        [x, w, saved.need(2).then_some(g)]
    }
    fn work(&self, [x, w, b]: [&Meta; 3], y: &Meta) -> Work {
        Work::of([x, w, b, y]).of_product(y, w.shape[1])
    }
}

impl Op for LinearNoBias {
    const NAME: &'static str = "linear";
    const AUTOCAST: Autocast = Autocast::Low;
    type In<T> = [T; 2];
    type Out<T> = T;

    fn infer(&self, [x, w]: [&Meta; 2]) -> Result<Meta, OpError> {
        infer(x, w)
    }
    fn forward(&self, [x, w]: [Array; 2], save: &mut Save<'_>) -> Array {
        keep(&x, &w, save);
        x.matmul(&w.transpose(0, 1))
    }
    /// `x̄ = ȳ·W`, `W̄ = ȳᵀ·x`
    fn vjp(&self, saved: &Saved<'_>, g: Tensor) -> [Option<Tensor>; 2] {
        rule(saved, &g)
    }
    fn work(&self, [x, w]: [&Meta; 2], y: &Meta) -> Work {
        Work::of([x, w, y]).of_product(y, w.shape[1])
    }
}

fn infer(x: &Meta, w: &Meta) -> Result<Meta, OpError> {
    let rule = "x: [*, in], W: [out, in], b: [out] -> [*, out]";
    match (&*x.shape, &*w.shape) {
        ([batch @ .., k], [n, k2]) if k == k2 => {
            let mut sizes = Axes::from(batch);
            sizes.push(*n);
            Ok(x.with_shape(Shape::new(&sizes)))
        }
        ([.., k], [_, k2]) => {
            let hint = format!("the last axis of x has {k}, the rows of W have {k2}");
            Err(OpError::rule(rule).hint(hint))
        }
        _ => Err(OpError::rule(rule)),
    }
}

fn keep(x: &Array, w: &Array, save: &mut Save<'_>) {
    if save.need(1) {
        save.input(0, x);
    }
    if save.need(0) {
        save.input(1, w);
    }
}

/// The gradients of `x` and `W`; the one of `W` is a single product of the whole batch as a tall
/// matrix, which sums over the batch on the way.
fn rule(saved: &Saved<'_>, g: &Tensor) -> [Option<Tensor>; 2] {
    let left = saved.need(0).then(|| g.matmul(&saved.input(1)));
    let right = saved.need(1).then(|| tall(g).t().matmul(&tall(&saved.input(0))));
    [left, right]
}

/// All axes but the last as one; a vector is one row.
fn tall(x: &Tensor) -> Tensor {
    let (batch, last) = x.shape().split_at(x.rank() - 1);
    x.reshape_to(&[batch.iter().product(), last[0]].into())
}

impl Tensor {
    /// The affine map of a layer.
    ///
    /// ```text
    /// y = x·Wᵀ + b
    /// ```
    /// # Shape      `self: [*, in]`, `weight: [out, in]`, `bias: [out]`  →  `[*, out]`
    /// # Gradient   `x̄ = ȳ·W`, `W̄ = ȳᵀ·x`, `b̄ = Σ ȳ`
    /// # Numerics   f16 and bf16 are multiplied and summed in f32
    /// # Panics     if the shapes do not fit
    /// # PyTorch    `torch.nn.functional.linear`; a weight without the axis `out` is refused
    /// # Example
    /// ```
    /// use gradus_autodiff::Tensor;
    /// let w = Tensor::from([[1.0, 0.0, 2.0], [0.0, 1.0, 0.0]]);
    /// let y = Tensor::from([[1.0, 2.0, 3.0]]).linear(&w, Some(&Tensor::from([10.0, 20.0])));
    /// assert_eq!(y.to_vec::<f64>(), [17.0, 22.0]);
    /// ```
    #[track_caller]
    pub fn linear(&self, weight: &Tensor, bias: Option<&Tensor>) -> Tensor {
        must(self.try_linear(weight, bias))
    }
    /// As [`Tensor::linear`].
    ///
    /// # Errors
    /// If the shapes do not fit.
    #[track_caller]
    pub fn try_linear(&self, weight: &Tensor, bias: Option<&Tensor>) -> Result<Tensor, OpError> {
        match bias {
            Some(bias) => Tensor::try_apply(Linear, [self, weight, bias]),
            None => Tensor::try_apply(LinearNoBias, [self, weight]),
        }
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<Case> {
    let shapes: [&'static [&'static [usize]]; 6] = [
        &[&[2, 3], &[4, 3], &[4]],
        &[&[3], &[2, 3], &[2]],
        &[&[2, 2, 3], &[2, 3], &[2]],
        &[&[0, 3], &[2, 3], &[2]],
        &[&[2, 0, 3], &[2, 3], &[2]],
        &[&[2, 0], &[2, 0], &[2]],
    ];
    let with = |s| Case::new(s, |x| x[0].linear(&x[1], Some(&x[2])));
    let without = |s| Case::new(s, |x| x[0].linear(&x[1], None));
    let mut cases: Vec<Case> = shapes.into_iter().map(with).collect();
    cases.extend(shapes.into_iter().map(without));
    cases.push(Case::new(&[&[3, 3]], |x| x[0].linear(&x[0], Some(&x[0].select(0, 0)))));
    cases
}
