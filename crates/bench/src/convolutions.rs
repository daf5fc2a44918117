//! Convolutions of 64 images with 3 × 3 kernels, without a graph: the layers of `mnist_cnn` and `cnn_bn`.

use crate::Workload;
use crate::measure::{Protocol, report};
use gradus_tensor::{Array, ConvAxis, ConvGeometry};
use serde_json::json;
use std::hint::black_box;

/// The ids of this file. The first layers need no input gradient.
pub(crate) const WORKLOADS: &[Workload] = &[
    ("conv_fwd_mnist1", |id, p| forward(id, p, MNIST1)),
    ("conv_dw_mnist1", |id, p| weight_gradient(id, p, MNIST1)),
    ("conv_fwd_mnist2", |id, p| forward(id, p, MNIST2)),
    ("conv_dx_mnist2", |id, p| input_gradient(id, p, MNIST2)),
    ("conv_dw_mnist2", |id, p| weight_gradient(id, p, MNIST2)),
    ("conv_fwd_cnn1", |id, p| forward(id, p, CNN1)),
    ("conv_dw_cnn1", |id, p| weight_gradient(id, p, CNN1)),
    ("conv_fwd_cnn2", |id, p| forward(id, p, CNN2)),
    ("conv_dx_cnn2", |id, p| input_gradient(id, p, CNN2)),
    ("conv_dw_cnn2", |id, p| weight_gradient(id, p, CNN2)),
    ("conv_fwd_cnn3", |id, p| forward(id, p, CNN3)),
    ("conv_dx_cnn3", |id, p| input_gradient(id, p, CNN3)),
    ("conv_dw_cnn3", |id, p| weight_gradient(id, p, CNN3)),
];

/// Images of a batch, and taps of a kernel along an axis.
const BATCH: usize = 64;
const KERNEL: usize = 3;

/// Channels, and an image's height, which is its width.
#[derive(Clone, Copy)]
struct Layer {
    inputs: usize,
    outputs: usize,
    size: usize,
    padding: usize,
}

const MNIST1: Layer = Layer { inputs: 1, outputs: 32, size: 28, padding: 0 };
const MNIST2: Layer = Layer { inputs: 32, outputs: 64, size: 26, padding: 0 };
const CNN1: Layer = Layer { inputs: 3, outputs: 32, size: 32, padding: 1 };
const CNN2: Layer = Layer { inputs: 32, outputs: 64, size: 16, padding: 1 };
const CNN3: Layer = Layer { inputs: 64, outputs: 128, size: 8, padding: 1 };

impl Layer {
    fn geometry(self) -> ConvGeometry {
        let axis = ConvAxis {
            input: self.size,
            kernel: KERNEL,
            output: self.size + 2 * self.padding + 1 - KERNEL,
            stride: 1,
            padding: self.padding,
            dilation: 1,
        };
        ConvGeometry {
            batch: BATCH,
            in_channels: self.inputs,
            out_channels: self.outputs,
            groups: 1,
            axes: [axis; 2].into_iter().collect(),
        }
    }
}

fn forward(id: &str, protocol: &Protocol, layer: Layer) {
    let by = layer.geometry();
    let (x, w) = (Array::randn(by.input_shape()), Array::randn(by.weight_shape()));
    let b = Array::randn([layer.outputs]);
    finish(id, &by, protocol.times(|| drop(black_box(x.convolution(&w, Some(&b), &by)))));
}

fn input_gradient(id: &str, protocol: &Protocol, layer: Layer) {
    let by = layer.geometry();
    let (g, w) = (Array::randn(by.output_shape()), Array::randn(by.weight_shape()));
    let times = protocol.times(|| drop(black_box(g.convolution_input_gradient(&w, None, &by))));
    finish(id, &by, times);
}

/// The gradients of weight and bias.
fn weight_gradient(id: &str, protocol: &Protocol, layer: Layer) {
    let by = layer.geometry();
    let (x, g) = (Array::randn(by.input_shape()), Array::randn(by.output_shape()));
    let times = protocol.times(|| drop(black_box(x.convolution_weight_bias_gradient(&g, &by))));
    finish(id, &by, times);
}

/// The three maps multiply as often.
fn finish(id: &str, by: &ConvGeometry, mut times: Vec<f64>) {
    times.sort_by(f64::total_cmp);
    let products = by.output_shape().numel() * by.in_channels * KERNEL * KERNEL;
    let gflops = (2.0 * products as f64 / times[times.len() / 2] / 1e8).round() / 10.0;
    report(id, times, json!({ "gflops": gflops }));
}
