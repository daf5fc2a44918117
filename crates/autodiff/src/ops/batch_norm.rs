//! `y = (x − μ)/√(σ² + ε)·w + b` by channel, with the statistics of the batch or with given ones.

use super::prelude::*;
use gradus_tensor::Axes;

/// `(x, w, b) -> (y, μ, σ²)`
struct BatchNorm {
    eps: f64,
}

impl Op for BatchNorm {
    const NAME: &'static str = "batch_norm";
    const AUTOCAST: Autocast = Autocast::Input;
    const PROMOTION: Promotion = Promotion::Keep;
    type In<T> = [T; 3];
    type Out<T> = [T; 3];

    fn infer(&self, [x, w, b]: [&Meta; 3]) -> Result<[Meta; 3], OpError> {
        channels(x, [w, b])?;
        if per_channel(&x.shape) == 1 {
            let e = OpError::rule("more than one value for each channel in training");
            return Err(e.hint("the variance of one value is 0"));
        }
        let statistics = Meta { shape: [x.shape[1]].into(), dtype: wide(x.dtype) };
        Ok([x.clone(), statistics.clone(), statistics])
    }
    fn forward(&self, [x, w, b]: [Array; 3], save: &mut Save<'_>) -> [Array; 3] {
        let (mean, var) = x.channel_moments();
        let invstd: Vec<f64> = var.iter().map(|v| (v + self.eps).sqrt().recip()).collect();
        save.input(0, &x);
        save.input(1, &w);
        save.cache(0, &Array::new(mean.len(), &mean));
        save.cache(1, &Array::new(invstd.len(), &invstd));
        save.constant(1);
        save.constant(2);
        let (w, b) = (w.to_vec::<f64>(), b.to_vec::<f64>());
        let by = |c: usize| [mean[c], invstd[c] * w[c], 0.0, b[c]];
        let y = x.channel_map(None, &(0..mean.len()).map(by).collect::<Vec<_>>());
        let vector = |v: &[f64]| Array::from_f64(v.len(), wide(x.dtype()), v);
        [y, vector(&mean), vector(&var)]
    }
    /// See [`BatchNormBackward`].
    fn vjp(&self, saved: &Saved<'_>, [g, _, _]: [Option<Tensor>; 3]) -> [Option<Tensor>; 3] {
        let Some(g) = g else { return [None, None, None] };
        let [mean, invstd] = [0, 1].map(|i| saved.cache(i).to_vec());
        let op = BatchNormBackward { eps: self.eps, mean, invstd };
        let [x, w, b] = Tensor::apply(op, [g, saved.input(0), saved.input(1)]);
        [Some(x), Some(w), Some(b)]
    }
}

/// `(ȳ, x, w) -> (x̄, w̄, b̄)`. With `r = 1/√(σ² + ε)`, `x̂ = (x − μ)·r`, `mean` over the `n` values of a
/// channel, and the projection `P(z) = z − mean(z) − x̂·mean(x̂·z)`:
///
/// ```text
/// x̄ = w·r·P(ȳ)        w̄ = Σ ȳ·x̂        b̄ = Σ ȳ
/// ```
struct BatchNormBackward {
    eps: f64,
    mean: Vec<f64>,
    invstd: Vec<f64>,
}

impl Op for BatchNormBackward {
    const NAME: &'static str = "batch_norm_backward";
    const AUTOCAST: Autocast = Autocast::Input;
    const PROMOTION: Promotion = Promotion::Keep;
    type In<T> = [T; 3];
    type Out<T> = [T; 3];

    fn infer(&self, [_, x, w]: [&Meta; 3]) -> Result<[Meta; 3], OpError> {
        Ok([x.clone(), w.clone(), w.clone()])
    }
    fn forward(&self, [g, x, w]: [Array; 3], save: &mut Save<'_>) -> [Array; 3] {
        save.input(0, &g);
        save.input(1, &x);
        save.input(2, &w);
        let n = per_channel(x.shape()) as f64;
        let (sum, dot) = x.channel_sums(&g, &self.mean);
        let weights = w.to_vec::<f64>();
        let by = |c: usize| {
            let (r, scale) = (self.invstd[c], self.invstd[c] * weights[c]);
            [self.mean[c], -scale * r * r * dot[c] / n, scale, -scale * sum[c] / n]
        };
        let dx = x.channel_map(Some(&g), &(0..sum.len()).map(by).collect::<Vec<_>>());
        let dw: Vec<f64> = dot.iter().zip(&self.invstd).map(|(d, r)| d * r).collect();
        let vector = |v: &[f64]| Array::from_f64(v.len(), w.dtype(), v);
        [dx, vector(&dw), vector(&sum)]
    }
    /// With `u, v, t` the gradients of the results, `a = mean(x̂·u)`, `b = mean(x̂·ȳ)`, and because the
    /// derivative of `x̂` is `r·P` and that of `r` is `−r²·mean(x̂·dx)`:
    ///
    /// ```text
    /// ḡ = w·r·P(u) + v·x̂ + t        w̄ = r·Σ u·P(ȳ)
    /// x̄ = r·P((v − w·r·a)·ȳ − w·r·b·u) − x̂·w·r²·mean(u·P(ȳ))
    /// ```
    fn vjp(&self, saved: &Saved<'_>, grads: [Option<Tensor>; 3]) -> [Option<Tensor>; 3] {
        let (g, x, w) = (saved.input(0), saved.input(1), saved.input(2));
        let n = per_channel(x.shape()).max(1) as f64;
        let (vector, axes) = (channel_shape(x.rank(), x.size(1)), other_axes(x.rank()));
        let mean = |z: &Tensor| z.sum_dims(&axes, true) / n;
        let [u, v, t] = grads;
        let u = u.unwrap_or_else(|| x.zeros_like());
        let [v, t, w] = [v, t, Some(w)].map(|z| z.map(|z| z.reshape_to(&vector)));
        let w = w.expect("the weight is there");

        let d = &x - mean(&x);
        let r = (mean(&d.square()) + self.eps).rsqrt();
        let hat = d * &r;
        let (a, b) = (mean(&(&hat * &u)), mean(&(&hat * &g)));
        let project = |z: &Tensor, along: &Tensor| z - mean(z) - &hat * along;
        let pg = project(&g, &b);
        let scale = &w * &r;

        let left = saved.need(0).then(|| {
            let mut grad = project(&u, &a) * &scale;
            if let Some(v) = &v {
                grad = grad + v * &hat;
            }
            match &t {
                Some(t) => grad + t,
                None => grad,
            }
        });
        let middle = saved.need(1).then(|| {
            let of_g = -(&scale * &a);
            let of_g = v.map_or_else(|| of_g.clone(), |v| v + &of_g);
            let z = of_g * &g - &scale * &b * &u;
            project(&z, &mean(&(&hat * &z))) * &r - &hat * (&scale * &r * mean(&(&u * &pg)))
        });
        let right = saved
            .need(2)
            .then(|| (&r * (&u * &pg).sum_dims(&axes, true)).reshape_to(saved.shape(2)));
        [left, middle, right]
    }
}

/// `(x, a, b) -> x·a + b` by channel.
struct ChannelAffine;

impl Op for ChannelAffine {
    const NAME: &'static str = "batch_norm";
    const AUTOCAST: Autocast = Autocast::Input;
    const PROMOTION: Promotion = Promotion::Keep;
    type In<T> = [T; 3];
    type Out<T> = T;

    fn infer(&self, [x, a, b]: [&Meta; 3]) -> Result<Meta, OpError> {
        channels(x, [a, b])?;
        Ok(x.clone())
    }
    fn forward(&self, [x, a, b]: [Array; 3], save: &mut Save<'_>) -> Array {
        if save.need(1) {
            save.input(0, &x);
        }
        save.input(1, &a);
        let (a, b) = (a.to_vec::<f64>(), b.to_vec::<f64>());
        let by: Vec<[f64; 4]> = a.iter().zip(b).map(|(&a, b)| [0.0, a, 0.0, b]).collect();
        x.channel_map(None, &by)
    }
    /// `x̄ = ȳ·a`, `ā = Σ ȳ·x`, `b̄ = Σ ȳ`
    fn vjp(&self, saved: &Saved<'_>, g: Tensor) -> [Option<Tensor>; 3] {
        let axes = other_axes(g.rank());
        let a = saved.need(1).then(|| (&g * saved.input(0)).sum_dims(&axes, false));
        let b = saved.need(2).then(|| g.sum_dims(&axes, false));
        let x = saved.need(0).then(|| {
            let vector = channel_shape(g.rank(), g.size(1));
            g * saved.input(1).reshape_to(&vector)
        });
        [x, a, b]
    }
}

/// Do these vectors have a number for each channel of `x`?
fn channels(x: &Meta, vectors: [&Meta; 2]) -> Result<(), OpError> {
    if x.shape.rank() < 2 || !x.dtype.is_float() {
        return Err(OpError::rule("x: [N, C, *], floating point"));
    }
    match vectors.iter().find(|v| v.shape != [x.shape[1]]) {
        None => Ok(()),
        Some(v) => {
            let hint = format!("{v} does not belong to {} channels", x.shape[1]);
            Err(OpError::rule("weight, bias, mean, variance: [C]").hint(hint))
        }
    }
}

/// Values of one channel.
fn per_channel(x: &Shape) -> usize {
    x.iter().enumerate().filter(|(axis, _)| *axis != 1).map(|(_, n)| n).product()
}

/// All axes but that of the channels.
fn other_axes(rank: usize) -> Axes<isize> {
    (0..rank as isize).filter(|&axis| axis != 1).collect()
}

/// `[1, C, 1, …]`
fn channel_shape(rank: usize, channels: usize) -> Shape {
    Shape::new(&(0..rank).map(|axis| if axis == 1 { channels } else { 1 }).collect::<Axes<_>>())
}

/// The dtype of the statistics: f16 and bf16 have theirs in f32.
fn wide(dtype: DType) -> DType {
    if dtype == DType::F64 { DType::F64 } else { DType::F32 }
}

impl Tensor {
    /// Batch normalisation with the statistics of this batch.
    ///
    /// ```text
    /// y = (x − μ)/√(σ² + ε)·w + b,   μ, σ² by channel over all other axes together
    /// ```
    /// Also returns `μ` and the biased `σ²`, as constants, for running statistics (which take the
    /// unbiased `σ²·n/(n − 1)`); they are f32 for f16 and bf16, and 0 of an empty batch.
    ///
    /// # Shape      `self: [N, C, *]`, `weight, bias: [C]`  →  `[N, C, *]`, `[C]`, `[C]`
    /// # Gradient   also through `μ` and `σ²`
    /// # Numerics   statistics are summed in f64
    /// # Panics     if the shapes do not fit, or a channel has one value only
    /// # PyTorch    `torch.nn.functional.batch_norm` with `training=True`
    /// # Source     Ioffe & Szegedy 2015, Algorithm 1, <https://arxiv.org/abs/1502.03167>
    /// # Example
    /// ```
    /// use gradus_autodiff::Tensor;
    /// let x = Tensor::from([[1.0], [3.0]]);
    /// let (y, mean, var) = x.batch_norm_train(None, None, 0.0);
    /// assert_eq!(y.to_vec::<f64>(), [-1.0, 1.0]);
    /// assert_eq!((mean.item(), var.item()), (2.0, 1.0));
    /// ```
    #[track_caller]
    pub fn batch_norm_train(
        &self,
        weight: Option<&Tensor>,
        bias: Option<&Tensor>,
        eps: f64,
    ) -> (Tensor, Tensor, Tensor) {
        must(self.try_batch_norm_train(weight, bias, eps))
    }
    /// As [`Tensor::batch_norm_train`].
    ///
    /// # Errors
    /// If the shapes do not fit, or a channel has one value only.
    #[track_caller]
    pub fn try_batch_norm_train(
        &self,
        weight: Option<&Tensor>,
        bias: Option<&Tensor>,
        eps: f64,
    ) -> Result<(Tensor, Tensor, Tensor), OpError> {
        let (weight, bias) = (self.channel_vector(weight, 1), self.channel_vector(bias, 0));
        Tensor::try_apply(BatchNorm { eps }, [self, &weight, &bias]).map(Into::into)
    }
    /// Batch normalisation with given statistics.
    ///
    /// ```text
    /// y = (x − mean)/√(var + ε)·w + b
    /// ```
    /// # Shape      `self: [N, C, *]`, `mean, var, weight, bias: [C]`  →  `[N, C, *]`
    /// # Panics     if the shapes do not fit
    /// # PyTorch    `torch.nn.functional.batch_norm` with `training=False`
    /// # Example
    /// ```
    /// use gradus_autodiff::Tensor;
    /// let (mean, var) = (Tensor::from([1.0]), Tensor::from([4.0]));
    /// let y = Tensor::from([[1.0], [5.0]]).batch_norm_eval(&mean, &var, None, None, 0.0);
    /// assert_eq!(y.to_vec::<f64>(), [0.0, 2.0]);
    /// ```
    #[track_caller]
    pub fn batch_norm_eval(
        &self,
        mean: &Tensor,
        var: &Tensor,
        weight: Option<&Tensor>,
        bias: Option<&Tensor>,
        eps: f64,
    ) -> Tensor {
        must(self.try_batch_norm_eval(mean, var, weight, bias, eps))
    }
    /// As [`Tensor::batch_norm_eval`].
    ///
    /// # Errors
    /// If the shapes do not fit.
    #[track_caller]
    pub fn try_batch_norm_eval(
        &self,
        mean: &Tensor,
        var: &Tensor,
        weight: Option<&Tensor>,
        bias: Option<&Tensor>,
        eps: f64,
    ) -> Result<Tensor, OpError> {
        let at = |e: OpError| e.at("batch_norm", self);
        channels(&self.meta(), [&mean.meta(), &var.meta()]).map_err(at)?;
        let (weight, bias) = (self.channel_vector(weight, 1), self.channel_vector(bias, 0));
        channels(&self.meta(), [&weight.meta(), &bias.meta()]).map_err(at)?;
        let scale = (var + eps).rsqrt() * weight;
        let shift = bias - mean * &scale;
        Tensor::try_apply(ChannelAffine, [self, &scale, &shift])
    }
    /// `vector`, or a constant that stands for it.
    fn channel_vector(&self, vector: Option<&Tensor>, otherwise: i32) -> Tensor {
        let channels = self.shape().get(1).copied().unwrap_or(0);
        let constant = || Tensor::new(Array::full(channels, otherwise, wide(self.dtype())));
        vector.cloned().unwrap_or_else(constant)
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<Case> {
    let train: fn(&[Tensor]) -> Tensor = |x| x[0].batch_norm_train(Some(&x[1]), Some(&x[2]), 0.1).0;
    let eval: fn(&[Tensor]) -> Tensor = |x| {
        let var = x[4].square();
        x[0].batch_norm_eval(&x[3], &var, Some(&x[1]), Some(&x[2]), 0.1)
    };
    let backward: fn(&[Tensor]) -> Tensor = |x| {
        let (mean, var) = x[1].array().channel_moments();
        let invstd = var.iter().map(|v| (v + 0.1).sqrt().recip()).collect();
        let op = BatchNormBackward { eps: 0.1, mean, invstd };
        let [dx, dw, db] = Tensor::apply(op, [&x[0], &x[1], &x[2]]);
        let vector = channel_shape(dx.rank(), dx.size(1));
        dx + dw.reshape_to(&vector).tanh() + db.reshape_to(&vector).tanh() * 2.0
    };
    vec![
        Case::new(&[&[4, 3], &[3], &[3]], train),
        Case::new(&[&[2, 3, 2], &[3], &[3]], train),
        Case::new(&[&[2, 2, 2, 2], &[2], &[2]], train),
        Case::new(&[&[0, 3], &[3], &[3]], train),
        Case::new(&[&[3, 2]], |x| x[0].batch_norm_train(None, None, 0.1).0),
        Case::new(&[&[2, 3, 2], &[3], &[3], &[3], &[3]], eval),
        Case::new(&[&[2, 3], &[3], &[3]], |x| Tensor::apply(ChannelAffine, [&x[0], &x[1], &x[2]])),
        Case::new(&[&[4, 2], &[4, 2], &[2]], backward),
        Case::new(&[&[2, 2, 3], &[2, 2, 3], &[2]], backward),
        Case::new(&[&[3, 2], &[3, 2], &[2]], |x| {
            let (mean, var) = x[1].array().channel_moments();
            let invstd = var.iter().map(|v| (v + 0.1).sqrt().recip()).collect();
            let op = BatchNormBackward { eps: 0.1, mean, invstd };
            Tensor::apply(op, [&x[0], &x[1], &x[2]])[1].copy()
        }),
    ]
}
