//! PyTorch's modules and what they are called here: a line each.

use super::{Inputs, spatial};
use crate::parity::attrs::Attrs;
use crate::parity::miss::{Miss, unsupported};
use crate::parity::ops::table::approximate;
use gradus_autodiff::Tensor;
use gradus_nn::{
    AdaptiveAvgPool1d, AdaptiveAvgPool2d, AvgPool1d, AvgPool2d, BatchNorm1d, BatchNorm2d,
    BatchNormOptions, Conv1d, Conv2d, Dropout, Flatten, FlattenOptions, Gelu, GeluOptions,
    Identity, Layer, LayerNorm, LayerNormOptions, Linear, LinearOptions, LogSoftmax, LstmCell,
    LstmCellOptions, Module, Relu, Sigmoid, Softmax, Tanh,
};
use std::rc::Rc;

/// A module and how it is called: inputs and keyword arguments to outputs.
pub(in crate::parity) struct Built {
    pub(in crate::parity) module: Rc<dyn Module>,
    call: Box<Call>,
}

type Call = dyn Fn(&Inputs, &mut Attrs) -> Result<Vec<Tensor>, Miss>;

impl Built {
    pub(super) fn new(
        module: Rc<dyn Module>,
        call: impl Fn(&Inputs, &mut Attrs) -> Result<Vec<Tensor>, Miss> + 'static,
    ) -> Self {
        Built { module, call: Box::new(call) }
    }
    pub(in crate::parity) fn call(
        &self,
        inputs: &Inputs,
        kwargs: &mut Attrs,
    ) -> Result<Vec<Tensor>, Miss> {
        (self.call)(inputs, kwargs)
    }
}

type Build = fn(&mut Attrs) -> Result<Built, Miss>;

const MODULES: &[(&str, Build)] = &[
    ("AdaptiveAvgPool1d", |a| layer(AdaptiveAvgPool1d::new(a.adaptive_size("output_size")?))),
    ("AdaptiveAvgPool2d", |a| layer(AdaptiveAvgPool2d::new(a.adaptive_size("output_size")?))),
    ("AdaptiveMaxPool1d", spatial::adaptive_max_pool1d),
    ("AdaptiveMaxPool2d", spatial::adaptive_max_pool2d),
    ("AvgPool1d", |a| {
        let (kernel, options) = spatial::avg_pool(a)?;
        layer(AvgPool1d::with(kernel, options))
    }),
    ("AvgPool2d", |a| {
        let (kernel, options) = spatial::avg_pool(a)?;
        layer(AvgPool2d::with(kernel, options))
    }),
    ("BatchNorm1d", |a| {
        layer(BatchNorm1d::with(a.need_size("num_features")?, batch_norm_options(a)?))
    }),
    ("BatchNorm2d", |a| {
        layer(BatchNorm2d::with(a.need_size("num_features")?, batch_norm_options(a)?))
    }),
    ("Conv1d", |a| spatial::convolution(a, Conv1d::with)),
    ("Conv2d", |a| spatial::convolution(a, Conv2d::with)),
    ("ConvTranspose1d", spatial::conv_transpose1d),
    ("ConvTranspose2d", spatial::conv_transpose2d),
    ("Dropout", |a| layer(Dropout::new(a.float("p", 0.5)?))),
    ("Flatten", |a| {
        let (start_dim, end_dim) = (a.int_or("start_dim", 1)?, a.int_or("end_dim", -1)?);
        layer(Flatten::with(FlattenOptions { start_dim, end_dim }))
    }),
    ("GELU", |a| layer(Gelu::with(GeluOptions { approximate: approximate(a)? }))),
    ("Identity", |_| layer(Identity::new())),
    ("LayerNorm", |a| {
        let options = LayerNormOptions {
            eps: a.float("eps", 1e-5)?,
            elementwise_affine: a.flag("elementwise_affine", true)?,
            bias: a.flag("bias", true)?,
        };
        layer(LayerNorm::with(normalized_shape(a)?, options))
    }),
    ("Linear", |a| {
        let (inputs, outputs) = (a.need_size("in_features")?, a.need_size("out_features")?);
        layer(Linear::with(inputs, outputs, LinearOptions { bias: a.flag("bias", true)? }))
    }),
    ("LSTMCell", lstm_cell),
    ("LogSoftmax", |a| layer(LogSoftmax::new(a.need_int("dim")?))),
    ("MaxPool1d", spatial::max_pool1d),
    ("MaxPool2d", spatial::max_pool2d),
    ("ReLU", |_| layer(Relu::new())),
    ("Sigmoid", |_| layer(Sigmoid::new())),
    ("Softmax", |a| layer(Softmax::new(a.need_int("dim")?))),
    ("Tanh", |_| layer(Tanh::new())),
];

/// The module that PyTorch calls `name`, in f32.
pub(in crate::parity) fn build(name: &str, mut attrs: Attrs) -> Result<Built, Miss> {
    let Some((_, build)) = MODULES.iter().find(|(n, _)| *n == name) else {
        return unsupported(format!("no module \"{name}\""));
    };
    let built = build(&mut attrs)?;
    let _how_not_what = attrs.flag("inplace", false)?;
    attrs.done()?;
    Ok(built)
}

/// A layer: one tensor in, one out.
pub(super) fn layer(layer: impl Layer + 'static) -> Result<Built, Miss> {
    let module = Rc::new(layer);
    let call = module.clone();
    Ok(Built { module, call: Box::new(move |x, _| Ok(vec![call.forward(x.only()?)])) })
}

fn batch_norm_options(a: &mut Attrs) -> Result<BatchNormOptions, Miss> {
    Ok(BatchNormOptions {
        eps: a.float("eps", 1e-5)?,
        momentum: a.optional_float("momentum", Some(0.1))?,
        affine: a.flag("affine", true)?,
        track_running_stats: a.flag("track_running_stats", true)?,
    })
}

/// A number or a list of numbers.
pub(super) fn normalized_shape(a: &mut Attrs) -> Result<Vec<usize>, Miss> {
    let sizes = a.axes("normalized_shape")?;
    Ok(sizes.into_iter().filter_map(|n| usize::try_from(n).ok()).collect())
}

/// `(x, (h0, c0))` or `x` → `(h, c)`
fn lstm_cell(a: &mut Attrs) -> Result<Built, Miss> {
    let (inputs, hidden) = (a.need_size("input_size")?, a.need_size("hidden_size")?);
    let cell = LstmCell::with(inputs, hidden, LstmCellOptions { bias: a.flag("bias", true)? });
    let module = Rc::new(cell);
    let cell = module.clone();
    let call = move |inputs: &Inputs, _: &mut Attrs| {
        let [x, h, c] = inputs.named(["x", "h0", "c0"])?;
        let x = x.ok_or_else(|| Miss::Failed("no input x".into()))?;
        let (h, c) = cell.forward(x, h.zip(c));
        Ok(vec![h, c])
    };
    Ok(Built { module, call: Box::new(call) })
}
