//! `y = (x − μ)/√(σ² + ε)·w + b` over the last axes: fused both ways.

use super::prelude::*;
use gradus_tensor::Axes;

/// `(x, w?, b?) -> y`
#[derive(Clone, Copy)]
struct LayerNorm {
    /// How many last axes are normalised together.
    axes: usize,
    eps: f64,
    weight: bool,
    bias: bool,
}

impl Op for LayerNorm {
    const NAME: &'static str = "layer_norm";
    const AUTOCAST: Autocast = Autocast::F32;
    const PROMOTION: Promotion = Promotion::Keep;
    type In<T> = Vec<T>;
    type Out<T> = T;

    fn infer(&self, x: Vec<&Meta>) -> Result<Meta, OpError> {
        floating(x[0])
    }
    fn forward(&self, inputs: Vec<Array>, save: &mut Save<'_>) -> Array {
        let (x, weight, bias) = self.split(&inputs);
        let (y, stats) = x.layer_norm(self.axes, weight, bias, self.eps);
        save.input(0, x);
        if let Some(weight) = weight {
            save.input(1, weight);
        }
        save.cache(0, &stats);
        y
    }
    /// See [`LayerNormBackward`].
    fn vjp(&self, saved: &Saved<'_>, g: Tensor) -> Vec<Option<Tensor>> {
        let sums = (1..saved.inputs()).any(|i| saved.need(i));
        let op = LayerNormBackward { of: *self, stats: saved.cache(0).clone(), sums };
        let mut inputs = vec![g, saved.input(0)];
        inputs.extend(self.weight.then(|| saved.input(1)));
        let mut grads = Tensor::apply::<_, Tensor>(op, inputs).into_iter().map(Some);
        let x = grads.next().flatten();
        let (dw, db) = (grads.next().flatten(), grads.next().flatten());
        let mut all = vec![x];
        all.extend(self.weight.then_some(dw));
        all.extend(self.bias.then_some(db));
        all
    }
}

impl LayerNorm {
    /// `x`, `w` and `b`.
    fn split<'a, T>(&self, inputs: &'a [T]) -> (&'a T, Option<&'a T>, Option<&'a T>) {
        let weight = self.weight.then(|| &inputs[1]);
        (&inputs[0], weight, self.bias.then(|| &inputs[1 + usize::from(self.weight)]))
    }
}

/// `(ȳ, x, w?) -> (x̄, w̄, b̄)`, or only `x̄` without `sums`. With `r = 1/√(σ² + ε)`, `x̂ = (x − μ)·r`, `mean`
/// over the normalised axes, `Σ` over the others, and the projection `P(z) = z − mean(z) − x̂·mean(x̂·z)`:
///
/// ```text
/// x̄ = r·P(w·ȳ)        w̄ = Σ ȳ·x̂        b̄ = Σ ȳ
/// ```
struct LayerNormBackward {
    of: LayerNorm,
    stats: Array,
    sums: bool,
}

impl Op for LayerNormBackward {
    const NAME: &'static str = "layer_norm_backward";
    const AUTOCAST: Autocast = Autocast::F32;
    const PROMOTION: Promotion = Promotion::Keep;
    type In<T> = Vec<T>;
    type Out<T> = Vec<T>;

    fn infer(&self, inputs: Vec<&Meta>) -> Result<Vec<Meta>, OpError> {
        let x = inputs[1];
        let vector = Meta {
            shape: Shape::new(&x.shape[x.shape.rank() - self.of.axes..]),
            dtype: x.dtype.accumulator(),
        };
        let sums = if self.sums { 2 } else { 0 };
        Ok([x.clone()].into_iter().chain(std::iter::repeat_n(vector, sums)).collect())
    }
    fn forward(&self, inputs: Vec<Array>, save: &mut Save<'_>) -> Vec<Array> {
        (0..).zip(&inputs).for_each(|(i, x)| save.input(i, x));
        let (g, x) = (&inputs[0], &inputs[1]);
        let (dx, sums) =
            x.layer_norm_backward(g, &self.stats, self.of.axes, inputs.get(2), self.sums);
        [dx].into_iter().chain(sums.into_iter().flatten()).collect()
    }
    /// With `u, v, t` the gradients of the results, `a = w·ȳ`, and because the derivative of `x̂` is `r·P`
    /// and that of `r` is `−r²·mean(x̂·dx)`:
    ///
    /// ```text
    /// ḡ = w·r·P(u) + v·x̂ + t        w̄ = Σ ȳ·r·P(u)
    /// x̄ = r·P(v·ȳ − r·(mean(x̂·a)·u + mean(x̂·u)·a)) − r²·x̂·mean(u·P(a))
    /// ```
    fn vjp(&self, saved: &Saved<'_>, grads: Vec<Option<Tensor>>) -> Vec<Option<Tensor>> {
        let (g, x) = (saved.input(0), saved.input(1));
        let weight = self.of.weight.then(|| saved.input(2));
        let rank = x.rank() as isize;
        let dims: Axes<isize> = (rank - self.of.axes as isize..rank).collect();
        let mean = |z: &Tensor| z.mean_dims(&dims, true);
        let mut grads = grads.into_iter();
        let mut next = || grads.next().flatten();
        let (u, v, t) = (next().unwrap_or_else(|| x.zeros_like()), next(), next());

        // From `x` again, not from the statistics: they are numbers, and this rule is differentiated, too.
        let d = &x - mean(&x);
        let r = (mean(&d.square()) + self.of.eps).rsqrt();
        let hat = d * &r;
        let scaled = |z: &Tensor| weight.as_ref().map_or_else(|| z.clone(), |w| z * w);
        let project = |z: &Tensor| z - mean(z) - &hat * mean(&(&hat * z));
        let (a, pu) = (scaled(&g), project(&u) * &r);

        let of_g = saved.need(0).then(|| {
            let grad = scaled(&pu);
            let grad = v.iter().fold(grad, |grad, v| grad + v * &hat);
            t.iter().fold(grad, |grad, t| grad + t)
        });
        let of_x = saved.need(1).then(|| {
            let z = -(mean(&(&hat * &a)) * &u + mean(&(&hat * &u)) * &a) * &r;
            let z = v.iter().fold(z, |z, v| z + v * &g);
            project(&z) * &r - &hat * (r.square() * mean(&(&u * project(&a))))
        });
        let mut all = vec![of_g, of_x];
        // The engine sums it over the other axes.
        all.extend(weight.is_some().then(|| saved.need(2).then(|| &g * &pu)));
        all
    }
}

/// Does the input end with these axes, and do weight and bias have their shape?
fn check(x: &Meta, normalized: &[usize], vectors: [Option<&Tensor>; 2]) -> Result<(), OpError> {
    let fits = !normalized.is_empty() && x.shape.ends_with(normalized);
    let rule = || OpError::rule("x: [*, normalized_shape], weight and bias: normalized_shape");
    if !fits {
        return Err(rule().hint(format!("normalized_shape is {normalized:?}")));
    }
    match vectors.into_iter().flatten().find(|v| v.shape().dims() != normalized) {
        None => Ok(()),
        Some(v) => Err(rule().hint(format!("{} is not of {normalized:?}", v.meta()))),
    }
}

impl Tensor {
    /// Layer normalisation: the last axes, together, with mean 0 and variance 1, then scaled and shifted.
    ///
    /// ```text
    /// y = (x − μ)/√(σ² + ε)·w + b,   μ and the biased σ² of each sample over the last axes
    /// ```
    /// # Shape      `self: [*, normalized_shape]`, `weight, bias: normalized_shape`  →  as `self`
    /// # Gradient   also through `μ` and `σ²`
    /// # Numerics   f16 and bf16 are computed in f32; deviations are taken from the mean, so a large mean
    ///   costs no digits; sums of the weight's gradient do not depend on the number of threads
    /// # Panics     if the shapes do not fit, or the input is not floating point
    /// # PyTorch    `torch.nn.functional.layer_norm`
    /// # Source     Ba, Kiros & Hinton 2016, <https://arxiv.org/abs/1607.06450>
    /// # Example
    /// ```
    /// use gradus_autodiff::Tensor;
    /// let x = Tensor::from([[1.0, 3.0], [10.0, 50.0]]);
    /// let y = x.layer_norm(&[2], None, Some(&Tensor::from([0.0, 5.0])), 0.0);
    /// assert_eq!(y.to_vec::<f64>(), [-1.0, 6.0, -1.0, 6.0]);
    /// ```
    #[track_caller]
    pub fn layer_norm(
        &self,
        normalized_shape: &[usize],
        weight: Option<&Tensor>,
        bias: Option<&Tensor>,
        eps: f64,
    ) -> Tensor {
        must(self.try_layer_norm(normalized_shape, weight, bias, eps))
    }
    /// As [`Tensor::layer_norm`].
    ///
    /// # Errors
    /// If the shapes do not fit, or the input is not floating point.
    #[track_caller]
    pub fn try_layer_norm(
        &self,
        normalized_shape: &[usize],
        weight: Option<&Tensor>,
        bias: Option<&Tensor>,
        eps: f64,
    ) -> Result<Tensor, OpError> {
        check(&self.meta(), normalized_shape, [weight, bias])
            .map_err(|e| e.at("layer_norm", self))?;
        let axes = normalized_shape.len();
        let op = LayerNorm { axes, eps, weight: weight.is_some(), bias: bias.is_some() };
        Tensor::try_apply(op, [Some(self), weight, bias].into_iter().flatten().collect())
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<Case> {
    vec![
        Case::new(&[&[2, 3], &[3], &[3]], |x| x[0].layer_norm(&[3], Some(&x[1]), Some(&x[2]), 0.1)),
        Case::new(&[&[2, 2, 3], &[2, 3], &[2, 3]], |x| {
            x[0].layer_norm(&[2, 3], Some(&x[1]), Some(&x[2]), 0.1)
        }),
        Case::new(&[&[2, 3], &[3]], |x| x[0].layer_norm(&[3], Some(&x[1]), None, 0.1)),
        Case::new(&[&[2, 3], &[3]], |x| x[0].layer_norm(&[3], None, Some(&x[1]), 0.1)),
        Case::new(&[&[2, 4]], |x| x[0].layer_norm(&[4], None, None, 1e-5)),
        Case::new(&[&[3], &[3]], |x| x[0].layer_norm(&[3], Some(&x[1]), Some(&x[1]), 0.1)),
        Case::new(&[&[0, 3], &[3], &[3]], |x| x[0].layer_norm(&[3], Some(&x[1]), Some(&x[2]), 0.1)),
        Case::new(&[&[3, 2], &[3, 2], &[2]], |x| backward_case(x, true)),
        Case::new(&[&[3, 2], &[3, 2]], |x| backward_case(x, true)),
        Case::new(&[&[2, 3], &[2, 3], &[3]], |x| backward_case(x, false)),
        Case::new(&[&[2, 3], &[2, 3], &[3]], |x| gradients(x, true)[1].copy()),
    ]
}

/// The gradients of a layer norm without statistics given: of `x[1]`, from `x[0]`, with the weight `x[2]`.
#[cfg(test)]
fn gradients(x: &[Tensor], sums: bool) -> Vec<Tensor> {
    let of = LayerNorm { axes: 1, eps: 0.1, weight: x.len() > 2, bias: true };
    let stats = x[1].array().layer_norm(1, None, None, 0.1).1;
    Tensor::apply(LayerNormBackward { of, stats, sums }, x.iter().collect())
}

/// All of them in one result.
#[cfg(test)]
fn backward_case(x: &[Tensor], sums: bool) -> Tensor {
    let mut all = gradients(x, sums);
    let sums = all.split_off(1);
    sums.into_iter().zip([1.0, 2.0]).fold(all.remove(0), |y, (s, by)| y + s.tanh() * by)
}
