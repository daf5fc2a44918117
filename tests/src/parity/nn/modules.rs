//! PyTorch's modules and what they are called here: a line each.

use super::Inputs;
use crate::parity::attrs::Attrs;
use crate::parity::miss::{Miss, unsupported};
use gradus_autodiff::Tensor;
use gradus_nn::{
    Flatten, FlattenOptions, Identity, Layer, Linear, LinearOptions, Module, Tanh,
};
use std::rc::Rc;

/// A module and how it is called: inputs and keyword arguments to outputs.
pub(in crate::parity) struct Built {
    pub(in crate::parity) module: Rc<dyn Module>,
    call: Box<Call>,
}

type Call = dyn Fn(&Inputs, &mut Attrs) -> Result<Vec<Tensor>, Miss>;

impl Built {
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
    ("Flatten", |a| {
        let (start_dim, end_dim) = (a.int_or("start_dim", 1)?, a.int_or("end_dim", -1)?);
        layer(Flatten::with(FlattenOptions { start_dim, end_dim }))
    }),
    ("Identity", |_| layer(Identity::new())),
    ("Linear", |a| {
        let (inputs, outputs) = (a.need_size("in_features")?, a.need_size("out_features")?);
        layer(Linear::with(inputs, outputs, LinearOptions { bias: a.flag("bias", true)? }))
    }),
    ("Tanh", |_| layer(Tanh::new())),
];

/// The module that PyTorch calls `name`, in f32.
pub(in crate::parity) fn build(name: &str, mut attrs: Attrs) -> Result<Built, Miss> {
    let Some((_, build)) = MODULES.iter().find(|(n, _)| *n == name) else {
        return unsupported(format!("no module \"{name}\""));
    };
    // How PyTorch computes it, not what; a module with an option of this name takes it before.
    let built = build(&mut attrs)?;
    drop(attrs.flag("inplace", false)?);
    attrs.done()?;
    Ok(built)
}

/// A layer: one tensor in, one out.
fn layer(layer: impl Layer + 'static) -> Result<Built, Miss> {
    let module = Rc::new(layer);
    let call = module.clone();
    Ok(Built { module, call: Box::new(move |x, _| Ok(vec![call.forward(x.only()?)])) })
}
