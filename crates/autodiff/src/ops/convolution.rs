//! The three maps of a convolution: forward, input gradient, weight gradient. Each is linear in both of
//! its inputs, and the rule of each is made of the other two, so any order of derivative exists.
//!
//! ```text
//! y[n, o, p] = b[o] + Σ_c Σ_k w[o, c, k] · x[n, c, q]        q = p·stride + k·dilation − padding
//! x̄[n, c, q] = Σ_o Σ_k w[o, c, k] · ȳ[n, o, p]
//! w̄[o, c, k] = Σ_n Σ_p x[n, c, q] · ȳ[n, o, p]
//! ```
//! A transposed convolution is the input gradient as an operation of its own.

mod geometry;

use super::prelude::*;
use gradus_tensor::{ConvGeometry, Convolution, PerAxis};
use std::array::from_fn;

pub(super) use geometry::Call;

/// `(x, w) -> y` or `(x, w, b) -> y`
struct Forward<const N: usize>(ConvGeometry);
/// `(ȳ, w) -> x̄` or `(ȳ, w, b) -> x̄`, with a bias for the channels of `x`
struct InputGradient<const N: usize>(ConvGeometry);
/// `(x, ȳ) -> w̄`
struct WeightGradient(ConvGeometry);
/// `(x, ȳ) -> (w̄, b̄)`
struct WeightBiasGradient(ConvGeometry);

impl<const N: usize> Op for Forward<N> {
    const NAME: &'static str = "convolution";
    const AUTOCAST: Autocast = Autocast::Low;
    type In<T> = [T; N];
    type Out<T> = T;

    fn infer(&self, x: [&Meta; N]) -> Result<Meta, OpError> {
        Ok(floating(x[0])?.with_shape(self.0.output_shape()))
    }
    fn forward(&self, x: [Array; N], save: &mut Save<'_>) -> Array {
        keep(&x, save);
        x[0].convolution(&x[1], x.get(2), &self.0)
    }
    /// `b̄ = Σ ȳ` over all axes but the channels
    fn vjp(&self, saved: &Saved<'_>, g: Tensor) -> [Option<Tensor>; N] {
        let mut both = (N > 2 && saved.need(1) && saved.need(2)).then(|| {
            let op = WeightBiasGradient(self.0.clone());
            Tensor::apply(op, [&saved.input(0), &g]).map(Some)
        });
        from_fn(|i| match (i, &mut both) {
            (1 | 2, Some(both)) => both[i - 1].take(),
            _ if !saved.need(i) => None,
            (0, _) => Some(input_gradient(&self.0, &g, &saved.input(1))),
            (1, _) => Some(weight_gradient(&self.0, &saved.input(0), &g)),
            _ => Some(over_channels(&g)),
        })
    }
    fn work(&self, x: [&Meta; N], y: &Meta) -> Work {
        work(&self.0, &x, y)
    }
}

impl<const N: usize> Op for InputGradient<N> {
    const NAME: &'static str = "convolution_input_gradient";
    const AUTOCAST: Autocast = Autocast::Low;
    type In<T> = [T; N];
    type Out<T> = T;

    fn infer(&self, x: [&Meta; N]) -> Result<Meta, OpError> {
        Ok(floating(x[0])?.with_shape(self.0.input_shape()))
    }
    fn forward(&self, x: [Array; N], save: &mut Save<'_>) -> Array {
        keep(&x, save);
        x[0].convolution_input_gradient(&x[1], x.get(2), &self.0)
    }
    /// With `z` the gradient of `x̄`: of `ȳ` it is the convolution of `z`, of `w` the weight gradient of
    /// `z` and `ȳ`.
    fn vjp(&self, saved: &Saved<'_>, z: Tensor) -> [Option<Tensor>; N] {
        from_fn(|i| {
            saved.need(i).then(|| match i {
                0 => forward(&self.0, &z, &saved.input(1)),
                1 => weight_gradient(&self.0, &z, &saved.input(0)),
                _ => over_channels(&z),
            })
        })
    }
    fn work(&self, g: [&Meta; N], x: &Meta) -> Work {
        work(&self.0, &g, x)
    }
}

impl Op for WeightGradient {
    const NAME: &'static str = "convolution_weight_gradient";
    const AUTOCAST: Autocast = Autocast::Low;
    type In<T> = [T; 2];
    type Out<T> = T;

    fn infer(&self, [x, _]: [&Meta; 2]) -> Result<Meta, OpError> {
        Ok(floating(x)?.with_shape(self.0.weight_shape()))
    }
    fn forward(&self, x: [Array; 2], save: &mut Save<'_>) -> Array {
        keep(&x, save);
        x[0].convolution_weight_gradient(&x[1], &self.0)
    }
    /// With `v` the gradient of `w̄`: of `x` it is the input gradient of `ȳ` and `v`, of `ȳ` the
    /// convolution of `x` with `v`.
    fn vjp(&self, saved: &Saved<'_>, v: Tensor) -> [Option<Tensor>; 2] {
        let x = saved.need(0).then(|| input_gradient(&self.0, &saved.input(1), &v));
        [x, saved.need(1).then(|| forward(&self.0, &saved.input(0), &v))]
    }
    fn work(&self, x: [&Meta; 2], w: &Meta) -> Work {
        work(&self.0, &x, w)
    }
}

impl Op for WeightBiasGradient {
    const NAME: &'static str = "convolution_weight_bias_gradient";
    const AUTOCAST: Autocast = Autocast::Low;
    type In<T> = [T; 2];
    type Out<T> = [T; 2];

    fn infer(&self, [x, _]: [&Meta; 2]) -> Result<[Meta; 2], OpError> {
        let x = floating(x)?;
        Ok([x.with_shape(self.0.weight_shape()), x.with_shape([self.0.out_channels].into())])
    }
    fn forward(&self, x: [Array; 2], save: &mut Save<'_>) -> [Array; 2] {
        keep(&x, save);
        x[0].convolution_weight_bias_gradient(&x[1], &self.0)
    }
    /// As [`WeightGradient`]; `u`, the gradient of `b̄`, is the bias of the convolution of `x` with `v`.
    fn vjp(&self, saved: &Saved<'_>, [v, u]: [Option<Tensor>; 2]) -> [Option<Tensor>; 2] {
        let x = v.as_ref().filter(|_| saved.need(0));
        let x = x.map(|v| input_gradient(&self.0, &saved.input(1), v));
        let g = match (v, u) {
            _ if !saved.need(1) => None,
            (Some(v), Some(u)) => {
                Some(Tensor::apply(Forward(self.0.clone()), [&saved.input(0), &v, &u]))
            }
            (Some(v), None) => Some(forward(&self.0, &saved.input(0), &v)),
            (None, u) => u.map(|u| self.spread(&u)),
        };
        [x, g]
    }
    fn work(&self, x: [&Meta; 2], [w, b]: [&Meta; 2]) -> Work {
        let mut work = work(&self.0, &x, w);
        work += Work::of([b]);
        work
    }
}

impl WeightBiasGradient {
    /// A number for each channel, at every place of the output.
    fn spread(&self, u: &Tensor) -> Tensor {
        let shape = self.0.output_shape();
        let mut sizes = vec![1; shape.rank()];
        sizes[1] = -1;
        u.reshape(&sizes).expand(shape)
    }
}

/// All three maps multiply as often: every element of the output with every tap of the kernel and every
/// channel of its group. Products with padding are counted.
fn work(by: &ConvGeometry, inputs: &[&Meta], result: &Meta) -> Work {
    let taps: usize = by.weight_shape()[1..].iter().product();
    let products = by.output_shape().numel() as f64 * taps as f64;
    Work::of(inputs.iter().copied().chain([result])).with_flops(2.0 * products)
}

/// Each of the first two inputs is read by the gradient of the other.
fn keep(x: &[Array], save: &mut Save<'_>) {
    if save.need(1) {
        save.input(0, &x[0]);
    }
    if save.need(0) {
        save.input(1, &x[1]);
    }
}

fn forward(by: &ConvGeometry, x: &Tensor, w: &Tensor) -> Tensor {
    Tensor::apply(Forward(by.clone()), [x, w])
}

fn input_gradient(by: &ConvGeometry, g: &Tensor, w: &Tensor) -> Tensor {
    Tensor::apply(InputGradient(by.clone()), [g, w])
}

fn weight_gradient(by: &ConvGeometry, x: &Tensor, g: &Tensor) -> Tensor {
    Tensor::apply(WeightGradient(by.clone()), [x, g])
}

/// The sum over all axes but the channels.
fn over_channels(g: &Tensor) -> Tensor {
    let dims: Vec<isize> = (0..g.rank() as isize).filter(|d| *d != 1).collect();
    g.sum_dims(&dims, false)
}

impl Tensor {
    /// A convolution over so many axes, with as much padding as keeps the size if `same`.
    #[track_caller]
    pub(super) fn convolve(
        &self,
        (op, axes): (&'static str, usize),
        w: &Tensor,
        bias: Option<&Tensor>,
        by: &Convolution,
        same: bool,
    ) -> Result<Tensor, OpError> {
        let call = Call { op, axes, by, same, output_padding: None };
        self.convolve_batch(&call, w, bias, |x, by| match bias {
            Some(bias) => Tensor::try_apply(Forward(by), [x, w, bias]),
            None => Tensor::try_apply(Forward(by), [x, w]),
        })
    }

    /// A transposed convolution over so many axes.
    #[track_caller]
    pub(super) fn convolve_transposed(
        &self,
        (op, axes): (&'static str, usize),
        w: &Tensor,
        bias: Option<&Tensor>,
        by: &Convolution,
        output_padding: PerAxis,
    ) -> Result<Tensor, OpError> {
        let output_padding = Some(output_padding);
        let call = Call { op, axes, by, same: false, output_padding };
        self.convolve_batch(&call, w, bias, |x, by| match bias {
            Some(bias) => Tensor::try_apply(InputGradient(by), [x, w, bias]),
            None => Tensor::try_apply(InputGradient(by), [x, w]),
        })
    }

    /// Checks, and adds a batch axis if there is none.
    #[track_caller]
    fn convolve_batch(
        &self,
        call: &Call<'_>,
        w: &Tensor,
        bias: Option<&Tensor>,
        run: impl FnOnce(&Tensor, ConvGeometry) -> Result<Tensor, OpError>,
    ) -> Result<Tensor, OpError> {
        let inputs =
            || [Some(self), Some(w), bias].into_iter().flatten().map(Tensor::meta).collect();
        let by = call
            .geometry(self.shape(), w.shape(), bias.map(Tensor::shape))
            .map_err(|e| e.of(call.op, inputs()))?;
        if self.rank() == call.axes + 2 {
            return run(self, by);
        }
        run(&self.try_unsqueeze(0)?, by)?.try_squeeze(0)
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<Case> {
    fn geometry(stride: usize, padding: usize, dilation: usize) -> ConvGeometry {
        let by = Convolution {
            stride: stride.into(),
            padding: padding.into(),
            dilation: dilation.into(),
            groups: 2,
        };
        let call = Call { op: "", axes: 1, by: &by, same: false, output_padding: None };
        must(call.geometry(&[2, 4, 7].into(), &[2, 2, 3].into(), None))
    }
    vec![
        Case::new(&[&[2, 2, 5], &[2, 2, 3]], |x| input_gradient(&geometry(1, 0, 1), &x[0], &x[1])),
        Case::new(&[&[2, 2, 3], &[2, 2, 3]], |x| input_gradient(&geometry(3, 1, 1), &x[0], &x[1])),
        Case::new(&[&[2, 4, 7], &[2, 2, 5]], |x| weight_gradient(&geometry(1, 0, 1), &x[0], &x[1])),
        Case::new(&[&[2, 4, 7], &[2, 2, 3]], |x| weight_gradient(&geometry(2, 1, 2), &x[0], &x[1])),
        Case::new(&[&[2, 4, 7], &[2, 2, 3]], |x| forward(&geometry(2, 1, 2), &x[0], &x[1])),
        Case::new(&[&[2, 4, 7], &[2, 2, 5]], |x| {
            let op = WeightBiasGradient(geometry(1, 0, 1));
            let [w, b] = Tensor::apply(op, [&x[0], &x[1]]);
            &w.sum_dims(&[1, 2], false) * &b
        }),
        Case::new(&[&[2, 4, 7], &[2, 2, 5]], |x| {
            let op = WeightBiasGradient(geometry(1, 0, 1));
            let [_, b] = Tensor::apply(op, [&x[0], &x[1]]);
            b.square()
        }),
    ]
}
