//! How parameters start (`torch.nn.init`): each function overwrites one, and records nothing.
//!
//! Numbers come from the default generator of the thread (`manual_seed`); the forms `…_with` take one.
//!
//! ```
//! use gradus_nn::{Linear, init};
//! let layer = Linear::new(3, 2);
//! init::xavier_uniform(&layer.weight, 1.0);
//! init::constant(layer.bias.as_ref().unwrap(), 0.1);
//! assert!(layer.weight.to_vec::<f64>().iter().all(|w| w.abs() <= (6.0_f64 / 5.0).sqrt()));
//! ```

use crate::Parameter;
use gradus_autodiff::Tensor;
use gradus_tensor::{Array, DType, Generator, Shape, with_default_generator};

/// Every element `value` (`torch.nn.init.constant_`).
pub fn constant(parameter: &Parameter, value: f64) {
    parameter.update(|x| *x = Array::full(x.shape(), value, x.dtype()));
}

/// Every element 0 (`torch.nn.init.zeros_`).
pub fn zeros(parameter: &Parameter) {
    constant(parameter, 0.0);
}

/// Every element 1 (`torch.nn.init.ones_`).
pub fn ones(parameter: &Parameter) {
    constant(parameter, 1.0);
}

/// From U(low, high) (`torch.nn.init.uniform_`).
///
/// # Panics
/// If not `low <= high`, or the range is not finite.
#[track_caller]
pub fn uniform(parameter: &Parameter, low: f64, high: f64) {
    with_default_generator(|g| uniform_with(parameter, low, high, g));
}

/// As [`uniform`], from this generator.
///
/// # Panics
/// If not `low <= high`, or the range is not finite.
#[track_caller]
pub fn uniform_with(parameter: &Parameter, low: f64, high: f64, generator: &mut Generator) {
    let value = Array::uniform_with(low, high, parameter.shape(), parameter.dtype(), generator);
    parameter.update(|x| *x = value);
}

/// From N(mean, std²) (`torch.nn.init.normal_`).
///
/// # Panics
/// If `std` is negative or not a number.
#[track_caller]
pub fn normal(parameter: &Parameter, mean: f64, std: f64) {
    with_default_generator(|g| normal_with(parameter, mean, std, g));
}

/// As [`normal`], from this generator.
///
/// # Panics
/// If `std` is negative or not a number.
#[track_caller]
pub fn normal_with(parameter: &Parameter, mean: f64, std: f64, generator: &mut Generator) {
    assert!(std >= 0.0, "normal: std {std} is negative");
    let drawn = Array::randn_with(parameter.shape(), parameter.dtype(), generator);
    let value = (Tensor::new(drawn) * std + mean).into_array();
    parameter.update(|x| *x = value);
}

/// Xavier, uniform: keeps the variance of values and gradients from layer to layer.
///
/// ```text
/// U(−a, a),  a = gain·√(6 / (fan_in + fan_out))
/// ```
/// # Panics   if the parameter has fewer than two axes
/// # PyTorch  `torch.nn.init.xavier_uniform_`
/// # Source   Glorot & Bengio 2010, equation 16
#[track_caller]
pub fn xavier_uniform(parameter: &Parameter, gain: f64) {
    with_default_generator(|g| xavier_uniform_with(parameter, gain, g));
}

/// As [`xavier_uniform`], from this generator.
///
/// # Panics
/// If the parameter has fewer than two axes.
#[track_caller]
pub fn xavier_uniform_with(parameter: &Parameter, gain: f64, generator: &mut Generator) {
    let bound = 3f64.sqrt() * xavier_std(parameter, gain);
    uniform_with(parameter, -bound, bound, generator);
}

/// Xavier, normal.
///
/// ```text
/// N(0, σ²),  σ = gain·√(2 / (fan_in + fan_out))
/// ```
/// # Panics   if the parameter has fewer than two axes
/// # PyTorch  `torch.nn.init.xavier_normal_`
/// # Source   Glorot & Bengio 2010
#[track_caller]
pub fn xavier_normal(parameter: &Parameter, gain: f64) {
    with_default_generator(|g| xavier_normal_with(parameter, gain, g));
}

/// As [`xavier_normal`], from this generator.
///
/// # Panics
/// If the parameter has fewer than two axes.
#[track_caller]
pub fn xavier_normal_with(parameter: &Parameter, gain: f64, generator: &mut Generator) {
    normal_with(parameter, 0.0, xavier_std(parameter, gain), generator);
}

#[track_caller]
fn xavier_std(parameter: &Parameter, gain: f64) -> f64 {
    let (fan_in, fan_out) = fan_in_and_fan_out(parameter.shape());
    gain * (2.0 / (fan_in + fan_out) as f64).sqrt()
}

/// What a Kaiming initialiser keeps, and for which non-linearity; PyTorch's defaults.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct KaimingOptions {
    /// Which variance is kept.
    pub mode: FanMode,
    /// What comes after the layer.
    pub nonlinearity: Nonlinearity,
}

impl Default for KaimingOptions {
    fn default() -> Self {
        KaimingOptions { mode: FanMode::FanIn, nonlinearity: Nonlinearity::LeakyRelu(0.0) }
    }
}

/// Which variance is kept from layer to layer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FanMode {
    /// That of the values on the way forward.
    #[default]
    FanIn,
    /// That of the gradients on the way back.
    FanOut,
}

/// What comes after a layer, for [`calculate_gain`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Nonlinearity {
    /// Nothing.
    Linear,
    /// The logistic function.
    Sigmoid,
    /// The hyperbolic tangent.
    Tanh,
    /// The positive part.
    Relu,
    /// The positive part, and the negative one times this slope.
    LeakyRelu(f64),
    /// The self-normalising exponential unit.
    Selu,
}

/// The factor that makes up for what a non-linearity takes from the variance
/// (`torch.nn.init.calculate_gain`, with its values).
///
/// ```
/// use gradus_nn::init::{Nonlinearity, calculate_gain};
/// assert_eq!(calculate_gain(Nonlinearity::Tanh), 5.0 / 3.0);
/// assert_eq!(calculate_gain(Nonlinearity::LeakyRelu(0.0)), 2f64.sqrt());
/// ```
pub fn calculate_gain(nonlinearity: Nonlinearity) -> f64 {
    match nonlinearity {
        Nonlinearity::Linear | Nonlinearity::Sigmoid => 1.0,
        Nonlinearity::Tanh => 5.0 / 3.0,
        Nonlinearity::Relu => 2f64.sqrt(),
        Nonlinearity::LeakyRelu(slope) => (2.0 / (1.0 + slope * slope)).sqrt(),
        Nonlinearity::Selu => 0.75,
    }
}

/// Kaiming, uniform.
///
/// ```text
/// U(−a, a),  a = gain·√(3 / fan)
/// ```
/// # Panics   if the parameter has fewer than two axes
/// # PyTorch  `torch.nn.init.kaiming_uniform_`; its `a` is the slope of `LeakyRelu`
/// # Source   He et al. 2015, <https://arxiv.org/abs/1502.01852>
#[track_caller]
pub fn kaiming_uniform(parameter: &Parameter, options: KaimingOptions) {
    with_default_generator(|g| kaiming_uniform_with(parameter, options, g));
}

/// As [`kaiming_uniform`], from this generator.
///
/// # Panics
/// If the parameter has fewer than two axes.
#[track_caller]
pub fn kaiming_uniform_with(
    parameter: &Parameter,
    options: KaimingOptions,
    generator: &mut Generator,
) {
    let bound = 3f64.sqrt() * kaiming_std(parameter, options);
    uniform_with(parameter, -bound, bound, generator);
}

/// Kaiming, normal.
///
/// ```text
/// N(0, σ²),  σ = gain·√(1 / fan)
/// ```
/// # Panics   if the parameter has fewer than two axes
/// # PyTorch  `torch.nn.init.kaiming_normal_`
/// # Source   He et al. 2015, <https://arxiv.org/abs/1502.01852>
#[track_caller]
pub fn kaiming_normal(parameter: &Parameter, options: KaimingOptions) {
    with_default_generator(|g| kaiming_normal_with(parameter, options, g));
}

/// As [`kaiming_normal`], from this generator.
///
/// # Panics
/// If the parameter has fewer than two axes.
#[track_caller]
pub fn kaiming_normal_with(
    parameter: &Parameter,
    options: KaimingOptions,
    generator: &mut Generator,
) {
    normal_with(parameter, 0.0, kaiming_std(parameter, options), generator);
}

#[track_caller]
fn kaiming_std(parameter: &Parameter, options: KaimingOptions) -> f64 {
    let (fan_in, fan_out) = fan_in_and_fan_out(parameter.shape());
    let fan = match options.mode {
        FanMode::FanIn => fan_in,
        FanMode::FanOut => fan_out,
    };
    calculate_gain(options.nonlinearity) / (fan.max(1) as f64).sqrt()
}

/// How many inputs an output has, and how many outputs an input: for `[out, in, k₁, …]` these are
/// `in·k₁·…` and `out·k₁·…` (`torch.nn.init._calculate_fan_in_and_fan_out`).
///
/// # Panics
/// If there are fewer than two axes.
#[track_caller]
pub fn fan_in_and_fan_out(shape: &Shape) -> (usize, usize) {
    match shape.dims() {
        [outputs, inputs, kernel @ ..] => {
            let field: usize = kernel.iter().product();
            (inputs * field, outputs * field)
        }
        _ => panic!("init: fan in and fan out need two axes or more, not {shape}"),
    }
}

/// `1/√n`, the bound of PyTorch's layers; 0 for a layer without inputs.
pub(crate) fn inverse_root(n: usize) -> f64 {
    if n == 0 { 0.0 } else { 1.0 / (n as f64).sqrt() }
}

/// A new f32 parameter from U(−bound, bound).
pub(crate) fn uniform_parameter(bound: f64, shape: impl Into<Shape>) -> Parameter {
    let draw = |g: &mut Generator| Array::uniform_with(-bound, bound, shape, DType::F32, g);
    Parameter::new(with_default_generator(draw))
}

#[cfg(test)]
mod tests;
