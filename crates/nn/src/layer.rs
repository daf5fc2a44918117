//! From one tensor to one tensor: what `Sequential` holds.

use crate::{DeepCopy, Module, Site, Ties, Visitor};
use gradus_autodiff::Tensor;
use std::sync::Arc;

/// A module from one tensor to one tensor: what [`Sequential`](crate::Sequential) holds.
///
/// A model of your own becomes one with its `forward`; `#[derive(Module)]` does the rest.
///
/// ```
/// use gradus_autodiff::Tensor;
/// use gradus_nn::{Layer, Linear, Module, Sequential};
///
/// /// `y = x + f(x)`.
/// #[derive(Module)]
/// # #[module(crate = "gradus_nn")]
/// struct Residual {
///     f: Linear,
/// }
///
/// impl Layer for Residual {
///     fn forward(&self, x: &Tensor) -> Tensor {
///         x + self.f.forward(x)
///     }
/// }
///
/// let net = Sequential::new().then(Residual { f: Linear::new(2, 2) }).then(Linear::new(2, 1));
/// assert_eq!(net.forward(&Tensor::from([[1.0_f32, 2.0]])).shape().dims(), [1, 1]);
/// ```
pub trait Layer: Module + CopyLayer + Send + Sync {
    /// `y = f(x)`.
    // In the declaration, `track_caller` holds for every implementation and through `dyn Layer`; on an
    // implementation alone, a call through `dyn` would lose the user's line.
    #[track_caller]
    fn forward(&self, x: &Tensor) -> Tensor;
}

/// What makes `Box<dyn Layer>` copyable: every layer that is [`DeepCopy`] has it.
#[diagnostic::on_unimplemented(
    message = "the layer `{Self}` cannot be deep-copied",
    note = "`#[derive(Module)]` makes it so, unless it is marked `#[module(no_deep_copy)]`"
)]
#[doc(hidden)]
pub trait CopyLayer {
    fn copy_layer(&self, ties: &mut Ties) -> Box<dyn Layer>;
}

impl<L: Layer + DeepCopy + 'static> CopyLayer for L {
    fn copy_layer(&self, ties: &mut Ties) -> Box<dyn Layer> {
        Box::new(self.deep_copy_with(ties))
    }
}

impl DeepCopy for Box<dyn Layer> {
    fn deep_copy_with(&self, ties: &mut Ties) -> Self {
        (**self).copy_layer(ties)
    }
}

impl Layer for Box<dyn Layer> {
    fn forward(&self, x: &Tensor) -> Tensor {
        (**self).forward(x)
    }
}

impl<L: Layer + DeepCopy + 'static> Layer for Box<L> {
    fn forward(&self, x: &Tensor) -> Tensor {
        (**self).forward(x)
    }
}

/// One layer in several places.
impl<L: Layer + DeepCopy + 'static> Layer for Arc<L> {
    fn forward(&self, x: &Tensor) -> Tensor {
        (**self).forward(x)
    }
}

/// A function as a layer without parameters.
///
/// ```
/// use gradus_autodiff::Tensor;
/// use gradus_nn::{Lambda, Layer};
/// let double = Lambda::new(|x| x * 2.0);
/// assert_eq!(double.forward(&Tensor::from([1.5])).item(), 3.0);
/// ```
pub struct Lambda<F> {
    function: F,
    site: Site,
}

impl<F: Fn(&Tensor) -> Tensor> Lambda<F> {
    /// The layer that calls `function`.
    pub fn new(function: F) -> Self {
        Lambda { function, site: Site::new("Lambda") }
    }
}

impl<F> Module for Lambda<F> {
    fn visit(&self, visitor: &mut Visitor<'_>) {
        visitor.field("site", &self.site);
    }
}

impl<F: Clone> DeepCopy for Lambda<F> {
    fn deep_copy_with(&self, ties: &mut Ties) -> Self {
        Lambda { function: self.function.clone(), site: self.site.deep_copy_with(ties) }
    }
}

impl<F: Fn(&Tensor) -> Tensor + Clone + Send + Sync + 'static> Layer for Lambda<F> {
    fn forward(&self, x: &Tensor) -> Tensor {
        let call = self.site.enter();
        let y = (self.function)(x);
        call.leave(y)
    }
}

impl<F> std::fmt::Debug for Lambda<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.describe())
    }
}

/// What [`Sequential::then`](crate::Sequential::then) takes: a layer, or a closure `|x: &Tensor| …`.
///
/// `Kind` only tells the two apart; it is always inferred.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no layer",
    note = "a layer implements `Layer`; a closure is written `|x: &Tensor| …`, can be cloned and \
            sent to another thread"
)]
pub trait IntoLayer<Kind> {
    /// As a layer.
    fn into_layer(self) -> Box<dyn Layer>;
}

/// The kind of [`IntoLayer`] that is a layer already.
#[doc(hidden)]
pub struct IsLayer;
/// The kind of [`IntoLayer`] that becomes a [`Lambda`].
#[doc(hidden)]
pub struct IsFunction;

impl<L: Layer + 'static> IntoLayer<IsLayer> for L {
    fn into_layer(self) -> Box<dyn Layer> {
        Box::new(self)
    }
}

impl<F: Fn(&Tensor) -> Tensor + Clone + Send + Sync + 'static> IntoLayer<IsFunction> for F {
    fn into_layer(self) -> Box<dyn Layer> {
        Box::new(Lambda::new(self))
    }
}
