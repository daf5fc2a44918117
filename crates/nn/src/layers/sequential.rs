//! `y = fₙ(… f₁(x))`.

use crate::{IntoLayer, Layer, Module, Site, Visitor};
use gradus_autodiff::Tensor;
use std::ops::Index;

/// Layers one after the other, named `0`, `1`, …; a closure takes a number, too.
///
/// # Shape      that of the first layer  →  that of the last
/// # PyTorch    `torch.nn.Sequential`, with its names
/// # Example
/// ```
/// use gradus_autodiff::Tensor;
/// use gradus_nn::{Layer, Linear, Module, Sequential};
/// let net = Sequential::new()
///     .then(Linear::new(4, 8))
///     .then(|x: &Tensor| x.tanh())
///     .then(Linear::new(8, 2));
/// assert_eq!(net.named_parameters()[2].0, "2.weight");
/// assert_eq!(net.forward(&Tensor::from([[0.5_f32; 4]])).shape().dims(), [1, 2]);
/// ```
#[derive(Module)]
#[module(crate = "crate")]
pub struct Sequential {
    layers: Layers,
    site: Site,
}

/// The layers, whose numbers are the names: they add none of their own.
struct Layers(Vec<Box<dyn Layer>>);

impl Sequential {
    /// Without layers: `y = x`.
    pub fn new() -> Self {
        Sequential::from(Vec::new())
    }
    /// With one more layer.
    #[must_use]
    pub fn then<Kind>(mut self, layer: impl IntoLayer<Kind>) -> Self {
        self.push(layer);
        self
    }
    /// Append a layer (`torch.nn.Sequential.append`).
    pub fn push<Kind>(&mut self, layer: impl IntoLayer<Kind>) {
        self.layers.push(layer.into_layer());
        self.is_training(); // any walk will do: the new layer learns its path
    }
    /// Number of layers.
    pub fn len(&self) -> usize {
        self.layers.len()
    }
    /// Are there no layers?
    pub fn is_empty(&self) -> bool {
        self.layers.is_empty()
    }
    /// The layers, in order.
    pub fn iter(&self) -> impl Iterator<Item = &dyn Layer> {
        self.layers.iter().map(|layer| &**layer)
    }
}
