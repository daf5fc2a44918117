//! `y = fₙ(… f₁(x))`.

use crate::{DeepCopy, IntoLayer, Layer, Module, Site, Ties, Visitor};
use gradus_autodiff::Tensor;

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
pub struct Sequential {
    layers: Vec<Box<dyn Layer>>,
    site: Site,
}

impl Sequential {
    /// Without layers: `y = x`.
    pub fn new() -> Self {
        Sequential { layers: Vec::new(), site: Site::new("Sequential") }
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

impl Default for Sequential {
    fn default() -> Self {
        Self::new()
    }
}

/// The layers `0`, `1`, ….
///
/// ```
/// use gradus_nn::{Layer, Linear, Relu, Sequential};
/// let layers: Vec<Box<dyn Layer>> = vec![Box::new(Linear::new(2, 2)), Box::new(Relu::new())];
/// assert_eq!(Sequential::from(layers).len(), 2);
/// ```
impl From<Vec<Box<dyn Layer>>> for Sequential {
    fn from(layers: Vec<Box<dyn Layer>>) -> Self {
        layers.into_iter().collect()
    }
}

impl<L: Layer + 'static> FromIterator<L> for Sequential {
    fn from_iter<I: IntoIterator<Item = L>>(layers: I) -> Self {
        let mut all = Sequential::new();
        layers.into_iter().for_each(|layer| all.push(layer));
        all
    }
}

/// By hand, for the numbers are the names: the field adds none of its own.
impl Module for Sequential {
    fn visit(&self, visitor: &mut Visitor<'_>) {
        visitor.field("site", &self.site);
        self.layers.visit(visitor);
    }
}

impl DeepCopy for Sequential {
    fn deep_copy_with(&self, ties: &mut Ties) -> Self {
        let (layers, site) = (self.layers.deep_copy_with(ties), self.site.deep_copy_with(ties));
        Sequential { layers, site }
    }
}

impl Layer for Sequential {
    fn forward(&self, x: &Tensor) -> Tensor {
        let call = self.site.enter();
        let mut y = x.clone();
        for layer in &self.layers {
            y = layer.forward(&y); // not in a closure: it would stand for the user's line
        }
        call.leave(y)
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<crate::testing::Case> {
    use crate::testing::Case;
    use crate::{Linear, Tanh};
    let two =
        || Sequential::new().then(Linear::new(3, 2)).then(Tanh::new()).then(Linear::new(2, 2));
    vec![
        Case::layer(&[2, 3], two).empty(&[0, 3], &[0, 2]).refuses(&[4, 9]),
        Case::layer(&[2, 3], Sequential::new).empty(&[0], &[0]),
    ]
}
